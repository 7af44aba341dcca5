/** What the page knows, run by `node --test tests/browser/unit`. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { DEFAULTS } from "../../../src/kodama/web/static/js/settings.js";
import { reduce, start } from "../../../src/kodama/web/static/js/state.js";

const me = { id: "g_1", name: "Aiko", kind: "guest" };
const ken = { id: "g_2", name: "Ken", kind: "guest" };
const said = (offset, author, text, more = {}) =>
  ({ type: "message", offset, epoch: "e", time: "2026-11-23T22:10:05Z", author, text, ...more });
const events = (...list) => ({ do: "events", events: list, now: 0 });
const newest = (...messages) => ({ do: "newest", page: { messages, more: false } });
const run = (...actions) => actions.reduce(reduce, start("lobby", DEFAULTS));
const inRoom = (...actions) => run({ do: "me", me }, newest(), { do: "scrolled", atEnd: true }, ...actions);
const send = { do: "send", pending: { nonce: "n1", text: "hello", data: null, time: "", stored: false, problem: "" } };
const texts = (state) => state.log.entries.map((entry) => entry.text);

for (const [order, actions] of [
  ["the answer first", [send, { do: "stored", nonce: "n1" }, events(said(2, me, "hello", { nonce: "n1" }))]],
  ["the echo first", [send, events(said(2, me, "hello", { nonce: "n1" })), { do: "stored", nonce: "n1" }]],
  ["a page first", [send, { do: "newest", page: { messages: [said(2, me, "hello", { nonce: "n1" })], more: false } }]],
]) {
  test(`an own message is shown once with ${order}`, () => {
    const state = inRoom(...actions);
    assert.deepEqual(texts(state), ["hello"]);
    assert.equal(state.pending.length, 0);
  });
}

test("another's message with the same nonce leaves ours waiting", () => {
  assert.equal(inRoom(send, events(said(2, ken, "hi", { nonce: "n1" }))).pending.length, 1);
});

test("a message told twice stands once", () => {
  const once = events(said(1, ken, "a"), said(2, ken, "b"));
  assert.deepEqual(texts(inRoom(once, once)), ["a", "b"]);
});

test("a gap stands where the hole is", () => {
  const state = inRoom(events(said(1, ken, "a"), { type: "gap", from: 2, to: 5, reason: "retention" }, said(6, ken, "b")));
  assert.deepEqual(state.log.entries.map((entry) => entry.kind), ["message", "gap", "message"]);
});

test("what arrives while reading further up, or while hidden, is counted until it is looked at", () => {
  const up = inRoom(events(said(1, ken, "a")), { do: "scrolled", atEnd: false }, events(said(2, ken, "b"), said(3, me, "c"), said(4, ken, "@aiko d")));
  assert.deepEqual([up.unseen, up.forMe, up.divider, up.seen], [2, 1, 1, 1]);
  const down = reduce(up, { do: "scrolled", atEnd: true });
  assert.deepEqual([down.unseen, down.forMe, down.divider, down.seen], [0, 0, 1, 4]);
  const hidden = reduce(reduce(down, { do: "shown", shown: false }), events(said(5, ken, "e")));
  assert.deepEqual([hidden.unseen, hidden.divider], [1, 4]);
  assert.equal(reduce(hidden, { do: "shown", shown: true }).unseen, 0);
});

test("whoever comes back finds the line above what is new", () => {
  const back = run({ do: "me", me }, { do: "room", room: "tea", seen: 1, at: null }, newest(said(1, ken, "a"), said(2, ken, "b")));
  assert.equal(back.divider, 1);
  assert.equal(run({ do: "me", me }, { do: "room", room: "tea", seen: 2 }, newest(said(1, ken, "a"), said(2, ken, "b"))).divider, null);
});

test("what an earlier visit left unsent stands before what was written since, each once", () => {
  const old = [{ nonce: "a", text: "old" }, { nonce: "n1", text: "hello" }, { nonce: "seen", text: "stored" }];
  const state = inRoom(newest(said(1, me, "stored", { nonce: "seen" })), send, { do: "kept", pending: old });
  assert.deepEqual(state.pending.map((one) => one.nonce), ["a", "n1"]);
});

test("another room begins anew, for the same person", () => {
  const state = inRoom(events(said(1, ken, "a")), send, { do: "room", room: "tea", seen: 0 });
  assert.deepEqual([state.room, state.me, state.log.entries.length, state.pending.length], ["tea", me, 0, 0]);
});

test("typing ends with the message, with time, and with leaving", () => {
  const typing = (author) => ({ type: "typing", author, until: new Date(5000).toISOString() });
  const state = inRoom(events(typing(ken), typing(me)));
  assert.deepEqual(state.people.typing.map((one) => one.author.name), ["Ken"]);
  assert.equal(reduce(state, events(said(1, ken, "a"))).people.typing.length, 0);
  assert.equal(reduce(state, { do: "tick", now: 6000 }).people.typing.length, 0);
  assert.equal(reduce(state, events({ type: "presence", left: [ken], count: 1, version: 9 })).people.typing.length, 0);
});

test("a jump in the version of who is here asks for the list", () => {
  const listed = inRoom({ do: "here", list: { here: [me], count: 1, guests: 0, version: 5 } });
  assert.equal(listed.people.stale, false);
  const next = reduce(listed, events({ type: "presence", joined: [ken], left: [], changed: [], count: 2, guests: 0, version: 6 }));
  assert.deepEqual([next.people.here.length, next.people.count, next.people.stale], [2, 2, false]);
  assert.equal(reduce(next, events({ type: "presence", joined: [], left: [], count: 2, version: 8 })).people.stale, true);
});
