/**
 * What the tabs of one browser say to each other, and which of them leads. Decided here: the leader is whoever holds
 * the Web Lock, so that the next one leads the moment it is gone; without these APIs each tab leads itself.
 */

import { random } from "./net.js";

/** @typedef {import("./types.js").Word} Word */

export class Tabs {
  /** @param {string} key what they share @param {boolean | undefined} shared @param {(word: Word) => void} hear */
  constructor(key, shared, hear) {
    this.key = key;
    this.hear = hear;
    this.id = random(12);
    this.locks = shared && globalThis.BroadcastChannel ? globalThis.navigator?.locks : undefined;
    this.channel = this.locks && new BroadcastChannel(key);
    this.channel?.addEventListener("message", ({ data }) => hear(data));
    /** Ends this tab's life for the others. @type {() => void} */
    this.leave = () => {};
    /** @type {() => void} */
    this.resign = () => {};
    /** When the others can see that this tab lives. */
    this.here = new Promise((here) => this.#hold(`${key} ${this.id}`, (leave) => here(this.leave = leave)));
  }

  /** Say it to all tabs, this one included. @param {Word} word */
  say(word) {
    this.channel?.postMessage(word);
    this.hear(word);
  }

  /** Call `start` when it is this tab's turn to lead. @param {() => void} start */
  lead(start) {
    this.resign = this.#hold(this.key, (resign) => {
      this.resign = resign;
      start();
    });
  }

  /** Call `gone` when that tab has left. @param {string} tab @param {() => void} gone */
  watch(tab, gone) {
    void this.locks?.request(`${this.key} ${tab}`, gone);
  }

  /**
   * Hold a lock until told to let go; the answer takes the wish for it back.
   * @param {string} name @param {(release: () => void) => void} held
   */
  #hold(name, held) {
    const wish = new AbortController();
    const { locks } = this;
    if (!locks) held(() => {});
    else locks.request(name, { signal: wish.signal }, () => new Promise((done) => held(() => done(null)))).catch(() => {});
    return () => wish.abort();
  }
}
