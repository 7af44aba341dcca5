/** The conversation: rows, what waits to be sent, and who is typing. Decided here: the list is one stop of the Tab key. */

import { html } from "./html.js";
import { icon } from "./icons.js";
import { onItsWay, Said } from "./message.js";
import { called } from "./places.js";
import { rows } from "./rows.js";
import { keeper, messageAt } from "./state.js";
import { day, t } from "./words.js";

/** @typedef {import("./state.js").State} State */
/** @typedef {import("./acts.js").Acts} Acts */

/** @param {import("./rows.js").Row} row */
function rule(row) {
  if (row.is === "day") return html`<li key=${row.key} class="rule day" data-key=${row.key}><h2>${day(row.time)}</h2></li>`;
  const words = row.is === "gap" ? t("gap") : t("newDivider");
  return html`<li key=${row.key} class=${`rule ${row.is === "gap" ? "gap" : "new"}`} data-key=${row.key}><span>${words}</span></li>`;
}

/** @param {State} state @param {Acts} acts */
function said(state, acts) {
  const { log, me, active, flash, dialog, settings } = state;
  const there = rows(log.entries, state.divider);
  const last = there.findLast((row) => row.is === "message");
  const stop = messageAt(state, active) ? active : Number(last?.key ?? 0);
  const chosen = dialog && "at" in dialog ? dialog.at : active;
  const keeps = keeper(state);
  return there.map((row) => {
    if (row.is !== "message") return rule(row);
    const { entry, first, key } = row;
    const reply = entry.data?.reply;
    return html`<${Said} key=${key} entry=${entry} first=${first} chosen=${entry.at === chosen} tab=${entry.at === stop} flash=${entry.at === flash}
      quoted=${typeof reply === "number" ? messageAt(state, reply) : null} me=${me?.id ?? ""} keeper=${keeps} name=${me?.name ?? ""} language=${settings.language} acts=${acts} />`;
  });
}

/** @param {State} state @param {Acts} acts */
function beginning(state, acts) {
  if (state.loading === "older") return html`<p class="edge">${t("older")}</p>`;
  if (state.veil) return html`<p class="edge"><button type="button" class="quiet small" onClick=${acts.unveil}>${t("earlier")}</button></p>`;
  return state.ready && !state.log.older && state.log.entries.length ? html`<p class="edge">${t("beginning", { room: called(state.rooms.find((row) => row.room === state.room), state.room) })}</p>` : null;
}

/** @param {State} state */
function nothing(state) {
  if (!state.ready || state.veil || state.log.entries.length || state.pending.length || state.log.older) return null;
  return html`<div class="empty"><img src="/static/icon.svg" alt="" width="56" height="56" /><p><strong>${t("empty")}</strong></p>
    ${state.rooms.some((row) => row.room === state.room && row.direct) ? null : html`<p>${t("emptyHint")}<br /><code>${location.origin}/r/${state.room}</code></p>`}</div>`;
}

/** @param {State} state */
function typing(state) {
  const [one, two, more] = state.people.typing.map(({ author }) => author.name);
  const words = more ? t("typingMany") : two ? t("typingTwo", { a: one, b: two }) : one ? t("typingOne", { a: one }) : "";
  return html`<p class="typing">${words ? html`<span class="dots" aria-hidden="true"><i></i><i></i><i></i></span><span>${words}</span>` : null}</p>`;
}

/** @param {State} state @param {Acts} acts */
export function conversation(state, acts) {
  const { log, pending, me, unseen, atEnd } = state;
  const away = !atEnd || log.newer;
  const mine = /** @type {any} */ (log.entries.at(-1))?.author?.id === me?.id;
  return html`<div id="scroll" ref=${acts.attend} role="region" aria-label=${t("messages")} aria-busy=${state.loading ? "true" : "false"} onKeyDown=${acts.listKey}>
      <div class="sheet">${beginning(state, acts)}${nothing(state)}
      <ol role="list">${said(state, acts)}${log.newer ? null : pending.map((one, index) => onItsWay(one, me?.name ?? "", index === 0 && !mine, acts))}</ol>
      ${state.loading === "newer" ? html`<p class="edge">${t("newer")}</p>` : null}</div></div>
    ${away ? html`<button type="button" class="pill" onClick=${acts.latest}>${unseen ? t("newOnes", { n: unseen }) : t("latest")} ${icon("down")}</button>` : null}
    ${typing(state)}`;
}
