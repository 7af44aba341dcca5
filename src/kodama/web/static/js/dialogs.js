/** What opens above the page. Decided here: every one is a native dialog, which holds the focus, hears Escape and gives the focus back. */

import { Component, createRef } from "../vendor/preact.mjs";
import { barred } from "./barred.js";
import { COMMANDS } from "./commands.js";
import { html } from "./html.js";
import { icon } from "./icons.js";
import { ime } from "./ime.js";
import { code, Invites } from "./invite.js";
import { peopleList, roomList } from "./lists.js";
import { Me } from "./me.js";
import { Notify } from "./notify.js";
import { order } from "./order.js";
import { w } from "./orderwords.js";
import { Person, Report } from "./person.js";
import { called } from "./places.js";
import { About, Console, NewRoom } from "./rooms.js";
import { Search } from "./search.js";
import { CHOICES } from "./settings.js";
import { keeper, messageAt, rowOf } from "./state.js";
import { gist } from "./text.js";
import { t } from "./words.js";

/** @typedef {import("./state.js").State} State */
/** @typedef {import("./acts.js").Acts} Acts */

export const EMOJI = ["👍", "❤️", "😂", "🎉", "🙏", "👀", "😊", "😮", "😢", "🤔", "👏", "🔥", "✅", "❌", "💯", "🙌", "🙇", "💪", "☕", "🌸", "🍣", "🚀", "🌙", "👋"];

class Modal extends Component {
  place = createRef();
  /** Another one takes its place. */ gone = false;

  componentDidMount() {
    this.place.current.showModal();
  }

  componentWillUnmount() {
    this.gone = true;
    this.place.current?.close();
  }

  render() {
    const { label, kind, close, children } = this.props;
    return html`<dialog ref=${this.place} class=${kind} aria-label=${label} onClose=${() => this.gone || close()}
      onClick=${(/** @type {Event} */ event) => event.target === this.place.current && this.place.current.close()}>
      <div class="inside"><div class="top"><h2>${label}</h2><button type="button" class="icon" aria-label=${t("close")} title=${t("close")} onClick=${shut}>${icon("close")}</button></div>
      ${children}</div></dialog>`;
  }
}

/** Close the dialog that an event comes from. @param {Event} event */
function shut(event) {
  /** @type {HTMLElement} */ (event.currentTarget).closest("dialog")?.close();
}

/** @param {[string, string][]} rows */
const table = (rows) => html`<dl class="keys">${rows.map(([keys, words]) => html`<div key=${keys}><dt>${keys.split(" ").map((key) => html`<kbd>${key}</kbd> `)}</dt><dd>${words}</dd></div>`)}</dl>`;

/** @param {State} state */
function help(state) {
  const send = state.settings.enter === "send";
  const on = (/** @type {string} */ key) => `${t(key)} (${t("onMessage")})`;
  return html`<div class="columns"><section><h3>${t("keysTitle")}</h3>${table([
    [send ? "Enter" : "Ctrl+Enter", t("keySend")], [send ? "Shift+Enter" : "Enter", t("keyLine")], ["↑", t("keyEdit")], ["Esc", t("keyCancel")],
    ["Shift+Tab", t("messages")], ["↑ ↓", t("keyMove")], ["End", t("keyNewest")], ["↵", on("keyActions")], ["r", on("keyReply")], ["+", on("keyReact")],
    ["e", on("keyEditThis")], ["Delete", on("keyDelete")], ["c", on("keyCopy")], ["Ctrl+K", t("search")], ["?", t("keyHelp")], ["Ctrl+/", t("keyHelp")],
  ])}</section><section><h3>${t("commandsTitle")}</h3>${table(Object.keys(COMMANDS).map((name) =>
    /** @type {[string, string]} */ ([`/${name}`, t(`cmd${name[0].toUpperCase()}${name.slice(1)}`)])))}
    <h3>${t("formatTitle")}</h3>${table([["**…**", t("fmtBold")], ["*…*", t("fmtItalic")], ["~~…~~", t("fmtStrike")], ["`…`", t("fmtCode")], ["```", t("fmtBlock")], [">", t("fmtQuote")]])}
    <p><a href="/docs/api" target="_blank">${t("api")}</a></p></section></div>`;
}

/** @param {State} state @param {Acts} acts */
function settings(state, acts) {
  const labels = /** @type {Record<string, string>} */ ({
    language: t("language"), theme: t("theme"), announce: t("announce"), enter: t("enterKey"), keys: t("singleKeys"), sound: t("sound"), en: t("english"), ja: t("japanese"),
    send: t("enterSend"), newline: t("enterNewline"),
  });
  return html`<div class="settings">${Object.entries(CHOICES).map(([name, choices]) => html`<label key=${name}><span>${labels[name]}</span>
    <select name=${name} onChange=${(/** @type {any} */ event) => acts.choose({ ...state.settings, [name]: event.target.value })}>
    ${choices.map((choice) => html`<option value=${choice} selected=${choice === /** @type {any} */ (state.settings)[name]}>${labels[choice] ?? t(choice)}</option>`)}</select></label>`)}
    <div class="buttons"><button type="button" class="quiet" onClick=${() => acts.dialog({ is: "help" })}>${t("help")}</button>
    <button type="button" class="quiet" onClick=${() => acts.dialog({ is: "notify" })}>${t("notifications")}</button>
    <button type="button" class="quiet" onClick=${() => acts.dialog({ is: "date" })}>${t("jumpDate")}</button>
    ${keeper(state) ? html`<button type="button" class="quiet" onClick=${() => acts.dialog({ is: "order" })}>${t("order")}</button>` : null}
    <button type="button" class="quiet" onClick=${() => acts.dialog({ is: "me" })}>${t("me")}</button>
    <${Console} acts=${acts} /></div></div>`;
}

/** A form of one field. @param {{name: string, label: string, type: string, go: string, hint: string, max?: string, done: (value: string) => void}} what */
function one({ name, label, type, go, hint, max, done }) {
  const submit = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const value = String(new FormData(/** @type {HTMLFormElement} */ (event.currentTarget)).get(name)).trim();
    if (!value) return;
    shut(event);
    done(value);
  };
  return html`<form class="one" onSubmit=${submit} onKeyDown=${(/** @type {KeyboardEvent} */ event) => event.key === "Enter" && ime(event) && event.stopPropagation()}>
    <label for=${name}>${label}</label><div class="line"><input id=${name} name=${name} type=${type} max=${max} required autofocus autocomplete="off" dir="auto" /><button>${go}</button></div>
    ${hint ? html`<p class="hint">${hint}</p>` : null}</form>`;
}

export { barred };

/** @param {State} state @param {Acts} acts */
export function dialog(state, acts) {
  const open = state.dialog;
  if (!open) return null;
  const close = () => acts.dialog(null);
  const row = state.rooms.find((one) => one.room === state.room) ?? { room: state.room, title: "", topic: "", access: "public", last: 0 };
  const modal = (/** @type {string} */ label, /** @type {any} */ inside, kind = "") =>
    html`<${Modal} key=${open.is} label=${label} kind=${`${open.is} ${kind}`} close=${close}>${inside}<//>`;
  switch (open.is) {
    case "help": return modal(t("help"), help(state));
    case "settings": return modal(t("settings"), settings(state, acts));
    case "notify": return modal(t("notifications"), html`<${Notify} key=${state.room} room=${state.room} ask=${acts.ask} />`);
    case "rooms": return modal(t("rooms"), roomList(state, acts), "sheet-left");
    case "people": return modal(t("here", { n: state.people.count }), peopleList(state, acts), "sheet-right");
    case "me": return state.me ? modal(t("me"), html`<${Me} me=${state.me} acts=${acts} />`) : null;
    case "order": return modal(t("order"), order(state, acts));
    case "person": return modal(open.person.name, html`<${Person} key=${open.person.id} person=${open.person} room=${state.room} me=${state.me?.id} direct=${Boolean(rowOf(state)?.direct)} acts=${acts} />`);
    case "report": return modal(w("report"), html`<blockquote>${gist(messageAt(state, open.at)?.text ?? "")}</blockquote><${Report} room=${state.room} at=${open.at} acts=${acts} />`);
    case "about": return modal(called(row, state.room), html`<${About} key=${state.room} row=${row} me=${state.me} acts=${acts} />`);
    case "invite": return modal(t("r.invite"), html`<${Invites} key=${state.room} row=${row} acts=${acts} />`);
    case "qr": return modal(called(row, state.room), code(open.link), "full");
    case "search": return modal(t("search"), html`<${Search} acts=${acts} />`);
    case "open": return modal(t("openRoom"), html`<${NewRoom} acts=${acts} />`);
    case "date": return modal(t("jumpDate"), one({ name: "date", label: t("date"), type: "date", go: t("go"), hint: "", max: new Date().toLocaleDateString("sv"), done: acts.toDate }));
    case "emoji": return modal(t("pickEmoji"), html`<div class="palette">${EMOJI.map((emoji) => html`<button type="button" class="icon" key=${emoji}
      onClick=${(/** @type {Event} */ event) => { shut(event); acts.react(open.at, emoji); }}>${emoji}</button>`)}</div>`);
    case "delete": return modal(t("deleteAsk"), html`<p>${t("deleteHint")}</p><blockquote>${gist(messageAt(state, open.at)?.text ?? "")}</blockquote>
      <div class="buttons"><button type="button" class="quiet" onClick=${shut}>${t("cancel")}</button>
      <button type="button" class="bad" onClick=${(/** @type {Event} */ event) => { shut(event); acts.remove(open.at); }}>${t("delete")}</button></div>`);
  }
}
