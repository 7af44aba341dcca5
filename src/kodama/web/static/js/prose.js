/** Draws the tree of `markdown.js`. Decided here: what a link, a block of code and a mention look like and do. */

import { Code } from "./code.js";
import { html } from "./html.js";
import { markdown } from "./markdown.js";
import { namesIn } from "./mentions.js";
import { t } from "./words.js";

/** @typedef {import("./inline.js").Inline} Inline */

/** @param {Inline[]} kids @param {string} me @returns {any} */
function words(kids, me) {
  return kids.map((kid) => {
    if (typeof kid === "string") return kid;
    switch (kid.is) {
      case "b": return html`<strong>${words(kid.kids, me)}</strong>`;
      case "i": return html`<em>${words(kid.kids, me)}</em>`;
      case "s": return html`<s>${words(kid.kids, me)}</s>`;
      case "code": return html`<code>${kid.text}</code>`;
      case "br": return html`<br />`;
      case "at": return html`<span class=${kid.name === me ? "at me" : "at"}>@${kid.name}</span>`;
      case "a": return html`<a href=${kid.href} target="_blank" rel="noopener noreferrer nofollow ugc">${words(kid.kids, me)}</a>`;
    }
  });
}

/** @param {import("./markdown.js").Block[]} blocks @param {string} me @param {(text: string) => void} copy @returns {any} */
function draw(blocks, me, copy) {
  return blocks.map((block) => {
    switch (block.is) {
      case "p": return html`<p dir="auto">${words(block.kids, me)}</p>`;
      case "quote": return html`<blockquote>${draw(block.kids, me, copy)}</blockquote>`;
      case "list": {
        const items = block.items.map((kids) => html`<li dir="auto">${words(kids, me)}</li>`);
        return block.start === null ? html`<ul>${items}</ul>` : html`<ol start=${block.start}>${items}</ol>`;
      }
      case "pre": return html`<div class="block"><${Code} text=${block.text} language=${block.language} />
        <button type="button" class="quiet small" onClick=${() => copy(block.text)}>${t("copyCode")}</button></div>`;
    }
  });
}

/** @param {string} text @param {any} data @param {string} me @param {(text: string) => void} copy */
export function prose(text, data, me, copy) {
  return draw(markdown(text, [...namesIn(data), me]), me, copy);
}
