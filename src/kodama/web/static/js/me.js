/**
 * Who one is here: a guest who may make an account and stays who they are, or somebody with one. Decided here: recovery codes
 * are shown until the person says that they are kept; whatever changes an account brings a new session, which is used at once.
 */

import { Component } from "../vendor/preact.mjs";
import { Asking, LOGIN, password } from "./asking.js";
import { html } from "./html.js";
import { nameOf } from "./message.js";
import { w } from "./mewords.js";
import { make, possible } from "./passkeys.js";
import { problem, t } from "./words.js";

/** @typedef {{login: string, recovery: number, passkeys: {id: string, name: string, created: string}[]}} Account */
/** @typedef {import("./asking.js").Given} Given */

/** `me` is who one is, `acts` what one can do. */
export class Me extends Component {
  /** @type {{account: Account | null, known: boolean, codes: string[], copied: boolean, said: string}} */ state = { account: null, known: false, codes: [], copied: false, said: "" };

  componentDidMount() {
    void this.#look();
  }

  async #look() {
    const account = await this.props.acts.ask("GET", "/v1/accounts").catch(() => null);
    this.setState({ account, known: true });
  }

  /** Be who the answer says, and know the account anew. @param {any} answer */
  #take = async (answer) => {
    this.setState({ codes: answer.recovery ?? [], copied: false });
    this.props.acts.opened(answer);
    await this.#look();
  };

  /** @param {object} body @param {string} [said] */
  #change = async (body, said) => {
    await this.#take(await this.props.acts.ask("PATCH", "/v1/accounts", body));
    return said;
  };

  #codes() {
    const { codes, copied } = this.state;
    const text = `${codes.join("\n")}\n`;
    const copy = () => void this.props.acts.copy(text).then(() => this.setState({ copied: true }));
    return html`<section class="codes" aria-label=${w("codes")}><h3>${w("codes")}</h3><p class="hint">${w("codesHint")}</p><ul>${codes.map((code) => html`<li key=${code}><code>${code}</code></li>`)}</ul>
      <div class="buttons start"><button type="button" class="quiet" onClick=${copy}>${copied ? w("copied") : w("copy")}</button>
        <a class="button quiet" download="kodama-recovery-codes.txt" href=${`data:text/plain;charset=utf-8,${encodeURIComponent(text)}`}>${w("download")}</a>
        <button type="button" data-deed="kept" onClick=${() => this.setState({ codes: [] })}>${w("kept")}</button></div></section>`;
  }

  #guest() {
    const { acts } = this.props;
    const become = async (/** @type {Given} */ { login, password: secret }) =>
      this.#take(await acts.ask("POST", "/v1/accounts", { login: login.trim(), password: secret, name: this.props.me.name }));
    return html`<p>${w("guest")}</p><details class="part" open><summary>${w("become")}</summary><p class="hint">${w("becomeHint")}</p>
      <${Asking} name="become" fields=${[{ ...LOGIN, label: w("login") }, password(w("password"), "new-password", { hint: w("passwordHint") })]} go=${w("make")} done=${become} /></details>
      ${this.#forget(w("forgetGuest"), [])}`;
  }

  /** @param {string} hint @param {import("./asking.js").Field[]} fields */
  #forget(hint, fields) {
    const { acts } = this.props;
    const forget = async (/** @type {Given} */ given) => {
      await acts.ask("DELETE", "/v1/accounts", { ...(given.password && { password: given.password }), messages: Boolean(given.messages) });
      acts.over();
    };
    return html`<details class="part"><summary>${w("forget")}</summary><p class="hint">${hint}</p>
      <${Asking} name="forget" fields=${[...fields, { name: "messages", label: w("messages"), type: "checkbox" }]} go=${w("forgetGo")} kind="bad" done=${forget} /></details>`;
  }

  /** @param {Account} account */
  #account({ login, recovery, passkeys }) {
    const { me, acts } = this.props;
    const present = password(w("presentPassword"), "current-password");
    const add = async (/** @type {Given} */ { password: secret, name }) => {
      await make(acts.ask, secret, name.trim());
      await this.#look();
    };
    const drop = (/** @type {string} */ id) => acts.ask("DELETE", `/v1/accounts/passkeys/${encodeURIComponent(id)}`).then(this.#take)
      .then(() => this.setState({ said: "" }), (/** @type {any} */ error) => this.setState({ said: problem(error) }));
    return html`<p>${w("account", { login })}</p>
      <${Asking} name="rename" fields=${[{ name: "name", label: w("name"), value: me.name, more: { maxlength: 40, autocomplete: "nickname" } }]} go=${w("save")}
        done=${(/** @type {Given} */ { name }) => this.#change({ name: name.trim() }, w("saved"))} />
      <details class="part"><summary>${w("change")}</summary><${Asking} name="change" go=${w("save")}
        fields=${[present, { ...password(w("newPassword"), "new-password", { hint: w("passwordHint") }), name: "new_password" }]}
        done=${(/** @type {Given} */ { password: secret, new_password: next }) => this.#change({ password: secret, new_password: next }, w("saved"))} /></details>
      <details class="part"><summary>${w("passkeys")}</summary><p class="hint">${w("passkeysHint")}</p>
        ${passkeys.length ? html`<ul class="rows">${passkeys.map((one) => html`<li key=${one.id}><b><bdi>${one.name}</bdi></b>
          <button type="button" class="quiet small" onClick=${() => drop(one.id)}>${w("removePasskey", { name: one.name })}</button></li>`)}</ul>` : html`<p class="hint">${w("none")}</p>`}
        <p class="problem" role="alert">${this.state.said}</p>
        ${possible() ? html`<${Asking} name="passkey" fields=${[{ name: "name", label: w("passkeyName"), more: { maxlength: 40, autocomplete: "off" } }, present]} go=${w("addPasskey")} done=${add} />`
          : html`<p class="hint">${w("noPasskeys")}</p>`}</details>
      <details class="part"><summary>${w("fresh")}</summary><p class="hint">${w("freshHint", { n: recovery })}</p>
        <${Asking} name="fresh" fields=${[present]} go=${w("freshGo")} done=${(/** @type {Given} */ { password: secret }) => this.#change({ password: secret, recovery: true })} /></details>
      ${this.#forget(w("forgetHint"), [present])}`;
  }

  render() {
    const { me, acts } = this.props;
    const { account, known, codes } = this.state;
    if (codes.length) return this.#codes();
    const inside = account ? this.#account(account) : me.kind === "guest" ? this.#guest() : html`<p>${w("outside")}</p>`;
    return html`<p>${nameOf(me)} <small>${t(me.kind)}</small></p>${known ? inside : html`<p class="hint">${t("connecting")}</p>`}
      <div class="buttons start"><button type="button" class="quiet" onClick=${acts.signOut}>${account ? w("signOut") : t("signOut")}</button></div>`;
  }
}
