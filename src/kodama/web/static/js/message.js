/**
 * One message. Decided here: name, words and time stand in that order for whoever listens; the actions are there for a
 * pointer that is over the message and for the message that is chosen; and what has not changed is not drawn again.
 *
 * @typedef {import("./log.js").Message} Message
 * @typedef {import("./state.js").Pending} Pending
 * @typedef {import("./acts.js").Acts} Acts
 * @typedef {{entry: Message, first: boolean, chosen: boolean, tab: boolean, flash: boolean, quoted: Message | null, me: string, keeper: boolean,
 *   name: string, language: string, acts: Acts}} Props
 */

import { Component } from "../vendor/preact.mjs";
import { mine } from "./amend.js";
import { Code } from "./code.js";
import { attached, filesIn } from "./files.js";
import { html } from "./html.js";
import { icon } from "./icons.js";
import { twin } from "./looks.js";
import { mentions } from "./mentions.js";
import { prose } from "./prose.js";
import { gist, hueOf, onlyEmoji } from "./text.js";
import { clock, list, moment, t } from "./words.js";

/** @param {{id: string, name: string, kind: string}} author */
export function nameOf(author) {
  const mark = author.kind === "bot" || author.kind === "host";
  return html`<bdi class="name" style=${{ "--hue": String(hueOf(author.id + author.name)) }}>${author.name}</bdi>
    ${twin(author) ? html`<span class="mark" title=${t("alike")}>${author.id.slice(-5)}</span>` : null}
    ${mark ? html`<span class="mark" title=${t(author.kind)}>${author.kind === "bot" ? t("bot") : "✓"}</span>` : null}`;
}

/** What a message says, or what it was. @param {Message} entry @param {string} name @param {Acts} acts */
function body(entry, name, acts) {
  if (entry.deleted) return html`<p class="tomb">${t("deleted")}</p>`;
  const { text, data } = entry;
  const files = attached(data);
  if (!text && files) return files;
  if (!text) return html`<div class="block"><${Code} text=${JSON.stringify(data, null, 2)} language="json" /></div>`;
  if (onlyEmoji(text)) return html`<p class="big">${text}</p>`;
  return html`${prose(text, data, name, acts.copy)}${files}`;
}

/** @param {number} at @param {Message | null} quoted @param {Acts} acts */
function quote(at, quoted, acts) {
  const gone = !quoted || quoted.deleted;
  const words = quoted ? (gone ? t("deleted") : gist(quoted.text || filesIn(quoted.data).map((one) => one.name).join(", ") || JSON.stringify(quoted.data))) : `#${at}`;
  return html`<button type="button" class="quoted" tabindex="-1" onClick=${() => acts.jump(at)}>
    <span class="unseen">${t("jumpTo", { name: quoted?.author.name ?? "" })}: </span>
    ${quoted ? html`<b><bdi>${quoted.author.name}</bdi></b> ` : null}<span>${words}</span></button>`;
}

/** @param {Message} entry @param {string} me @param {Acts} acts */
function reactions(entry, me, acts) {
  if (!entry.reactions.length) return null;
  return html`<div class="reactions">${entry.reactions.map((one) => {
    const own = mine(one, me);
    const named = one.by.slice(0, 8).map((author) => (author.id === me ? t("you") : author.name));
    const more = one.count - named.length;
    const names = list(more > 0 ? [...named, t("andMore", { n: more })] : named);
    return html`<button type="button" key=${one.emoji} class=${own ? "chip own" : "chip"} aria-pressed=${own ? "true" : "false"} tabindex="-1"
      title=${names} aria-label=${t("reacted", { emoji: one.emoji, n: one.count, names })} onClick=${() => acts.react(entry.at, one.emoji)}>
      <span aria-hidden="true">${one.emoji}</span> <span aria-hidden="true">${one.count}</span></button>`;
  })}</div>`;
}

/** @param {Props} props */
function actions({ entry, me, keeper, acts }) {
  if (entry.deleted) return null;
  const own = entry.author.id === me;
  /** @type {["react" | "reply" | "edit" | "delete" | "person" | "report" | "link", string, () => void][]} */
  const all = [
    ["react", t("react"), () => acts.dialog({ is: "emoji", at: entry.at })],
    ["reply", t("reply"), () => acts.reply(entry.at)],
    ["edit", t("edit"), () => acts.edit(entry.at)],
    ["delete", t("delete"), () => acts.dialog({ is: "delete", at: entry.at })],
    ["person", t("about", { name: entry.author.name }), () => acts.dialog({ is: "person", person: entry.author })],
    ["report", t("report"), () => acts.dialog({ is: "report", at: entry.at })],
    ["link", t("copyLink"), () => acts.copyLink(entry.at)],
  ];
  const may = { react: true, reply: true, edit: own && entry.text, delete: own || keeper, person: !own && entry.author.id !== "guest", report: !own && !keeper, link: true };
  const offered = all.filter(([key]) => may[key]);
  return html`<div class="actions" role="toolbar" aria-label=${t("actions")}>${offered.map(([key, label, act]) =>
    html`<button type="button" key=${key} data-act=${key} class="icon" tabindex="-1" aria-label=${label} title=${label} onClick=${act}>${icon(key)}</button>`)}</div>`;
}

export class Said extends Component {
  /** @param {Props} next */
  shouldComponentUpdate(next) {
    return Object.keys(next).some((key) => /** @type {any} */ (next)[key] !== this.props[key]);
  }

  render() {
    const props = /** @type {Props} */ (this.props);
    const { entry, first, chosen, tab, flash, quoted, me, name, acts } = props;
    const { author, data } = entry;
    const forMe = author.id !== me && !entry.deleted && mentions(entry.text, data, { id: me, name });
    const classes = ["said", first && "first", chosen && "chosen", flash && "flash", forMe && "for-me", data?.me && "does"].filter(Boolean).join(" ");
    return html`<li class=${classes} data-key=${String(entry.at)}>
      <article tabindex=${tab ? "0" : "-1"} data-at=${entry.at} aria-label=${`${author.name} ${clock(entry.time)}`} onFocus=${() => acts.chosen(entry.at)}
        onClick=${(/** @type {MouseEvent} */ event) => acts.tapped(event, entry.at)}>
        ${typeof data?.reply === "number" && !entry.deleted ? quote(data.reply, quoted, acts) : null}
        <div class=${first || data?.me ? "by" : "by unseen"}>${nameOf(author)}</div>
        <div class="words">${body(entry, name, acts)}${entry.edited ? html` <small class="edited">(${t("edited")})</small>` : null}</div>
        <a class="time" href=${`#${entry.at}`} tabindex="-1" title=${moment(entry.time)} onClick=${(/** @type {Event} */ event) => { event.preventDefault(); acts.copyLink(entry.at); }}>
          <time datetime=${entry.time}>${clock(entry.time)}</time></a>
        ${reactions(entry, me, acts)}
        ${actions(props)}
      </article></li>`;
  }
}

/** One's own message on its way. @param {Pending} one @param {string} me @param {boolean} first @param {Acts} acts */
export function onItsWay(one, me, first, acts) {
  const state = one.problem ? "failed" : one.stored ? "stored" : "pale";
  return html`<li key=${one.nonce} class=${`said ${state} ${first ? "first" : ""}`} data-key=${one.nonce}><article>
    <div class=${first ? "by" : "by unseen"}><bdi class="name own">${me}</bdi></div>
    <div class="words">${onlyEmoji(one.text) ? html`<p class="big">${one.text}</p>` : prose(one.text, one.data, me, acts.copy)}</div>
    <span class="time"><span class=${one.problem ? "unseen" : "wait"}>${one.held ? t("held") : one.stored ? "" : t("sending")}</span></span>
    ${one.problem ? html`<div class="problem" role="alert"><span>${t("unsent")}: ${one.problem}</span>
      <button type="button" class="quiet small" onClick=${() => acts.again(one.nonce)}>${t("again")}</button>
      <button type="button" class="quiet small" onClick=${() => acts.discard(one.nonce)}>${t("discard")}</button></div>` : null}
  </article></li>`;
}
