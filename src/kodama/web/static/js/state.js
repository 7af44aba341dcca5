/**
 * What the page knows, as a pure reducer: no network, no clock, no drawing.
 * Decided here: a stored message is known by its offset, one's own unstored one by its nonce; the first
 * of answer and echo to arrive turns the one into the other, and the second finds nothing to do.
 *
 * @typedef {{id: string, name: string, kind: string}} Author
 * @typedef {{type: string, room?: string, offset?: number, epoch?: string, id?: string, time?: string,
 *   author?: Author, text?: string|null, data?: unknown, nonce?: string, target?: number, edited?: boolean,
 *   deleted?: boolean, from?: number|null, to?: number|null, reason?: string}} ChatEvent
 * @typedef {{kind: "message", at: number, epoch: string, time: string, author: Author, text: string,
 *   edited: boolean, deleted: boolean}} Message
 * @typedef {{kind: "gap", at: number, reason: string}} Gap
 * @typedef {Message | Gap} Entry
 * @typedef {{nonce: string, text: string, time: string, problem: string}} Pending
 * @typedef {"connecting"|"live"|"reconnecting"|"catching"|"elsewhere"|"refused"} Link
 * @typedef {{room: string, phase: "loading"|"name"|"room", me: Author|null, link: Link, cursor: string,
 *   entries: readonly Entry[], pending: readonly Pending[], older: boolean, loadingOlder: boolean,
 *   atEnd: boolean, unseen: number, problem: string}} State
 * @typedef {{do: "nobody", problem?: string} | {do: "me", me: Author} | {do: "link", link: Link}
 *   | {do: "newest", messages: ChatEvent[], more: boolean, cursor: string}
 *   | {do: "loadOlder"} | {do: "olderFailed"} | {do: "older", messages: ChatEvent[], more: boolean}
 *   | {do: "events", events: ChatEvent[], cursor: string}
 *   | {do: "kept", pending: readonly Pending[]}
 *   | {do: "send", nonce: string, text: string, time: string}
 *   | {do: "stored", nonce: string, offset: number, epoch: string, time: string}
 *   | {do: "unsent", nonce: string, problem: string} | {do: "again", nonce: string}
 *   | {do: "scrolled", atEnd: boolean}} Action
 */

/** @param {string} room @returns {State} */
export function start(room) {
  return {
    room, phase: "loading", me: null, link: "connecting", cursor: "", entries: [], pending: [],
    older: false, loadingOlder: false, atEnd: true, unseen: 0, problem: "",
  };
}

/** @param {ChatEvent} event @returns {Message} */
function message(event) {
  const data = event.data === null || event.data === undefined ? "" : JSON.stringify(event.data);
  return {
    kind: "message", at: event.offset ?? 0, epoch: event.epoch ?? "", time: event.time ?? "",
    author: event.author ?? { id: "", name: "?", kind: "guest" }, text: event.text ?? data,
    edited: event.edited === true, deleted: event.deleted === true,
  };
}

/**
 * Put an entry where its offset belongs; one at the same offset gives way.
 * @param {readonly Entry[]} entries @param {Entry} entry @returns {readonly Entry[]}
 */
export function place(entries, entry) {
  let index = entries.length;
  while (index > 0 && entries[index - 1].at > entry.at) index -= 1;
  const same = index > 0 && entries[index - 1].at === entry.at ? 1 : 0;
  return [...entries.slice(0, index - same), entry, ...entries.slice(index)];
}

/** @param {readonly Entry[]} entries @param {number} at @param {Partial<Message>} change */
function amend(entries, at, change) {
  return entries.map((entry) => (entry.kind === "message" && entry.at === at ? { ...entry, ...change } : entry));
}

/** @param {State} state @param {ChatEvent} event @returns {State} */
function receive(state, event) {
  const { entries } = state;
  switch (event.type) {
    case "message": {
      const own = event.author?.id === state.me?.id;
      const known = entries.some((entry) => entry.at === event.offset);
      const pending = own && event.nonce ? state.pending.filter((one) => one.nonce !== event.nonce) : state.pending;
      const unseen = state.unseen + (state.atEnd || own || known ? 0 : 1);
      return { ...state, entries: place(entries, message(event)), pending, unseen };
    }
    case "edit":
      return { ...state, entries: amend(entries, event.target ?? 0, { text: event.text ?? "", edited: true }) };
    case "delete":
      return { ...state, entries: amend(entries, event.target ?? 0, { text: "", deleted: true }) };
    case "gap": {
      const last = Math.floor(entries.at(-1)?.at ?? 0);
      return { ...state, entries: place(entries, { kind: "gap", at: (event.to ?? last) + 0.5, reason: event.reason ?? "" }) };
    }
    default:
      return state;
  }
}

/** @param {State} state @param {Extract<Action, {do: "stored"}>} action @returns {State} */
function stored(state, action) {
  const mine = state.pending.find((one) => one.nonce === action.nonce);
  if (!mine || !state.me) return state;
  const pending = state.pending.filter((one) => one !== mine);
  return {
    ...state, pending,
    entries: place(state.entries, {
      kind: "message", at: action.offset, epoch: action.epoch, time: action.time, author: state.me,
      text: mine.text, edited: false, deleted: false,
    }),
  };
}

/** @param {State} state @param {Action} action @returns {State} */
export function reduce(state, action) {
  switch (action.do) {
    case "nobody": return { ...state, phase: "name", me: null, problem: action.problem ?? "" };
    case "me": return { ...state, phase: "room", me: action.me, problem: "" };
    case "link": return state.link === action.link ? state : { ...state, link: action.link };
    case "newest":
      return {
        ...state, cursor: action.cursor, older: action.more,
        entries: action.messages.reduce((all, event) => place(all, message(event)), state.entries),
      };
    case "loadOlder": return { ...state, loadingOlder: true };
    case "olderFailed": return { ...state, loadingOlder: false };
    case "older":
      return {
        ...state, older: action.more, loadingOlder: false,
        entries: action.messages.reduce((all, event) => place(all, message(event)), state.entries),
      };
    case "events":
      return { ...action.events.reduce(receive, state), cursor: action.cursor };
    case "send": {
      const { nonce, text, time } = action;
      return { ...state, pending: [...state.pending, { nonce, text, time, problem: "" }], atEnd: true, unseen: 0 };
    }
    case "kept": {
      const known = new Set(state.pending.map((one) => one.nonce));
      return { ...state, pending: [...action.pending.filter((one) => !known.has(one.nonce)), ...state.pending] };
    }
    case "stored": return stored(state, action);
    case "unsent": case "again": {
      const problem = action.do === "unsent" ? action.problem : "";
      return { ...state, pending: state.pending.map((one) => (one.nonce === action.nonce ? { ...one, problem } : one)) };
    }
    case "scrolled":
      return { ...state, atEnd: action.atEnd, unseen: action.atEnd ? 0 : state.unseen };
  }
}
