/** The ways in for who has been here before: by password, passkey, recovery code or secret phrase. Decided here: one is open at a time. */

import { Asking, LOGIN, password } from "./asking.js";
import { html } from "./html.js";
import { w } from "./mewords.js";
import { enter, possible } from "./passkeys.js";

/** @typedef {import("./acts.js").Acts} Acts */
/** @typedef {import("./asking.js").Given} Given */

/** @param {Acts} acts @param {() => void} back */
export function entry(acts, back) {
  const { ask, opened } = acts;
  const session = async (/** @type {object} */ body) => opened(await ask("POST", "/v1/session", body));
  const login = { ...LOGIN, label: w("login") };
  const way = (/** @type {string} */ key, /** @type {any} */ inside, open = false) => html`<details class="part" name="way" open=${open}><summary>${w(key)}</summary>${inside}</details>`;
  return html`<div class="ways">
    ${way("byPassword", html`<${Asking} name="by-password" fields=${[login, password(w("password"), "current-password")]} go=${w("enter")}
      done=${(/** @type {Given} */ { login: name, password: secret }) => session({ login: name.trim(), password: secret })} />`, true)}
    ${possible() ? way("byPasskey", html`<${Asking} name="by-passkey" fields=${[]} go=${w("enter")} done=${async () => opened(await enter(ask))} />`) : null}
    ${way("byCode", html`<${Asking} name="by-code" fields=${[login, { name: "code", label: w("code"), more: { autocomplete: "one-time-code", autocapitalize: "characters", spellcheck: false } },
      password(w("newPassword"), "new-password", { hint: w("passwordHint") })]} go=${w("recover")}
      done=${async (/** @type {Given} */ { login: name, code, password: secret }) => opened(await ask("POST", "/v1/accounts/recover", { login: name.trim(), code: code.trim(), password: secret }))} />`)}
    ${way("byPhrase", html`<${Asking} name="by-phrase" fields=${[{ name: "name", label: w("name"), more: { maxlength: 40, autocomplete: "nickname" } },
      { name: "phrase", label: w("phrase"), type: "password", hint: w("phraseHint"), more: { minlength: 8, maxlength: 256, autocomplete: "current-password" } }]} go=${w("enter")}
      done=${(/** @type {Given} */ { name, phrase }) => session({ name: name.trim(), phrase })} />`)}
    <button type="button" class="quiet" onClick=${back}>${w("back")}</button></div>`;
}
