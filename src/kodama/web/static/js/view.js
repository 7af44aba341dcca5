/** The page as a whole. Decided here: the rooms are a column where there is width for it, the people another, else sheets; the code of dialogs comes with the first. */

import { Composer } from "./composer.js";
import { door } from "./door.js";
import { embedded } from "./embed.js";
import { html } from "./html.js";
import { icon } from "./icons.js";
import { conversation } from "./list.js";
import { peopleList, roomList } from "./lists.js";
import { called, elsewhere } from "./places.js";
import { keeper, messageAt, rowOf } from "./state.js";
import { t } from "./words.js";

/** @typedef {import("./state.js").State} State */
/** @typedef {import("./acts.js").Acts} Acts */

/** What draws dialogs and closed doors, once it is fetched. @type {typeof import("./dialogs.js") | null} */
let late = null;

/** Fetch what draws dialogs. */
export async function loadDialogs() {
  late ??= await import("./dialogs.js");
}

/** @param {State["link"]} link @param {Acts} acts */
function line(link, acts) {
  const words = t(link.is, { n: link.behind });
  return html`<div class=${`line ${link.is}`}><span role="status" class=${link.is === "live" ? "unseen" : ""}>${words}</span>
    ${link.is === "waiting" ? html`<button type="button" class="quiet small" onClick=${acts.reconnect}>${t("reconnect")}</button>` : null}</div>`;
}

/** @param {State} state @param {Acts} acts */
function head(state, acts) {
  const row = rowOf(state);
  const name = called(row, state.room);
  const { unread, calls } = elsewhere(state.rooms, state.room);
  const button = (/** @type {any} */ is, /** @type {any} */ sign, /** @type {string} */ label, /** @type {string} */ kind) =>
    html`<button type="button" class=${`icon ${kind}`} aria-label=${label} title=${label} onClick=${() => acts.dialog({ is })}>${icon(sign)}</button>`;
  const all = state.waiting.held + state.waiting.reports;
  const orders = all ? `${t("order")}, ${t("orderWaits", { n: all })}` : t("order");
  return html`<header>
    ${button("rooms", "rooms", unread ? `${t("rooms")}, ${t("unreadOnes", { n: unread })}` : t("rooms"), unread ? `to-rooms unread${calls ? " calls" : ""}` : "to-rooms")}
    <div class="title"><h1>${embedded || state.barred ? html`<bdi>${name}</bdi>` : html`<button type="button" class="plain" title=${t("aboutRoom")} aria-haspopup="dialog" onClick=${() => acts.dialog({ is: "about" })}><bdi>${name}</bdi></button>`}</h1>${row?.topic ? html`<p class="topic" dir="auto" title=${row.topic}>${row.topic}</p>` : null}</div>
    <button type="button" class="quiet count" onClick=${() => acts.dialog({ is: "people" })} aria-label=${t("here", { n: state.people.count })}>${icon("people")}<span>${state.people.count}</span></button>
    ${keeper(state) ? html`<button type="button" class="icon wide order" aria-label=${orders} title=${orders} onClick=${() => acts.dialog({ is: "order" })}>${icon("order")}${all ? html`<span class="badge" aria-hidden="true">${all}</span>` : null}</button>` : null}
    ${button("search", "search", t("search"), "")}${button("date", "date", t("jumpDate"), "wide")}${button("help", "help", t("help"), "wide")}${button("settings", "settings", t("settings"), "")}
  </header>`;
}

/** @param {State} state @param {Acts} acts */
function room(state, acts) {
  return html`${state.barred ? null : html`<a class="skip" href="#write" onClick=${acts.toField}>${t("skip")}</a>`}
    <div class="room">
      <nav class="side" aria-label=${t("rooms")}><p class="brand"><img src="/static/icon.svg" alt="" width="24" height="24" />Kodama</p>${roomList(state, acts)}</nav>
      <main>${head(state, acts)}${line(state.link, acts)}
        <div class="talk">${state.barred ? late?.barred(state, acts) : conversation(state, acts)}</div>
        <div role="status">${state.note ? html`<p class="note">${t(state.note.key, { value: state.note.value })}</p>` : null}</div>
        ${state.barred ? null : html`<${Composer} editing=${messageAt(state, state.editing)} replying=${messageAt(state, state.replying)} room=${state.room} called=${called(state.rooms.find((row) => row.room === state.room), state.room)} language=${state.settings.language}
          enter=${state.settings.enter} uploads=${state.uploads} people=${acts.known} acts=${acts} />`}</main>
      <aside class="side people" aria-label=${t("people")}><h2>${t("here", { n: state.people.count })}</h2>${peopleList(state, acts)}</aside>
    </div>${late?.dialog(state, acts)}`;
}

/** @param {State} state @param {Acts} acts */
export function app(state, acts) {
  if (state.phase === "room") return room(state, acts);
  if (state.phase === "name") return door(state, acts);
  return html`<main class="door"><p class="hint" role="status">${state.link.is === "waiting" ? t("unreachable") : t("connecting")}</p></main>`;
}
