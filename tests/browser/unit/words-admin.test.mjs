/** The console's catalogues say the same things, and every word that it asks for is in them or in the page's. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { WORDS as ENGLISH } from "../../../src/kodama/web/static/admin/words/en.js";
import { WORDS as JAPANESE } from "../../../src/kodama/web/static/admin/words/ja.js";
import { WORDS as PAGE } from "../../../src/kodama/web/static/js/words/en.js";

const folder = new URL("../../../src/kodama/web/static/admin/", import.meta.url);
const sources = readdirSync(folder).filter((name) => name.endsWith(".js")).map((name) => readFileSync(new URL(name, folder), "utf8")).join("\n");
const places = (words) => [...new Set(JSON.stringify(words).match(/\{\w+\}/gu) ?? [])].sort();

test("the console's catalogues have the same keys, plurals and places", () => {
  assert.deepEqual(Object.keys(JAPANESE).sort(), Object.keys(ENGLISH).sort());
  for (const [key, words] of Object.entries(ENGLISH)) {
    assert.equal(typeof JAPANESE[key], typeof words, key);
    assert.deepEqual(places(JAPANESE[key]), places(words), key);
    if (typeof words === "object") assert.deepEqual(Object.keys(words).sort(), ["one", "other"], key);
  }
});

test("every word that the console asks for is there", () => {
  const asked = [...sources.matchAll(/\bt\("([\w ]+)"/gu)].map(([, key]) => key);
  const heads = [...sources.matchAll(/heads: \[([^\]]+)\]/gu)].flatMap(([, names]) => names.match(/\w+/gu));
  const charted = [...sources.matchAll(/(?:title|name|words): "(\w+)"/gu)].map(([, key]) => key);
  assert.ok(asked.length > 30 && heads.length > 30 && charted.length > 15);
  for (const key of [...asked, ...heads, ...charted]) assert.ok(key in ENGLISH || key in PAGE, key);
});

test("the console's catalogue has no word that nothing asks for, and changes none of the page's that it shows", () => {
  const named = new Set([...sources.matchAll(/"([\w ]+)"/gu)].map(([, key]) => key));
  const made = /^(?:section|access|role|kind) |^(?:longpoll|legacy|sse|ndjson|text|websocket)$/u;
  assert.deepEqual(Object.keys(ENGLISH).filter((key) => !named.has(key) && !made.test(key)), []);
});
