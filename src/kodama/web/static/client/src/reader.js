/**
 * One reader's place in one room, without I/O. Decided here: a shared feed may come and go, begin elsewhere or be
 * somebody else's; the reader goes on with it only from its own cursor, else fills up from pages first
 * (register first, read second, let offsets decide), and a hole in the offsets is never silent.
 *
 * @typedef {import("./types.js").RoomEvent} RoomEvent
 */

const EARLY = 2000;

/** The room's name as the server folds it. @param {string} given */
export function fold(given) {
  return Array.from(given.normalize("NFKC"), (one) =>
    one === "ı" ? one : /\p{Script=Cherokee}/u.test(one) ? one.toUpperCase()
      : one.toLowerCase().toUpperCase().toLowerCase()).join("").normalize("NFKC");
}

export class Reader {
  /** @param {string} since */
  constructor(since) {
    this.cursor = since;
    this.joined = false;
    this.last = 0;
    this.epoch = "";
    /** After a gap, and at the start, any offset may follow. */
    this.loose = true;
    /** @type {RoomEvent[]} */
    this.early = [];
    this.feed = "";
    this.turn = 0;
  }

  /** A feed begins at `since`; without it, the feed does not read this room. @param {string} [since] */
  at(since) {
    this.turn += 1;
    this.early = [];
    this.feed = since ?? "";
    this.joined = since === this.cursor;
  }

  /** The feed brings events of this room and moves to `cursor`. @param {RoomEvent[]} events @param {string} cursor */
  live(events, cursor) {
    this.feed = cursor;
    if (!this.joined) {
      this.early = this.early.concat(events).slice(-EARLY);
      return [];
    }
    const passed = this.#pass(events, false);
    if (this.joined) this.cursor = cursor;
    return passed;
  }

  /**
   * A page read from `this.cursor` brings what is missing; only one asked for after the feed began reaches it.
   * @param {import("./types.js").Answer} answer @param {number} turn the reader's when the page was asked for
   */
  page({ events, cursor, more }, turn) {
    if (this.joined) return [];
    const passed = this.#pass(events, true);
    this.cursor = cursor;
    if (more || !this.feed || turn !== this.turn) return passed;
    const early = this.early;
    this.early = [];
    this.joined = true;
    passed.push(...this.#pass(early, !events.length));
    if (this.joined) this.cursor = this.feed;
    return passed;
  }

  /**
   * Pass on what is new. A hole ends the feed for this reader, unless there is nowhere else to ask (`final`).
   * @param {RoomEvent[]} events @param {boolean} final
   */
  #pass(events, final) {
    /** @type {RoomEvent[]} */
    const passed = [];
    for (const [index, event] of events.entries()) {
      const { offset, epoch = "", type } = event;
      if (type === "gap") {
        if (event.reason !== "epoch" && event.to && event.to <= this.last) continue;
        this.loose = true;
      } else if (offset) {
        if (offset <= this.last && (!this.loose || epoch === this.epoch)) continue;
        if (!this.loose && offset > this.last + 1) {
          if (!final) {
            this.joined = false;
            this.early = events.slice(index);
            return passed;
          }
          passed.push({ type: "gap", room: event.room, from: this.last + 1, to: offset - 1, reason: "unknown_cursor" });
        }
        this.last = offset;
        this.epoch = epoch;
        this.loose = false;
      }
      passed.push(event);
    }
    return passed;
  }
}
