/**
 * Kodama's markdown as a tree: paragraphs, fenced code, quotes, lists, and what `inline.js` finds in them. Decided here:
 * a line end is a line end, as chat has it; there is no HTML and no image, so that nothing a message says can load or run.
 *
 * @typedef {import("./inline.js").Inline} Inline
 * @typedef {{is: "p", kids: Inline[]} | {is: "pre", language: string, text: string} | {is: "quote", kids: Block[]}
 *   | {is: "list", start: number | null, items: Inline[][]}} Block
 */

import { inline } from "./inline.js";

const FENCE = /^ {0,3}(```+|~~~+)\s*([^\s`]{0,30})\s*$/u;
const QUOTE = /^ {0,3}[>＞] ?/u;
const ITEM = /^ {0,3}(?:[-*+•]|(\d{1,9})[.)])\s+(?=\S)/u;
const DEPTH = 5;

/** @param {string} text @param {readonly string[]} [names] of those mentioned @returns {Block[]} */
export function markdown(text, names = []) {
  return blocks(text.replace(/\r\n?/gu, "\n").split("\n"), names, 0);
}

/** @param {string[]} lines @param {readonly string[]} names @param {number} depth @returns {Block[]} */
function blocks(lines, names, depth) {
  /** @type {Block[]} */
  const found = [];
  let at = 0;
  while (at < lines.length) {
    const next = !lines[at].trim() ? at + 1 : fenced(lines, at, found)
      ?? (depth < DEPTH ? quoted(lines, at, found, names, depth) : null) ?? listed(lines, at, found, names)
      ?? spoken(lines, at, found, names, depth);
    at = next;
  }
  return found;
}

/** @param {string[]} lines @param {number} at @param {Block[]} found */
function fenced(lines, at, found) {
  const open = FENCE.exec(lines[at]);
  if (!open) return null;
  let end = at + 1;
  while (end < lines.length && !(lines[end].trim().startsWith(open[1]) && /^\s*(`+|~+)\s*$/u.test(lines[end]))) end += 1;
  found.push({ is: "pre", language: open[2], text: lines.slice(at + 1, end).join("\n") });
  return end + 1;
}

/** @param {string[]} lines @param {number} at @param {Block[]} found @param {readonly string[]} names @param {number} depth */
function quoted(lines, at, found, names, depth) {
  let end = at;
  while (end < lines.length && QUOTE.test(lines[end])) end += 1;
  if (end === at) return null;
  found.push({ is: "quote", kids: blocks(lines.slice(at, end).map((line) => line.replace(QUOTE, "")), names, depth + 1) });
  return end;
}

/** @param {string[]} lines @param {number} at @param {Block[]} found @param {readonly string[]} names */
function listed(lines, at, found, names) {
  const first = ITEM.exec(lines[at]);
  if (!first) return null;
  const ordered = first[1] !== undefined;
  /** @type {string[]} */
  const items = [];
  let end = at;
  for (; end < lines.length; end += 1) {
    const item = ITEM.exec(lines[end]);
    if (item && (item[1] !== undefined) === ordered) items.push(lines[end].slice(item[0].length));
    else if (!item && /^ {2,}\S/u.test(lines[end])) items.push(`${items.pop()}\n${lines[end].trim()}`);
    else break;
  }
  found.push({ is: "list", start: ordered ? Number(first[1]) : null, items: items.map((one) => inline(one, names)) });
  return end;
}

/** @param {string[]} lines @param {number} at @param {Block[]} found @param {readonly string[]} names @param {number} depth */
function spoken(lines, at, found, names, depth) {
  const begins = (/** @type {string} */ line) => FENCE.test(line) || (depth < DEPTH && QUOTE.test(line)) || ITEM.test(line);
  let end = at + 1;
  while (end < lines.length && lines[end].trim() && !begins(lines[end])) end += 1;
  found.push({ is: "p", kids: inline(lines.slice(at, end).join("\n"), names) });
  return end;
}
