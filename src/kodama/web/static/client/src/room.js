/**
 * A room as an application has it. Decided here: each event is given out once, in order, and `cursor` moves only when
 * the application asks for the next one, so that what it keeps is what it has taken care of.
 */

import { KodamaError, pathOf, pause } from "./net.js";
import { fold, Reader } from "./reader.js";

/** @typedef {import("./types.js").RoomEvent} RoomEvent */

export class Room extends EventTarget {
  /** @type {{event: RoomEvent, cursor?: string}[]} */ #queue = [];
  /** @type {{event: RoomEvent, cursor?: string} | undefined} */ #hand;
  /** @type {string} */ #taken;
  /** @type {(() => void) | null} */ #waiting = null;
  #filling = false;
  #target = 0;
  #link = "connecting";
  #client;
  #reader;

  /** @param {import("./kodama.js").Client} client @param {string} name @param {string} since */
  constructor(client, name, since) {
    super();
    this.#client = client;
    this.#reader = new Reader(since);
    this.#taken = since;
    this.name = fold(name);
    this.path = pathOf(this.name);
    /** `connecting`, `live`, `catching up, 120 behind`, `waiting`, `paused`, `refused` or `closed`; a `state` event tells of changes. */
    this.state = "connecting";
    /** @type {KodamaError | null} Why it was refused. */
    this.error = null;
  }

  /** Where the application is: keep it, and begin there next time. */
  get cursor() {
    return this.#taken;
  }

  /** Where the reader is. */
  get place() {
    return this.#reader.cursor;
  }

  /** How many events are known to be still to come. */
  get behind() {
    return Math.max(0, this.#target - this.#reader.last);
  }

  [Symbol.asyncIterator]() {
    this.#client.open(this);
    return { next: () => this.#next(), return: async () => (this.close(), { done: true, value: undefined }) };
  }

  /** Publish; fulfilled when the server has stored it, rejected if it refuses. @param {string | import("./types.js").Draft} draft */
  send(draft) {
    return this.#client.outbox.put(this.name, typeof draft === "string" ? { text: draft } : draft);
  }

  /** @param {import("./types.js").PageOptions} [which] @returns {Promise<import("./types.js").Page>} */
  history(which = {}) {
    return this.#ask("GET", `/messages?${new URLSearchParams(/** @type {any} */ (which))}`);
  }

  /** @param {number} offset @param {string} text @returns {Promise<RoomEvent>} */
  edit(offset, text) {
    return this.#ask("PATCH", `/messages/${offset}`, { text });
  }

  /** @param {number} offset @returns {Promise<RoomEvent>} */
  delete(offset) {
    return this.#ask("DELETE", `/messages/${offset}`);
  }

  /** @param {number} offset @param {string} emoji @returns {Promise<RoomEvent>} */
  react(offset, emoji) {
    return this.#ask("PUT", `/messages/${offset}/reactions/${encodeURIComponent(emoji)}`);
  }

  /** @param {number} offset @param {string} emoji @returns {Promise<RoomEvent>} */
  unreact(offset, emoji) {
    return this.#ask("DELETE", `/messages/${offset}/reactions/${encodeURIComponent(emoji)}`);
  }

  /** Tell that somebody is typing here. */
  typing() {
    return this.#ask("PUT", "/typing");
  }

  /** Who is here. @returns {Promise<{here: import("./types.js").Author[], count: number, version: number}>} */
  here() {
    return this.#ask("GET", "/presence");
  }

  /** @param {"active" | "idle"} state */
  presence(state) {
    return this.#ask("PUT", "/presence", { state });
  }

  /** Stop reading. */
  close() {
    this.#end("closed");
  }

  /** What the feed says, and `paused` from the client. @param {import("./types.js").Word | {is: "paused"}} word */
  hear(word) {
    if (this.ended) return;
    const reader = this.#reader;
    switch (word.is) {
      case "at":
        reader.at(word.rooms.includes(this.name) ? word.since : undefined);
        if (reader.last && word.away > 30_000) void this.#measure();
        break;
      case "batch": {
        const mine = word.events.filter((event) => event.room === this.name);
        this.#pass(reader.live(mine, word.cursor));
        if (word.more) void this.#measure();
        break;
      }
      case "link":
        this.#link = word.link;
        break;
      case "paused":
        this.#link = "paused";
        break;
      case "superseded":
        return this.#end("refused", new KodamaError(0, { code: "superseded", detail: "A newer reader took over." }));
      case "refused":
        reader.at();
        void this.#fill();
    }
    if (reader.feed && !reader.joined) void this.#fill();
    this.#tell();
  }

  get ended() {
    return this.state === "closed" || this.state === "refused";
  }

  /** @param {string} method @param {string} path @param {unknown} [body] */
  #ask(method, path, body) {
    return this.#client.net.ask(method, this.path + path, body);
  }

  /** Read pages until the feed's beginning is reached; at least one, which shows whether we still may. */
  async #fill() {
    if (this.#filling) return;
    this.#filling = true;
    const reader = this.#reader;
    let tries = 0;
    do {
      const { turn, cursor } = reader;
      try {
        const answer = await this.#ask("GET", `/events?since=${encodeURIComponent(cursor)}&wait=0&limit=1000`);
        this.#pass(reader.page(answer, turn));
        if (answer.more) void this.#measure();
        tries = 0;
      } catch (error) {
        if (!(error instanceof KodamaError && error.passing)) this.#end("refused", /** @type {any} */ (error));
        else await pause(Math.max(error.after, Math.min(30_000, 500 * 2 ** (tries += 1)) * (0.5 + Math.random() / 2)));
      }
    } while (!this.ended && !reader.joined && reader.feed);
    this.#filling = false;
    this.#tell();
  }

  async #measure() {
    if (this.#target) return;
    this.#target = 1;
    const page = await this.history({ limit: 1 }).catch(() => null);
    this.#target = page?.messages[0]?.offset ?? 0;
    this.#tell();
  }

  /** @param {RoomEvent[]} events */
  #pass(events) {
    const { cursor } = this.#reader;
    for (const event of events) {
      if (event.type === "gap") this.#target = 0;
      this.#queue.push({ event });
    }
    const last = this.#queue.at(-1);
    if (last && events.length) last.cursor = cursor;
    else if (this.#waiting && !last) this.#taken = cursor;
    if (last) this.#waiting?.();
  }

  /** @returns {Promise<IteratorResult<RoomEvent, undefined>>} */
  async #next() {
    this.#taken = this.#hand?.cursor ?? this.#taken;
    while (!this.#queue.length && !this.ended) {
      await new Promise((done) => (this.#waiting = () => done(null)));
      this.#waiting = null;
    }
    this.#hand = this.#queue.shift();
    if (this.#hand) return { done: false, value: this.#hand.event };
    if (this.error) throw this.error;
    return { done: true, value: undefined };
  }

  /** @param {"closed" | "refused"} state @param {KodamaError} [error] */
  #end(state, error) {
    if (this.ended) return;
    if (!error) this.#queue = [];
    this.error = error ?? null;
    this.#tell(state);
    this.#client.leave(this);
    this.#waiting?.();
  }

  #tell(state = this.ended ? this.state : this.#link) {
    if (state === "live" && !this.#reader.joined) state = "connecting";
    if (this.behind && (state === "live" || state === "connecting")) state = `catching up, ${this.behind} behind`;
    if (state === this.state) return;
    this.state = state;
    this.dispatchEvent(new Event("state"));
  }
}
