/** What an address gives. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { giftIn } from "../../../src/kodama/web/static/js/welcome.js";

test("a code after the # of an address is a gift", () => {
  assert.deepEqual(giftIn("#owner=KrBID7KPDAD5jSUOfLZ1"), { is: "owner", code: "KrBID7KPDAD5jSUOfLZ1" });
  assert.deepEqual(giftIn("#invite=abc-_def12"), { is: "invite", code: "abc-_def12" });
});

test("whatever else stands there is none", () => {
  for (const hash of ["", "#812", "#owner=", "#owner=short", "#invite=a/b/c/d/e/f", "#other=KrBID7KPDAD5", "#owner=KrBID7KPDAD5&x", "owner=KrBID7KPDAD5"])
    assert.equal(giftIn(hash), null, hash);
});
