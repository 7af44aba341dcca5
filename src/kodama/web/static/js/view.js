/**
 * Draws the state and nothing else. Decided here: text reaches the page as text nodes only, and the
 * message field is the browser's own (never written while someone composes in it).
 *
 * @typedef {import("./state.js").State} State
 * @typedef {import("./state.js").Message} Message
 * @typedef {{signIn: (event: SubmitEvent) => void, send: () => void, key: (event: KeyboardEvent) => void,
 *   compose: (event: CompositionEvent) => void, scroll: (event: Event) => void, latest: () => void,
 *   again: (nonce: string) => void}} Acts
 */

import { h } from "../vendor/preact.mjs";
import htm from "../vendor/htm.mjs";
import { pieces } from "./text.js";
import { clock, day, newOnes, words } from "./words.js";

const html = htm.bind(h);

/** @param {string} text */
function prose(text) {
  return pieces(text).map((piece) => piece.href
    ? html`<a href=${piece.href} target="_blank" rel="noopener noreferrer nofollow">${piece.text}</a>` : piece.text);
}

/** @param {string} id */
function hue(id) {
  let sum = 0;
  for (const letter of id) sum = (sum * 31 + letter.charCodeAt(0)) % 997;
  return `hue${sum % 8}`;
}

/** @param {Message} entry @param {boolean} first */
function said(entry, first) {
  const { author } = entry;
  return html`<li key=${entry.at} class=${first ? "entry first" : "entry"}><article>
    <div class=${first ? "by" : "by unseen"}><bdi class=${`name ${hue(author.id + author.name)}`}>${author.name}</bdi></div>
    <div class="line"><p class=${entry.deleted ? "text tomb" : "text"} dir="auto">${entry.deleted ? words.deleted : prose(entry.text)}</p>
    ${entry.edited && !entry.deleted ? html`<small>${words.edited}</small>` : null}
    <time datetime=${entry.time}>${clock(entry.time)}</time></div></article></li>`;
}

/** @param {State} state */
function list(state) {
  const rows = [];
  let lastDay = "";
  let lastAuthor = "";
  for (const entry of state.entries) {
    if (entry.kind === "gap") {
      rows.push(html`<li key=${entry.at} class="rule gap"><span>${words.gap}</span></li>`);
      lastAuthor = "";
      continue;
    }
    const today = day(entry.time);
    if (today !== lastDay) {
      rows.push(html`<li key=${`day ${today} ${entry.at}`} class="rule"><span>${today}</span></li>`);
      lastAuthor = "";
    }
    rows.push(said(entry, `${entry.author.id} ${entry.author.name}` !== lastAuthor));
    lastDay = today;
    lastAuthor = `${entry.author.id} ${entry.author.name}`;
  }
  return rows;
}

/** @param {State} state @param {Acts} acts */
function waiting(state, acts) {
  return state.pending.map((one) => html`<li key=${one.nonce} class="entry pale"><article>
    <div class="by unseen"><bdi>${state.me?.name}</bdi></div>
    <div class="line"><p class="text" dir="auto">${prose(one.text)}</p><small class="unseen">${words.sending}</small></div>
    ${one.problem ? html`<p class="problem" role="alert">${words.unsent}: ${one.problem}
      <button type="button" onClick=${() => acts.again(one.nonce)}>${words.again}</button></p>` : null}
  </article></li>`);
}

/** @param {State} state @param {Acts} acts */
function door(state, acts) {
  return html`<main class="door"><form onSubmit=${acts.signIn}>
    <img src="/static/icon.svg" alt="" width="56" height="56" /><h1>${state.room}</h1>
    <label for="name">${words.name}</label>
    <div class="row"><input id="name" name="name" required maxlength="64" autocomplete="nickname" autofocus dir="auto" />
    <button>${words.enter}</button></div>
    ${state.problem ? html`<p class="problem" role="alert">${state.problem}</p>` : null}
  </form></main>`;
}

/** @param {State} state @param {Acts} acts */
function room(state, acts) {
  const empty = state.link === "live" && !state.entries.length && !state.pending.length;
  return html`<div class="room">
    <a class="skip" href="#write">${words.skip}</a>
    <header><h1>${state.room}</h1><span class=${`link ${state.link}`}>${words[state.link]}</span></header>
    <main><div id="scroll" onScroll=${acts.scroll} tabindex="0" role="region" aria-label=${words.messages}>
      ${state.loadingOlder ? html`<p class="loading">${words.older}</p>` : null}
      ${empty ? html`<p class="empty">${words.empty}</p>` : null}
      <ol>${list(state)}${waiting(state, acts)}</ol></div>
      ${state.atEnd ? null : html`<button type="button" class="pill" onClick=${acts.latest}>
        ${state.unseen ? newOnes(state.unseen) : words.latest} ↓</button>`}</main>
    <form class="composer" onSubmit=${(/** @type {Event} */ event) => { event.preventDefault(); acts.send(); }}>
      <label class="unseen" for="write">${words.write}</label>
      <textarea id="write" rows="1" placeholder=${words.write} enterkeyhint="send" dir="auto" maxlength="8000"
        onKeyDown=${acts.key} onCompositionStart=${acts.compose} onCompositionEnd=${acts.compose}></textarea>
      <button>${words.send}</button></form></div>`;
}

/** @param {State} state @param {Acts} acts */
export function app(state, acts) {
  if (state.phase === "room") return room(state, acts);
  if (state.phase === "name") return door(state, acts);
  return html`<main class="door"><p>${words[state.link]}</p></main>`;
}
