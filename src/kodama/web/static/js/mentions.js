/**
 * `@name` in a message. Decided here: whom a completion chose goes with the message as `data.mentions`, so that
 * `@田中さん` needs no space behind it; a name typed by hand is found by its letters.
 *
 * @typedef {{id: string, name: string}} Named
 */

import { folded } from "./text.js";

const WORD = /[\p{Script=Latin}\p{N}_]/u;

/** Whether `name` stands at `at` in `text`, after its sign. @param {string} text @param {number} at @param {string} name */
function stands(text, at, name) {
  if (!name || folded(text.slice(at, at + name.length)) !== folded(name)) return false;
  const next = text[at + name.length] ?? "";
  return !(WORD.test(name.at(-1) ?? "") && WORD.test(next));
}

/** Whether a mention may begin at `at`: there is a sign, and it is not in the middle of an address. @param {string} text @param {number} at */
const signAt = (text, at) => (text[at] === "@" || text[at] === "＠") && !(at && WORD.test(text[at - 1]));

/** The name of `names` that is mentioned at `at`, the longest if there are more. @param {string} text @param {number} at @param {readonly string[]} names */
export function mentionAt(text, at, names) {
  if (!signAt(text, at)) return "";
  let found = "";
  for (const name of names) if (name.length > found.length && stands(text, at + 1, name)) found = name;
  return found && text.slice(at + 1, at + 1 + found.length);
}

/** Those of `names` that are mentioned. @param {string} text @param {readonly string[]} names */
export function mentioned(text, names) {
  /** @type {Set<string>} */
  const found = new Set();
  for (let at = 0; at < text.length; at += 1) {
    const said = folded(mentionAt(text, at, names));
    for (const name of names) if (said && folded(name) === said) found.add(name);
  }
  return [...found];
}

/** Whether a message is for `me`. @param {string} text @param {any} data @param {Named} me */
export function mentions(text, data, me) {
  if (Array.isArray(data?.mentions) && data.mentions.some((/** @type {any} */ one) => one?.id === me.id)) return true;
  for (let at = 0; at < text.length; at += 1) {
    if (signAt(text, at) && stands(text, at + 1, me.name)) return true;
  }
  return false;
}

/** The names that a message's data says it mentions. @param {any} data @returns {string[]} */
export function namesIn(data) {
  if (!Array.isArray(data?.mentions)) return [];
  return data.mentions.slice(0, 50).map((/** @type {any} */ one) => one?.name).filter((/** @type {unknown} */ name) => typeof name === "string");
}

/**
 * What is being completed where the caret is: the sign's place and what was typed since.
 * @param {string} text @param {number} caret @returns {{sign: "@" | "/", at: number, typed: string} | null}
 */
export function wanted(text, caret) {
  const before = text.slice(0, caret);
  const command = /^[/／]([\p{L}]*)$/u.exec(before);
  if (command) return { sign: "/", at: 0, typed: command[1] };
  const at = Math.max(before.lastIndexOf("@"), before.lastIndexOf("＠"));
  const typed = before.slice(at + 1);
  const inWord = at > 0 && /[\p{Script=Latin}\p{N}_.-]/u.test(before[at - 1]);
  if (at < 0 || inWord || typed.length > 40 || /[\n@＠]|^\s|\s\s/u.test(typed)) return null;
  return { sign: "@", at, typed };
}

/** Those whose name begins, or has a word that begins, with what was typed. @template {Named} T @param {readonly T[]} people @param {string} typed @returns {T[]} */
export function matching(people, typed) {
  const sought = folded(typed);
  const rank = (/** @type {T} */ one) => {
    const name = folded(one.name);
    if (name.startsWith(sought)) return 0;
    return name.split(/[\s._-]+/u).some((part) => part.startsWith(sought)) ? 1 : 2;
  };
  return people.filter((one) => rank(one) < 2).sort((one, other) => rank(one) - rank(other)).slice(0, 8);
}
