/** A room that one may not read. Decided here: it says what to ask for, and of a secret room not whether there is one. */

import { html } from "./html.js";
import { icon } from "./icons.js";
import { t } from "./words.js";

/** @param {import("./state.js").State} state @param {import("./acts.js").Acts} acts */
export function barred(state, acts) {
  const secret = state.barred === "not_found";
  const asking = t("askToCome", { room: state.room, name: state.me?.name ?? "", link: `${location.origin}/r/${encodeURIComponent(state.room)}` });
  return html`<div class="barred"><div>${icon("lock")}<h2>${t(secret ? "noRoomHere" : "membersOnly")}</h2>
    <p>${t(secret ? "noRoomHint" : "membersHint")}</p><blockquote dir="auto">${asking}</blockquote>
    <div class="buttons"><button type="button" onClick=${() => acts.copy(asking)}>${t("copyText")}</button>
    <a class="button" href="/r/lobby" onClick=${(/** @type {MouseEvent} */ event) => acts.follow(event, "lobby")}>${t("toLobby")}</a></div></div></div>`;
}
