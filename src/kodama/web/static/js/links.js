/**
 * Addresses in text. Decided here: only http and https are links, ever; and an address ends before the punctuation of
 * the sentence around it, Japanese as well as Latin, but keeps the brackets that it opened itself.
 */

const ADDRESS = /https?:\/\/[^\s<>"“”、。，．；：！？「」『』【】（）〈〉《》〔〕｛｝［］…]+/iuy;
const TAIL = /[.,:;!?'"*_~`|]$/u;
const PAIRS = { ")": "(", "]": "[", "}": "{" };

/** The address of a link, or nothing if it is not one that we open. @param {string} address */
export function safe(address) {
  if (!/^https?:\/\//iu.test(address) || !URL.canParse(address)) return "";
  return new URL(address).href;
}

/** The address that begins at `at`, as written. @param {string} text @param {number} at */
export function addressAt(text, at) {
  if (at > 0 && /[\p{Script=Latin}\p{N}]/u.test(text[at - 1])) return "";
  ADDRESS.lastIndex = at;
  let found = ADDRESS.exec(text)?.[0] ?? "";
  for (;;) {
    const last = /** @type {keyof PAIRS} */ (found.at(-1));
    const open = PAIRS[last];
    const lonely = open && found.split(last).length > found.split(open).length;
    if (!lonely && !TAIL.test(found)) break;
    found = found.slice(0, -1);
  }
  return safe(found) ? found : "";
}
