/** Names that look alike are found, as published. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { looks, teach, twin } from "../../../src/kodama/web/static/js/looks.js";
import { vectors } from "./vectors.mjs";

const TABLE = JSON.parse(readFileSync(new URL("../../../src/kodama/web/static/looks/look-alikes.json", import.meta.url), "utf8")).looks;
const common = (one, other) => looks(one).some((look) => looks(other).includes(look));

test("names look alike, or do not, as published", () => {
  teach(TABLE);
  for (const { one, other, alike } of vectors("look-alikes.json")) {
    assert.equal(common(one, other), alike, `${one} ${other}`);
    assert.equal(common(other, one), alike, `${other} ${one}`);
  }
});

test("without the table, case and width alone make a difference that is none", () => {
  teach({});
  assert.ok(common("Ken", "ＫＥＮ"));
  assert.ok(!common("Ken", "Кen"));
});

test("somebody is a twin of others only, and of nobody who is gone from memory", () => {
  teach(TABLE);
  assert.ok(!twin({ id: "a", name: "Ken" }));
  assert.ok(!twin({ id: "a", name: "ken" }));
  assert.ok(!twin({ id: "b", name: "Aiko" }));
  assert.ok(twin({ id: "b", name: "Кen" }));
  assert.ok(twin({ id: "a", name: "Ken" }));
  for (let number = 0; number < 12_000; number += 1) twin({ id: `n${number}`, name: `n${number}` });
  assert.ok(!twin({ id: "a", name: "Ken" }));
});
