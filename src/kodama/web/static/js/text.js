/**
 * Small questions about text. Decided here: names are compared as people read them, NFKC and without case, and what
 * looks like one emoji counts as one, however many code points it has.
 */

/** @param {string} text */
export const folded = (text) => text.normalize("NFKC").toLowerCase();

const ONLY_EMOJI = /^(?:\p{Extended_Pictographic}|\p{Emoji_Modifier}|\p{Regional_Indicator}|[\u200d\ufe0f\u20e3\s])+$/u;
const segments = globalThis.Intl?.Segmenter ? new Intl.Segmenter(undefined, { granularity: "grapheme" }) : null;

/** How many characters a reader sees. @param {string} text */
export const graphemes = (text) => (segments ? [...segments.segment(text)].length : [...text].length);

/** Whether the text is one to six emoji and nothing else. @param {string} text */
export function onlyEmoji(text) {
  if (text.length > 80 || !ONLY_EMOJI.test(text) || !/[\p{Extended_Pictographic}\p{Regional_Indicator}]/u.test(text)) return false;
  return graphemes(text.replace(/\s/gu, "")) <= 6;
}

/** A hue, 0 to 359, that stays with a person. @param {string} id */
export function hueOf(id) {
  let sum = 7;
  for (const letter of id) sum = (sum * 31 + (letter.codePointAt(0) ?? 0)) % 360_007;
  return (sum * 47) % 360;
}

/** One line of a message, for quotes and announcements. @param {string} text @param {number} [limit] */
export function gist(text, limit = 90) {
  const line = text.replace(/```[^\n]*\n?|\*\*|~~|`+/gu, "").replace(/\s+/gu, " ").trim();
  const cut = segments ? [...segments.segment(line.slice(0, limit * 8))].map((one) => one.segment) : [...line];
  return cut.length > limit ? `${cut.slice(0, limit - 1).join("")}…` : line;
}
