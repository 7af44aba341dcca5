/** Chance that can be had again: each run prints its seed if it fails. */

/** @param {number} seed */
export function chance(seed) {
  let state = seed >>> 0;
  const next = () => {  // mulberry32
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    seed,
    upTo: (/** @type {number} */ limit) => Math.floor(next() * (limit + 1)),
    /** @template T @param {T[]} all @returns {T} */
    of: (all) => all[Math.floor(next() * all.length)],
  };
}

/** So many of them, from seed 1 on. @param {number} count */
export function* chances(count) {
  for (let seed = 1; seed <= count; seed += 1) yield chance(seed);
}
