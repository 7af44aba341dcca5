/**
 * One person in a room, and what a moderator may do about them. Decided here: what takes something away from somebody is
 * asked twice; what they are and whether they are out is asked of the server when they are looked at.
 */

import { Component } from "../vendor/preact.mjs";
import { html } from "./html.js";
import { nameOf } from "./message.js";
import { keeps, lasts, stretch } from "./order.js";
import { w } from "./orderwords.js";
import { problem, t } from "./words.js";

/** @typedef {{role: string, theirs: string, ban: any, mute: any, said: string, busy: boolean, sure: null | {deed: string, act: () => Promise<any>}}} Known */

const MINUTES = [10, 60, 1440, 10_080, 0];
const PURGE = [10, 60, 1440, 10_080];
/** Give it the focus when it comes. @param {HTMLElement | null} element */
const focused = (element) => element?.focus();

const RANK = ["guest", "member", "moderator", "owner"];

/** `person` is an author, `room` where they are, `acts` what one can do. */
export class Person extends Component {
  /** @type {Known} */ state = { role: "", theirs: "guest", ban: null, mute: null, said: "", busy: true, sure: null };

  componentDidMount() {
    void this.#attempt(async () => undefined);
  }

  get #path() {
    return `/v1/rooms/${encodeURIComponent(this.props.room)}`;
  }

  /** @param {string} rest */
  #theirs = (rest) => `${this.#path}/${rest}/${encodeURIComponent(this.props.person.id)}`;

  async #look() {
    const { ask } = this.props.acts;
    const { members, role } = await ask("GET", `${this.#path}/members`);
    const mine = (/** @type {any} */ one) => one.user.id === this.props.person.id;
    const out = keeps(role) ? await Promise.all(["bans", "mutes"].map(async (what) => (await ask("GET", `${this.#path}/${what}`))[what].find(mine))) : [];
    this.setState({ role, theirs: members.find(mine)?.role ?? "guest", ban: out[0], mute: out[1] });
  }

  /** @param {() => Promise<string | undefined>} what */
  async #attempt(what) {
    this.setState({ busy: true, said: "", sure: null });
    try {
      const said = await what();
      await this.#look();
      this.setState({ said: said ?? "" });
    } catch (error) {
      this.setState({ said: problem(error) });
    }
    this.setState({ busy: false });
  }

  /** @param {string} method @param {string} path @param {any} [body] */
  #do = (method, path, body) => this.#attempt(async () => {
    const answer = await this.props.acts.ask(method, path, body);
    return answer?.removed === undefined ? w("done") : w("removed", { n: answer.removed });
  });

  /** @param {string} deed @param {() => Promise<any>} act */
  #ask = (deed, act) => this.setState({ sure: { deed, act }, said: "" });

  /** What the fields say. @param {Event} event */
  #fields(event) {
    const form = new FormData(/** @type {HTMLFormElement} */ (/** @type {HTMLElement} */ (event.currentTarget).closest("form")));
    const minutes = Number(form.get("minutes"));
    return { ...(minutes && { minutes }), name: this.props.person.name, network: form.has("network"), reason: String(form.get("reason") ?? "").trim(), purge: Number(form.get("purge")) };
  }

  #direct = () => this.#attempt(async () => {
    const { room } = await this.props.acts.ask("POST", "/v1/direct", { user: this.props.person.id, name: this.props.person.name });
    this.props.acts.open(room);
    return undefined;
  });

  #deeds() {
    const { person } = this.props;
    const { ban, mute, busy } = this.state;
    const button = (/** @type {string} */ key, /** @type {(event: Event) => void} */ act, kind = "quiet") =>
      html`<button type="button" class=${kind} data-deed=${key} disabled=${busy} onClick=${act}>${w(key)}</button>`;
    const muting = (/** @type {Event} */ event) => { const { minutes, name } = this.#fields(event); void this.#do("PUT", this.#theirs("mutes"), { minutes, name }); };
    const banning = (/** @type {Event} */ event) => { const { purge, ...body } = this.#fields(event); this.#ask("ban", () => this.#do("PUT", this.#theirs("bans"), body)); };
    const purging = (/** @type {Event} */ event) => { const { purge } = this.#fields(event); this.#ask("purgeGo", () => this.#do("POST", `${this.#path}/purge`, { user: person.id, minutes: purge })); };
    return html`<form class="settings" onSubmit=${(/** @type {Event} */ event) => event.preventDefault()}>
      <label><span>${w("howLong")}</span><select name="minutes">${MINUTES.map((one) => html`<option value=${one} selected=${one === 60}>${one ? stretch(one * 60) : w("forEver")}</option>`)}</select></label>
      <label><span>${w("reason")}</span><input name="reason" maxlength="500" dir="auto" autocomplete="off" /></label>
      <div class="tick"><input id="network" name="network" type="checkbox" /><label for="network">${w("network")}</label></div>
      <div class="buttons">${mute ? button("unmute", () => void this.#do("DELETE", this.#theirs("mutes"))) : button("mute", muting)}
        ${ban ? button("unban", () => void this.#do("DELETE", this.#theirs("bans"))) : button("ban", banning, "bad")}
        ${ban ? null : button("kick", () => this.#ask("kick", () => this.#do("POST", `${this.#path}/kick`, { user: person.id, name: person.name })))}</div>
      <label><span>${w("purge")}</span><select name="purge">${PURGE.map((one) => html`<option value=${one} selected=${one === 60}>${stretch(one * 60)}</option>`)}</select></label>
      <div class="buttons">${button("purgeGo", purging, "bad")}</div></form>`;
  }

  #roles() {
    const { person } = this.props;
    const { theirs, busy } = this.state;
    const give = (/** @type {any} */ event) => {
      const role = event.target.value;
      void (role === "guest" ? this.#do("DELETE", this.#theirs("members")) : this.#do("PUT", this.#theirs("members"), { role, name: person.name }));
    };
    return html`<div class="settings"><label><span>${w("role")}</span><select name="role" disabled=${busy} onChange=${give}>${RANK.map((one) =>
      html`<option value=${one} selected=${one === theirs}>${w(`role ${one}`)}</option>`)}</select></label></div>`;
  }

  /** Do nothing, with the fields as they were and the focus where it was. @param {string} deed */
  #leaveIt(deed) {
    this.setState({ sure: null }, () => /** @type {HTMLElement | null} */ (document.querySelector(`[data-deed="${deed}"]`))?.focus());
  }

  /** @param {NonNullable<Known["sure"]>} sure */
  #sure({ deed, act }) {
    return html`<div class="sure" role="alert"><p>${w("sure", { deed: w(deed), name: this.props.person.name })}</p><div class="buttons">
      <button type="button" class="quiet" ref=${focused} onClick=${() => this.#leaveIt(deed)}>${t("cancel")}</button>
      <button type="button" class="bad" data-deed="sure" onClick=${act}>${w(deed)}</button></div></div>`;
  }

  render() {
    const { person, me, direct } = this.props;
    const { role, theirs, ban, mute, said, busy, sure } = /** @type {Known} */ (this.state);
    const self = person.id === me || person.id === "guest";
    const below = keeps(role) && RANK.indexOf(theirs) < RANK.indexOf(role) && !self;
    return html`<p>${nameOf(person)} <small>${t(person.kind)}${theirs === "guest" ? "" : `, ${w(`role ${theirs}`)}`}</small></p>
      ${ban ? html`<p>${w("banned")}, ${lasts(ban.until)}</p>` : null}${mute ? html`<p>${w("muted")}, ${lasts(mute.until)}</p>` : null}
      ${self || direct || person.kind === "bot" ? null : html`<div class="buttons start"><button type="button" class="quiet" data-deed="direct" disabled=${busy} onClick=${this.#direct}>${w("direct")}</button></div>`}
      ${sure ? this.#sure(sure) : null}
      <div hidden=${Boolean(sure)}>${role === "owner" && !self && person.kind !== "bot" ? this.#roles() : null}${below && !direct ? this.#deeds() : null}</div>
      <p class="hint" role="status">${said}</p>`;
  }
}

/** Says what is wrong with a message. */
export class Report extends Component {
  /** @type {{said: string, done: boolean}} */ state = { said: "", done: false };

  /** @param {SubmitEvent} event */
  #send = async (event) => {
    event.preventDefault();
    const reason = String(new FormData(/** @type {HTMLFormElement} */ (event.currentTarget)).get("reason")).trim();
    try {
      await this.props.acts.ask("POST", `/v1/rooms/${encodeURIComponent(this.props.room)}/messages/${this.props.at}/report`, { reason });
      this.setState({ said: w("reported"), done: true });
    } catch (error) {
      this.setState({ said: problem(error) });
    }
  };

  render() {
    const { said, done } = this.state;
    return html`${done ? null : html`<form class="settings" onSubmit=${this.#send}><label><span>${w("reportWhy")}</span>
      <textarea name="reason" rows="3" maxlength="500" dir="auto" autofocus></textarea></label><div class="buttons"><button>${w("reportGo")}</button></div></form>`}
      <p class="hint" role="status">${said}</p>`;
  }
}
