/**
 * What happens in one's other rooms, and the marks of what was read, which the server keeps. Decided here: a connection of
 * its own reads the other rooms, so that nobody is present where they do not look; and a mark is sent when the eye rests.
 */

import { connect } from "../client/kodama.js";
import { access } from "./embed.js";
import { own } from "./places.js";

/** @typedef {import("./state.js").State} State */
/** @typedef {import("./log.js").RoomEvent} RoomEvent */
/** @typedef {{state: () => State, dispatch: (action: import("./state.js").Action) => void, client: () => import("../client/kodama.js").Client | null,
 *   heard: (room: string, events: RoomEvent[]) => void, reload: () => void}} Page */

const MOST = 60; // rooms that are followed; a connection reads 100
const LOOKED = 12; // rooms that are looked through for what calls one
const CALM = 700;
const GATHER = 100;
const AGAIN = 5000;
const path = (/** @type {string} */ room) => `/v1/rooms/${encodeURIComponent(room)}`;

/** Which rooms to follow: those with something new first. @param {State} state */
function followed({ rooms, room, me }) {
  const mine = rooms.filter((row) => own(row) && row.room !== room).sort((one, other) => (other.unread ?? 0) - (one.unread ?? 0));
  return me ? mine.slice(0, MOST).map((row) => row.room).sort() : [];
}

export class Afar {
  /** @type {import("../client/kodama.js").Client | null} */ #line = null;
  /** @type {Map<string, any>} */ #read = new Map();
  #who = "";
  /** @type {Map<string, number>} */ #marks = new Map();
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #marking;
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #reloading;
  /** @type {Set<string>} */ #looked = new Set();
  /** The marks that other tabs of this browser have moved. */ #tabs = new BroadcastChannel("kodama marks");
  #page;

  /** @param {Page} page */
  constructor(page) {
    this.#page = page;
    this.#tabs.addEventListener("message", () => this.#reload());
    addEventListener("pagehide", () => this.#flush());
    document.addEventListener("visibilitychange", () => document.hidden && this.#flush());
  }

  /** Something has changed: follow the rooms there are now. */
  look() {
    const { me, phase } = this.#page.state();
    if (this.#who !== (me?.id ?? "")) {
      this.#end();
      this.#marks.clear();
      this.#looked.clear();
      this.#who = me?.id ?? "";
    }
    if (!me || phase !== "room") return;
    this.#follow(followed(this.#page.state()), me.id);
    void this.#lookThrough();
  }

  /** All up to there was seen. @param {string} room @param {number} offset */
  mark(room, offset) {
    this.#marks.set(room, Math.max(offset, this.#marks.get(room) ?? 0));
    this.#marking ??= setTimeout(() => this.#send(), CALM);
  }

  async #send() {
    const marks = [...this.#marks];
    this.#marks.clear();
    for (const [room, offset] of marks) {
      try {
        await this.#page.client()?.net.ask("PUT", `${path(room)}/read`, { offset });
        this.#tabs.postMessage("moved");
        const row = this.#page.state().rooms.find((one) => one.room === room);
        if (!row || !own(row)) this.#reload();
      } catch (error) {
        if (/** @type {any} */ (error).passing) this.#marks.set(room, Math.max(offset, this.#marks.get(room) ?? 0));
      }
    }
    this.#marking = this.#marks.size ? setTimeout(() => this.#send(), AGAIN) : undefined;
  }

  /** On the way out. */
  #flush() {
    const headers = { "Content-Type": "application/json" };
    for (const [room, offset] of this.#marks) {
      this.#page.client()?.net.fetch(`${path(room)}/read`, { method: "PUT", keepalive: true, headers, body: JSON.stringify({ offset }) }).catch(() => {});
    }
    this.#marks.clear();
  }

  #reload() {
    this.#reloading ??= setTimeout(() => {
      this.#reloading = undefined;
      this.#page.reload();
    }, CALM);
  }

  /** @param {string[]} names @param {string} me */
  #follow(names, me) {
    const wanted = new Set(names);
    for (const [name, room] of this.#read) {
      if (wanted.has(name)) continue;
      this.#read.delete(name);
      room.close();
    }
    for (const name of wanted) {
      if (this.#read.has(name)) continue;
      this.#line ??= connect("", { ...access(), user: `${me} afar`, presence: false });
      const room = this.#line.room(name);
      this.#read.set(name, room);
      void this.#hear(name, room);
    }
  }

  /** @param {string} name @param {any} room */
  async #hear(name, room) {
    /** @type {RoomEvent[]} */
    let gathered = [];
    const flush = () => {
      const events = gathered;
      gathered = [];
      if (this.#read.get(name) === room) this.#page.heard(name, events);
    };
    room.addEventListener("state", () => room.state === "live" && this.#reload());
    try {
      for await (const event of room) {
        if (event.type === "gap") this.#reload();
        if (!gathered.length) setTimeout(flush, GATHER);
        gathered.push(event);
      }
    } catch {
      if (this.#read.get(name) !== room) return;
      this.#end(); // one that may not be read ends them all
      setTimeout(() => this.#page.reload(), AGAIN);
    }
  }

  #end() {
    this.#read.clear();
    this.#line?.close();
    this.#line = null;
  }

  /** Whether somebody is called among what came while nobody was here. */
  async #lookThrough() {
    const { rooms, room: open } = this.#page.state();
    for (const { room, unread, read, calls, direct } of rooms) {
      if (!unread || calls || direct || room === open || this.#looked.has(room) || this.#looked.size >= LOOKED) continue;
      this.#looked.add(room);
      const page = await this.#page.client()?.net.ask("GET", `${path(room)}/messages?limit=${Math.min(200, unread)}`).catch(() => null);
      if (!page) continue;
      const messages = page.messages.filter((/** @type {RoomEvent} */ one) => (one.offset ?? 0) > (read ?? 0));
      this.#page.dispatch({ do: "calls", room, messages });
    }
  }
}
