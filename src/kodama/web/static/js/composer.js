/**
 * The message field. Decided here: the field is the browser's own and is never written while somebody composes in it;
 * suggestions are a list box that the field points at; and a key has a meaning only if no input method wants it.
 *
 * @typedef {import("./acts.js").Acts} Acts
 * @typedef {{label: string, hint: string, insert: string, id: string, name: string}} Suggestion
 * @typedef {{editing: import("./log.js").Message | null, replying: import("./log.js").Message | null, room: string, called: string, language: string,
 *   enter: "send" | "newline", uploads: readonly import("./attach.js").Upload[], people: () => {id: string, name: string}[], acts: Acts}} Props
 * @typedef {{open: Suggestion[], picked: number, at: number, sign: string}} State
 */

import { Component, createRef } from "../vendor/preact.mjs";
import { COMMANDS } from "./commands.js";
import { chosen } from "./files.js";
import { html } from "./html.js";
import { icon } from "./icons.js";
import { ime } from "./ime.js";
import { matching, mentioned, wanted } from "./mentions.js";
import { gist } from "./text.js";
import { t } from "./words.js";

const touch = () => matchMedia("(pointer: coarse)").matches;
const CLOSED = { open: /** @type {Suggestion[]} */ ([]), picked: 0, at: 0, sign: "" };

export class Composer extends Component {
  field = createRef();
  /** Whom completions chose. @type {Map<string, string>} */ chosen = new Map();
  /** What was being written before an edit began. */ aside = "";

  /** @param {Props} props */
  constructor(props) {
    super(props);
    /** @type {State} */
    this.state = CLOSED;
  }

  /** @param {Props} next @param {State} state */
  shouldComponentUpdate(next, state) {
    return state !== this.state || ["editing", "replying", "room", "called", "language", "enter", "uploads"].some((key) => /** @type {any} */ (next)[key] !== this.props[key]);
  }

  componentDidMount() {
    this.write(this.props.acts.draft());
    if (!touch()) this.field.current?.focus();
  }

  /** @param {Props} old */
  componentDidUpdate(old) {
    const { editing, replying, room, acts } = this.props;
    if (old.room !== room) {
      this.chosen.clear();
      this.write(acts.draft());
      this.begin();
    } else if (old.editing?.at !== editing?.at) {
      if (editing && !old.editing) this.aside = this.field.current?.value ?? "";
      this.write(editing ? editing.text : this.aside);
      this.field.current?.focus();
    } else if (old.replying?.at !== replying?.at && replying) this.field.current?.focus();
  }

  /** @param {string} text */
  write(text) {
    const field = this.field.current;
    if (!field || field.value === text) return;
    field.value = text;
    field.setSelectionRange(text.length, text.length);
    this.grow();
  }

  /** Take the focus; the caret, too, which a browser may leave where the focus was when a dialog closes. */
  begin() {
    const field = this.field.current;
    field?.focus();
    field?.setSelectionRange(field.value.length, field.value.length);
  }

  grow() {
    const field = this.field.current;
    if (!field || CSS.supports("field-sizing", "content")) return;
    field.style.height = "auto";
    field.style.height = `${field.scrollHeight + 2}px`;
  }

  get expanded() {
    return this.state.open.length > 0;
  }

  /** Say what is in the field. */
  send = () => {
    const field = this.field.current;
    const text = field?.value.trim() ?? "";
    const { acts, editing } = this.props;
    field?.focus();
    if (!text && (editing || !this.props.uploads.length)) return;
    for (const { id, name } of this.props.people()) if (!this.chosen.has(name)) this.chosen.set(name, id);
    const said = mentioned(text, [...this.chosen.keys()]);
    const mentions = said.map((name) => ({ id: this.chosen.get(name) ?? "", name }));
    if (!acts.say(text, mentions)) return;
    if (editing) return;
    this.chosen.clear();
    if (field) field.value = "";
    acts.typed("");
    this.grow();
    this.setState(CLOSED);
  };

  /** @param {KeyboardEvent} event */
  onKey = (event) => {
    if (ime(event)) return;
    if (this.expanded && this.suggestKey(event)) return event.preventDefault();
    const { enter, editing, replying, acts } = this.props;
    const empty = !this.field.current?.value;
    if (event.key === "Enter" && !event.altKey) {
      const sends = event.ctrlKey || event.metaKey || (enter === "send" && !event.shiftKey && !touch());
      if (!sends) return;
      event.preventDefault();
      this.send();
    } else if (event.key === "ArrowUp" && empty && !event.shiftKey) {
      event.preventDefault();
      acts.editLast();
    } else if (event.key === "Escape" && (editing || replying)) {
      event.preventDefault();
      acts.edit(null);
    }
  };

  /** A key for the list of suggestions: whether it was one. @param {KeyboardEvent} event */
  suggestKey({ key, shiftKey }) {
    const { open, picked } = this.state;
    switch (key) {
      case "ArrowDown": this.setState({ picked: (picked + 1) % open.length }); return true;
      case "ArrowUp": this.setState({ picked: (picked + open.length - 1) % open.length }); return true;
      case "Escape": this.setState(CLOSED); return true;
      case "Enter": case "Tab":
        if (shiftKey || (key === "Enter" && this.whole(open[picked]))) return false;
        this.take(open[picked]);
        return true;
      default: return false;
    }
  }

  /** Whether it stands there already and needs nothing more. @param {Suggestion} one */
  whole(one) {
    return !one.id && !COMMANDS[/** @type {"help"} */ (one.name)] && this.field.current?.value.normalize("NFKC").toLowerCase() === `/${one.name}`;
  }

  /** @param {ClipboardEvent} event */
  onPaste = (event) => {
    const files = event.clipboardData?.files;
    if (!files?.length) return;
    event.preventDefault();
    this.props.acts.attach(files);
  };

  /** @param {Event} event */
  onPick = (event) => {
    const field = /** @type {HTMLInputElement} */ (event.target);
    this.props.acts.attach([...(field.files ?? [])]);
    field.value = "";
  };

  onInput = () => {
    const text = this.field.current?.value ?? "";
    this.grow();
    if (!this.props.editing) this.props.acts.typed(text);
    this.suggest();
  };

  suggest = () => {
    const field = this.field.current;
    const found = field && field.selectionStart === field.selectionEnd ? wanted(field.value, field.selectionStart) : null;
    const open = found ? this.suggestions(found) : [];
    if (open.length || this.expanded) this.setState(open.length && found ? { open, picked: 0, at: found.at, sign: found.sign } : CLOSED);
  };

  /** @param {{sign: string, typed: string}} found @returns {Suggestion[]} */
  suggestions({ sign, typed }) {
    if (sign === "@") {
      return matching(this.props.people(), typed).map(({ id, name }) => ({ label: name, hint: "", insert: `@${name} `, id, name }));
    }
    const known = Object.entries(COMMANDS).filter(([name]) => name.startsWith(typed.normalize("NFKC").toLowerCase()));
    return known.map(([name, argument]) => ({
      label: `/${name}${argument ? ` ${t(argument)}` : ""}`, hint: t(`cmd${name[0].toUpperCase()}${name.slice(1)}`), insert: `/${name} `, id: "", name,
    }));
  }

  /** @param {Suggestion} one */
  take(one) {
    const field = this.field.current;
    if (!field) return;
    if (one.id) this.chosen.set(one.name, one.id);
    field.setRangeText(one.insert, this.state.at, field.selectionStart, "end");
    field.focus();
    this.setState(CLOSED);
    this.props.acts.typed(field.value);
  }

  render() {
    const { editing, replying, called, enter, uploads, acts } = /** @type {Props} */ (this.props);
    const { open, picked } = /** @type {State} */ (this.state);
    const label = t("write", { room: called });
    return html`<form class=${editing ? "composer editing" : "composer"} onSubmit=${(/** @type {Event} */ event) => { event.preventDefault(); this.send(); }}>
      ${open.length ? html`<ul class="suggestions" id="suggestions" role="listbox" aria-label=${t("completions")}>${open.map((one, index) => html`
        <li key=${one.insert} id=${`suggestion-${index}`} role="option" aria-selected=${index === picked ? "true" : "false"}
          onMouseDown=${(/** @type {Event} */ event) => { event.preventDefault(); this.take(one); }}><bdi>${one.label}</bdi>${one.hint ? html` <small>${one.hint}</small>` : null}</li>`)}</ul>` : null}
      ${editing || replying ? html`<div class="context"><span>${editing ? t("editing") : t("replyingTo", { name: replying?.author.name ?? "" })}
        ${replying ? html`<q>${gist(replying.text)}</q>` : null}</span>
        <button type="button" class="icon" aria-label=${t("cancel")} title=${t("cancel")} onClick=${() => acts.edit(null)}>${icon("close")}</button></div>` : null}
      ${chosen(uploads, acts.detach)}
      <div class="field"><label class="unseen" for="write">${label}</label>
        <textarea id="write" ref=${this.field} rows="1" placeholder=${label} dir="auto" maxlength="16000" autocomplete="off"
          enterkeyhint=${enter === "send" && !touch() ? "send" : "enter"} aria-autocomplete="list" aria-haspopup="listbox"
          aria-controls=${open.length ? "suggestions" : null}
          aria-activedescendant=${open.length ? `suggestion-${picked}` : null}
          onKeyDown=${this.onKey} onPaste=${this.onPaste} onInput=${this.onInput} onClick=${this.suggest} onBlur=${() => this.expanded && this.setState(CLOSED)}></textarea>
        ${editing ? null : html`<label class="attach icon" title=${t("attach")}>${icon("attach")}<span class="unseen">${t("attach")}</span>
          <input type="file" multiple class="unseen" onChange=${this.onPick} /></label>`}
        <button class="send" aria-label=${editing ? t("save") : t("send")} title=${editing ? t("save") : t("send")}>${icon("send")}</button></div>
    </form>`;
  }
}
