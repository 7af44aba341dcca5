/** The client's parts that do no I/O, against the published samples and in every order. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Ladder } from "../../../src/kodama/web/static/client/src/ladder.js";
import { KodamaError, retryAfter } from "../../../src/kodama/web/static/client/src/net.js";
import { fold, Reader } from "../../../src/kodama/web/static/client/src/reader.js";
import { sse } from "../../../src/kodama/web/static/client/src/sse.js";
import { vectors } from "./vectors.mjs";

/** @param {Uint8Array[]} pieces */
function parsed(pieces) {
  const records = [];
  let retry;
  const take = sse((record) => records.push(record), (ms) => (retry = ms));
  const decoder = new TextDecoder();
  for (const piece of pieces) take(decoder.decode(piece, { stream: true }));
  return { records, retry };
}

for (const { name, stream, records, retry } of vectors("sse.json")) {
  test(`a stream is the same wherever it is cut: ${name}`, () => {
    const bytes = new TextEncoder().encode(stream);
    const expected = { records, retry };
    assert.deepEqual(parsed([bytes]), expected);
    assert.deepEqual(parsed(Array.from(bytes, (byte) => Uint8Array.of(byte))), expected);
    for (let cut = 1; cut < bytes.length; cut += 1) {
      assert.deepEqual(parsed([bytes.subarray(0, cut), bytes.subarray(cut)]), expected, `cut at ${cut}`);
    }
  });
}

for (const { name, answers, delivered, cursor } of vectors("reading.json")) {
  test(`a reader passes on each event once: ${name}`, () => {
    const reader = new Reader("all");
    reader.at("all");
    assert.deepEqual(answers.flatMap((answer) => reader.live(answer.events, answer.cursor)), delivered);
    assert.equal(reader.cursor, cursor);
  });
}

for (const { status, retry_after: given, now, outcome, seconds } of vectors("outcomes.json")) {
  test(`status ${status} with Retry-After ${given} means ${outcome}`, () => {
    const error = new KodamaError(status, null, retryAfter(given, Date.parse(now)));
    assert.equal(error.passing, outcome === "again");
    assert.equal(error.after, seconds * 1000);
  });
}

for (const { given, name } of vectors("room-names.json")) {
  if (name !== undefined) test(`${given} is folded as the server does`, () => assert.equal(fold(given), name));
}

const event = (offset, epoch = "e") => ({ type: "message", room: "a", offset, epoch });
const offsets = (events) => events.map((one) => one.offset ?? one.type);
const log = (from, to) => Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => event(from + index));

test("every interleaving of a feed that begins elsewhere with pages delivers each event once, in order", () => {
  const total = 6;
  for (let own = 0; own < total; own += 1) {
    for (let start = 0; start <= total; start += 1) {
      for (let before = start; before <= total; before += 1) {
        for (let page = before; page <= total; page += 1) {
          const reader = new Reader(`c${own}`);
          reader.last = own;
          reader.loose = false;
          const got = [];
          reader.at(`c${start}`);
          got.push(...reader.live(log(start + 1, before), `c${before}`));
          if (!reader.joined) {
            const turn = reader.turn;
            got.push(...reader.page({ events: log(own + 1, page), cursor: `c${page}`, more: false }, turn));
          }
          got.push(...reader.live(log(before + 1, total), `c${total}`));
          for (let rounds = 0; !reader.joined; rounds += 1) {
            assert.ok(rounds < 3);
            got.push(...reader.page({ events: log(reader.last + 1, total), cursor: `c${total}`, more: false }, reader.turn));
          }
          assert.deepEqual(offsets(got), offsets(log(own + 1, total)), `${own} ${start} ${before} ${page}`);
          assert.equal(reader.cursor, `c${total}`);
        }
      }
    }
  }
});

test("a page that was asked for before the feed began again does not count as having reached it", () => {
  const reader = new Reader("c0");
  reader.at("c5");
  const early = reader.turn;
  reader.at("c9");
  reader.page({ events: log(1, 7), cursor: "c7", more: false }, early);
  assert.equal(reader.joined, false);
  assert.deepEqual(offsets(reader.page({ events: log(8, 9), cursor: "c9", more: false }, reader.turn)), [8, 9]);
  assert.equal(reader.joined, true);
});

test("a page that arrives after the feed was joined changes nothing", () => {
  const reader = new Reader("c2");
  reader.at("c0");
  const turn = reader.turn;
  reader.at("c2");
  assert.deepEqual(reader.page({ events: log(1, 9), cursor: "c1", more: false }, turn), []);
  assert.equal(reader.cursor, "c2");
});

test("a hole that nobody can fill is told of", () => {
  const reader = new Reader("all");
  reader.at("all");
  reader.live(log(1, 2), "c2");
  assert.deepEqual(reader.live([event(5)], "c5"), []);
  assert.deepEqual(reader.page({ events: [], cursor: "c2", more: false }, reader.turn), [
    { type: "gap", room: "a", from: 3, to: 4, reason: "unknown_cursor" }, event(5),
  ]);
  assert.equal(reader.cursor, "c5");
});

test("what comes early is bounded, and what is dropped of it is read again", () => {
  const reader = new Reader("c0");
  reader.at("c1");
  reader.live(log(1, 5000), "c5000");
  assert.ok(reader.early.length <= 2000);
  const got = reader.page({ events: log(1, 100), cursor: "c100", more: false }, reader.turn);
  assert.equal(reader.joined, false);
  got.push(...reader.page({ events: log(101, 5000), cursor: "c5000", more: false }, reader.turn));
  assert.deepEqual(offsets(got), offsets(log(1, 5000)));
});

const ladder = () => new Ladder(["websocket", "sse", "poll"], () => 1);

test("what does not open gives way at once, and the last one opens", () => {
  const one = ladder();
  assert.equal(one.ended(0), 0);
  assert.equal(one.rung, "sse");
  assert.equal(one.ended(0), 0);
  assert.equal(one.rung, "poll");
});

test("when the last one fails too the network is at fault: from the top again, slower each time, at most 30 s", () => {
  const one = ladder();
  const waits = [];
  while (waits.length < 8) {
    const wait = one.ended(0);
    if (wait) {
      waits.push(wait);
      assert.equal(one.rung, "websocket");
    }
  }
  assert.deepEqual(waits, [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
});

test("chance takes up to half of a wait away", () => {
  const one = new Ladder(["poll"], () => 0);
  assert.equal(one.ended(0), 500);
});

test("what worked before is tried once more before it gives way", () => {
  const one = ladder();
  one.opened(0);
  assert.ok(one.ended(20_000) > 0);
  assert.ok(one.ended(20_000) > 0);
  assert.equal(one.rung, "websocket");
  assert.equal(one.ended(20_000), 0);
  assert.equal(one.rung, "sse");
});

test("a proxy that cuts early three times in a row sends us one down", () => {
  const one = ladder();
  for (const [now, rung] of [[0, "websocket"], [2000, "websocket"], [4000, "sse"]]) {
    one.opened(now);
    one.ended(now + 1000);
    assert.equal(one.rung, rung);
  }
});

test("a cut after a good while is no reason to change", () => {
  const one = ladder();
  for (let now = 0; now < 1e6; now += 60_000) {
    one.opened(now);
    one.ended(now + 50_000);
    assert.equal(one.rung, "websocket");
  }
});

test("the server's word is waited for, a little longer for some, and is no fault", () => {
  const one = ladder();
  for (let times = 0; times < 5; times += 1) {
    one.opened(0);
    assert.equal(one.told(1700), 2040);
  }
  assert.equal(one.rung, "websocket");
  one.opened(0);
  assert.equal(one.ended(20_000, 5000), 5000);
});

test("it climbs back, and seldom if that fails", () => {
  const one = ladder();
  one.ended(0);
  one.ended(0);
  const climbs = [];
  for (let now = 0; now < 4_000_000; now += 1000) {
    if (one.since === null) one.opened(now);
    if (!one.due(now)) continue;
    climbs.push(now);
    one.up();
    assert.equal(one.rung, "websocket");
    assert.equal(one.ended(now), 0);
    assert.equal(one.rung, "sse");
    assert.equal(one.ended(now), 0);
    assert.equal(one.rung, "poll");
  }
  assert.deepEqual(climbs.slice(0, 3), [31_000, 93_000, 215_000]);
  const last = climbs.slice(-2);
  assert.ok(last[1] - last[0] > 590_000 && last[1] - last[0] < 610_000);
});

test("a climb that finds the middle working stays there", () => {
  const one = ladder();
  one.ended(0);
  one.ended(0);
  one.opened(0);
  one.up();
  one.ended(31_000);
  one.opened(31_000);
  assert.equal(one.rung, "sse");
  assert.equal(one.due(32_000), false);
});

test("a network that comes back again and again does not keep it from the next transport", () => {
  const one = ladder();
  one.opened(0);
  one.ended(20_000);
  for (let times = 0; times < 5; times += 1) {
    one.wake(0);
    assert.equal(one.ended(0), 1000);
  }
  assert.equal(one.ended(0), 0);
  assert.equal(one.rung, "sse");
});

test("another network is a reason to climb at once", () => {
  const one = ladder();
  one.ended(0);
  one.opened(1000);
  one.wake(2000);
  assert.equal(one.due(3000), true);
  one.ended(20_000);
  one.wake(20_000);
  assert.equal(one.rung, "websocket");
});
