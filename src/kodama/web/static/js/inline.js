/**
 * One paragraph of Kodama's markdown as a tree. Decided here: emphasis by CommonMark's rule of flanking, but with
 * Chinese, Japanese and Korean letters counted as edges of words, so that `これは**「強調」**です` is bold.
 *
 * @typedef {string | {is: "b" | "i" | "s", kids: Inline[]} | {is: "code", text: string} | {is: "br"}
 *   | {is: "a", href: string, kids: Inline[]} | {is: "at", name: string}} Inline
 * @typedef {{run: string, count: number, opens: boolean, closes: boolean}} Run
 */

import { addressAt, safe } from "./links.js";
import { mentionAt } from "./mentions.js";

const ESCAPED = /[!-/:-@[-`{-~]/u;
const PUNCTUATION = /[\p{P}\p{S}]/u;
const CJK = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\u3000-\u303f\uff00-\uffef]/u;
const DEPTH = 12;

/** @param {string} text @param {readonly string[]} [names] of those mentioned @returns {Inline[]} */
export function inline(text, names = []) {
  return pair(tokens(text, names, true));
}

/** @param {string} text @param {readonly string[]} names @param {boolean} linking @returns {(Inline | Run)[]} */
function tokens(text, names, linking) {
  /** @type {(Inline | Run)[]} */
  const found = [];
  let plain = "";
  let at = 0;
  const add = (/** @type {Inline | Run} */ piece, /** @type {number} */ length) => {
    if (plain) found.push(plain);
    plain = "";
    found.push(piece);
    at += length;
  };
  while (at < text.length) {
    const sign = text[at];
    const piece = special(text, at, sign, names, linking);
    if (piece) add(piece[0], piece[1]);
    else if (sign === "\\" && ESCAPED.test(text[at + 1] ?? "")) {
      plain += text[at + 1];
      at += 2;
    } else {
      plain += sign;
      at += 1;
    }
  }
  if (plain) found.push(plain);
  return found;
}

/** @param {string} text @param {number} at @param {string} sign @param {readonly string[]} names @param {boolean} linking @returns {[Inline | Run, number] | null} */
function special(text, at, sign, names, linking) {
  switch (sign) {
    case "\n": return [{ is: "br" }, 1];
    case "`": return code(text, at);
    case "*": case "_": case "~": return run(text, at, sign);
    case "[": return linking ? link(text, at, names) : null;
    case "h": case "H": {
      const address = linking ? addressAt(text, at) : "";
      return address ? [{ is: "a", href: safe(address), kids: [address] }, address.length] : null;
    }
    case "@": case "＠": {
      const name = mentionAt(text, at, names);
      return name ? [{ is: "at", name }, name.length + 1] : null;
    }
    default: return null;
  }
}

/** @param {string} text @param {number} at @returns {[Inline, number] | null} */
function code(text, at) {
  const fence = /^`+/u.exec(text.slice(at, at + 20))?.[0] ?? "`";
  let end = at + fence.length;
  for (;;) {
    end = text.indexOf(fence, end);
    if (end < 0) return null;
    if (text[end + fence.length] !== "`" && text[end - 1] !== "`") break;
    end += 1;
  }
  const inner = text.slice(at + fence.length, end).replaceAll("\n", " ");
  const bare = /^ .*[^ ].* $/u.test(inner) ? inner.slice(1, -1) : inner;
  return inner ? [{ is: "code", text: bare }, end + fence.length - at] : null;
}

/** @param {string} text @param {number} at @param {readonly string[]} names @returns {[Inline, number] | null} */
function link(text, at, names) {
  const found = /^\[([^\]\n]{1,500})\]\((https?:\/\/[^\s()<>]*(?:\([^\s()<>]*\)[^\s()<>]*)*)\)/iu.exec(text.slice(at, at + 3000));
  const href = found ? safe(found[2]) : "";
  return found && href ? [{ is: "a", href, kids: pair(tokens(found[1], names, false)) }, found[0].length] : null;
}

/** @param {string} text @param {number} at @param {string} sign @returns {[Run, number] | null} */
function run(text, at, sign) {
  let end = at;
  while (text[end] === sign) end += 1;
  const count = end - at;
  if (sign === "~" && count !== 2) return null;
  const before = lastOf(text.slice(Math.max(0, at - 2), at)) || " ";
  const after = String.fromCodePoint(text.codePointAt(end) ?? 32);
  const edge = (/** @type {string} */ one) => /\s/u.test(one) || PUNCTUATION.test(one) || CJK.test(one);
  const left = !/\s/u.test(after) && (!PUNCTUATION.test(after) || edge(before));
  const right = !/\s/u.test(before) && (!PUNCTUATION.test(before) || edge(after));
  const opens = left && (sign !== "_" || !right || PUNCTUATION.test(before));
  const closes = right && (sign !== "_" || !left || PUNCTUATION.test(after));
  return [{ run: sign, count, opens, closes }, count];
}

/** @param {string} text */
const lastOf = (text) => [...text].at(-1) ?? "";

/** Join what opens with what closes it; the rest is text. @param {(Inline | Run)[]} pieces @returns {Inline[]} */
function pair(pieces) {
  /** @type {{run: Run | null, kids: Inline[]}[]} */
  const open = [{ run: null, kids: [] }];
  const top = () => /** @type {{run: Run | null, kids: Inline[]}} */ (open.at(-1));
  const put = (/** @type {Inline} */ one) => {
    const { kids } = top();
    if (typeof one === "string" && typeof kids.at(-1) === "string") kids[kids.length - 1] += one;
    else kids.push(one);
  };
  const give = () => {
    const level = /** @type {{run: Run, kids: Inline[]}} */ (open.pop());
    put(level.run.run.repeat(level.run.count));
    level.kids.forEach(put);
  };
  for (const piece of pieces) {
    if (typeof piece === "string" || !("run" in piece)) put(piece);
    else close({ ...piece }, open, put, give);
  }
  while (open.length > 1) give();
  return open[0].kids;
}

/** @param {Run} piece @param {{run: Run | null, kids: Inline[]}[]} open @param {(one: Inline) => void} put @param {() => void} give */
function close(piece, open, put, give) {
  while (piece.closes && piece.count) {
    const at = open.findLastIndex(({ run: one }) => one?.run === piece.run);
    if (at < 1) break;
    while (open.length - 1 > at) give();
    const level = /** @type {{run: Run, kids: Inline[]}} */ (open[at]);
    const used = piece.run === "~" || (piece.count > 1 && level.run.count > 1) ? 2 : 1;
    const is = piece.run === "~" ? "s" : used === 2 ? "b" : "i";
    level.run.count -= used;
    piece.count -= used;
    /** @type {Inline} */
    const made = { is, kids: level.kids };
    if (level.run.count) level.kids = [made];
    else {
      open.pop();
      put(made);
    }
  }
  if (piece.count && piece.opens && open.length < DEPTH) open.push({ run: piece, kids: [] });
  else if (piece.count) put(piece.run.repeat(piece.count));
}
