/**
 * Which transport is next and how long to wait for it, without I/O or clock. Decided here: one that does not open
 * in time, or is cut early three times, gives way to the next; when the last one fails, the network is at fault and
 * not the transport, so it begins again at the top, slower; and from below the top it climbs back, seldom.
 *
 *     closed --opened--> open --ended--> closed (same rung, or one down)
 *                          \--due--> climb --> closed (top rung; down again, rung by rung, if that does not open)
 */

const QUICK = 10_000;
const FIRST_CLIMB = 30_000;
const SLOWEST_CLIMB = 600_000;

/** @template T */
export class Ladder {
  /** @param {T[]} rungs best first @param {() => number} chance from 0 to 1 */
  constructor(rungs, chance) {
    this.rungs = rungs;
    this.chance = chance;
    this.at = 0;
    this.fails = 0;
    this.tries = 0;
    this.cuts = 0;
    this.best = rungs.length;
    this.home = 0;
    this.climb = FIRST_CLIMB;
    /** @type {number | null} */
    this.since = null;
  }

  get rung() {
    return this.rungs[this.at];
  }

  /** The first record is here. @param {number} now in ms, as everywhere here */
  opened(now) {
    this.since = now;
    this.fails = this.tries = this.home = 0;
    this.best = Math.min(this.best, this.at);
  }

  /** Is it time to try the top again? @param {number} now */
  due(now) {
    return this.since !== null && this.at > 0 && now - this.since > this.climb;
  }

  /** It was closed on purpose. */
  left() {
    this.since = null;
  }

  /** Leave what works for the top. */
  up() {
    this.left();
    this.home = this.at;
    this.at = 0;
    this.climb = Math.min(this.climb * 2, SLOWEST_CLIMB);
  }

  /** The network is another one: what failed before may work. @param {number} now */
  wake(now) {
    this.climb = FIRST_CLIMB;
    this.fails = 0;
    if (this.since === null) this.at = this.home = this.tries = 0;
    else this.since = Math.min(this.since, now - FIRST_CLIMB);
  }

  /** The server said when to come back: return the ms, a little later for some. @param {number} ms */
  told(ms) {
    this.left();
    this.cuts = 0;
    return ms * (1 + this.chance() / 5);
  }

  /** It failed or was cut: return the ms to wait, at least `floor` where it had worked. @param {number} now @param {number} [floor] */
  ended(now, floor = 0) {
    const lived = this.since === null ? -1 : now - this.since;
    const below = this.at + 1 < this.rungs.length;
    this.left();
    if (lived >= 0) {
      this.cuts = lived < QUICK ? this.cuts + 1 : 0;
      if (!this.cuts && !this.at) this.climb = FIRST_CLIMB;
      const wait = this.#backOff(this.cuts);
      if (this.cuts > 2 && below) this.#down();
      return Math.max(floor, wait);
    }
    if (this.home) {
      this.at += 1;
      if (this.at === this.home) this.home = 0;
      return 0;
    }
    this.tries += 1;
    if (below && this.tries > (this.at === this.best ? 1 : 0)) {
      this.#down();
      return 0;
    }
    if (!below) {
      this.at = this.best < this.rungs.length ? this.best : 0;
      this.tries = 0;
    }
    this.fails += 1;
    return this.#backOff(this.fails);
  }

  #down() {
    this.at += 1;
    this.tries = this.cuts = 0;
  }

  /** @param {number} fails */
  #backOff(fails) {
    return Math.min(30_000, 500 * 2 ** fails) * (0.5 + this.chance() / 2);
  }
}
