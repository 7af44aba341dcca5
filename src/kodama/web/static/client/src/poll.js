/** Long polls, one at a time. Decided here: asking again acknowledges, so only after the answer was taken care of. */

import { eventsPath } from "./net.js";

/**
 * Ask for ever with `ask`, the first time without a hold.
 * @param {import("./types.js").Reading} reading @returns {Promise<import("./types.js").Ended>}
 * @param {(path: string, signal: AbortSignal) => Promise<import("./types.js").Answer>} ask
 * @param {(answer: import("./types.js").Answer) => Record<string, any>} [extra]
 */
export async function polls(reading, ask, extra) {
  /** @type {Record<string, any>} */
  let query = { since: reading.since, wait: 0 };
  for (let first = true; !reading.signal.aborted; first = false) {
    const answer = await ask(eventsPath(reading, query), reading.signal);
    if (answer.superseded) return { superseded: true };
    if (first) reading.ready("");
    await reading.heard(answer);
    if (answer.after !== undefined) return { after: answer.after };
    query = { since: answer.cursor, ...(answer.more && { wait: 0 }), ...extra?.(answer) };
  }
}

/** @param {import("./net.js").Net} net @param {import("./types.js").Reading} reading */
export const poll = (net, reading) => polls(reading, (path, signal) => net.ask("GET", path, undefined, signal));
