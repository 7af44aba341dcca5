/** The catalogues say the same things, and every word that is asked for is there. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { WORDS as ENGLISH } from "../../../src/kodama/web/static/js/words/en.js";
import { WORDS as JAPANESE } from "../../../src/kodama/web/static/js/words/ja.js";
import { day, list, problem, speak, t } from "../../../src/kodama/web/static/js/words.js";

const folder = new URL("../../../src/kodama/web/static/js/", import.meta.url);
const sources = readdirSync(folder).filter((name) => name.endsWith(".js")).map((name) => readFileSync(new URL(name, folder), "utf8")).join("\n");
const places = (words) => [...new Set(JSON.stringify(words).match(/\{\w+\}/gu) ?? [])].sort();

test("the catalogues have the same keys, plurals and places", () => {
  assert.deepEqual(Object.keys(JAPANESE).sort(), Object.keys(ENGLISH).sort());
  for (const [key, words] of Object.entries(ENGLISH)) {
    assert.equal(typeof JAPANESE[key], typeof words, key);
    assert.deepEqual(places(JAPANESE[key]), places(words), key);
    if (typeof words === "object") assert.deepEqual(Object.keys(words).sort(), ["one", "other"], key);
  }
});

test("every word that the page asks for is in the catalogue", () => {
  const asked = [...sources.matchAll(/(?:\bt|\bon|note)\("([\w ]+)"/gu)].map(([, key]) => key);
  assert.ok(asked.length > 80);
  for (const key of asked) assert.ok(key in ENGLISH, key);
});

test("no word is in the catalogue that nothing asks for", () => {
  const named = new Set([...sources.matchAll(/"([\w]+)"/gu)].map(([, key]) => key));
  const made = /^(?:cmd|error |why )|^(?:connecting|live|waiting|behind|paused|refused|user)$/u;
  assert.deepEqual(Object.keys(ENGLISH).filter((key) => !named.has(key) && !made.test(key)), []);
});

test("each language counts, dates and words refusals in its own way", async () => {
  const time = "2026-11-24T12:00:00Z";
  await speak("en");
  assert.deepEqual([t("announceMany", { n: 1 }), t("announceMany", { n: 1200 })], ["1 new message", "1,200 new messages"]);
  assert.match(day(time), /Tuesday, November 24, 2026/u);
  assert.equal(list(["a", "b", "c"]), "a, b, and c");
  assert.equal(problem({ code: "rate_limited" }), "Too fast. Wait a moment.");
  assert.equal(problem({ code: "unheard_of", message: "in the server's words" }), "in the server's words");
  await speak("ja");
  assert.equal(t("announceMany", { n: 7 }), "新着メッセージ 7 件");
  assert.match(day(time), /2026年11月24日火曜日/u);
  assert.equal(list(["a", "b"]), "a、b");
});

test("the words of rooms are there in both languages, with the same places to fill", async () => {
  const { WORDS } = await import("../../../src/kodama/web/static/js/words/rooms.js");
  const places = (text) => [...JSON.stringify(text).matchAll(/\{(\w+)\}/gu)].map(([, name]) => name).filter((name, at, all) => all.indexOf(name) === at).sort();
  assert.deepEqual(Object.keys(WORDS.ja).sort(), Object.keys(WORDS.en).sort());
  for (const [key, text] of Object.entries(WORDS.en)) assert.deepEqual(places(WORDS.ja[key]), places(text), key);
});
