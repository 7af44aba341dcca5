/**
 * The stretch of a room's log that the page holds. Decided here: at most CAP entries, without a hole between them, paged
 * at both ends. While the newest are not held (`newer`), what comes live waits in `tail`, and joins when a page has
 * reached it; and what changes messages is remembered for a while, because a page may have been read before it.
 *
 * @typedef {import("../client/src/types.js").RoomEvent} RoomEvent
 * @typedef {{id: string, name: string, kind: string, state?: string}} Author
 * @typedef {{emoji: string, count: number, by: Author[], upto: number}} Reaction
 * @typedef {{kind: "message", at: number, time: string, author: Author, text: string, data: any, nonce: string,
 *   edited: boolean, deleted: boolean, reactions: Reaction[]}} Message
 * @typedef {{kind: "gap", at: number, reason: string}} Gap
 * @typedef {Message | Gap} Entry
 * @typedef {{target: number, emoji: string, count: number, by: Author[], offset: number}} Tally
 * @typedef {{messages: RoomEvent[], more: boolean, reactions?: Tally[], cursor?: string}} Page
 * @typedef {{entries: readonly Entry[], older: boolean, newer: boolean, tail: readonly Message[], lost: number,
 *   changes: readonly RoomEvent[]}} Log
 */

import { amend } from "./amend.js";

export const CAP = 300;
const REMEMBERED = 300;

/** @returns {Log} */
export const empty = () => ({ entries: [], older: false, newer: false, tail: [], lost: 0, changes: [] });

/** @param {RoomEvent} event @returns {Message} */
export function message(event) {
  const { offset = 0, time = "", author, text, data, nonce = "" } = event;
  return {
    kind: "message", at: offset, time, author: author ?? { id: "", name: "?", kind: "guest" }, text: text ?? "",
    data: data ?? null, nonce, edited: event.edited === true, deleted: event.deleted === true, reactions: [],
  };
}

/** The messages of a page with their reactions, and with what was heard of them meanwhile. @param {Page} page @param {Log} log @returns {Message[]} */
function brought(page, log) {
  const found = page.messages.map(message);
  const places = new Map(found.map((one, index) => [one.at, index]));
  for (const { target, emoji, count, by, offset } of page.reactions ?? []) {
    const index = places.get(target);
    if (index !== undefined) found[index].reactions.push({ emoji, count, by, upto: offset });
  }
  for (const change of log.changes) {
    const index = places.get(change.target ?? 0);
    if (index !== undefined) found[index] = amend(found[index], change);
  }
  return found;
}

/** Put an entry where its offset belongs; the one at that offset gives way. @param {readonly Entry[]} entries @param {Entry} entry @returns {readonly Entry[]} */
export function place(entries, entry) {
  let index = entries.length;
  while (index > 0 && entries[index - 1].at > entry.at) index -= 1;
  const same = index > 0 && entries[index - 1].at === entry.at ? 1 : 0;
  return [...entries.slice(0, index - same), entry, ...entries.slice(index)];
}

/** @param {Log} log @returns {Log} */
const cutOldest = (log) =>
  log.entries.length > CAP ? { ...log, entries: log.entries.slice(-CAP), older: true } : log;

/** @param {Log} log @returns {Log} */
const cutNewest = (log) =>
  log.entries.length > CAP ? { ...log, entries: log.entries.slice(0, CAP), newer: true } : log;

/** The newest page: the log begins with it. @param {Log} log @param {Page} page @returns {Log} */
export function newest(log, page) {
  return after({ ...log, entries: [], older: page.more }, { ...page, more: false }, 0);
}

/** A page around some message. @param {Log} log @param {Page} page @returns {Log} */
export function around(log, page) {
  return { ...log, entries: brought(page, log), older: (page.messages[0]?.offset ?? 1) > 1, newer: true };
}

/** The first and the last message that are held. @param {Log} log @returns {{first: number, last: number}} */
export function edges(log) {
  const first = log.entries.find((one) => one.kind === "message")?.at ?? 0;
  return { first, last: log.entries.findLast((one) => one.kind === "message")?.at ?? 0 };
}

/** A page from before what was held when it was asked for, unless that is no longer the first. @param {Log} log @param {Page} page @param {number} edge @returns {Log} */
export function before(log, page, edge) {
  const { first } = edges(log);
  if (first !== edge) return log;
  const entries = [...brought(page, log).filter((one) => one.at < first), ...log.entries];
  return cutNewest({ ...log, entries, older: page.more });
}

/** A page from behind what was held when it was asked for; if it reaches the end, what came live joins. @param {Log} log @param {Page} page @param {number} edge @returns {Log} */
export function after(log, page, edge) {
  const { last } = edges(log);
  if (last !== edge) return log;
  const found = brought(page, log).filter((one) => one.at > last);
  const end = found.at(-1)?.at ?? last;
  const hole = log.lost > end;
  const joined = page.more || hole ? [] : log.tail.filter((one) => one.at > end);
  return cutOldest({ ...log, entries: [...log.entries, ...found, ...joined], newer: page.more || hole });
}

/** An event comes live; `follow` says that the reader is at the end. @param {Log} log @param {RoomEvent} event @param {{follow: boolean}} where @returns {Log} */
export function live(log, event, { follow }) {
  switch (event.type) {
    case "message": return spoken(log, message(event), follow);
    case "edit": case "delete": case "reaction": return changed(log, event);
    case "gap": {
      const gap = { kind: /** @type {const} */ ("gap"), at: (event.to ?? log.entries.at(-1)?.at ?? 0) + 0.5, reason: event.reason ?? "" };
      return log.newer ? log : { ...log, entries: place(log.entries, gap) };
    }
    default: return log;
  }
}

/** @param {Log} log @param {Message} said @param {boolean} follow @returns {Log} */
function spoken(log, said, follow) {
  const tail = [...log.tail, said];
  const dropped = tail.length > CAP ? tail.shift() : undefined;
  const kept = { ...log, tail, lost: dropped?.at ?? log.lost };
  if (log.newer || said.at < edges(log).first || log.entries.some((one) => one.at === said.at)) return kept;  // a page was ahead
  const grown = { ...kept, entries: place(log.entries, said) };
  return follow ? cutOldest(grown) : cutNewest(grown);
}

/** @param {Log} log @param {RoomEvent} event @returns {Log} */
function changed(log, event) {
  const change = (/** @type {Entry} */ entry) =>
    entry.kind === "message" && entry.at === event.target ? amend(entry, event) : entry;
  return {
    ...log, entries: log.entries.map(change), tail: /** @type {Message[]} */ (log.tail.map(change)),
    changes: [...log.changes, event].slice(-REMEMBERED),
  };
}
