/** Dialogs that bring their own words have them in both languages, and all that they ask for. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { WORDS as ME } from "../../../src/kodama/web/static/js/mewords.js";
import { WORDS as NOTIFY } from "../../../src/kodama/web/static/js/notify.js";
import { changes } from "../../../src/kodama/web/static/js/order.js";
import { WORDS as ORDER } from "../../../src/kodama/web/static/js/orderwords.js";

const places = (words) => [...new Set(words.match(/\{\w+\}/gu) ?? [])].sort();
const source = (name) => readFileSync(new URL(`../../../src/kodama/web/static/js/${name}`, import.meta.url), "utf8");

for (const [name, words] of [["accounts", ME], ["notify", NOTIFY], ["order", ORDER]]) {
  test(`the words of ${name} are there in both languages`, () => {
    assert.deepEqual(Object.keys(words.ja).sort(), Object.keys(words.en).sort());
    for (const key of Object.keys(words.en)) assert.deepEqual(places(words.ja[key]), places(words.en[key]), key);
  });
}

for (const [what, files, words] of [["keeping order", ["order.js", "person.js", "part.js", "dialogs.js"], ORDER.en], ["accounts", ["me.js", "entry.js", "asking.js"], ME.en]]) {
  test(`every word that ${what} asks for is there`, () => {
    const asked = files.flatMap((name) => [...source(name).matchAll(/\b(?:w|way)\("([\w ]+)"/gu)].map(([, key]) => key));
    assert.ok(asked.length > 20);
    for (const key of asked) assert.ok(key in words, key);
  });
}

test("only what was changed in the form is sent, and only what one may change", () => {
  const had = { role: "owner", title: "Tea", topic: "", access: "public", slow: 0, locked: false, hold: false, sites: [], retention: { days: 30, events: 10_000 } };
  const form = new FormData();
  for (const [name, value] of Object.entries({ title: "Tea ", topic: "green", access: "public", slow: "60", hold: "on", sites: "", days: "30", events: "10000" })) form.set(name, value);
  assert.deepEqual(changes(had, form), { slow: 60, hold: true, topic: "green" });
  assert.deepEqual(changes({ ...had, role: "moderator" }, form), { slow: 60, hold: true });
});
