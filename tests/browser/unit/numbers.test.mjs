/** What the console's charts are drawn from. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { path } from "../../../src/kodama/web/static/admin/chart.js";
import { KEPT, add, between, ceiling, charts, quantile } from "../../../src/kodama/web/static/admin/numbers.js";
import { reduce, sectionOf, start } from "../../../src/kodama/web/static/admin/state.js";

const spread = (...counts) => ({ bounds: [1, 2, 4], counts });
const look = (second, more = {}) => ({
  time: new Date(second * 1000).toISOString(), waiting: { longpoll: 1, sse: 0 }, connections: 1, here: 0, guests: 0, memory: 1 << 20, deliveries: 0,
  published: 0, refused: 0, gaps: 0, slow_readers: 0, publish_seconds: spread(0, 0, 0, 0), delivery_seconds: spread(0, 0, 0, 0),
  loop_lag_seconds: spread(0, 0, 0, 0), cursor_lag: spread(0, 0, 0, 0), ...more,
});
const line = (looks, title, name) => charts(looks).find((one) => one.title === title).lines.find((one) => one.name === name)?.points.map(({ value }) => value);

test("a quantile is the upper bound of where it lies, and the last bound for what is above all", () => {
  assert.equal(quantile(spread(0, 0, 0, 0), 0.5), null);
  assert.equal(quantile(spread(99, 1, 0, 0), 0.99), 1);
  assert.equal(quantile(spread(98, 2, 0, 0), 0.99), 2);
  assert.equal(quantile(spread(0, 0, 0, 3), 0.5), 4);
  assert.deepEqual(between(spread(1, 2, 3, 4), spread(2, 2, 5, 4)).counts, [1, 0, 2, 0]);
});

test("counters become rates by the server's own clock", () => {
  const looks = [look(0), look(2, { deliveries: 10 }), look(6, { deliveries: 10 }), look(6, { deliveries: 99 })];
  assert.deepEqual(line(looks, "chartDeliveries", "deliveries"), [5, 0, null]);
});

test("latencies are of what came lately, not of all since the start", () => {
  const old = { publish_seconds: spread(0, 0, 1000, 0) };
  const looks = [look(0, old), look(2, old), look(4, { publish_seconds: spread(5, 0, 1000, 0) })];
  assert.deepEqual(line(looks, "chartLatency", "publish99"), [null, 1]);
});

test("transports that nobody used are not drawn", () => {
  assert.equal(line([look(0)], "chartWaiting", "sse"), undefined);
  assert.deepEqual(line([look(0), look(2, { waiting: { longpoll: 1, sse: 3 } })], "chartWaiting", "sse"), [0, 3]);
});

test("a server that was started again begins a new line, and old looks are forgotten", () => {
  assert.equal(add([look(0, { deliveries: 5 })], look(2)).length, 1);
  let looks = [];
  for (let second = 0; second < KEPT * 2; second += 1) looks = add(looks, look(second));
  assert.equal(looks.length, KEPT);
  assert.equal(looks.at(-1).time, look(KEPT * 2 - 1).time);
});

test("an axis ends at a round number above all", () => {
  assert.deepEqual([0, 1, 1.1, 3, 51, 1000, 0.0004, NaN].map(ceiling).map(Number), [1, 1, 2, 5, 100, 1000, 0.0005, 1]);
});

test("a look without a value leaves a hole in its line", () => {
  const points = [{ at: 0, value: 0 }, { at: 150_000, value: null }, { at: 300_000, value: 2 }];
  assert.equal(path({ name: "x", points }, 300_000, 2), "M0.0 96.0M320.0 0.0");
});

test("an answer for a section that was left is dropped", () => {
  const state = reduce(start("rooms"), { do: "section", section: "keys" });
  assert.equal(reduce(state, { do: "rows", section: "rooms", rows: [1], facts: {}, more: true, on: false }), state);
  const first = reduce(state, { do: "rows", section: "keys", rows: [1], facts: {}, more: true, on: false });
  assert.deepEqual(reduce(first, { do: "rows", section: "keys", rows: [2], facts: {}, more: false, on: true }).rows, [1, 2]);
  assert.equal(sectionOf("#nonsense"), "live");
});
