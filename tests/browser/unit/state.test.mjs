/** The reducer and the small text rules, run by `node --test tests/browser/unit`. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { reduce, start } from "../../../src/kodama/web/static/js/state.js";
import { composed, pieces } from "../../../src/kodama/web/static/js/text.js";

const me = { id: "g_1", name: "Aiko", kind: "guest" };
const ken = { id: "g_2", name: "Ken", kind: "guest" };
const said = (offset, author, text, nonce) =>
  ({ type: "message", offset, epoch: "e", time: "2026-11-23T22:10:05Z", author, text, nonce });
const run = (...actions) => actions.reduce(reduce, reduce(start("lobby"), { do: "me", me }));
const events = (...list) => ({ do: "events", events: list, cursor: "k1.x" });
const send = { do: "send", nonce: "n1", text: "hello", time: "2026-11-23T22:10:05Z" };
const stored = { do: "stored", nonce: "n1", offset: 2, epoch: "e", time: "2026-11-23T22:10:05Z" };
const texts = (state) => state.entries.map((entry) => entry.text);

for (const [order, actions] of [
  ["the answer first", [send, stored, events(said(2, me, "hello", "n1"))]],
  ["the echo first", [send, events(said(2, me, "hello", "n1")), stored]],
]) {
  test(`an own message is shown once with ${order}`, () => {
    const state = run(...actions);
    assert.deepEqual(texts(state), ["hello"]);
    assert.equal(state.pending.length, 0);
  });
}

test("another's message with the same nonce leaves ours waiting", () => {
  assert.equal(run(send, events(said(2, ken, "hi", "n1"))).pending.length, 1);
});

test("a message that was answered early takes its place by offset", () => {
  assert.deepEqual(texts(run(send, stored, events(said(1, ken, "before")))), ["before", "hello"]);
});

test("a poll answered twice changes nothing", () => {
  const once = events(said(1, ken, "a"), said(2, ken, "b"));
  assert.deepEqual(texts(run(once, once)), ["a", "b"]);
});

test("an edit and a delete reach the message they name", () => {
  const state = run(events(said(1, ken, "a"), said(2, ken, "b"),
    { type: "edit", offset: 3, target: 1, text: "A" }, { type: "delete", offset: 4, target: 2 }));
  assert.deepEqual(texts(state), ["A", ""]);
  assert.equal(state.entries[1].deleted, true);
});

test("a gap stands where the hole is", () => {
  const state = run(events(said(1, ken, "a"), { type: "gap", from: 2, to: 5, reason: "retention" }, said(6, ken, "b")));
  assert.deepEqual(state.entries.map((entry) => entry.kind), ["message", "gap", "message"]);
});

test("what arrives while reading further up is counted until the end is reached", () => {
  const away = run({ do: "scrolled", atEnd: false }, events(said(1, ken, "a"), said(2, me, "b")));
  assert.equal(away.unseen, 1);
  assert.equal(reduce(away, { do: "scrolled", atEnd: true }).unseen, 0);
});

test("only http addresses become links", () => {
  assert.deepEqual(pieces("see https://a.example/x. javascript:alert(1)").map((piece) => piece.href),
    ["", "https://a.example/x", ""]);
});

test("the Enter that ends a composition in Safari is not a key of ours", () => {
  assert.equal(composed({ isComposing: false, keyCode: 229 }, false), true);
  assert.equal(composed({ isComposing: false, keyCode: 13 }, false), false);
});

test("what an earlier visit left unsent stands before what was written since, each once", () => {
  const old = [{ nonce: "a", text: "old", time: "", problem: "" }, { nonce: "b", text: "same", time: "", problem: "" }];
  const state = run({ do: "send", nonce: "b", text: "same", time: "" }, { do: "kept", pending: old });
  assert.deepEqual(state.pending.map((one) => one.nonce), ["a", "b"]);
});
