/** The rooms there are and the people who are here. Decided here: rooms where one has been come first. */

import { html } from "./html.js";
import { icon } from "./icons.js";
import { nameOf } from "./message.js";
import { t } from "./words.js";

/** @typedef {import("./state.js").State} State */
/** @typedef {import("./acts.js").Acts} Acts */

/** @param {State} state @param {Acts} acts */
export function roomList(state, acts) {
  const own = state.rooms.some((row) => row.room === state.room) ? [] : [{ room: state.room, title: "", topic: "", access: "public", last: 0 }];
  const visited = (/** @type {string} */ name) => (name === state.room || name in state.marks ? 0 : 1);
  const rows = [...own, ...state.rooms].sort((one, other) => visited(one.room) - visited(other.room) || one.room.localeCompare(other.room));
  return html`<ul class="rooms">${rows.map(({ room, title, last }) => {
    const here = room === state.room;
    const unread = !here && last > (state.marks[room] ?? Infinity);
    return html`<li key=${room}><a href=${`/r/${encodeURIComponent(room)}`} class=${unread ? "unread" : ""} aria-current=${here ? "page" : null}
      onClick=${(/** @type {MouseEvent} */ event) => acts.follow(event, room)}><span class="hash" aria-hidden="true">#</span><bdi>${title || room}</bdi>
      ${unread ? html`<span class="dot"><span class="unseen">${t("unread")}</span></span>` : null}</a></li>`;
  })}</ul><button type="button" class="quiet add" onClick=${() => acts.dialog({ is: "open" })}>${icon("plus")} ${t("openRoom")}</button>`;
}

/** @param {State} state */
export function peopleList(state) {
  const { here, guests } = state.people;
  const names = [...here].sort((one, other) => one.name.localeCompare(other.name));
  return html`<ul class="here">${names.map((one) => html`<li key=${one.id} class=${one.state === "idle" ? "idle" : ""}>${nameOf(one)}
    ${one.id === state.me?.id ? html` <small>(${t("you")})</small>` : one.state === "idle" ? html` <small>(${t("idle")})</small>` : null}</li>`)}</ul>
    ${guests ? html`<p class="hint">${t("guests", { n: guests })}</p>` : null}`;
}
