/**
 * The one connection that reads for all tabs. Decided here: what it says, in order: `at` (it begins), `batch`es, `link`;
 * it goes on with its last cursor over any transport, and who hears it checks the offsets.
 */

import { Ladder } from "./ladder.js";
import { KodamaError, pause, random } from "./net.js";
import { poll } from "./poll.js";
import { stream } from "./stream.js";
import { websocket } from "./websocket.js";

/** @typedef {import("./types.js").Transport} Transport */

const READY = 4000;
const SILENT = 45_000;

/** @type {Record<Transport, (net: import("./net.js").Net, reading: import("./types.js").Reading) => Promise<import("./types.js").Ended>>} */
const RUN = { websocket, sse: stream, poll, jsonp: async (net, reading) => (await import("./jsonp.js")).jsonp(net, reading) };

/** Where a first reading begins: as all rooms wish, else where one of them stands. @param {Map<string, string>} rooms */
export function beginning(rooms) {
  const wishes = [...new Set(rooms.values())];
  if (wishes.length === 1 && (rooms.size === 1 || !wishes[0].startsWith("after:"))) return wishes[0];
  return wishes.find((since) => since.startsWith("k1.")) ?? "now";
}

export class Feed {
  /** @param {import("./net.js").Net} net @param {(word: import("./types.js").Word) => void} tell */
  constructor(net, tell) {
    this.net = net;
    this.tell = tell;
    /** @type {Ladder<Transport>} */
    this.ladder = new Ladder(net.options.transports ?? ["websocket", "sse", "poll"], Math.random);
    /** @type {Map<string, string>} */
    this.rooms = new Map();
    this.presence = false;
    this.cursor = "";
    /** @type {string[]} The rooms of the open connection, none if it is not open. */
    this.open = [];
    /** @type {Set<string>} The rooms that the cursor speaks of. */
    this.known = new Set();
    this.client = random(16);
    this.seen = 0;
    this.running = this.renewed = false;
    this.cut = new AbortController();
  }

  /** Read these rooms (name → where a reader stands) from now on. @param {Map<string, string>} rooms @param {boolean} presence */
  want(rooms, presence) {
    const same = presence === this.presence && [...rooms.keys()].sort().join() === [...this.rooms.keys()].sort().join();
    this.rooms = rooms;
    this.presence = presence;
    if (!same) this.cut.abort("changed");
    else if (this.open.length) this.begin(this.cursor, 0);
    if (!this.running) void this.run();
  }

  /** The network may be back, or another one. */
  wake() {
    this.ladder.wake(Date.now());
    if (!this.open.length || Date.now() - this.seen > 20_000) this.cut.abort("changed");
  }

  /** @param {string} since @param {number} away */
  begin(since, away) {
    this.tell({ is: "at", since, rooms: this.open, away });
    this.link("live");
  }

  /** @param {"connecting" | "live" | "waiting"} link */
  link(link) {
    this.tell({ is: "link", link, transport: this.ladder.rung });
  }

  async run() {
    this.running = true;
    while (this.rooms.size) {
      this.cut = new AbortController();
      await pause(20);
      const wait = await this.once(this.cut);
      this.open = [];
      if (wait) {
        this.cut = new AbortController();
        this.link("waiting");
        await pause(wait, this.cut.signal);
      }
    }
    this.cursor = "";
    this.running = false;
  }

  /** One connection, from its start to its end: return the ms until the next. @param {AbortController} cut */
  async once(cut) {
    const { ladder, net } = this;
    const { signal } = cut;
    const rooms = [...this.rooms.keys()];
    const since = this.cursor || beginning(this.rooms);
    if (!this.cursor) this.known = new Set(rooms.filter((room) => this.rooms.get(room) === since));
    const away = Date.now() - this.seen;
    const timer = setTimeout(() => cut.abort("silent"), READY);
    const watch = setInterval(() => {
      if (this.open.length && Date.now() - this.seen > SILENT) cut.abort("silent");
      if (ladder.due(Date.now())) cut.abort("climb");
    }, 1000);
    const alive = () => {
      this.seen = Date.now();
    };
    /** @type {import("./types.js").Reading} */
    const reading = {
      rooms, since, covered: this.known, presence: this.presence, client: this.client, signal, alive,
      ready: (cursor) => {
        if (signal.aborted) return;
        clearTimeout(timer);
        alive();
        ladder.opened(Date.now());
        this.renewed = false;
        this.open = rooms;
        this.known = new Set(rooms);
        this.begin(since, away);
        if (cursor) reading.heard({ cursor, events: [] });
      },
      heard: ({ cursor = this.cursor, events, more }) => {  // ephemeral events move none
        if (signal.aborted) return;
        alive();
        this.cursor = cursor;
        this.tell({ is: "batch", cursor, events, more });
      },
    };
    this.link("connecting");
    try {
      const end = await Promise.race([RUN[ladder.rung](net, reading), new Promise((_, fail) => {
        signal.addEventListener("abort", () => fail(new KodamaError(0)));
      })]);
      return this.ended(end);
    } catch (error) {
      return this.failed(/** @type {KodamaError} */ (error), signal.reason);
    } finally {
      clearTimeout(timer);
      clearInterval(watch);
      cut.abort();
    }
  }

  /** @param {any} end an `Ended` */
  ended(end) {
    if (end?.superseded) {
      this.tell({ is: "superseded" });
      return 2 ** 31 - 1;
    }
    return end?.after === undefined ? this.ladder.ended(Date.now(), end?.floor) : this.ladder.told(end.after * 1000);
  }

  /** @param {KodamaError} error @param {string} reason for which it was cut from here */
  failed(error, reason) {
    const { ladder } = this;
    if (reason === "changed") ladder.left();
    else if (reason === "climb") ladder.up();
    if (reason === "changed" || reason === "climb") return 0;
    if (error.status === 401 && !this.renewed && this.net.renew()) {
      this.renewed = true;
      return ladder.told(1);
    }
    if (error.after) return ladder.told(error.after);
    if (error.status && !error.passing && error.status !== 406) {
      this.cursor = "";
      this.tell({ is: "refused" });
      return ladder.told(2000);
    }
    return ladder.ended(Date.now());
  }
}
