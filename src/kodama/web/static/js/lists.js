/** The rooms there are and the people who are here. Decided here: one's own rooms stand first, those of two under a heading of their own. */

import { embedded } from "./embed.js";
import { html } from "./html.js";
import { icon } from "./icons.js";
import { nameOf } from "./message.js";
import { called, listed, news } from "./places.js";
import { t } from "./words.js";

/** @typedef {import("./state.js").State} State */
/** @typedef {import("./acts.js").Acts} Acts */
/** @typedef {import("./places.js").RoomRow} RoomRow */

const MOST = 99;

/** How many are new, for the eye and for the ear. @param {RoomRow} row */
function count(row) {
  const { unread, calls } = news(row);
  const mentioned = calls && !row.direct;
  return html`<span class=${calls ? "badge calls" : "badge"}><span aria-hidden="true">${mentioned ? "@" : ""}${unread > MOST ? `${MOST}+` : unread}</span>
    <span class="unseen">${t("unreadOnes", { n: unread })}${mentioned ? `, ${t("announceForMe", { n: calls })}` : ""}</span></span>`;
}

/** @param {RoomRow} row @param {string} open @param {Acts} acts */
function entry(row, open, acts) {
  const here = row.room === open;
  const unread = !here && row.unread;
  const sign = row.direct ? "@" : row.access === "public" ? "#" : "";
  return html`<li key=${row.room}><a href=${`/r/${encodeURIComponent(row.room)}`} class=${unread ? "unread" : ""} aria-current=${here ? "page" : null}
    onClick=${(/** @type {MouseEvent} */ event) => acts.follow(event, row.room)}><span class="hash" aria-hidden="true">${sign || icon("lock")}</span>
    <bdi>${called(row, row.room)}</bdi>${unread ? count(row) : null}</a></li>`;
}

/** @param {State} state @param {Acts} acts */
export function roomList(state, acts) {
  const { rooms, directs, others } = listed(state.rooms, state.room);
  const part = (/** @type {string} */ name, /** @type {RoomRow[]} */ rows) => rows.length
    ? html`<section aria-label=${t(name)}><h2>${t(name)}</h2><ul class="rooms">${rows.map((row) => entry(row, state.room, acts))}</ul></section>` : null;
  return html`${part("myRooms", rooms)}${part("directs", directs)}${part("otherRooms", others)}
    <button type="button" class="quiet add" onClick=${() => acts.dialog({ is: "open" })}>${icon("plus")} ${t("addRoom")}</button>`;
}

/** @param {State} state @param {Acts} acts */
export function peopleList(state, acts) {
  const { here, guests } = state.people;
  const names = [...here].sort((one, other) => one.name.localeCompare(other.name));
  return html`<ul class="here">${names.map((one) => html`<li key=${one.id} class=${one.state === "idle" ? "idle" : ""}><button type="button" class="who" onClick=${() => acts.dialog(one.id === state.me?.id ? { is: "me" } : { is: "person", person: one })}>${nameOf(one)}</button>
    ${one.id === state.me?.id ? html` <small>(${t("you")})</small>` : one.state === "idle" ? html` <small>(${t("idle")})</small>` : null}</li>`)}</ul>
    ${guests ? html`<p class="hint">${t("guests", { n: guests })}</p>` : null}
    ${embedded ? null : html`<button type="button" class="quiet add" onClick=${() => acts.dialog({ is: "invite" })}>${icon("plus")} ${t("invitePeople")}</button>`}`;
}
