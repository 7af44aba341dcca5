/** The first minute: one field, then you are in the room. Decided here: the name of the last time is there already. */

import { html } from "./html.js";
import { ime } from "./ime.js";
import { t } from "./words.js";

let composed = false;

/** @param {import("./state.js").State} state @param {import("./acts.js").Acts} acts */
export function door(state, acts) {
  const enter = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    if (composed) return;
    const name = String(new FormData(/** @type {HTMLFormElement} */ (event.target)).get("name")).trim();
    if (name) acts.signIn(name);
  };
  const key = (/** @type {KeyboardEvent} */ event) => {
    composed = event.key === "Enter" && ime(event);
    if (composed) setTimeout(() => (composed = false));
  };
  if (state.knocking) return html`<main class="door"><div class="inside"><h1><bdi>${state.room}</bdi></h1>${state.knocking(acts, acts.knock)}</div></main>`;
  return html`<main class="door"><form onSubmit=${enter}>
    <img src="/static/icon.svg" alt="" width="64" height="64" />
    <h1><bdi>${state.room}</bdi></h1>
    <label for="name">${t("name")}</label>
    <div class="line"><input id="name" name="name" required maxlength="40" autocomplete="nickname" dir="auto" enterkeyhint="go" autofocus
      defaultValue=${acts.lastName()} aria-describedby="name-hint" onKeyDown=${key} /><button>${t("enter")}</button></div>
    <p id="name-hint" class="hint">${t("nameHint")}</p>
    <button type="button" class="quiet small" onClick=${acts.knock}>${t("before")}</button>
    ${state.problem ? html`<p class="problem" role="alert">${state.problem}</p>` : null}
  </form></main>`;
}
