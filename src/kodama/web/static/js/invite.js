/**
 * Links that let people in, and how they are handed on. Decided here: of a public room the address is enough; and a code to
 * point a camera at is drawn in this browser, so that no link leaves it.
 */

import { Component } from "../vendor/preact.mjs";
import { html } from "./html.js";
import { path, qr } from "./qr.js";
import { moment, problem, t } from "./words.js";

/** @typedef {import("./acts.js").Acts} Acts */
/** @typedef {{code: string, url: string, role: string, by: {name: string}, expires: string, uses: number | null}} Invite */
/** @typedef {{invites: Invite[] | null, made: string, said: string, busy: boolean}} Known */

const TIMES = { hour: 3600, day: 86_400, week: 604_800, month: 2_592_000 };
const USES = [1, 5, 25, 100];

/** @param {string} room */
export const addressOf = (room) => `${location.origin}/r/${encodeURIComponent(room)}`;

/** A link with what hands it on. @param {{id: string, label: string, link: string, acts: Acts, say: (said: string) => void}} what */
export function linkRow({ id, label, link, acts, say }) {
  const share = () => navigator.share({ url: link }).catch(() => {});
  return html`<div class="link"><label for=${id}>${label}</label><div class="with"><input id=${id} readonly value=${link} onFocus=${(/** @type {any} */ event) => event.target.select()} />
    <button type="button" onClick=${async () => say((await acts.take(link)) ? t("r.linkCopied") : t("copyFailed"))}>${t("r.copy")}</button></div>
    <div class="buttons">${"share" in navigator ? html`<button type="button" class="quiet" onClick=${share}>${t("r.share")}</button>` : null}
    <button type="button" class="quiet" onClick=${() => acts.dialog({ is: "qr", link })}>${t("r.qr")}</button></div></div>`;
}

/** @param {string} link */
export function code(link) {
  try {
    const { rows } = qr(link);
    const size = rows.length + 8;
    return html`<svg viewBox=${`0 0 ${size} ${size}`} role="img" aria-label=${link} shape-rendering="crispEdges"><path class="paper" d=${`M0 0h${size}v${size}h-${size}z`} /><path class="print" d=${path(rows)} /></svg>
      <p class="hint">${t("r.qrHint")}</p><p><code>${link}</code></p>`;
  } catch {
    return html`<p class="problem">${t("r.tooLong")}</p><p><code>${link}</code></p>`;
  }
}

/** `row` is the room, `acts` asks the server. */
export class Invites extends Component {
  /** @type {Known} */ state = { invites: null, made: "", said: "", busy: false };

  componentDidMount() {
    if (this.keeps) void this.#attempt(() => this.#load());
  }

  /** Whether one may make links. */
  get keeps() {
    return ["owner", "moderator"].includes(this.props.row.role) && !this.props.row.direct;
  }

  get #path() {
    return `/v1/rooms/${encodeURIComponent(this.props.row.room)}/invites`;
  }

  async #load() {
    const { invites } = await this.props.acts.ask("GET", this.#path);
    this.setState({ invites });
  }

  /** @param {() => Promise<any>} what */
  async #attempt(what) {
    this.setState({ busy: true, said: "" });
    try {
      await what();
    } catch (error) {
      this.setState({ said: problem(error) });
    }
    this.setState({ busy: false });
  }

  /** @param {SubmitEvent} event */
  make = (event) => {
    event.preventDefault();
    const form = new FormData(/** @type {HTMLFormElement} */ (event.currentTarget));
    const body = { expires: Number(form.get("expires")), uses: Number(form.get("uses")) || null, role: form.get("role") };
    return this.#attempt(async () => {
      const { url } = await this.props.acts.ask("POST", this.#path, body);
      this.setState({ made: location.origin + url, said: t("r.linkMade") });
      await this.#load();
    });
  };

  /** @param {string} one */
  revoke = (one) => this.#attempt(async () => {
    await this.props.acts.ask("DELETE", `${this.#path}/${one}`);
    const { made } = /** @type {Known} */ (this.state);
    this.setState({ made: made.endsWith(one) ? "" : made, said: t("r.revoked") });
    await this.#load();
  });

  #form() {
    const select = (/** @type {string} */ name, /** @type {[string | number, string][]} */ choices, /** @type {any} */ chosen) => html`<label><span>${t(`r.${name}`)}</span>
      <select name=${name}>${choices.map(([value, words]) => html`<option value=${value} selected=${value === chosen}>${words}</option>`)}</select></label>`;
    return html`<form class="settings" onSubmit=${this.make}>
      ${select("expires", Object.entries(TIMES).map(([name, seconds]) => [seconds, t(`r.${name}`)]), TIMES.week)}
      ${select("uses", [[0, t("r.anyNumber")], ...USES.map((n) => /** @type {[number, string]} */ ([n, t("r.people", { n })]))], 0)}
      ${this.props.row.role === "owner" ? select("role", [["member", t("r.member")], ["moderator", t("r.moderator")]], "member") : html`<input type="hidden" name="role" value="member" />`}
      <div class="buttons"><button disabled=${this.state.busy}>${t("r.makeLink")}</button></div></form>`;
  }

  #list() {
    const { invites, busy } = /** @type {Known} */ (this.state);
    if (!invites) return null;
    return html`<section aria-label=${t("r.links")}><h3>${t("r.links")}</h3>${invites.length ? html`<ul class="pairs">${invites.map((one) => html`<li key=${one.code}>
      <div><strong>${t(`r.${one.role}`)}</strong> · ${t("r.until", { time: moment(one.expires) })} · ${one.uses === null ? t("r.anyNumber") : t("r.left", { n: one.uses })}
      <small> ${t("r.by", { name: one.by.name })} · …${one.code.slice(-4)}</small></div>
      <button type="button" class="quiet small" disabled=${busy} aria-label=${`${t("r.revoke")}: …${one.code.slice(-4)}`} onClick=${() => this.revoke(one.code)}>${t("r.revoke")}</button></li>`)}</ul>` : html`<p class="hint">${t("r.noLinks")}</p>`}</section>`;
  }

  render() {
    const { row, acts } = this.props;
    const { made, said } = /** @type {Known} */ (this.state);
    const say = (/** @type {string} */ words) => this.setState({ said: words });
    const open = row.access === "public";
    return html`<div class="invites">
      ${row.direct ? html`<p>${t("r.twoOnly")}</p>` : null}
      ${open ? html`<p>${t("r.openToAll")}</p>${linkRow({ id: "address", label: t("r.address"), link: addressOf(row.room), acts, say })}` : null}
      ${!open && !this.keeps && !row.direct ? html`<p>${t("r.onlyModerators")}</p>` : null}
      ${this.keeps ? this.#form() : null}
      ${made ? linkRow({ id: "made", label: t("r.invite"), link: made, acts, say }) : null}
      <p class="hint" role="status">${said}</p>${this.keeps ? this.#list() : null}</div>`;
  }
}
