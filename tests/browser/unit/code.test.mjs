/** Code is coloured by telling its pieces apart: they make up the text again, whatever it is, and are never markup. */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { test } from "node:test";
import { coloured } from "../../../src/kodama/web/static/js/colours.js";
import { chances } from "./chance.mjs";

const GRAMMARS = readdirSync(new URL("../../../src/kodama/web/static/highlight/", import.meta.url))
  .filter((name) => name.endsWith(".mjs") && name !== "core.mjs").map((name) => name.slice(0, -4));
const SAMPLES = [
  "", " ", "\n\n", "<script>alert('x')</script>", "a &amp; <b> \"c\" 'd' `e`", "/* never closed", "'''never closed", "```js\nlet a;\n```",
  "def f(x: int) -> str:\n    return f\"{x!r}\"  # why\n", "const a = /x+/u.test(`${b}`) ? null : 0x1f; // c\n", "<p class=\"x\" onclick=y>z</p><style>a{b:c}</style>",
  "- old\n+ new\n@@ -1 +1 @@\n", "SELECT 'a''b' FROM t WHERE n > 1.5e3 -- c", "key: [1, true, ~]\n", "木霊「こだま」 = '山'; \ud83d\ude00\u202e", "{{{{((((", "((((a+)+)+)+)".repeat(20),
];

const flat = (pieces) => pieces.map((piece) => (typeof piece === "string" ? piece : flat(piece.kids))).join("");
const kinds = (pieces) => pieces.flatMap((piece) => (typeof piece === "string" ? [] : [piece.kind, ...kinds(piece.kids)]));

for (const grammar of GRAMMARS) {
  test(`the pieces of ${grammar} make up the text again`, async () => {
    for (const sample of SAMPLES) {
      const pieces = await coloured(sample, grammar);
      assert.ok(pieces, `${grammar} is not offered`);
      assert.equal(flat(pieces), sample);
      assert.ok(kinds(pieces).every((kind) => /^[a-z]*$/u.test(kind)));
    }
  });
}

test("any text at all is told in pieces, under every grammar", async () => {
  for (const chance of chances(120)) {
    const text = Array.from({ length: chance.upTo(60) }, () => chance.of(["<", ">", "&", "\"", "'", "`", "{", "}", "(", ")", "/", "*", "#", "-", "+", "\n", " ", "\\", "$", "=", "let", "def", "1", "木", "\ud83d"])).join("");
    const pieces = await coloured(text, chance.of(GRAMMARS));
    assert.equal(flat(pieces), text);
  }
});

test("words, texts and remarks look different", async () => {
  const pieces = await coloured("def f():\n    return 'x'  # why", "py");
  const found = new Set(kinds(pieces));
  for (const kind of ["word", "call", "text", "aside"]) assert.ok(found.has(kind), kind);
  assert.deepEqual(new Set(kinds(await coloured("-a\n+b", "diff"))), new Set(["old", "new"]));
  assert.ok(kinds(await coloured("<script>let a = 1;</script>", "html")).includes("value"), "what stands within is coloured");
});

test("a language that nobody knows, or too much of one, stays plain", async () => {
  for (const name of ["", "nonsense", "__proto__", "constructor", "../js/main", "core"]) assert.equal(await coloured("a", name), null);
  assert.equal(await coloured("a\n".repeat(2_001), "python"), null);
  assert.equal(await coloured("a".repeat(401), "python"), null);
  assert.ok(await coloured("a", "PYTHON"));
});
