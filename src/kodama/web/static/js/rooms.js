/**
 * Making a room, what is known of one, and the way to the server's console. Decided here: a room that is there is opened and
 * never changed by whoever thought it new.
 */

import { fold } from "../client/kodama.js";
import { Component } from "../vendor/preact.mjs";
import { html } from "./html.js";
import { ime } from "./ime.js";
import { addressOf, linkRow } from "./invite.js";
import { nameOf } from "./message.js";
import { bring, problem, t } from "./words.js";
import { WORDS } from "./words/rooms.js";

/** @typedef {import("./acts.js").Acts} Acts */
/** @typedef {{user: import("./log.js").Author, role: string}} Member */

bring("r.", WORDS);
const path = (/** @type {string} */ room) => `/v1/rooms/${encodeURIComponent(room)}`;

/** The name that a room has in addresses. @param {string} written */
const named = (written) => fold(written.trim().replace(/\s+/gu, "-"));

/** A room of this name, made if there is none. */
export class NewRoom extends Component {
  state = { said: "", busy: false, there: "" };

  /** @param {SubmitEvent} event */
  make = async (event) => {
    event.preventDefault();
    const form = new FormData(/** @type {HTMLFormElement} */ (event.currentTarget));
    const title = String(form.get("room")).trim();
    if (!title || this.state.busy) return;
    this.setState({ busy: true, said: "", there: "" });
    try {
      await this.#make(title, String(form.get("access")));
    } catch (error) {
      this.setState({ busy: false, said: problem(error) });
    }
  };

  /** @param {string} title @param {string} access */
  async #make(title, access) {
    const { acts } = this.props;
    const room = named(title);
    const there = await acts.ask("GET", path(room)).then(() => true, (/** @type {any} */ error) => {
      if (error.status === 404) return false;
      if (error.status === 403) return true;
      throw error;
    });
    if (there && access !== "public") return this.setState({ busy: false, said: t("r.thereAlready"), there: room });
    if (!there) {
      await acts.ask("PUT", path(room), { access, ...(title === room ? {} : { title }) });
      void acts.rooms();
    }
    acts.open(room);
  }

  render() {
    const { said, busy, there } = this.state;
    return html`<form class="one" onSubmit=${this.make} onKeyDown=${(/** @type {KeyboardEvent} */ event) => event.key === "Enter" && ime(event) && event.stopPropagation()}>
      <label for="room">${t("r.roomName")}</label><div class="line"><input id="room" name="room" required autofocus autocomplete="off" maxlength="64" dir="auto" /><button disabled=${busy}>${t("open")}</button></div>
      <p class="hint">${t("r.openRoomHint")}</p>
      <fieldset><legend>${t("r.who")}</legend>${["public", "members", "secret"].map((access) => html`<div class="tick"><input type="radio" id=${`access-${access}`} name="access" value=${access} defaultChecked=${access === "public"} /><label for=${`access-${access}`}>${t(`r.${access}`)}</label></div>`)}</fieldset>
      <p class="problem" role="alert">${said} ${there ? html`<button type="button" class="quiet small" onClick=${() => this.props.acts.open(there)}>${t("r.openIt")}</button>` : null}</p></form>`;
  }
}

/** What is known of a room: its address, who has a role there, and the way out. */
export class About extends Component {
  /** @type {{members: Member[] | null, said: string, busy: boolean}} */ state = { members: null, said: "", busy: false };

  componentDidMount() {
    this.props.acts.ask("GET", `${path(this.props.row.room)}/members`).then(
      (/** @type {any} */ { members }) => this.setState({ members }),
      (/** @type {any} */ error) => this.setState(error.status === 404 ? { members: [] } : { said: problem(error) }),
    );
  }

  leave = async () => {
    const { row, me, acts } = this.props;
    this.setState({ busy: true, said: "" });
    try {
      if (this.state.members?.some(({ user }) => user.id === me.id)) await acts.ask("DELETE", `${path(row.room)}/members/${encodeURIComponent(me.id)}`);
      await acts.left(row.room);
      acts.open("lobby");
    } catch (error) {
      this.setState({ busy: false, said: /** @type {any} */ (error).code === "conflict" ? t("r.lastOwner") : problem(error) });
    }
  };

  #members() {
    const { members } = /** @type {{members: Member[] | null}} */ (this.state);
    const { acts, me } = this.props;
    if (!members) return null;
    return html`<section aria-label=${t("r.membersOf")}><h3>${t("r.membersOf")}</h3>${members.length ? html`<ul class="pairs">${members.map(({ user, role }) => html`<li key=${user.id}>
      ${person(user, me, acts)}<small>${t(`r.${role}`)}</small></li>`)}</ul>` : html`<p class="hint">${t("r.noMembers")}</p>`}</section>`;
  }

  render() {
    const { row, acts } = this.props;
    const { said, busy } = this.state;
    const say = (/** @type {string} */ words) => this.setState({ said: words });
    return html`<div class="invites">${row.topic ? html`<p dir="auto">${row.topic}</p>` : null}
      ${row.direct ? html`<p class="hint">${t("r.twoOnly")}</p>` : linkRow({ id: "address", label: t("r.address"), link: addressOf(row.room), acts, say })}
      <div class="buttons">${row.direct ? null : html`<button type="button" onClick=${() => acts.dialog({ is: "invite" })}>${t("r.invite")}</button>`}
      <button type="button" class="quiet" onClick=${() => acts.dialog({ is: "notify" })}>${t("notifications")}</button></div>
      <p class="hint" role="status">${said}</p>${this.#members()}
      ${row.direct || row.room === "lobby" || row.unread === undefined ? null : html`<section aria-label=${t("r.leave")}><p class="hint">${t("r.leaveHint")}</p>
      <div class="buttons"><button type="button" class="quiet" disabled=${busy} onClick=${this.leave}>${t("r.leave")}</button></div></section>`}</div>`;
  }
}

/** Somebody's name, which leads to what one can do about them. @param {import("./log.js").Author} user @param {{id: string} | null} me @param {Acts} acts */
function person(user, me, acts) {
  if (user.id === me?.id) return html`<span>${nameOf(user)} <small>(${t("you")})</small></span>`;
  return html`<button type="button" class="who" onClick=${() => acts.dialog({ is: "person", person: user })}>${nameOf(user)}</button>`;
}

/** The way to the server's console, for whoever owns the server. */
export class Console extends Component {
  state = { owns: false };

  componentDidMount() {
    this.props.acts.ask("GET", "/v1/session").then((/** @type {any} */ { server_owner: owns }) => this.setState({ owns }), () => {});
  }

  render() {
    return this.state.owns ? html`<a href="/admin">${t("r.console")}</a>` : null;
  }
}
