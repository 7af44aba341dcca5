/**
 * A server for the client's tests in node: sections 4 to 6 of the protocol over one list of events, with faults on
 * demand that a real server does not have. The real one is met in tests/browser/client/test_reading.py.
 */
import { createServer } from "node:http";

export class Double {
  /** @type {Record<string, any[]>} */ logs = {};
  /** @type {Set<() => void>} */ waiting = new Set();
  /** @type {Set<import("node:http").ServerResponse>} */ streams = new Set();
  /** @type {Set<any>} */ sockets = new Set();
  /** @type {string[]} */ asked = [];
  /** Refuse with [status, headers], by kind: `poll`, `sse`, `websocket`, `publish`. @type {Record<string, any>} */ faults = {};
  /** Bytes after which a stream of a room is cut. @type {Record<string, number>} */ cutAfter = {};
  buffered = false;
  /** @type {string | null} */ token = null;

  async start() {
    this.server = createServer((request, response) => void this.serve(request, response));
    await new Promise((done) => this.server.listen(0, "127.0.0.1", () => done(null)));
    this.url = `http://127.0.0.1:${this.server.address().port}`;
    return this;
  }

  stop() {
    this.server.closeAllConnections();
    this.server.close();
  }

  /** @param {string} room @param {any} [fields] */
  say(room, fields = {}) {
    const log = (this.logs[room] ??= []);
    log.push({ type: "message", room, offset: log.length + 1, epoch: "e", time: new Date().toISOString(), ...fields });
    for (const wake of [...this.waiting]) wake();
    return log.at(-1);
  }

  /** @param {string} since @param {string} room */
  place(since, room) {
    const top = this.logs[room]?.length ?? 0;
    if (since === "all") return 0;
    const found = new RegExp(`(?:\\.|~)${room}~e?~(\\d+)`, "u").exec(since);
    return found ? Number(found[1]) : top;
  }

  /** @param {Record<string, number>} places @param {number} [limit] */
  take(places, limit = 100) {
    const events = Object.entries(places).flatMap(([room, place]) => (this.logs[room] ?? []).slice(place, place + limit));
    const cut = events.slice(0, limit);
    for (const event of cut) places[event.room] = event.offset;
    return { events: cut, more: events.length > limit || Object.entries(places).some(([room, place]) => (this.logs[room]?.length ?? 0) > place), cursor: cursorOf(places) };
  }

  async serve(request, response) {
    const { pathname, searchParams: query } = new URL(request.url, "http://x");
    const [, , , room, what] = pathname.split("/").map(decodeURIComponent);
    const reading = what === "events" || pathname === "/v1/events";
    const sse = request.headers.accept === "text/event-stream";
    const kind = reading ? (sse ? "sse" : "poll") : "publish";
    this.asked.push(`${request.method} ${request.url}`);
    const json = (status, value, headers = {}) =>
      response.writeHead(status, { "Content-Type": "application/json", ...headers }).end(JSON.stringify(value));
    if (this.token && request.headers.authorization !== `Bearer ${this.token}`) return json(401, { code: "unauthorized", status: 401 });
    if (this.faults[kind]) return json(this.faults[kind][0], { code: "fault", detail: "told to" }, this.faults[kind][1]);
    if (reading) {
      const rooms = room && what ? [room] : query.getAll("room");
      const places = Object.fromEntries(rooms.map((one) => [one, this.place(query.get("since") ?? "now", one)]));
      return sse ? this.stream(places, response) : this.poll(places, query, response, json);
    }
    if (request.method === "GET") return json(200, { messages: (this.logs[room] ?? []).slice(-Number(query.get("limit") ?? 50)), more: false });
    const body = await new Promise((done) => {
      let text = "";
      request.on("data", (piece) => (text += piece)).on("end", () => done(text ? JSON.parse(text) : null));
    });
    if (body.text === "refuse me") return json(403, { code: "forbidden", status: 403, detail: "no" });
    const known = this.logs[room]?.find((event) => event.nonce === body.nonce);
    return json(known ? 200 : 201, known ?? this.say(room, body));
  }

  poll(places, query, response, json) {
    const answer = () => {
      this.waiting.delete(give);
      clearTimeout(timer);
      if (!response.destroyed) json(200, this.take(places, Number(query.get("limit") ?? 100)));
    };
    const give = () => this.owed(places) && answer();
    const timer = setTimeout(answer, Number(query.get("wait") ?? 25) * 1000);
    this.waiting.add(give);
    response.on("close", () => (clearTimeout(timer), this.waiting.delete(give)));
    give();
  }

  owed(places) {
    return Object.entries(places).some(([room, place]) => (this.logs[room]?.length ?? 0) > place);
  }

  stream(places, response) {
    response.writeHead(200, { "Content-Type": "text/event-stream" });
    let sent = 0;
    const write = (text) => {
      if (this.buffered) return;
      const bytes = Buffer.from(text);
      const rest = (this.cutAfter[Object.keys(places)[0]] ?? Infinity) - sent;
      sent += bytes.length;
      if (bytes.length < rest) response.write(bytes);
      else response.write(bytes.subarray(0, rest), () => response.destroy());
    };
    const record = (event, value, cursor) => write(`id: ${cursor}\r\nevent: ${event}\r\ndata: ${JSON.stringify(value)}\r\n\r\n`);
    const begin = cursorOf(places);
    record("ready", { type: "ready", cursor: begin }, begin);
    const give = () => {
      while (this.owed(places)) {
        const { events, cursor } = this.take(places, 1);
        record(events[0].type, events[0], cursor);
      }
    };
    this.waiting.add(give);
    this.streams.add(response);
    response.on("close", () => (this.streams.delete(response), this.waiting.delete(give)));
    give();
  }

  /** A WebSocket as section 5 has it, without a network. */
  get WebSocket() {
    const double = this;
    return class {
      readyState = 0;
      places = {};
      constructor(url, protocol) {
        double.asked.push(`WEBSOCKET ${url} ${protocol}`);
        double.sockets.add(this);
        setTimeout(() => {
          if (double.faults.websocket || !double.server.listening) return this.close();
          if (double.faults.silent) return;
          this.readyState = 1;
          this.onopen?.({});
        }, 1);
      }

      /** @param {any} frame */
      tell(frame) {
        setTimeout(() => this.readyState === 1 && this.onmessage?.({ data: JSON.stringify(frame) }), 0);
      }

      send(text) {
        const frame = JSON.parse(text);
        double.asked.push(`FRAME ${text}`);
        if (frame.do === "hello" && double.token && frame.token !== double.token) {
          this.tell({ error: { status: 401, code: "unauthorized" } });
          return this.close(4401);
        }
        if (frame.do !== "subscribe") return;
        this.places = Object.fromEntries(Object.entries(frame.rooms).map(([room, since]) => [room, double.place(since, room)]));
        this.tell({ ref: frame.ref, ok: { cursor: cursorOf(this.places) } });
        this.give = () => {
          if (double.owed(this.places)) this.tell(double.take(this.places, 10)), this.give();
        };
        double.waiting.add(this.give);
        this.give();
      }

      close(code = 1006) {
        double.waiting.delete(this.give);
        double.sockets.delete(this);
        this.readyState = 3;
        setTimeout(() => this.onclose?.({ code }), 0);
      }
    };
  }
}

/** @param {Record<string, number>} places */
function cursorOf(places) {
  return `k1.${Object.entries(places).map(([room, place]) => `${room}~${place ? "e" : ""}~${place}`).join("~")}`;
}

/** A Storage that lives as long as it is held. */
export class Shelf {
  /** @type {Map<string, string>} */ map = new Map();
  get length() { return this.map.size; }
  key(index) { return [...this.map.keys()][index] ?? null; }
  getItem(key) { return this.map.get(key) ?? null; }
  setItem(key, value) { this.map.set(key, value); }
  removeItem(key) { this.map.delete(key); }
}
