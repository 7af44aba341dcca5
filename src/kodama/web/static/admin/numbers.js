/**
 * What the charts show, out of what the server counts. Decided here: counters become rates and histograms quantiles of
 * the time between two looks; a server that was started again begins a new line.
 *
 * @typedef {{bounds: number[], counts: number[]}} Spread
 * @typedef {{time: string, waiting: Record<string, number>, connections: number, here: number, guests: number, memory: number,
 *   deliveries: number, published: number, refused: number, gaps: number, slow_readers: number, publish_seconds: Spread,
 *   delivery_seconds: Spread, loop_lag_seconds: Spread, cursor_lag: Spread}} Numbers
 * @typedef {{at: number, value: number | null}} Point
 * @typedef {{name: string, points: Point[]}} Line
 */

export const KEPT = 150;

/** Add a look; a restart forgets what was before. @param {Numbers[]} looks @param {Numbers} next @returns {Numbers[]} */
export function add(looks, next) {
  const last = looks.at(-1);
  const again = last !== undefined && (next.deliveries < last.deliveries || next.published < last.published);
  return again ? [next] : [...looks.slice(1 - KEPT), next];
}

/** The value below which a part of all is, as an upper bound; null if there is nothing. @param {Spread} spread @param {number} part */
export function quantile({ bounds, counts }, part) {
  const all = counts.reduce((sum, one) => sum + one, 0);
  if (!all) return null;
  let seen = 0;
  for (const [at, count] of counts.entries()) {
    seen += count;
    if (seen >= all * part) return bounds[Math.min(at, bounds.length - 1)];
  }
  return null;
}

/** What came between two looks. @param {Spread} before @param {Spread} after @returns {Spread} */
export const between = (before, after) => ({
  bounds: after.bounds, counts: after.counts.map((count, at) => Math.max(0, count - (before.counts[at] ?? 0))),
});

/** @param {Numbers} one */
const at = (one) => Date.parse(one.time);

/** @param {Numbers[]} looks @param {(one: Numbers) => number} value @returns {Point[]} */
const level = (looks, value) => looks.map((one) => ({ at: at(one), value: value(one) }));

/** @param {Numbers[]} looks @param {"deliveries" | "published" | "refused"} name @returns {Point[]} a second */
const rate = (looks, name) => looks.slice(1).map((one, before) => {
  const seconds = (at(one) - at(looks[before])) / 1000;
  return { at: at(one), value: seconds > 0 ? Math.max(0, one[name] - looks[before][name]) / seconds : null };
});

/** Over the last few looks, so that a quiet server has a line, too. @param {Numbers[]} looks
 * @param {"publish_seconds" | "delivery_seconds" | "loop_lag_seconds" | "cursor_lag"} name @param {number} part @returns {Point[]} */
const part = (looks, name, part) => looks.slice(1).map((one, before) =>
  ({ at: at(one), value: quantile(between(looks[Math.max(0, before - 4)][name], one[name]), part) }));

/** Each chart: its title and unit are words, its lines are in the order of their colours. @param {Numbers[]} looks
 * @returns {{title: string, unit: "count" | "rate" | "seconds" | "bytes", lines: Line[]}[]} */
export function charts(looks) {
  const transports = [...new Set(looks.flatMap((one) => Object.keys(one.waiting)))];
  const used = transports.filter((name) => looks.some((one) => one.waiting[name]));
  return [
    { title: "chartWaiting", unit: "count", lines: (used.length ? used : ["longpoll"]).map((name) =>
      ({ name, points: level(looks, (one) => one.waiting[name] ?? 0) })) },
    { title: "chartDeliveries", unit: "rate", lines: [
      { name: "deliveries", points: rate(looks, "deliveries") }, { name: "published", points: rate(looks, "published") },
      { name: "refused", points: rate(looks, "refused") }] },
    { title: "chartLatency", unit: "seconds", lines: [
      { name: "publish99", points: part(looks, "publish_seconds", 0.99) },
      { name: "delivery99", points: part(looks, "delivery_seconds", 0.99) },
      { name: "loop99", points: part(looks, "loop_lag_seconds", 0.99) }] },
    { title: "chartLag", unit: "count", lines: [
      { name: "lag50", points: part(looks, "cursor_lag", 0.5) }, { name: "lag99", points: part(looks, "cursor_lag", 0.99) }] },
    { title: "chartMemory", unit: "bytes", lines: [{ name: "memory", points: level(looks, (one) => one.memory) }] },
    { title: "chartHere", unit: "count", lines: [
      { name: "connections", points: level(looks, (one) => one.connections) },
      { name: "here", points: level(looks, (one) => one.here) }, { name: "guests", points: level(looks, (one) => one.guests) }] },
  ];
}

/** The next round number above a value, so that an axis stands still. @param {number} value */
export function ceiling(value) {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((step) => step * power).find((one) => one >= value * 0.9999) ?? value;
}
