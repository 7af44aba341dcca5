/** The stretch of the log that the page holds, against a whole log, under any order of paging, talking and changing. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { mine } from "../../../src/kodama/web/static/js/amend.js";
import { after, around, before, CAP, empty, live, newest } from "../../../src/kodama/web/static/js/log.js";
import { rows } from "../../../src/kodama/web/static/js/rows.js";
import { chances } from "./chance.mjs";

const people = ["a", "b", "c"].map((id) => ({ id, name: id, kind: "guest" }));
const EMOJI = ["👍", "🎉"];

/** A room as the server has it. */
class Whole {
  events = [];

  push(event) {
    const made = { room: "r", epoch: "e", time: "2026-11-23T22:10:05Z", offset: this.events.length + 1, ...event };
    this.events.push(made);
    return made;
  }

  messages() {
    return this.events.filter((one) => one.type === "message").map((one) => {
      const about = this.events.filter((each) => each.target === one.offset);
      if (about.some((each) => each.type === "delete")) return { ...one, text: undefined, data: undefined, deleted: true };
      const edit = about.findLast((each) => each.type === "edit");
      return edit ? { ...one, text: edit.text, edited: true } : one;
    });
  }

  reactions(messages) {
    const found = [];
    for (const { offset: target, deleted } of messages) {
      for (const emoji of deleted ? [] : EMOJI) {
        const about = this.events.filter((one) => one.type === "reaction" && one.target === target && one.emoji === emoji);
        const by = people.filter((one) => about.findLast((each) => each.author.id === one.id)?.op === "add");
        if (by.length) found.push({ target, emoji, count: by.length, by, offset: about.at(-1).offset });
      }
    }
    return found;
  }

  page({ lower = -Infinity, upper = Infinity, limit, from }) {
    const all = this.messages().filter((one) => one.offset > lower && one.offset < upper);
    const messages = from === "end" ? all.slice(-limit) : all.slice(0, limit);
    return { messages, more: all.length > messages.length, reactions: this.reactions(messages) };
  }
}

function step(chance, whole, log, waiting) {
  const messages = log.entries.filter((one) => one.kind === "message");
  switch (chance.of(["say", "say", "say", "change", "change", "older", "newer", "newest", "around", "hear", "hear", "arrive"])) {
    case "say":
      for (let more = chance.upTo(chance.upTo(30) ? 3 : 400); more >= 0; more -= 1) {
        waiting.events.push(whole.push({ type: "message", author: chance.of(people), text: `m${whole.events.length}` }));
      }
      return log;
    case "change": {
      const all = whole.messages().filter((one) => !one.deleted).slice(-30);
      if (!all.length) return log;
      const target = chance.of(all).offset;
      const author = chance.of(people);
      const kinds = [{ type: "edit", text: `e${whole.events.length}` }, { type: "delete" },
        { type: "reaction", emoji: chance.of(EMOJI), op: chance.of(["add", "remove"]) }];
      waiting.events.push(whole.push({ ...chance.of([kinds[0], kinds[2], kinds[2], kinds[2], kinds[1]]), target, author }));
      return log;
    }
    case "hear": {
      const heard = waiting.events.splice(0, 1 + chance.upTo(10));
      return heard.reduce((all, event) => live(all, event, { follow: !waiting.up }), log);
    }
    case "arrive": {
      const page = waiting.pages.shift();
      return page ? page(log) : log;
    }
    case "older":
      if (log.older && messages.length && !waiting.pages.length) {
        const page = whole.page({ upper: messages[0].at, limit: 1 + chance.upTo(60), from: "end" });
        waiting.pages.push((now) => before(now, page, messages[0].at));
      }
      return log;
    case "newer":
      if (log.newer && messages.length && !waiting.pages.length) {
        const page = whole.page({ lower: messages.at(-1).at, limit: 1 + chance.upTo(60), from: "start" });
        waiting.pages.push((now) => after(now, page, messages.at(-1).at));
      }
      return log;
    case "newest":
      if (!waiting.pages.length) {
        const page = whole.page({ limit: 1 + chance.upTo(60), from: "end" });
        waiting.pages.push((now) => newest(now, page));
      }
      return log;
    default:
      if (whole.messages().length && !waiting.pages.length && !chance.upTo(3)) {
        const at = chance.of(whole.messages()).offset;
        const page = whole.page({ lower: at - 40, upper: at + 40, limit: 80, from: "start" });
        waiting.pages.push((now) => around(now, page));
      }
      waiting.up = chance.of([true, false]);
      return log;
  }
}

test("what is held has no hole, is at most CAP long, and says what the whole log says, whatever happens", () => {
  for (const chance of chances(60)) {
    const whole = new Whole();
    const waiting = { events: [], pages: [], up: false };
    for (let old = chance.upTo(120); old > 0; old -= 1) whole.push({ type: "message", author: chance.of(people), text: `old ${old}` });
    let log = newest(empty(), whole.page({ limit: 60, from: "end" }));
    for (let turn = 0; turn < 120; turn += 1) {
      log = step(chance, whole, log, waiting);
      const offsets = log.entries.map((one) => one.at);
      const all = whole.messages().map((one) => one.offset);
      const first = all.indexOf(offsets[0]);
      assert.deepEqual(offsets, all.slice(first, first + offsets.length), `seed ${chance.seed} turn ${turn}`);
      assert.ok(offsets.length <= CAP);
    }
    for (const page of waiting.pages) log = page(log);
    log = waiting.events.reduce((one, event) => live(one, event, { follow: true }), log);
    while (log.newer) log = after(log, whole.page({ lower: log.entries.at(-1)?.at ?? 0, limit: 60, from: "start" }), log.entries.at(-1)?.at ?? 0);
    const held = new Map(whole.messages().map((one) => [one.offset, one]));
    assert.equal(log.entries.at(-1)?.at, whole.messages().at(-1)?.offset, `seed ${chance.seed}`);
    for (const entry of log.entries) {
      const truth = held.get(entry.at);
      assert.deepEqual([entry.text, entry.deleted], [truth.text ?? "", truth.deleted ?? false], `seed ${chance.seed} at ${entry.at}`);
      const counts = Object.fromEntries(whole.reactions([truth]).map((one) => [one.emoji, [one.count, one.by.map((by) => by.id).sort()]]));
      assert.deepEqual(Object.fromEntries(entry.reactions.map((one) => [one.emoji, [one.count, one.by.map((by) => by.id).sort()]])), counts, `seed ${chance.seed} at ${entry.at}`);
      for (const one of entry.reactions) assert.equal(mine(one, "a"), counts[one.emoji][1].includes("a"));
    }
  }
});

test("rows begin a group at a day, an author, a pause, a reply and the line above what is new", () => {
  const said = (at, author, time, more = {}) => ({ kind: "message", at, time: `2026-11-${time}Z`, author: people[author], text: "x", data: null, ...more });
  const found = rows([said(1, 0, "23T12:00:00"), said(2, 0, "23T12:01:00"), said(3, 1, "23T12:02:00"), said(4, 1, "23T12:30:00"),
    said(5, 1, "23T12:31:00", { data: { reply: 1 } }), said(6, 1, "23T12:32:00"), said(7, 1, "25T12:00:00")], 5);
  assert.deepEqual(found.map((row) => (row.is === "message" ? (row.first ? "first" : "next") : row.is)),
    ["day", "first", "next", "first", "first", "first", "new", "first", "day", "first"]);
});
