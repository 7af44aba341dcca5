/** What is new in one's rooms, run by `node --test tests/browser/unit`. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { called, callsIn, elsewhere, heardIn, listed, marked, merged, news } from "../../../src/kodama/web/static/js/places.js";
import { chances } from "./chance.mjs";

const me = { id: "g_1", name: "Aiko", kind: "guest" };
const ken = { id: "g_2", name: "Ken", kind: "guest" };
const row = (room, more = {}) => ({ room, title: "", topic: "", access: "public", last: 0, ...more });
const said = (offset, author, text, more = {}) => ({ type: "message", offset, author, text, ...more });
const at = { me, now: 1 };

test("what others say is new, what calls one is told apart, and each counts once", () => {
  const before = [row("tea", { read: 1, unread: 0, last: 1 })];
  const events = [said(2, ken, "hi"), said(3, me, "mine"), said(4, ken, "@aiko look"), said(4, ken, "@aiko look")];
  const [tea] = heardIn(before, "tea", events, at);
  assert.deepEqual([news(tea), tea.last], [{ unread: 2, calls: 1 }, 4]);
  assert.deepEqual(news(heardIn([tea], "tea", [{ type: "delete", offset: 5, target: 4, author: ken }], at)[0]).calls, 0);
  assert.deepEqual(news(marked([tea], "tea", 4)[0]), { unread: 0, calls: 0 });
});

test("all that one other person says calls", () => {
  assert.deepEqual(news(row("dm.x", { direct: ken, unread: 3 })), { unread: 3, calls: 3 });
  assert.equal(called(row("dm.x", { direct: ken }), "dm.x"), "Ken");
});

test("what called while nobody was here is found in a page", () => {
  const rows = [row("tea", { read: 2, unread: 2, last: 4 })];
  const page = [said(2, ken, "@aiko old"), said(3, ken, "@aiko new"), said(4, me, "@aiko own")];
  assert.deepEqual(callsIn(rows, "tea", page, me)[0].calls, [3]);
});

test("rooms that call stand first, then those with something new, each kind under its heading", () => {
  const rows = [row("b", { unread: 0, read: 1 }), row("a", { unread: 0, read: 1 }), row("new", { unread: 2 }), row("calls", { unread: 1, calls: [3] }),
    row("dm.k", { direct: ken, unread: 0 }), row("far")];
  const { rooms, directs, others } = listed(rows, "here");
  assert.deepEqual(rooms.map((one) => one.room), ["calls", "new", "a", "b", "here"]);
  assert.deepEqual([directs.map((one) => one.room), others.map((one) => one.room)], [["dm.k"], ["far"]]);
  assert.deepEqual(elsewhere(rows, "new"), { unread: 1, calls: 1 });
});

test("in any order of what is heard, read here and told by the server, a mark never goes back and all ends as it is", () => {
  for (const { seed, upTo, of } of chances(400)) {
    const log = [];
    const server = { read: 0 };
    const told = () => row("tea", { read: server.read, last: log.length, unread: log.filter((one) => one.offset > server.read).length });
    let rows = [told()];
    const late = [];
    let heard = 0;
    for (let step = 0; step < 30; step += 1) {
      const before = rows[0].read ?? -1;
      switch (of(["say", "hear", "read", "store", "ask", "answer", "other"])) {
        case "say": log.push(said(log.length + 1, ken, upTo(3) ? "hi" : "@aiko")); break;
        case "hear": rows = heardIn(rows, "tea", log.slice(heard), at); heard = log.length; break;
        case "read": rows = marked(rows, "tea", upTo(rows[0].last)); break;
        case "store": server.read = Math.max(server.read, rows[0].read ?? 0); break;
        case "ask": late.push(told()); break;
        case "answer": if (late.length) rows = merged([late.splice(upTo(late.length - 1), 1)[0]], rows); break;
        case "other": server.read = Math.max(server.read, upTo(log.length)); break;
      }
      const [{ read, unread, calls = [] }] = rows;
      assert.ok((read ?? -1) >= before && unread >= 0 && calls.every((one) => one > (read ?? 0)), `seed ${seed}, step ${step}`);
    }
    server.read = Math.max(server.read, rows[0].read ?? 0);
    rows = merged([told()], heardIn(rows, "tea", log.slice(heard), at));
    assert.equal(rows[0].unread, told().unread, `seed ${seed}`);
    assert.equal(rows[0].read, server.read, `seed ${seed}`);
  }
});
