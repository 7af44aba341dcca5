/** What is written: commands, mentions, keys of input methods, and the little that is asked of text. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { spoken } from "../../../src/kodama/web/static/js/announce.js";
import { wish } from "../../../src/kodama/web/static/js/commands.js";
import { ime, watchCompositions } from "../../../src/kodama/web/static/js/ime.js";
import { matching, mentioned, mentions, wanted } from "../../../src/kodama/web/static/js/mentions.js";
import { settingsOf, DEFAULTS } from "../../../src/kodama/web/static/js/settings.js";
import { marked, wordsOf } from "../../../src/kodama/web/static/js/search.js";
import { gist, graphemes, onlyEmoji } from "../../../src/kodama/web/static/js/text.js";

test("the Enter that ends a composition in Safari is not a key of ours", () => {
  const place = new EventTarget();
  watchCompositions(place);
  place.dispatchEvent(new Event("compositionstart"));
  assert.equal(ime({ isComposing: false, keyCode: 13 }), true, "some browsers tell nothing but the beginning");
  place.dispatchEvent(new Event("compositionend"));
  assert.equal(ime({ isComposing: false, keyCode: 229 }), true, "Safari ends first");
  assert.equal(ime({ isComposing: true, keyCode: 13 }), true);
  assert.equal(ime({ isComposing: false, keyCode: 13 }), false);
});

test("a slash, narrow or wide, begins a command; two say one", () => {
  assert.deepEqual(wish("/topic  tea and cake "), { is: "topic", topic: "tea and cake" });
  assert.deepEqual(wish("／ＭＥ　手を振る"), { is: "say", text: "手を振る", data: { me: true } });
  assert.deepEqual(wish("/shrug"), { is: "say", text: "¯\\\\\\_(ツ)\\_/¯", data: null });
  assert.deepEqual(wish("//etc"), { is: "say", text: "/etc", data: null });
  assert.deepEqual(wish("/etc/passwd"), { is: "say", text: "/etc/passwd", data: null });
  assert.deepEqual(wish("/nonsense x"), { is: "unknown", word: "nonsense" });
  assert.deepEqual([wish("/clear").is, wish("/help").is, wish("/me").is], ["clear", "help", "unknown"]);
});

test("a completion begins at a sign at the start of a word", () => {
  assert.deepEqual(wanted("hi @Ke", 6), { sign: "@", at: 3, typed: "Ke" });
  assert.deepEqual(wanted("こんにちは＠田", 7), { sign: "@", at: 5, typed: "田" });
  assert.deepEqual(wanted("／to", 3), { sign: "/", at: 0, typed: "to" });
  for (const text of ["me@example", "@ ken", "no sign", "@one @two\nthree", "/topic x"]) assert.equal(wanted(text, text.length), null, text);
});

test("people are found by any part of their name, wide or narrow", () => {
  const people = ["Ken", "Mary Kent", "ＫＥＩＫＯ", "田中"].map((name) => ({ id: name, name }));
  assert.deepEqual(matching(people, "ke").map((one) => one.name), ["Ken", "ＫＥＩＫＯ", "Mary Kent"]);
  assert.deepEqual(matching(people, "田").map((one) => one.name), ["田中"]);
});

test("a message is for me if a completion chose me or my name stands there", () => {
  const me = { id: "g_1", name: "Ken" };
  assert.equal(mentions("nothing", { mentions: [{ id: "g_1", name: "Kenny" }] }, me), true);
  assert.equal(mentions("hi ＠ｋｅｎ!", null, me), true);
  assert.equal(mentions("hi @Kenny", { mentions: "broken" }, me), false);
  assert.deepEqual(mentioned("@Kenny and @Ken, a@x", ["Ken", "Kenny", "x"]), ["Kenny", "Ken"]);
});

test("up to three messages are read, more are counted, as each person wants it", () => {
  const t = (key, { n }) => `${key} ${n}`;
  const news = (count, forMe = 0) => Array.from({ length: count }, (_, index) => ({ line: `m${index}`, forMe: index < forMe }));
  assert.equal(spoken(news(3), "all", t), "m0\nm1\nm2");
  assert.equal(spoken(news(7, 1), "all", t), "announceMany 7 announceForMe 1");
  assert.equal(spoken(news(7, 1), "mentions", t), "m0");
  assert.equal(spoken(news(7, 1), "off", t), "");
});

test("what is kept of settings is believed only as far as it makes sense", () => {
  assert.deepEqual(settingsOf(null), DEFAULTS);
  assert.deepEqual(settingsOf({ theme: "dark", language: "xx", more: 1 }), { ...DEFAULTS, theme: "dark" });
});

test("one emoji is one, and a gist is one line", () => {
  assert.equal(graphemes("👨‍👩‍👧が"), 2);
  for (const text of ["👍", "👨‍👩‍👧 🎉", "❤️", "🇯🇵"]) assert.equal(onlyEmoji(text), true, text);
  for (const text of ["1", "#", "ok 👍", "👍👍👍👍👍👍👍", " ", ""]) assert.equal(onlyEmoji(text), false, text);
  assert.equal(gist("**a**\n```js\ncode\n```"), "a code");
  assert.equal(gist("字".repeat(100), 10), `${"字".repeat(9)}…`);
});

test("what a query found is marked, and its operators are not looked for", () => {
  assert.deepEqual(wordsOf('Deploy -not "all done" from:aiko 会議'), ["deploy", "all done", "会議"]);
  assert.deepEqual(marked("The Deploy is ALL DONE", 'deploy "all done"').filter((one) => one.found).map((one) => one.text), ["Deploy", "ALL DONE"]);
  assert.equal(marked("whole", "hole whole").map((one) => one.text).join(""), "whole");
  assert.deepEqual(marked("İstanbul", "i"), [{ text: "İstanbul", found: false }]);
});
