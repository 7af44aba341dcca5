/**
 * The Kodama client: `connect(url).room("lobby")`, then `for await (const event of room)` and `room.send(text)`.
 * Decided here: a hidden page reads on for a while and then lets another tab lead; shown again, it catches up.
 */

import { Feed } from "./feed.js";
import { KodamaError, Net } from "./net.js";
import { Outbox } from "./outbox.js";
import { fold } from "./reader.js";
import { Room } from "./room.js";
import { Tabs } from "./tabs.js";

export { fold, KodamaError };

/** Speak with the server at `url`, by default the page's own. @param {string} [url] @param {import("./types.js").Options} [options] */
export function connect(url = "", options = {}) {
  return new Client(url, options);
}

/** A connection; `unsent` events tell of messages from earlier visits that were refused. */
export class Client extends EventTarget {
  /** @type {Set<Room>} */ #rooms = new Set();
  /** @type {Map<string, import("./types.js").Word & {is: "want"}>} */ #wants = new Map();
  /** @type {Feed | null} */ #feed = null;
  #reading = false;
  #paused = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #timer;
  #tabs;
  #options;

  /** @param {string} url @param {import("./types.js").Options} options */
  constructor(url, options) {
    super();
    this.#options = options;
    /** What is read over now. @type {import("./types.js").Transport | ""} */
    this.transport = "";
    this.net = new Net(url, options);
    const key = `kodama ${this.net.url} ${options.user ?? ""}`;
    this.#tabs = new Tabs(key, options.tabs !== false, (word) => this.#hear(word));
    this.outbox = new Outbox(key, this.net, this.#tabs, (entry, error) =>
      this.dispatchEvent(new CustomEvent("unsent", { detail: { entry, error } })));
    globalThis.addEventListener?.("online", this.#wake);
    globalThis.document?.addEventListener("visibilitychange", this.#shown);
    void this.outbox.flush();
  }

  /** @param {string} name @param {import("./types.js").RoomOptions} [options] */
  room(name, { since = "now" } = {}) {
    return new Room(this, name, since);
  }

  /** Open a session, with a name, a login and password, or a JWT; from now on it speaks for us. @param {object} who */
  async session(who) {
    const session = await this.net.ask("POST", "/v1/session", who);
    this.net.token = session.token;
    return session;
  }

  /** Messages that are not stored yet, oldest first. */
  get unsent() {
    return this.outbox.entries().map(([, entry]) => entry);
  }

  /** Stop reading and sending; what is unsent is kept for the next time. */
  close() {
    for (const room of this.#rooms) room.close();
    this.#retire();
    this.outbox.closed = true;
    this.outbox.wake();
    this.#tabs.leave();
    globalThis.removeEventListener?.("online", this.#wake);
    globalThis.document?.removeEventListener("visibilitychange", this.#shown);
    clearTimeout(this.#timer);
  }

  /** A room begins to be read. @param {Room} room */
  open(room) {
    this.#rooms.add(room);
    this.#begin();
  }

  /** A room is no longer read. @param {Room} room */
  leave(room) {
    if (this.#rooms.delete(room)) void this.#announce();
  }

  #begin() {
    if (!this.#reading) {
      this.#reading = true;
      this.#tabs.lead(() => {
        this.#feed = new Feed(this.net, (word) => this.#tabs.say(word));
        this.#tabs.say({ is: "who" });
      });
    }
    void this.#announce();
  }

  #retire() {
    this.#reading = false;
    this.#feed?.want(new Map(), false);
    this.#feed = null;
    this.#wants.clear();
    this.#tabs.resign();
  }

  /** Tell the leader what this tab reads, and where its readers stand. */
  async #announce() {
    await this.#tabs.here;
    const rooms = this.#paused ? [] : [...this.#rooms].map((room) => [room.name, room.place]);
    this.#tabs.say({ is: "want", tab: this.#tabs.id, rooms: Object.fromEntries(rooms), presence: this.#options.presence === true });
  }

  /** @param {import("./types.js").Word} word */
  #hear(word) {
    if (word.is === "link") this.transport = word.transport;
    if (word.is === "who") void this.#announce();
    else if (word.is === "sent") this.outbox.settled(word);
    else if (word.is === "want") this.#wanted(word);
    else if (!this.#paused) for (const room of this.#rooms) room.hear(word);
  }

  /** @param {import("./types.js").Word & {is: "want"}} word */
  #wanted(word) {
    if (!this.#feed) return;
    if (!this.#wants.has(word.tab)) {
      this.#tabs.watch(word.tab, () => {
        this.#wants.delete(word.tab);
        this.#read();
      });
    }
    this.#wants.set(word.tab, word);
    this.#read();
  }

  #read() {
    const wants = [...this.#wants.values()];
    const rooms = new Map(wants.flatMap((want) => Object.entries(want.rooms)));
    this.#feed?.want(rooms, wants.some((want) => want.presence));
  }

  #wake = () => {
    this.#feed?.wake();
    this.outbox.wake();
  };

  #shown = () => {
    clearTimeout(this.#timer);
    if (document.hidden) {
      const { pause = 300 } = this.#options;
      if (pause < 1e6) this.#timer = setTimeout(() => this.#pause(), pause * 1000);
      return;
    }
    this.#feed?.wake();
    if (!this.#paused) return;
    this.#paused = false;
    if (this.#rooms.size) this.#begin();
  };

  #pause() {
    this.#paused = true;
    this.#retire();
    void this.#announce();
    for (const room of this.#rooms) room.hear({ is: "paused" });
  }
}
