/**
 * All that the page knows, as a pure reducer: no network, no clock, no drawing. Decided here: an unstored message is known
 * by its nonce and leaves the waiting ones when it is heard; and what is new is counted from what was last seen.
 *
 * @typedef {import("./log.js").Author} Author
 * @typedef {import("./log.js").RoomEvent} RoomEvent
 * @typedef {import("./log.js").Page} Page
 * @typedef {{nonce: string, text: string, data: any, time: string, stored: boolean, held?: boolean, problem: string}} Pending
 * @typedef {{is: "connecting" | "live" | "waiting" | "behind" | "paused" | "refused", behind: number}} Link
 * @typedef {import("./places.js").RoomRow} RoomRow
 * @typedef {{is: "about" | "invite" | "help" | "settings" | "notify" | "rooms" | "people" | "open" | "date" | "search" | "order" | "me"} | {is: "emoji" | "delete" | "report", at: number} | {is: "person", person: Author} | {is: "qr", link: string}} Dialog
 * @typedef {{room: string, barred: string, phase: "loading" | "name" | "room", me: Author | null, problem: string, link: Link,
 *   log: import("./log.js").Log, ready: boolean, loading: "" | "older" | "newer" | "jump", wanted: number | null, veil: boolean, knocking: ((acts: any, back: () => void) => any) | null,
 *   pending: readonly Pending[], atEnd: boolean, shown: boolean, seen: number, divider: number | null,
 *   unseen: number, forMe: number, waiting: {held: number, reports: number}, people: import("./people.js").People, rooms: readonly RoomRow[],
 *   editing: number | null, replying: number | null, active: number | null, flash: number | null,
 *   dialog: Dialog | null, uploads: readonly import("./attach.js").Upload[], note: {key: string, value: string} | null, settings: import("./settings.js").Settings}} State
 */

import { after, around, before, empty, live, newest } from "./log.js";
import { mentions } from "./mentions.js";
import { heard, later, listed, nobody } from "./people.js";
import { callsIn, heardIn, marked, merged } from "./places.js";

/** @param {string} room @param {import("./settings.js").Settings} settings @returns {State} */
export function start(room, settings) {
  return {
    room, barred: "", phase: "loading", me: null, problem: "", link: { is: "connecting", behind: 0 }, log: empty(), ready: false,
    loading: "", wanted: null, veil: false, knocking: null, pending: [], atEnd: true, shown: true, seen: 0, divider: null, unseen: 0, forMe: 0,
    waiting: { held: 0, reports: 0 }, people: nobody(), rooms: [], editing: null, replying: null, active: null, flash: null, dialog: null, uploads: [], note: null,
    settings,
  };
}

/**
 * @typedef {{do: "nobody", problem?: string} | {do: "me", me: Author} | {do: "room", room: string, seen: number, at: number | null}
 *   | {do: "link", link: Link} | {do: "barred", code: string} | {do: "loading", which: State["loading"]}
 *   | {do: "newest" | "older" | "newer" | "around", page: Page, edge?: number}
 *   | {do: "events", events: RoomEvent[], now: number} | {do: "tick", now: number} | {do: "knock", with: State["knocking"]} | {do: "waiting", waiting: State["waiting"]} | {do: "here", list: any}
 *   | {do: "rooms", rooms: readonly RoomRow[]} | {do: "elsewhere", room: string, events: RoomEvent[], now: number}
 *   | {do: "calls", room: string, messages: RoomEvent[]} | {do: "marked", room: string, offset: number} | {do: "forgotten", room: string} | {do: "veil", on: boolean}
 *   | {do: "send", pending: Pending} | {do: "kept", pending: Pending[]} | {do: "stored", nonce: string, held: boolean}
 *   | {do: "unsent", nonce: string, problem: string} | {do: "discard", nonce: string}
 *   | {do: "scrolled", atEnd: boolean} | {do: "shown", shown: boolean}
 *   | {do: "edit", at: number | null} | {do: "reply", at: number | null} | {do: "active", at: number | null}
 *   | {do: "flash", at: number | null} | {do: "dialog", dialog: Dialog | null}
 *   | {do: "uploads", uploads: State["uploads"]}
 *   | {do: "note", note: State["note"]} | {do: "settings", settings: State["settings"]}} Action
 */

/** @param {State} state @param {Action} action @returns {State} */
export function reduce(state, action) {
  switch (action.do) {
    case "nobody": return { ...state, phase: "name", me: null, problem: action.problem ?? "" };
    case "me": return { ...entered({ ...state, rooms: state.me?.id === action.me.id ? state.rooms : [] }, { room: state.room, seen: 0, at: state.wanted }), phase: "room", me: action.me, dialog: state.dialog };
    case "room": return entered(state, action);
    case "link": return { ...state, link: action.link };
    case "barred": return { ...state, barred: action.code, loading: "", link: { is: "refused", behind: 0 } };
    case "loading": return { ...state, loading: action.which };
    case "newest": case "older": case "newer": case "around": return paged(state, action.do, action.page, action.edge ?? 0);
    case "events": return watched(action.events.reduce((all, event) => one(all, event, action.now), state));
    case "tick": return { ...state, people: later(state.people, action.now) };
    case "knock": return { ...state, knocking: action.with, problem: "" };
    case "waiting": return { ...state, waiting: action.waiting };
    case "here": return { ...state, people: listed(state.people, action.list) };
    case "rooms": return placed({ ...state, rooms: merged(action.rooms, state.rooms) });
    case "elsewhere": return { ...state, rooms: heardIn(state.rooms, action.room, action.events, { me: state.me, now: action.now }) };
    case "calls": return { ...state, rooms: callsIn(state.rooms, action.room, action.messages, state.me) };
    case "forgotten": return { ...state, seen: 0, rooms: state.rooms.map((row) => (row.room === action.room ? { ...row, read: undefined, unread: undefined, calls: undefined } : row)) };
    case "marked": return { ...state, rooms: marked(state.rooms, action.room, action.offset) };
    case "veil": return { ...state, veil: action.on, log: action.on ? { ...state.log, entries: [], older: true, newer: false } : state.log };
    case "scrolled": return watched({ ...state, atEnd: action.atEnd });
    case "shown": return watched({ ...state, shown: action.shown });
    case "edit": return { ...state, editing: action.at, replying: null };
    case "reply": return { ...state, replying: action.at, editing: null };
    case "active": return { ...state, active: action.at };
    case "flash": return { ...state, flash: action.at };
    case "dialog": return { ...state, dialog: action.dialog };
    case "uploads": return { ...state, uploads: action.uploads };
    case "note": return { ...state, note: action.note };
    case "settings": return { ...state, settings: action.settings };
    default: return { ...state, ...unsent(state, action) };
  }
}

/** @param {State} state @param {{room: string, seen: number, at: number | null}} where @returns {State} */
function entered(state, { room, seen, at }) {
  const { me, phase, rooms, settings, shown } = state;
  return { ...start(room, settings), me, phase, rooms, shown, seen, wanted: at };
}

/** @param {State} state @param {Extract<Action, {nonce: string}> | Extract<Action, {do: "send" | "kept"}>} action @returns {Partial<State>} */
function unsent(state, action) {
  const { pending } = state;
  switch (action.do) {
    case "send": return { pending: [...pending, action.pending], replying: null, divider: null, unseen: 0, forMe: 0 };
    case "kept": {
      const known = new Set([...pending.map((each) => each.nonce), ...noncesOf(state)]);
      return { pending: [...action.pending.filter((each) => !known.has(each.nonce)), ...pending] };
    }
    case "stored": return { pending: pending.map((each) => (each.nonce === action.nonce ? { ...each, stored: true, held: action.held } : each)) };
    case "discard": return { pending: pending.filter((each) => each.nonce !== action.nonce) };
    case "unsent":
      return { pending: pending.map((each) => (each.nonce === action.nonce ? { ...each, problem: action.problem } : each)) };
  }
}

/** @param {State} state */
const noncesOf = (state) =>
  state.log.entries.flatMap((entry) => (entry.kind === "message" && entry.author.id === state.me?.id && entry.nonce ? [entry.nonce] : []));

/** @param {State} state @param {"newest" | "older" | "newer" | "around"} which @param {Page} page @param {number} edge @returns {State} */
function paged(state, which, page, edge) {
  const how = { newest, older: before, newer: after, around };
  const log = how[which](state.log, page, edge);
  const had = new Set(page.messages.filter((each) => each.author?.id === state.me?.id).map((each) => each.nonce));
  const veil = state.veil && which === "older";
  const next = { ...state, log, veil, loading: /** @type {const} */ (""), ready: true, pending: state.pending.filter((each) => !had.has(each.nonce)) };
  if (which !== "newest" || state.ready) return watched(next);
  const fresh = page.messages.filter((each) => state.seen && (each.offset ?? 0) > state.seen && each.author?.id !== state.me?.id);
  return fresh.length ? { ...next, divider: state.seen } : next;
}

/** @param {State} state @param {RoomEvent} event @param {number} now @returns {State} */
function one(state, event, now) {
  const me = state.me?.id ?? "";
  const watching = state.atEnd && state.shown;
  const next = {
    ...state, log: live(state.log, event, { follow: state.atEnd }), people: heard(state.people, event, { now, me }),
  };
  if (event.type === "topic") {
    return { ...next, rooms: state.rooms.map((row) => (row.room === state.room ? { ...row, topic: event.topic ?? "" } : row)) };
  }
  if (event.type !== "message") return next;
  if (event.author?.id === me) return { ...next, pending: state.pending.filter((each) => each.nonce !== event.nonce) };
  if (watching) return next;
  const said = state.me && !event.deleted && mentions(event.text ?? "", event.data, state.me);
  return {
    ...next, unseen: state.unseen + 1, forMe: state.forMe + (said ? 1 : 0),
    divider: state.unseen ? state.divider : (event.offset ?? 1) - 1,
  };
}

/** What was seen elsewhere before the first page came is not new here. @param {State} state @returns {State} */
function placed(state) {
  const read = state.rooms.find((row) => row.room === state.room)?.read ?? 0;
  return read > state.seen && !state.ready ? { ...state, seen: read } : state;
}

/** Whoever is at the end and looks has seen all. @param {State} state @returns {State} */
function watched(state) {
  if (!state.ready || !state.atEnd || !state.shown || state.log.newer) return state;
  const last = Math.floor(state.log.entries.at(-1)?.at ?? 0);
  if (last <= state.seen && !state.unseen) return state;
  return { ...state, seen: Math.max(last, state.seen), unseen: 0, forMe: 0 };
}

/** The message at an offset, if the page holds it. @param {State} state @param {number | null} at */
export function messageAt(state, at) {
  const found = state.log.entries.find((entry) => entry.at === at);
  return found?.kind === "message" ? found : null;
}

/** What is known of the open room. @param {State} state */
export const rowOf = (state) => state.rooms.find((row) => row.room === state.room);

/** Whether one keeps order in the open room. @param {State} state */
export const keeper = (state) => ["owner", "moderator"].includes(rowOf(state)?.role ?? "");
