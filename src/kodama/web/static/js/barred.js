/** A room that one may not read. Decided here: it says what to ask for, and of a secret room not whether there is one. */

import { html } from "./html.js";
import { icon } from "./icons.js";
import { rowOf } from "./state.js";
import { t } from "./words.js";

/** Why one is out: rooms for members are listed for everybody, others not for whoever was removed. @param {import("./state.js").State} state */
function why(state) {
  if (state.barred === "not_found") return "noRoom";
  const row = rowOf(state);
  return row?.access === "members" || (!row && !state.rooms.length) ? "members" : "removed";
}
const TITLES = { noRoom: "noRoomHere", removed: "removed", members: "membersOnly" };

/** @param {import("./state.js").State} state @param {import("./acts.js").Acts} acts */
export function barred(state, acts) {
  const reason = why(state);
  const asking = t("r.askToCome", { room: state.room, name: state.me?.name ?? "", link: `${location.origin}/r/${encodeURIComponent(state.room)}` });
  return html`<div class="barred"><div>${icon("lock")}<h2>${t(`r.${TITLES[reason]}`)}</h2><p>${t(`r.${reason}Hint`)}</p>
    ${reason === "removed" ? null : html`<blockquote dir="auto">${asking}</blockquote>`}
    <div class="buttons">${reason === "removed" ? null : html`<button type="button" onClick=${() => acts.copy(asking)}>${t("r.copyText")}</button>`}
    ${state.room === "lobby" ? null : html`<a class="button" href="/r/lobby" onClick=${(/** @type {MouseEvent} */ event) => acts.follow(event, "lobby")}>${t("r.toLobby")}</a>`}</div></div></div>`;
}
