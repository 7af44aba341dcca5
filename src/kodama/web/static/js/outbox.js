/**
 * Messages that are not stored yet outlive a reload of their tab, with their nonces: sent again, the
 * server stores each once. Decided here: a tab keeps its own, and only for the person who wrote them.
 *
 * @typedef {import("./state.js").Pending} Pending
 */

/** @param {string} room */
const key = (room) => `kodama-outbox:${room}`;

/** @param {string} room @param {string} author @param {readonly Pending[]} pending */
export function keep(room, author, pending) {
  try {
    if (pending.length) sessionStorage.setItem(key(room), JSON.stringify({ author, pending }));
    else sessionStorage.removeItem(key(room));
  } catch {
    // Storage is full or forbidden: then they last as long as the page.
  }
}

/** @param {string} room @param {string} author @returns {Pending[]} */
export function kept(room, author) {
  try {
    const found = JSON.parse(sessionStorage.getItem(key(room)) ?? "null");
    return found?.author === author && Array.isArray(found.pending) ? found.pending : [];
  } catch {
    return [];
  }
}
