/** A form that asks the server. Decided here: while it asks it cannot be sent again, and it says itself what came of it. */

import { Component } from "../vendor/preact.mjs";
import { html } from "./html.js";
import { ime } from "./ime.js";
import { w } from "./mewords.js";
import { problem } from "./words.js";

/**
 * @typedef {{name: string, label: string, type?: string, value?: string, hint?: string, more?: object}} Field
 * @typedef {Record<string, string>} Given
 */

/** What went wrong, in words. @param {any} error */
function wrong(error) {
  if (error?.name === "NotAllowedError" || error?.name === "AbortError") return w("stopped");
  if (error?.status === 401) return w("wrong");
  if (error?.status === 409) return w("taken");
  return error?.status === 403 && !error.why ? w("wrong") : problem(error);
}

/** `fields` are asked for, `go` is on the button, `done` gets what was given and may say what came of it. */
export class Asking extends Component {
  /** @type {{busy: boolean, said: string, bad: boolean}} */ state = { busy: false, said: "", bad: false };
  composed = false;

  /** @param {SubmitEvent} event */
  send = async (event) => {
    event.preventDefault();
    if (this.composed) return;
    const form = /** @type {HTMLFormElement} */ (event.currentTarget);
    const given = /** @type {Given} */ (Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, String(value)])));
    this.setState({ busy: true, said: "", bad: false });
    try {
      this.setState({ said: (await this.props.done(given)) ?? "" });
      form.reset();
    } catch (error) {
      this.setState({ said: wrong(error), bad: true });
    }
    this.setState({ busy: false });
  };

  /** @param {KeyboardEvent} event */
  key = (event) => {
    this.composed = event.key === "Enter" && ime(event);
    if (this.composed) setTimeout(() => (this.composed = false));
  };

  /** @param {Field} field */
  #field({ name, label, type = "text", value = "", hint, more = {} }) {
    const id = `${this.props.name}-${name}`;
    if (type === "checkbox") return html`<div class="tick"><input id=${id} name=${name} type="checkbox" /><label for=${id}>${label}</label></div>`;
    return html`<label for=${id}><span>${label}</span><input id=${id} name=${name} type=${type} defaultValue=${value} required dir="auto"
      aria-describedby=${hint ? `${id}-hint` : null} ...${more} onKeyDown=${this.key} />${hint ? html`<small id=${`${id}-hint`} class="hint">${hint}</small>` : null}</label>`;
  }

  render() {
    const { fields, go, kind } = this.props;
    const { busy, said, bad } = this.state;
    return html`<form class="settings" name=${this.props.name} onSubmit=${this.send}>${fields.map((/** @type {Field} */ field) => this.#field(field))}
      <div class="buttons"><button class=${kind ?? ""} disabled=${busy}>${go}</button></div>
      <p class=${bad ? "problem" : "hint"} role=${bad ? "alert" : "status"}>${said}</p></form>`;
  }
}

/** @type {Field} */
export const LOGIN = { name: "login", label: "", more: { maxlength: 64, autocomplete: "username", autocapitalize: "off", spellcheck: false } };

/** A field for a password. @param {string} label @param {"new-password" | "current-password"} autocomplete @param {Partial<Field>} [besides] @returns {Field} */
export const password = (label, autocomplete, besides = {}) => ({ name: "password", label, type: "password", more: { minlength: 8, maxlength: 256, autocomplete }, ...besides });
