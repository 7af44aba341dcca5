/** Finds links in text. Decided here: only http and https are links; all else stays text. */

const LINK = /https?:\/\/[^\s<>"、。，「」『』【】（）]+/giu;

/** @typedef {{text: string, href: string}} Piece */

/** @param {string} text @returns {Piece[]} */
export function pieces(text) {
  /** @type {Piece[]} */
  const found = [];
  let end = 0;
  for (const match of text.matchAll(LINK)) {
    let address = match[0].replace(/[.,:;!?'*]+$/u, "");
    if (address.endsWith(")") && !address.includes("(")) address = address.slice(0, -1);
    if (!URL.canParse(address)) continue;
    if (match.index > end) found.push({ text: text.slice(end, match.index), href: "" });
    found.push({ text: address, href: new URL(address).href });
    end = match.index + address.length;
  }
  if (end < text.length) found.push({ text: text.slice(end), href: "" });
  return found;
}

/**
 * Whether this key press belongs to an input method. Safari ends the composition before the key that
 * ended it, so that only its code 229 tells.
 * @param {{isComposing: boolean, keyCode: number}} key @param {boolean} composing
 */
export function composed(key, composing) {
  return key.isComposing || key.keyCode === 229 || composing;
}
