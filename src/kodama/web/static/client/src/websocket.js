/** The WebSocket. Decided here: silence of 20 s is asked about, so that a dead connection is noticed. */

import { KodamaError } from "./net.js";

/** @param {import("./net.js").Net} net @param {import("./types.js").Reading} reading @returns {Promise<import("./types.js").Ended>} */
export async function websocket(net, { rooms, since, covered, presence, signal, ready, heard, alive }) {
  const token = await net.bearer();
  const url = new URL(`${net.url}/v1/ws`, globalThis.location?.href);
  url.protocol = url.protocol.replace("http", "ws");
  const socket = new WebSocket(url, "kodama.v1");
  const tell = (/** @type {object} */ what) => socket.readyState === 1 && socket.send(JSON.stringify(what));
  const ping = setInterval(() => tell({ do: "ping" }), 20_000);
  const stop = () => socket.close();
  signal.addEventListener("abort", stop);
  try {
    return await new Promise((done, fail) => {
      socket.onopen = () => {
        if (token) tell({ do: "hello", token });
        const asked = rooms.map((room) => [room, covered.has(room) ? since : "now"]);
        tell({ do: "subscribe", rooms: Object.fromEntries(asked), presence, ref: 1 });
      };
      socket.onmessage = ({ data }) => {
        alive();
        const frame = JSON.parse(data);
        if (frame.error) fail(new KodamaError(frame.error.status, frame.error));
        else if (frame.ref === 1) ready(frame.ok.cursor);
        else if (frame.events) heard(frame);
        else if (frame.do === "come-back") done({ after: frame.after });
      };
      socket.onclose = ({ code }) => fail(new KodamaError(code === 4401 ? 401 : 0));
    });
  } finally {
    signal.removeEventListener("abort", stop);
    clearInterval(ping);
    socket.onclose = socket.onmessage = null;
    socket.close();
  }
}
