/**
 * The rooms of a person and what is new to them there. Decided here: the server's word counts, but for what was heard after
 * it was spoken: a mark never goes back, and an event counts once, because only what is above a room's last offset counts.
 *
 * @typedef {import("./log.js").Author} Author
 * @typedef {import("./log.js").RoomEvent} RoomEvent
 * @typedef {{room: string, title: string, topic: string, access: string, last: number, role?: string, read?: number | null,
 *   unread?: number, direct?: Author, calls?: readonly number[], heard?: number}} RoomRow
 */

import { mentions } from "./mentions.js";

/** Whether it is one of one's own, where what is new is counted. @param {RoomRow} row */
export const own = (row) => row.unread !== undefined;

/** How a room is called; one of two people after the other one. @param {RoomRow | undefined} row @param {string} room */
export const called = (row, room) => row?.direct?.name ?? (row?.title || room);

/** What is new in a room; all of it calls, where only two are. @param {RoomRow} row */
export const news = (row) => ({ unread: row.unread ?? 0, calls: row.direct ? row.unread ?? 0 : (row.calls?.length ?? 0) });

/** @param {readonly RoomRow[]} rows what the server says now @param {readonly RoomRow[]} had @returns {readonly RoomRow[]} */
export function merged(rows, had) {
  const known = new Map(had.map((row) => [row.room, row]));
  return rows.map((row) => {
    const before = known.get(row.room);
    return before ? newer(row, before) : row;
  });
}

/** @param {RoomRow} row @param {RoomRow} had @returns {RoomRow} */
function newer(row, had) {
  const read = Math.max(row.read ?? -1, had.read ?? -1);
  const late = row.last < had.last || read > (row.read ?? -1);
  const unread = late && had.unread !== undefined ? had.unread : row.unread;
  const calls = had.calls?.filter((at) => at > read);
  return { ...row, last: Math.max(row.last, had.last), read: read < 0 ? row.read : read, unread, calls: unread ? calls : [], heard: had.heard };
}

/** @param {readonly RoomRow[]} rows @param {string} room @param {(row: RoomRow) => RoomRow} change */
const changed = (rows, room, change) => rows.map((row) => (row.room === room ? change(row) : row));

/** Events that were heard of a room that is not open. @param {readonly RoomRow[]} rows @param {string} room @param {RoomEvent[]} events @param {{me: Author | null, now: number}} at */
export const heardIn = (rows, room, events, at) => changed(rows, room, (row) => events.reduce((all, event) => one(all, event, at), row));

/** @param {RoomRow} row @param {RoomEvent} event @param {{me: Author | null, now: number}} at @returns {RoomRow} */
function one(row, event, { me, now }) {
  const { type, offset = 0, author, target, deleted } = event;
  if (type === "delete") return { ...row, last: Math.max(row.last, offset), calls: row.calls?.filter((at) => at !== target) };
  if (type === "topic") return { ...row, last: Math.max(row.last, offset), topic: event.topic ?? "" };
  if (offset <= row.last) return row;
  if (type !== "message" || author?.id === me?.id) return { ...row, last: offset };
  const calls = !deleted && me && mentions(event.text ?? "", event.data, me) ? [...(row.calls ?? []), offset] : row.calls;
  return { ...row, last: offset, unread: (row.unread ?? 0) + 1, calls, heard: now };
}

/** What calls one among the messages that were new when one came. @param {readonly RoomRow[]} rows @param {string} room @param {RoomEvent[]} messages @param {Author | null} me */
export const callsIn = (rows, room, messages, me) => changed(rows, room, (row) => {
  const found = messages.filter((each) => me && each.author?.id !== me.id && !each.deleted && mentions(each.text ?? "", each.data, me));
  const all = new Set([...(row.calls ?? []), ...found.map((each) => each.offset ?? 0)]);
  return { ...row, calls: [...all].filter((at) => at > (row.read ?? 0)) };
});

/** All up to there was read. @param {readonly RoomRow[]} rows @param {string} room @param {number} offset */
export const marked = (rows, room, offset) => changed(rows, room, (row) => {
  if (offset <= (row.read ?? -1)) return row;
  const calls = (row.calls ?? []).filter((at) => at > offset);
  return { ...row, read: offset, last: Math.max(row.last, offset), unread: offset >= row.last ? 0 : row.unread, calls };
});

/** What is new in all rooms but one. @param {readonly RoomRow[]} rows @param {string} but */
export const elsewhere = (rows, but) =>
  rows.filter((row) => row.room !== but).map(news).reduce((all, { unread, calls }) => ({ unread: all.unread + unread, calls: all.calls + calls }), { unread: 0, calls: 0 });

/** What calls first, then what is new, then what was heard last, then by name. @param {RoomRow} row @param {RoomRow} other */
function order(row, other) {
  const [a, b] = [news(row), news(other)];
  return Number(b.calls > 0) - Number(a.calls > 0) || Number(b.unread > 0) - Number(a.unread > 0) || (other.heard ?? 0) - (row.heard ?? 0)
    || called(row, row.room).localeCompare(called(other, other.room));
}

/** The rooms as they are listed; the one that is open is one's own, too. @param {readonly RoomRow[]} rows @param {string} open */
export function listed(rows, open) {
  const there = rows.some((row) => row.room === open) ? rows : [{ room: open, title: "", topic: "", access: "public", last: 0 }, ...rows];
  const sorted = [...there].sort(order);
  const mine = (/** @type {RoomRow} */ row) => own(row) || row.room === open;
  return {
    rooms: sorted.filter((row) => mine(row) && !row.direct), directs: sorted.filter((row) => row.direct), others: sorted.filter((row) => !mine(row) && !row.direct),
  };
}
