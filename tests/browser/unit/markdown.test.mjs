/** The page's markdown against the published samples, and against anything at all. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { markdown } from "../../../src/kodama/web/static/js/markdown.js";
import { chances } from "./chance.mjs";
import { vectors } from "./vectors.mjs";

const escaped = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");

function inline(kids) {
  return kids.map((kid) => {
    if (typeof kid === "string") return escaped(kid);
    switch (kid.is) {
      case "br": return "<br>";
      case "code": return `<code>${escaped(kid.text)}</code>`;
      case "at": return `<at>${escaped(kid.name)}</at>`;
      case "a": return `<a ${kid.href}>${inline(kid.kids)}</a>`;
      default: return `<${kid.is}>${inline(kid.kids)}</${kid.is}>`;
    }
  }).join("");
}

function written(blocks) {
  return blocks.map((block) => {
    switch (block.is) {
      case "p": return `<p>${inline(block.kids)}</p>`;
      case "pre": return `<pre ${block.language}>${escaped(block.text)}</pre>`;
      case "quote": return `<quote>${written(block.kids)}</quote>`;
      default: {
        const items = block.items.map((kids) => `<li>${inline(kids)}</li>`).join("");
        return block.start === null ? `<ul>${items}</ul>` : `<ol ${block.start}>${items}</ol>`;
      }
    }
  }).join("");
}

for (const { text, names = [], tree } of vectors("markdown.json")) {
  test(`it reads ${JSON.stringify(text)}`, () => assert.equal(written(markdown(text, names)), tree));
}

/** Every link of a tree. */
function* links(value) {
  if (Array.isArray(value)) for (const one of value) yield* links(one);
  else if (value && typeof value === "object") {
    if (value.is === "a") yield value.href;
    yield* links(value.kids ?? value.items ?? []);
  }
}

test("whatever is written, no word is lost and no link is anything but http", () => {
  const pieces = ["*", "**", "_", "~~", "`", "```", "\n", "\n\n", "> ", "- ", "1. ", "[", "](", ")", "https://a.example/", "javascript:", "@Ken", "\\",
    " ", "<b>", "語", "「", "」", "word", "😀"];
  for (const chance of chances(400)) {
    const text = Array.from({ length: chance.upTo(40) }, () => chance.of(pieces)).join("");
    const tree = markdown(text, ["Ken"]);
    for (const href of links(tree)) assert.match(href, /^https?:/u);
    const kept = written(tree).replace(/<a [^>]*>/gu, "");
    const count = (what, where) => where.split(what).length - 1;
    assert.equal(count("word", kept), count("word", text), JSON.stringify(text));
    assert.equal(count("語", kept), count("語", text), JSON.stringify(text));
  }
});

test("the worst that 16,000 characters can do takes no time", () => {
  for (const piece of ["*a", "**a*", "[", "[a](", "`", "> ", "_a*", "- ", "~~a", "@", "\\", "https://a.example/((("]) {
    const began = performance.now();
    markdown(piece.repeat(16_000 / piece.length), ["Ken"]);
    assert.ok(performance.now() - began < 1000, `${piece}: ${performance.now() - began} ms`);
  }
});
