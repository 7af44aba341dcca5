// What the page knows of a room. Pure: events and answers go in, a new state comes out.

/**
 * @typedef {{id: string, name: string, kind: string}} Author
 * @typedef {{type: string, offset: number, epoch: string, time: string, author: Author, text?: string|null,
 *   data?: unknown, nonce?: string, target?: number, edited?: boolean, deleted?: boolean}} Logged
 * @typedef {{key: string, offset: number, time: string, author: Author, text: string, edited: boolean,
 *   deleted: boolean, gap: boolean, sending: ""|"pending"|"failed", nonce: string}} Row
 * @typedef {{rows: Row[], outbox: Row[], last: number, older: boolean}} State
 */

/** @type {State} */
export const empty = { rows: [], outbox: [], last: 0, older: false };

/** @param {Logged} event @returns {Row} */
function row(event) {
  const text = typeof event.text === "string" ? event.text : event.data == null ? "" : JSON.stringify(event.data);
  return {
    key: `${event.epoch}/${event.offset}`, offset: event.offset, time: event.time, author: event.author,
    text: event.deleted ? "" : text, edited: event.edited === true, deleted: event.deleted === true,
    gap: false, sending: "", nonce: event.nonce ?? "",
  };
}

/** Take one event of the log, in order. @param {State} state @param {any} event @returns {State} */
export function applied(state, event) {
  if (event.type === "gap") {
    const gap = { ...row({ ...event, type: "gap", offset: state.last, epoch: `gap${state.rows.length}`, time: "", author: { id: "", name: "", kind: "" } }), gap: true };
    return { ...state, rows: [...state.rows, gap], last: 0 };
  }
  if (event.offset <= state.last) return state;
  const next = { ...state, last: event.offset };
  switch (event.type) {
    case "message":
      next.rows = [...state.rows, row(event)];
      next.outbox = event.nonce ? state.outbox.filter((one) => one.nonce !== event.nonce) : state.outbox;
      return next;
    case "edit":
      if (typeof event.text === "string") next.rows = changed(state.rows, event.target, { text: event.text, edited: true });
      return next;
    case "delete":
      next.rows = changed(state.rows, event.target, { text: "", deleted: true });
      return next;
    default:
      return next;
  }
}

/** @param {Row[]} rows @param {number} offset @param {Partial<Row>} fields @returns {Row[]} */
function changed(rows, offset, fields) {
  return rows.map((one) => (one.offset === offset && !one.gap ? { ...one, ...fields } : one));
}

/** Start from the newest page of history. @param {State} state @param {Logged[]} messages @param {boolean} more @returns {State} */
export function begun(state, messages, more) {
  const last = messages.length ? messages[messages.length - 1].offset : 0;
  return { ...state, rows: messages.map(row), last, older: more };
}

/** Put an older page in front. @param {State} state @param {Logged[]} messages @param {boolean} more @returns {State} */
export function extended(state, messages, more) {
  const first = state.rows.find((one) => !one.gap)?.offset ?? Infinity;
  return { ...state, rows: [...messages.filter((one) => one.offset < first).map(row), ...state.rows], older: more };
}

/** Show what is being sent. @param {State} state @param {{nonce: string, text: string, author: Author, time: string}} draft @returns {State} */
export function sending(state, draft) {
  const one = { key: draft.nonce, offset: 0, edited: false, deleted: false, gap: false, sending: /** @type {"pending"} */ ("pending"), ...draft };
  return { ...state, outbox: [...state.outbox, one] };
}

/** @param {State} state @param {string} nonce @param {""|"pending"|"failed"} how @returns {State} */
export function marked(state, nonce, how) {
  return { ...state, outbox: state.outbox.map((one) => (one.nonce === nonce ? { ...one, sending: how } : one)) };
}

/** Give a draft up. @param {State} state @param {string} nonce @returns {State} */
export function withdrawn(state, nonce) {
  return { ...state, outbox: state.outbox.filter((one) => one.nonce !== nonce) };
}
