/**
 * Keeps the list still while it changes, by the arithmetic of `anchor.js`. Decided here: where it stands is settled after
 * each drawing and each change of size, before the browser paints; only a person's scrolling moves it otherwise.
 */

import { anchors, left, settled, sticks } from "./anchor.js";

export class Scroller {
  /** @type {HTMLElement | null} */ view = null;
  /** @type {import("./anchor.js").Anchor[]} */ held = [];
  sticking = true;
  lastTop = 0;
  /** @type {(atEnd: boolean) => void} */ #moved;
  #sizes = new ResizeObserver(() => this.settle());

  /** @param {(atEnd: boolean) => void} moved is told after each scroll */
  constructor(moved) {
    this.#moved = moved;
  }

  /** The list is in the document, or another one is. @param {HTMLElement | null} view */
  attend(view) {
    if (view === this.view) return;
    this.view?.removeEventListener("scroll", this.#scrolled);
    this.#sizes.disconnect();
    this.view = view;
    this.sticking = true;
    if (!view) return;
    view.addEventListener("scroll", this.#scrolled, { passive: true });
    this.#sizes.observe(view);
    if (view.firstElementChild) this.#sizes.observe(view.firstElementChild);
  }

  /** What can be held on to; the heading of a day is not, for it moves to what came before when that is there. */
  #rows() {
    return /** @type {HTMLElement[]} */ ([...(this.view?.querySelectorAll("[data-key]:not(.day)") ?? [])]);
  }

  /** Remember what is on the screen. */
  hold() {
    const { view } = this;
    if (!view) return;
    const boxes = this.#rows().map((row) => ({ key: row.dataset.key ?? "", top: row.offsetTop, height: row.offsetHeight }));
    this.held = anchors(boxes, view.scrollTop, view.clientHeight);
  }

  /** Put it back there, or to the end. */
  settle() {
    const { view } = this;
    if (!view) return;
    if (this.sticking) {
      view.scrollTop = view.scrollHeight;
    } else {
      const rows = new Map(this.#rows().map((row) => [row.dataset.key, row]));
      const top = settled(this.held, (key) => rows.get(key)?.offsetTop);
      if (top !== undefined && Math.abs(top - view.scrollTop) >= 1) view.scrollTop = top;
    }
    this.lastTop = view.scrollTop;
  }

  #scrolled = () => {
    const { view } = this;
    if (!view) return;
    this.sticking = sticks({ sticking: this.sticking, top: view.scrollTop, lastTop: this.lastTop, left: left(view) });
    this.lastTop = view.scrollTop;
    this.hold();
    this.#moved(this.sticking);
  };

  /** How much is above and below the screen, in pixels. */
  get room() {
    const { view } = this;
    return view ? { above: view.scrollTop, below: left(view) } : { above: Infinity, below: Infinity };
  }

  /** Go to the end and stay there. */
  toEnd() {
    this.sticking = true;
    this.settle();
    this.#moved(true);
  }

  /** Bring a row into view, `part` of the way down the screen. @param {string} key @param {number} part */
  show(key, part) {
    const row = this.#rows().find((one) => one.dataset.key === key);
    const { view } = this;
    if (!row || !view) return false;
    this.sticking = false;
    view.scrollTop = row.offsetTop - view.clientHeight * part;
    this.lastTop = view.scrollTop;
    this.hold();
    this.sticking = left(view) <= 1;
    this.#moved(this.sticking);
    return true;
  }

  /** Scroll as little as brings a row into view whole. @param {HTMLElement} row */
  reveal(row) {
    const { view } = this;
    if (!view) return;
    const over = view.scrollTop - row.offsetTop;
    const under = row.offsetTop + row.offsetHeight - view.scrollTop - view.clientHeight;
    if (over > 0) view.scrollTop -= over;
    else if (under > 0) view.scrollTop += Math.min(under, -over);
  }
}
