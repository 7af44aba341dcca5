/** The arithmetic of the list, with rows that come, go and grow. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { anchors, settled, sticks } from "../../../src/kodama/web/static/js/anchor.js";
import { chances } from "./chance.mjs";

const VIEW = 600;

function boxes(rows) {
  let top = 0;
  return rows.map(({ key, height }) => {
    const box = { key, top, height };
    top += height;
    return box;
  });
}

test("a row on the screen stays where it is while others come, go and grow around it", () => {
  for (const chance of chances(500)) {
    let next = 0;
    const row = () => ({ key: String((next += 1)), height: 10 + chance.upTo(200) });
    const rows = Array.from({ length: 20 + chance.upTo(60) }, row);
    const there = boxes(rows);
    const end = there.at(-1).top + there.at(-1).height;
    const top = chance.upTo(Math.max(0, end - VIEW));
    const held = anchors(there, top, VIEW);
    assert.ok(held.length > 0 && held.length === there.filter((one) => one.top < top + VIEW && one.top + one.height > top).length);
    const gone = new Set(chance.upTo(1) ? [held[0].key] : []);
    const changed = rows.filter(({ key }) => !gone.has(key)).map((one) => (chance.upTo(9) ? one : { ...one, height: one.height + chance.upTo(300) }));
    changed.unshift(...Array.from({ length: chance.upTo(50) }, row));
    changed.push(...Array.from({ length: chance.upTo(50) }, row));
    const now = new Map(boxes(changed).map((one) => [one.key, one.top]));
    const scrolled = settled(held, (key) => now.get(key));
    const anchor = held.find(({ key }) => now.has(key));
    if (!anchor) assert.equal(scrolled, undefined);
    else assert.equal(scrolled, Math.max(0, now.get(anchor.key) - anchor.from), `seed ${chance.seed}`);
  }
});

test("it sticks to the end through growth and lets go when somebody scrolls up", () => {
  assert.equal(sticks({ sticking: true, top: 500, lastTop: 500, left: 400 }), true, "the content grew");
  assert.equal(sticks({ sticking: true, top: 400, lastTop: 500, left: 100 }), false, "somebody scrolled up");
  assert.equal(sticks({ sticking: false, top: 500, lastTop: 400, left: 100 }), false, "not there yet");
  assert.equal(sticks({ sticking: false, top: 560, lastTop: 400, left: 40 }), true, "back at the end");
});
