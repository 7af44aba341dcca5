/** The whole client in node against a double with faults on demand. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { connect } from "../../../src/kodama/web/static/client/src/kodama.js";
import { Double, Shelf } from "./double.mjs";

/** @type {Double} */ let double;
/** @type {any[]} */ let clients;
/** @type {any} */ let changes;

beforeEach(async () => {
  double = await new Double().start();
  globalThis.WebSocket = double.WebSocket;
  clients = [];
});
afterEach(() => {
  clearInterval(changes);
  for (const client of clients) client.close();
  double.stop();
  for (const name of ["WebSocket", "addEventListener", "removeEventListener"]) delete globalThis[name];
});

const open = (options = {}) => {
  const client = connect(double.url, { storage: null, ...options });
  clients.push(client);
  return client;
};

/** @param {any} room */
function follow(room) {
  const got = [];
  got.ended = (async () => {
    for await (const event of room) got.push(event);
  })();
  got.ended.catch(() => {});
  return got;
}

/** @param {() => unknown} condition */
async function until(condition, seconds = 20) {
  for (const end = Date.now() + seconds * 1000; !condition(); ) {
    assert.ok(Date.now() < end, "it did not come to that");
    await new Promise((done) => setTimeout(done, 5));
  }
}

const offsets = (events) => events.map((event) => event.offset ?? event.type);
const upTo = (last, first = 1) => Array.from({ length: last - first + 1 }, (_, index) => first + index);
const kinds = () => double.asked.filter((line) => /events|WEBSOCKET/u.test(line));

for (const transports of [["websocket"], ["sse"], ["poll"]]) {
  test(`${transports} brings what was said before and what is said after`, async () => {
    for (const _ of upTo(30)) double.say("a");
    const client = open({ transports });
    const room = client.room("a", { since: "all" });
    const got = follow(room);
    await until(() => got.length === 30);
    for (const _ of upTo(30)) double.say("a");
    await until(() => got.length === 60);
    assert.deepEqual(offsets(got), upTo(60));
    assert.equal(room.state, "live");
    assert.equal(client.transport, transports[0]);
  });
}

test("what is ephemeral moves no cursor, and whoever is cut off after it comes back to its place", async () => {
  double.say("a");
  const room = open({ transports: ["websocket"], presence: true }).room("a", { since: "all" });
  const got = follow(room);
  await until(() => got.length === 1 && room.state === "live");
  for (const socket of double.sockets) socket.tell({ events: [{ type: "typing", room: "a", author: { id: "g", name: "Ken", kind: "guest" } }] });
  await until(() => got.length === 2);
  for (const socket of [...double.sockets]) socket.close();
  double.say("a");
  await until(() => got.length === 3);
  assert.deepEqual(offsets(got), [1, "typing", 2]);
  assert.ok(!double.asked.some((line) => line.includes("undefined")));
});

test("a stream that is cut at every byte brings each event once, in order", async () => {
  const cuts = upTo(180);
  const readers = cuts.map((cut) => {
    const name = `cut-${cut}`;
    for (const _ of upTo(3)) double.say(name, { text: "木霊" });
    double.cutAfter[name] = cut * 4;
    return follow(open({ transports: ["sse", "poll"] }).room(name, { since: "all" }));
  });
  await until(() => readers.every((got) => got.length >= 3), 40);
  for (const got of readers) assert.deepEqual(offsets(got), upTo(3));
});

test("hopping between all transports in mid-stream loses and doubles nothing", async () => {
  const window = new EventTarget();
  globalThis.addEventListener = window.addEventListener.bind(window);
  globalThis.removeEventListener = window.removeEventListener.bind(window);
  changes = setInterval(() => window.dispatchEvent(new Event("online")), 4000);
  const client = open();
  const got = follow(client.room("a", { since: "all" }));
  const used = [];
  for (const [transport, faults] of [
    ["websocket", {}], ["poll", { websocket: true, sse: [406] }], ["sse", { websocket: true }], ["websocket", {}],
    ["sse", { websocket: true }], ["poll", { websocket: true, sse: [406] }], ["websocket", {}],
  ]) {
    double.say("a");
    double.faults = faults;
    for (const socket of [...double.sockets]) socket.close();
    for (const stream of [...double.streams]) stream.destroy();
    double.say("a");
    await until(() => client.transport === transport && got.length === double.logs.a.length, 60);
    used.push(transport);
  }
  assert.deepEqual(offsets(got), upTo(14));
  assert.equal(new Set(used).size, 3);
});

test("what a proxy holds back gives way to long polls in four seconds", async () => {
  double.faults.websocket = true;
  double.buffered = true;
  double.say("a");
  const began = Date.now();
  const client = open();
  const got = follow(client.room("a", { since: "all" }));
  await until(() => got.length === 1);
  assert.equal(client.transport, "poll");
  assert.ok(Date.now() - began < 8000);
});

test("a WebSocket that never opens gives way", async () => {
  double.faults.silent = true;
  double.say("a");
  const client = open({ transports: ["websocket", "poll"] });
  const got = follow(client.room("a", { since: "all" }));
  await until(() => got.length === 1);
  assert.equal(client.transport, "poll");
});

test("rooms with different beginnings share one connection", async () => {
  for (const _ of upTo(3)) double.say("a"), double.say("b"), double.say("c");
  const client = open({ transports: ["sse"] });
  const all = follow(client.room("a", { since: "all" }));
  const now = follow(client.room("b"));
  await until(() => all.length === 3);
  await until(() => kinds().some((line) => line.includes("room=b")));
  const late = follow(client.room("c", { since: "all" }));
  await until(() => late.length === 3);
  const rooms = [all, now, late];
  await until(() => double.streams.size === 1);
  for (const name of ["a", "b", "c"]) double.say(name);
  await until(() => rooms.every((got) => got.at(-1)?.offset === 4));
  assert.deepEqual(rooms.map(offsets), [upTo(4), [4], upTo(4)]);
  assert.equal(double.streams.size, 1);
});

test("a room that is closed is no longer read, and the others go on", async () => {
  const client = open({ transports: ["poll"] });
  const one = client.room("a");
  const gone = follow(one);
  const stays = follow(client.room("b"));
  await until(() => one.state === "live");
  one.close();
  await gone.ended;
  await until(() => kinds().at(-1).startsWith("GET /v1/rooms/b/events"));
  double.say("b");
  await until(() => stays.length === 1);
});

test("a token is sent, and fetched anew once when it is refused", async () => {
  double.token = "new";
  let asked = 0;
  const tokens = ["old", "new"];
  const client = open({ transports: ["sse"], token: async () => tokens[asked++] });
  double.say("a");
  const got = follow(client.room("a", { since: "all" }));
  await until(() => got.length === 1);
  assert.equal(asked, 2);
});

test("a token that ran out on a WebSocket is fetched anew", async () => {
  double.token = "new";
  let asked = 0;
  const client = open({ transports: ["websocket"], token: () => ["old", "new"][asked++] });
  double.say("a");
  const got = follow(client.room("a", { since: "all" }));
  await until(() => got.length === 1);
  assert.equal(asked, 2);
});

test("a refusal ends the room with its code", async () => {
  double.token = "another";
  const room = open({ token: "mine" }).room("a");
  const got = follow(room);
  await assert.rejects(got.ended, { code: "unauthorized" });
  assert.equal(room.state, "refused");
});

test("Retry-After is waited for and changes nothing else", async () => {
  double.faults.poll = [429, { "Retry-After": "1" }];
  const room = open({ transports: ["poll"] }).room("a");
  const got = follow(room);
  await until(() => room.state === "waiting");
  double.faults = {};
  double.say("a");
  await until(() => room.state === "live");
  assert.ok(kinds().length <= 3);
  assert.equal(got.length, 0);
});

test("messages sent over a failing line are stored once each, in order", async () => {
  const client = open();
  const room = client.room("a");
  const sent = upTo(20).map((number) => room.send(String(number)));
  double.faults.publish = [503, { "Retry-After": "0" }];
  await until(() => double.asked.filter((line) => line.startsWith("POST")).length > 1);
  double.faults = {};
  const stored = await Promise.all(sent);
  assert.deepEqual(offsets(stored), upTo(20));
  assert.deepEqual(double.logs.a.map((event) => event.text), upTo(20).map(String));
  assert.equal(client.unsent.length, 0);
});

test("a message whose answer is lost is sent again with its nonce and stored once", async () => {
  const room = open().room("a");
  const real = globalThis.fetch;
  let lost = 0;
  globalThis.fetch = async (url, init) => {
    const answer = await real(url, init);
    if (init?.method === "POST" && lost++ < 2) throw new TypeError("the network was cut");
    return answer;
  };
  try {
    assert.equal((await room.send("once")).offset, 1);
  } finally {
    globalThis.fetch = real;
  }
  assert.equal(double.logs.a.length, 1);
  assert.ok(lost >= 3);
});

test("a refusal is its message's alone, and what an earlier visit left unsent is reported too", async () => {
  const storage = new Shelf();
  double.faults.publish = [503, {}];
  const first = open({ storage });
  for (const text of ["one", "refuse me", "two"]) first.room("a").send(text).catch(() => {});
  await until(() => double.asked.some((line) => line.startsWith("POST")));
  first.close();
  double.faults = {};
  const second = open({ storage });
  const refused = [];
  second.addEventListener("unsent", (event) => refused.push([event.detail.entry.text, event.detail.error.code]));
  await until(() => second.unsent.length === 0);
  assert.deepEqual(double.logs.a.map((event) => event.text), ["one", "two"]);
  assert.deepEqual(refused, [["refuse me", "forbidden"]]);
});

test("the cursor moves when the application asks for the next event, and a reader can begin there", async () => {
  for (const _ of upTo(5)) double.say("a");
  const room = open({ transports: ["sse"] }).room("a", { since: "all" });
  const seen = [];
  for await (const event of room) {
    seen.push(event.offset);
    if (event.offset === 3) break;
  }
  const rest = follow(open().room("a", { since: room.cursor }));
  await until(() => rest.at(-1)?.offset === 5);
  assert.ok(rest[0].offset <= 4);
  assert.deepEqual(seen, [1, 2, 3]);
});

test("a quiet reader's cursor is one to come back with", async () => {
  const room = open({ transports: ["sse"] }).room("a");
  follow(room);
  await until(() => room.cursor.startsWith("k1."));
  const { cursor } = room;
  double.say("a");
  const again = follow(open().room("a", { since: cursor }));
  await until(() => again.length === 1);
});
