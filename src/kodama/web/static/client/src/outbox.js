/**
 * Messages on their way. Decided here: one is kept, with its nonce, until the server has answered for it; one tab at a
 * time sends, in order; a refusal is that message's alone; and what is older than the server's memory of nonces (24 h)
 * is looked up before it is sent again.
 */

import { KodamaError, pathOf, pause, random } from "./net.js";

/** @typedef {import("./types.js").Unsent} Unsent */

const DAY = 86_400_000;
const HOUR = 3_600_000;

export class Outbox {
  /**
   * @param {string} key what its keeper calls it @param {import("./net.js").Net} net @param {import("./tabs.js").Tabs} tabs
   * @param {(entry: Unsent, error: KodamaError) => void} unsent hears of refusals
   */
  constructor(key, net, tabs, unsent) {
    this.key = `${key} out `;
    this.net = net;
    this.tabs = tabs;
    this.unsent = unsent;
    this.storage = net.options.storage === undefined ? keeper() : net.options.storage;
    /** @type {Map<string, {done: (stored: import("./types.js").Stored) => void, fail: (error: Error) => void}>} */
    this.waiting = new Map();
    /** What could not be stored. @type {Map<string, Unsent>} */
    this.memory = new Map();
    this.count = 0;
    this.busy = this.closed = false;
    this.rest = new AbortController();
  }

  /** @param {string} room @param {import("./types.js").Draft} draft @returns {Promise<import("./types.js").Stored>} */
  put(room, { text, data, nonce = random(22) }) {
    const entry = { nonce, room, at: Date.now(), text, data, name: this.net.options.name };
    const place = `${this.key}${String(entry.at).padStart(15, "0")}${String((this.count += 1)).padStart(6, "0")}${entry.nonce}`;
    try {
      if (!this.storage) throw null;
      this.storage.setItem(place, JSON.stringify(entry));
    } catch {
      this.memory.set(place, entry);
    }
    const sent = new Promise((done, fail) => this.waiting.set(entry.nonce, { done, fail }));
    void this.flush();
    return /** @type {Promise<any>} */ (sent);
  }

  /** All that is unsent, by place, oldest first. @returns {[string, Unsent][]} */
  entries() {
    const found = [...this.memory];
    for (let index = this.storage?.length ?? 0; index--; ) {
      const place = this.storage?.key(index) ?? "";
      const value = place.startsWith(this.key) && this.storage?.getItem(place);
      if (value) found.push([place, JSON.parse(value)]);
    }
    return found.sort(([one], [other]) => (one < other ? -1 : 1));
  }

  /** Send what there is; one tab at a time does. */
  async flush() {
    if (this.busy) return;
    this.busy = true;
    while (!this.closed && this.entries().length) {
      await (this.tabs.locks?.request(this.key, () => this.#drain()) ?? this.#drain());
    }
    this.busy = false;
  }

  /** The network may be back. */
  wake() {
    this.rest.abort();
    void this.flush();
  }

  /** A tab tells what became of a message. @param {import("./types.js").Word & {is: "sent"}} word */
  settled({ nonce, stored, problem }) {
    const waiting = this.waiting.get(nonce);
    this.waiting.delete(nonce);
    if (stored) waiting?.done(stored);
    else waiting?.fail(new KodamaError(problem.status, problem));
  }

  async #drain() {
    for (let tries = 0; !this.closed; ) {
      const [[place, entry] = []] = this.entries();
      if (!place || !entry) return;
      try {
        const stored = (Date.now() - entry.at > DAY && (await this.#find(entry))) || (await this.#post(entry));
        this.#finish(place, { is: "sent", nonce: entry.nonce, stored });
        tries = 0;
      } catch (thrown) {
        const error = /** @type {KodamaError} */ (thrown);
        if (error.passing) {
          this.rest = new AbortController();
          tries += 1;
          await pause(Math.max(error.after, Math.min(30_000, 300 * 2 ** tries) * (0.5 + Math.random() / 2)), this.rest.signal);
        } else {
          const { status, code, message } = error;
          if (!this.waiting.has(entry.nonce)) this.unsent(entry, error);
          this.#finish(place, { is: "sent", nonce: entry.nonce, problem: { status, code, detail: message } });
        }
      }
    }
  }

  /** @param {string} place @param {import("./types.js").Word} word */
  #finish(place, word) {
    this.memory.delete(place);
    this.storage?.removeItem(place);
    this.tabs.say(word);
  }

  /** @param {Unsent} entry */
  #post({ room, at, ...body }) {
    return this.net.ask("POST", `${pathOf(room)}/messages`, body);
  }

  /** Look for it in history, back to an hour before it was written. @param {Unsent} entry */
  async #find({ room, nonce, at }) {
    for (let before = ""; ; ) {
      const page = await this.net.ask("GET", `${pathOf(room)}/messages?limit=1000${before}`);
      const found = page.messages.find((/** @type {any} */ one) => one.nonce === nonce);
      if (found || !page.more || Date.parse(page.messages[0].time) < at - HOUR) return found;
      before = `&before=${page.messages[0].offset}`;
    }
  }
}

function keeper() {
  try {
    return globalThis.localStorage;
  } catch {
    return null;
  }
}
