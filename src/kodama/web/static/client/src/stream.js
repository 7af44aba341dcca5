/** Server-sent events over fetch, which can send a token. Decided here: what one piece brings is handed on as one batch. */

import { eventsPath, KodamaError } from "./net.js";
import { sse } from "./sse.js";

/** @param {import("./net.js").Net} net @param {import("./types.js").Reading} reading @returns {Promise<import("./types.js").Ended>} */
export async function stream(net, reading) {
  const response = await net.fetch(eventsPath(reading, { since: reading.since }), {
    headers: { Accept: "text/event-stream" }, signal: reading.signal,
  });
  if (!response.body || !response.headers.get("Content-Type")?.startsWith("text/event-stream")) throw new KodamaError(406);
  let floor = 0, cursor = "";
  /** @type {number | undefined} */
  let after;
  /** @type {import("./types.js").RoomEvent[]} */
  let events = [];
  /** @type {KodamaError | undefined} */
  let problem;
  const take = sse(({ id, event, data }) => {
    const value = JSON.parse(data);
    if (event === "ready") reading.ready(value.cursor ?? id);
    else if (event === "problem") problem = new KodamaError(value.status, value);
    else if (event === "come-back") after = value.after;
    else events.push(value);
    cursor = id;
  }, (ms) => (floor = ms));
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  for (;;) {
    const { value, done } = await reader.read().catch(() => ({ value: undefined, done: true }));
    if (done) return { after, floor };
    reading.alive();
    take(decoder.decode(value, { stream: true }));
    if (events.length) await reading.heard({ cursor, events });
    events = [];
    if (problem) throw problem;
  }
}
