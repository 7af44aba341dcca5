/**
 * How order is kept in a room, for those who keep it: its settings, what waits, what was reported, who is out, and what was
 * done. Decided here: everything is asked for when it is looked at, so that two moderators see each other's deeds.
 */

import { html } from "./html.js";
import { w } from "./orderwords.js";
import { Part, rows } from "./part.js";
import { brief, number } from "./words.js";

/** @typedef {import("./acts.js").Acts} Acts */
/** @typedef {import("./state.js").State} State */
/** @typedef {import("./part.js").Does} Does */

const SLOW = [0, 5, 15, 30, 60, 300, 900, 3600];
/** The longest list that the server gives. */
const MOST = 1000;
/** How much of the audit log is looked at; drawing anew does not shorten it. */
let lines = 20;

/** Whether a role keeps order. @param {string | undefined} role */
export const keeps = (role) => role === "owner" || role === "moderator";

/** A stretch of time in words. @param {number} seconds */
export function stretch(seconds) {
  const [unit, size] = /** @type {const} */ ([["day", 86_400], ["hour", 3600], ["minute", 60], ["second", 1]]).find(([, each]) => seconds >= each) ?? ["second", 1];
  return number(seconds / size, { style: "unit", unit, unitDisplay: "long", maximumFractionDigits: 1 });
}

/** Until when something lasts. @param {string | null} time */
export const lasts = (time) => (time ? w("until", { when: brief(time) }) : w("forEver"));

/** What was changed in the form of a room's settings. @param {any} had @param {FormData} form */
export function changes(had, form) {
  const text = (/** @type {string} */ name) => String(form.get(name) ?? "").trim();
  /** @type {Record<string, any>} */
  const wanted = { slow: Number(text("slow")), locked: form.has("locked"), hold: form.has("hold") };
  if (had.role === "owner") {
    Object.assign(wanted, { title: text("title"), topic: text("topic"), access: text("access"),
      sites: text("sites").split(/\s+/u).filter(Boolean), retention: { days: Number(text("days")), events: Number(text("events")) } });
  }
  return Object.fromEntries(Object.entries(wanted).filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(had[name])));
}

/** @param {any} had @param {(change: object) => void} save @param {boolean} busy */
function settings(had, save, busy) {
  const own = had.role === "owner";
  const submit = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    save(changes(had, new FormData(/** @type {HTMLFormElement} */ (event.currentTarget))));
  };
  const field = (/** @type {string} */ name, /** @type {any} */ value, /** @type {any} */ more = {}) =>
    html`<label><span>${w(more.label ?? name)}</span><input name=${name} defaultValue=${value} dir="auto" autocomplete="off" ...${more} label=${null} /></label>`;
  const tick = (/** @type {string} */ name) =>
    html`<div class="tick"><input id=${`room-${name}`} name=${name} type="checkbox" defaultChecked=${had[name]} /><label for=${`room-${name}`}>${w(name)}</label></div>`;
  return html`<form class="settings" onSubmit=${submit}>
    ${own ? html`${field("title", had.title, { maxlength: 100 })}${field("topic", had.topic, { maxlength: 500 })}
      <label><span>${w("access")}</span><select name="access">${["public", "members", "secret"].map((one) =>
        html`<option value=${one} selected=${one === had.access}>${w(`access ${one}`)}</option>`)}</select></label>` : null}
    <label><span>${w("slow")}</span><select name="slow">${[...new Set([...SLOW, had.slow])].map((one) =>
      html`<option value=${one} selected=${one === had.slow}>${one ? stretch(one) : w("slow 0")}</option>`)}</select></label>
    ${tick("locked")}${tick("hold")}
    ${own ? html`<div class="pair">${field("days", had.retention.days, { label: "keepDays", type: "number", min: 0, required: true })}
      ${field("events", had.retention.events, { label: "keepEvents", type: "number", min: 0, required: true })}</div>
      <label><span>${w("sites")}</span><textarea name="sites" rows="2" spellcheck="false">${had.sites.join("\n")}</textarea></label>` : null}
    <div class="buttons"><button disabled=${busy}>${w("save")}</button></div></form>`;
}

/** @param {string} label @param {() => void} act @param {boolean} busy */
const deed = (label, act, busy, kind = "quiet small") => html`<button type="button" class=${kind} disabled=${busy} onClick=${act}>${label}</button>`;

/** @param {State} state @param {Acts} acts */
export function order(state, acts) {
  const { ask } = acts;
  const at = `/v1/rooms/${encodeURIComponent(state.room)}`;
  const get = async (/** @type {string} */ what) => (await ask("GET", `${at}/${what}`))[what];
  const held = (/** @type {any[]} */ all, /** @type {Does} */ does, /** @type {boolean} */ busy) => rows(all.map((one) => {
    const settle = (/** @type {string} */ what) => () => does(() => ask("POST", `${at}/held/${one.held}`, { do: what }).then(acts.look));
    return html`<li key=${one.held}><b><bdi>${one.author.name}</bdi></b> <time datetime=${one.time}>${brief(one.time)}</time>
      <blockquote dir="auto">${one.text ?? JSON.stringify(one.data)}</blockquote>${deed(w("release"), settle("release"), busy, "small")}${deed(w("refuse"), settle("refuse"), busy)}</li>`;
  }));
  const reports = (/** @type {any[]} */ all, /** @type {Does} */ does, /** @type {boolean} */ busy) => rows(all.map((one) => {
    const done = () => ask("DELETE", `${at}/reports/${encodeURIComponent(one.report)}`).then(acts.look);
    return html`<li key=${one.report}><b><bdi>${one.author.name}</bdi></b> <span>${w("reportedBy", { name: one.by.name })}, ${brief(one.time)}</span>
      ${one.reason ? html`<blockquote dir="auto">${one.reason}</blockquote>` : null}
      ${deed(w("show"), () => { void acts.dialog(null); void acts.jump(one.offset); }, busy)}${deed(w("seenTo"), () => does(done), busy)}
      ${deed(w("remove"), () => does(() => ask("DELETE", `${at}/messages/${one.offset}`).then(done)), busy)}</li>`;
  }));
  const outside = (/** @type {any[]} */ all, /** @type {Does} */ does, /** @type {boolean} */ busy) => rows(all.map((one) =>
    html`<li key=${one.how + one.user.id}><b><bdi>${one.user.name}</bdi></b> <span>${w(one.how === "bans" ? "banned" : "muted")}, ${lasts(one.until)}</span>
      ${one.reason ? html` <span>(${one.reason})</span>` : null}${deed(w("lift"), () => does(() => ask("DELETE", `${at}/${one.how}/${encodeURIComponent(one.user.id)}`)), busy)}</li>`));
  const both = async () => {
    const [bans, mutes] = await Promise.all([get("bans"), get("mutes")]);
    return [...bans.map((/** @type {any} */ one) => ({ ...one, how: "bans" })), ...mutes.map((/** @type {any} */ one) => ({ ...one, how: "mutes" }))];
  };
  const audit = (/** @type {{entries: any[], more: boolean}} */ { entries, more }, /** @type {Does} */ does, /** @type {boolean} */ busy) => html`${rows(entries.map((/** @type {any} */ one) =>
    html`<li key=${one.id}><time datetime=${one.time}>${brief(one.time)}</time> <b><bdi>${one.by?.name ?? ""}</bdi></b> ${w(`did ${one.did}`)}
      ${one.user ? html` <b><bdi>${one.user.name}</bdi></b>` : null}${one.until ? ` ${lasts(one.until)}` : ""}${one.note ? ` (${one.note})` : ""}</li>`))}
    ${more && lines < MOST ? deed(w("earlier"), () => { lines = Math.min(lines + 50, MOST); void does(async () => undefined); }, busy) : null}`;
  return html`<${Part} label=${w("settings")} open look=${() => ask("GET", at)} draw=${(/** @type {any} */ had, /** @type {Does} */ does, /** @type {boolean} */ busy) =>
      settings(had, (change) => void does(() => ask("PUT", at, change).then(acts.look).then(() => w("saved"))), busy)} />
    <${Part} label=${w("held")} open=${Boolean(state.waiting.held)} look=${() => get("held")} draw=${held} />
    <${Part} label=${w("reports")} open=${Boolean(state.waiting.reports)} look=${() => get("reports")} draw=${reports} />
    <${Part} label=${w("outside")} look=${both} draw=${outside} />
    <${Part} label=${w("audit")} look=${() => ask("GET", `${at}/audit?limit=${lines}`)} draw=${audit} />`;
}
