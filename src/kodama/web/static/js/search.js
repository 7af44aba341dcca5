/**
 * Finding messages. Decided here: results come while one writes, but not of a half-composed word; each is a link to its
 * message, which opens in place; and an answer that a newer question has overtaken is dropped.
 *
 * @typedef {import("./log.js").RoomEvent} RoomEvent
 * @typedef {{found: RoomEvent[], next: string, asked: string, problem: string}} State
 */

import { Component, createRef } from "../vendor/preact.mjs";
import { html } from "./html.js";
import { ime } from "./ime.js";
import { folded, gist } from "./text.js";
import { moment, problem, t } from "./words.js";

const PAUSE = 150;

/** The words of a query that can be marked in a text. @param {string} query */
export const wordsOf = (query) =>
  [...query.matchAll(/(?:^|\s)(-?)(?:\w+:(?:"[^"]*"|\S+)|"([^"]*)"?|([^\s"]+))/gu)].flatMap(([, not, phrase, word]) => {
    const text = folded((phrase ?? word ?? "").trim());
    return not || !text ? [] : [text];
  });

/** A text in pieces, those that the query found marked. @param {string} text @param {string} query @returns {{text: string, found: boolean}[]} */
export function marked(text, query) {
  const low = text.toLowerCase();
  /** @type {[number, number][]} */
  const spans = [];
  for (const word of low.length === text.length ? wordsOf(query) : []) {
    for (let at = low.indexOf(word); at >= 0; at = low.indexOf(word, at + word.length)) spans.push([at, at + word.length]);
  }
  spans.sort(([one], [other]) => one - other);
  const pieces = [];
  let end = 0;
  for (const [from, to] of spans) {
    if (from < end) continue;
    if (from > end) pieces.push({ text: text.slice(end, from), found: false });
    pieces.push({ text: text.slice(from, to), found: true });
    end = to;
  }
  if (end < text.length) pieces.push({ text: text.slice(end), found: false });
  return pieces;
}

/** A line of a text that shows what was found. @param {string} text @param {string} query */
function line(text, query) {
  const first = Math.min(...wordsOf(query).map((word) => text.toLowerCase().indexOf(word)).filter((at) => at >= 0));
  const from = Number.isFinite(first) && first > 60 ? first - 30 : 0;
  return marked((from ? "…" : "") + gist(text.slice(from), 160), query);
}

export class Search extends Component {
  field = createRef();
  timer = 0;
  /** @type {State} */
  state = { found: [], next: "", asked: "", problem: "" };

  componentWillUnmount() {
    clearTimeout(this.timer);
  }

  /** @param {Event & {isComposing?: boolean}} event */
  onInput = (event) => {
    if (ime(event)) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.ask(""), PAUSE);
  };

  /** @param {string} before */
  async ask(before) {
    const query = this.field.current?.value.trim() ?? "";
    if (!query) return this.setState({ found: [], next: "", asked: "", problem: "" });
    try {
      const answer = await this.props.acts.search(query, before);
      if (query !== this.field.current?.value.trim()) return;
      this.setState({ found: before ? [...this.state.found, ...answer.messages] : answer.messages, next: answer.next ?? "", asked: query, problem: "" });
    } catch (error) {
      if (query === this.field.current?.value.trim()) this.setState({ problem: problem(error), asked: query, found: [], next: "" });
    }
  }

  /** @param {KeyboardEvent} event */
  onKey = (event) => {
    if (ime(event)) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    const stops = /** @type {HTMLElement[]} */ ([this.field.current, .../** @type {HTMLElement} */ (event.currentTarget).querySelectorAll("li a")]);
    const at = stops.indexOf(/** @type {HTMLElement} */ (document.activeElement));
    event.preventDefault();
    stops[Math.max(0, Math.min(stops.length - 1, at + step))]?.focus();
  };

  render() {
    const { acts } = this.props;
    const { found, next, asked, problem: wrong } = /** @type {State} */ (this.state);
    return html`<div class="find" role="search" onKeyDown=${this.onKey}>
      <label class="unseen" for="find">${t("search")}</label>
      <input id="find" type="text" autofocus ref=${this.field} autocomplete="off" enterkeyhint="search" dir="auto" maxlength="200" placeholder=${t("search")}
        aria-describedby="find-hint" onInput=${this.onInput} onCompositionEnd=${() => setTimeout(() => this.ask(""))} />
      <p class="hint" id="find-hint">${t("searchHint")}</p>
      <p class="hint" role="status">${wrong || (asked ? t("found", { n: found.length }) : "")}</p>
      <ol class="found">${found.map((one) => html`<li key=${`${one.room} ${one.offset}`}>
        <a href=${`/r/${encodeURIComponent(one.room)}#${one.offset}`} onClick=${(/** @type {MouseEvent} */ event) => acts.follow(event, one.room, one.offset)}>
          <span class="from"><b><bdi>${one.author?.name}</bdi></b> <span>#<bdi>${one.room}</bdi></span> <time datetime=${one.time}>${moment(one.time ?? "")}</time></span>
          <span dir="auto">${line(one.text ?? "", asked).map((piece) => (piece.found ? html`<mark>${piece.text}</mark>` : piece.text))}</span></a></li>`)}</ol>
      ${next ? html`<button type="button" class="quiet" onClick=${() => this.ask(next)}>${t("moreFound")}</button>` : null}</div>`;
  }
}
