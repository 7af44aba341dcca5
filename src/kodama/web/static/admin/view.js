/** The console drawn. Decided here: state in, nodes out; what cannot be undone asks once more, in its own line. */

import { html } from "../js/html.js";
import { spoken, t } from "../js/words.js";
import { chart } from "./chart.js";
import { LISTS } from "./lists.js";
import { charts } from "./numbers.js";
import { SECTIONS } from "./state.js";

/** @typedef {import("./state.js").State} State */
/** @typedef {import("./main.js").Acts} Acts */

/** @param {State} state @param {Acts} acts */
export function view(state, acts) {
  if (state.phase !== "open") return door(state, acts);
  return html`<a class="skip" href="#main" onClick=${toMain}>${t("skipNav")}</a>
    <header class="bar"><span class="brand"><img src="/static/icon.svg" alt="" width="28" height="28" /><b>Kodama</b></span>
      <span class="me">${state.me?.name ?? ""}</span><a href="/">${t("toChat")}</a></header>
    <div class="console"><nav aria-label=${t("sections")}><ul>${SECTIONS.map((one) => html`<li key=${one}>
      <a href=${`#${one}`} aria-current=${one === state.section ? "page" : null}>${t(`section ${one}`)}</a></li>`)}</ul></nav>
    <main id="main" tabindex="-1"><h1>${t(`section ${state.section}`)}</h1>
      <div role="status">${state.note ? html`<p class="hint">${state.note}</p>` : null}</div>
      ${state.problem ? html`<p class="problem" role="alert">${state.problem}</p>` : null}
      ${state.section === "live" ? live(state) : section(state, acts)}</main></div>`;
}

/** @param {Event} event */
function toMain(event) {
  event.preventDefault();
  document.getElementById("main")?.focus();
}

/** @param {State} state @param {Acts} acts */
function door(state, acts) {
  const enter = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const given = new FormData(/** @type {HTMLFormElement} */ (event.target));
    const name = String(given.get("name")).trim();
    if (name) void acts.enter(name);
  };
  return html`<main class="door"><form onSubmit=${enter}><img src="/static/icon.svg" alt="" width="64" height="64" /><h1>${t("console")}</h1>
    ${state.phase === "door" ? html`<label for="name">${t("name")}</label>
      <div class="line"><input id="name" name="name" required maxlength="40" autocomplete="nickname" dir="auto" autofocus /><button>${t("enterConsole")}</button></div>
      <p class="hint">${t("doorHint")}</p>` : null}
    ${state.phase === "stranger" ? html`<p>${t("stranger", { name: state.me?.name ?? "" })}</p><p class="hint">${t("ownerHint")} <code>kodama owner</code></p>` : null}
    ${state.phase === "asking" && !state.problem ? html`<p role="status">${t("asking")}</p>` : null}
    ${state.problem ? html`<p class="problem" role="alert">${state.problem}</p>` : null}</form></main>`;
}

/** @param {State} state */
function live(state) {
  return html`<p class="hint">${t("liveHint")}</p><div class="charts">${state.looks.length ? charts(state.looks).map(chart) : html`<p role="status">${t("asking")}</p>`}</div>`;
}

/** @param {any} cell */
function drawn(cell) {
  if (typeof cell !== "object" || cell === null) return html`<bdi>${cell}</bdi>`;
  if ("room" in cell) return html`<a href=${`/r/${encodeURIComponent(cell.room)}`}><bdi>${cell.room}</bdi></a>`;
  if ("n" in cell) return html`<span class="number">${cell.n.toLocaleString(spoken())}</span>`;
  if ("code" in cell) return html`<code>${cell.code}</code>`;
  return "english" in cell ? html`<span lang="en">${cell.english}</span>` : html`<strong>${cell.strong}</strong>`;
}

/** @param {State} state @param {Acts} acts */
function section(state, acts) {
  const { heads, row } = LISTS[state.section];
  const rows = state.rows.map(row);
  const ends = rows.some((one) => one.end);
  return html`${before(state, acts)}
    ${rows.length ? html`<div class="table" role="region" aria-label=${t(`section ${state.section}`)} tabindex="0"><table>
      <thead><tr>${heads.map((one) => html`<th key=${one} scope="col">${t(one)}</th>`)}${ends ? html`<th><span class="unseen">${t("action")}</span></th>` : null}</tr></thead>
      <tbody>${rows.map((one) => html`<tr key=${one.key}>${one.cells.map((cell, at) => html`<td key=${at}>${drawn(cell)}</td>`)}
        ${ends ? html`<td class="end">${one.end ? ending(one, state, acts) : null}</td>` : null}</tr>`)}</tbody></table></div>`
    : html`<p class="hint" role="status">${t(state.busy ? "asking" : "nothing")}</p>`}
    ${state.more ? html`<p><button type="button" class="quiet" disabled=${state.busy} onClick=${acts.more}>${t("more")}</button></p>` : null}`;
}

/** @param {import("./lists.js").Row} row @param {State} state @param {Acts} acts */
function ending(row, state, acts) {
  const { end } = row;
  if (!end) return null;
  if (state.sure !== row.key) return html`<button type="button" class="quiet small" aria-label=${`${t(end.words)}: ${end.name}`} onClick=${() => acts.sure(row.key)}>${t(end.words)}</button>`;
  return html`<span class="sure"><button type="button" class="bad small" ref=${focused} aria-label=${`${t("sure")} ${t(end.words)}: ${end.name}`} onClick=${() => acts.end(end.path)}>${t("sure")}</button>
    <button type="button" class="quiet small" onClick=${() => acts.sure("")}>${t("cancel")}</button></span>`;
}

/** @param {HTMLElement | null} button */
const focused = (button) => button?.focus();

/** What stands above a list. @param {State} state @param {Acts} acts */
function before(state, acts) {
  const { facts } = state;
  if (state.section === "rooms" && facts.count !== undefined) return html`<p class="hint">${t("roomsCount", { n: facts.count })} · ${t("directCount", { n: facts.direct })}</p>`;
  if (state.section === "people" && facts.owners) return owners(facts.owners, state, acts);
  if (state.section === "settings") return html`<p class="hint">${t("settingsHint")}</p>`;
  return state.section === "keys" ? making(state, acts) : null;
}

/** @param {{id: string, name: string}[]} all @param {State} state @param {Acts} acts */
function owners(all, state, acts) {
  return html`<section class="owners"><h2>${t("owners")}</h2><ul>${all.map(({ id, name }) => html`<li key=${id}><bdi>${name}</bdi> <code>${id}</code>
    ${all.length > 1 ? ending({ key: `owner ${id}`, cells: [], end: { path: `/v1/admin/owners/${encodeURIComponent(id)}`, words: "disown", name } }, state, acts) : null}</li>`)}</ul>
    <p class="hint">${t("ownersHint")} <code>kodama owner</code></p></section>`;
}

/** @param {State} state @param {Acts} acts */
function making(state, acts) {
  const make = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const form = /** @type {HTMLFormElement} */ (event.target);
    const given = new FormData(form);
    const rooms = String(given.get("rooms")).split(/[\s,、]+/u).filter(Boolean);
    void acts.makeKey({ name: String(given.get("name")), rooms: rooms.length ? rooms : null, read_only: given.get("may") === "read" }).then((made) => made && form.reset());
  };
  return html`<form class="make" onSubmit=${make}><h2>${t("makeKey")}</h2>
    <label>${t("keyName")}<input name="name" required maxlength="40" autocomplete="off" dir="auto" /></label>
    <label>${t("keyRooms")}<input name="rooms" autocomplete="off" aria-describedby="rooms-hint" dir="auto" /></label>
    <label>${t("may")}<select name="may"><option value="write">${t("mayWrite")}</option><option value="read">${t("mayRead")}</option></select></label>
    <button disabled=${state.busy}>${t("make")}</button><p id="rooms-hint" class="hint">${t("keyRoomsHint")}</p></form>
    ${state.token ? html`<div class="token" role="status"><p>${t("tokenHint")}</p><code id="token">${state.token}</code>
      <button type="button" class="quiet small" onClick=${acts.copy}>${t("copy")}</button></div>` : null}`;
}
