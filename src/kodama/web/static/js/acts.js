/**
 * What a person can do. Decided here: each act is one function that anything may call, a key, a button or a command, and
 * that tells its failure in the person's language.
 *
 * @typedef {import("./state.js").State} State
 * @typedef {{state: () => State, dispatch: (action: import("./state.js").Action) => void, talk: import("./talk.js").Talk,
 *   scroller: import("./scroller.js").Scroller}} Page
 * @typedef {ReturnType<typeof actsOf>} Acts
 */

import { fold } from "../client/kodama.js";
import { mine } from "./amend.js";
import { Uploads } from "./attach.js";
import { wish } from "./commands.js";
import { embedded } from "./embed.js";
import { listKey } from "./keys.js";
import { keep, kept } from "./settings.js";
import { messageAt } from "./state.js";
import { loadDialogs } from "./view.js";
import { random } from "./talk.js";
import { problem, speak, t } from "./words.js";

const DRAFT_PAUSE = 300;
const TYPING_PAUSE = 3000;
const NOTE = 5000;

/** Copy where there is no clipboard, as on plain HTTP in a local network. @param {string} text */
function copiedByHand(text) {
  const before = /** @type {HTMLElement | null} */ (document.activeElement);
  const field = document.createElement("textarea");
  field.value = text;
  document.body.append(field);
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  before?.focus({ preventScroll: true });
  return done;
}

/** @param {Page} page */
export function actsOf({ state, dispatch, talk, scroller }) {
  let drafting = 0;
  let noting = 0;
  let typedAt = 0;
  const place = () => `draft ${state().me?.id} ${state().room}`;
  const field = () => document.getElementById("write");

  const uploads = new Uploads({
    net: () => /** @type {import("../client/kodama.js").Client} */ (talk.client).net, room: () => state().room, words: problem,
    changed: (all) => dispatch({ do: "uploads", uploads: all }), random: () => random(12),
  });

  /** @param {string} key @param {string} [value] */
  function note(key, value = "") {
    clearTimeout(noting);
    dispatch({ do: "note", note: { key, value } });
    noting = setTimeout(() => dispatch({ do: "note", note: null }), NOTE);
  }

  /** Do it, or say why not. @param {() => Promise<any> | undefined} what */
  async function attempt(what) {
    try {
      await what();
      return true;
    } catch (error) {
      note("failed", problem(error));
      return false;
    }
  }

  /** @param {number} at */
  async function jump(at) {
    if (!messageAt(state(), at)) await talk.jump(at);
    const nearest = state().log.entries.find((one) => one.kind === "message" && one.at >= at) ?? state().log.entries.at(-1);
    if (!nearest || !scroller.show(String(nearest.at), 0.3)) return note("gone");
    dispatch({ do: "active", at: nearest.at });
    dispatch({ do: "flash", at: nearest.at });
    setTimeout(() => dispatch({ do: "flash", at: null }), 2000);
  }

  async function latest() {
    if (state().log.newer) await talk.newest();
    scroller.toEnd();
    field()?.focus();
  }

  /** @param {string} room @param {number | null} at */
  async function enter(room, at) {
    if (room !== state().room) {
      uploads.leave();
      dispatch({ do: "room", room, seen: state().rooms.find((row) => row.room === room)?.read ?? 0, at });
      scroller.sticking = true;
      await talk.enter(room);
    } else if (at) await jump(at);
  }

  /** @param {string} room @param {number | null} [at] */
  function open(room, at = null) {
    const name = fold(room.trim().replace(/\s+/gu, "-"));
    const link = `/r/${encodeURIComponent(name)}${at ? `#${at}` : ""}`;
    dispatch({ do: "dialog", dialog: null });
    if (embedded) return void window.open(link, "_blank", "noopener");
    history.pushState(null, "", link);
    void enter(name, at);
  }

  /** @param {string} text @param {string} done */
  async function copied(text, done) {
    try {
      if (navigator.clipboard) await navigator.clipboard.writeText(text);
      else if (!copiedByHand(text)) throw new Error();
      if (done) note(done);
      return true;
    } catch {
      if (done) note("copyFailed");
      return false;
    }
  }

  /** @param {string} text @param {any} data */
  function utter(text, data) {
    const { log, replying } = state();
    const more = { ...data, ...(replying ? { reply: replying } : {}) };
    talk.say(text, Object.keys(more).length ? more : null);
    if (log.newer) void latest();
    else scroller.toEnd();
  }

  return {
    jump, latest, enter, open, note,
    /** @param {string} name */
    signIn(name) {
      keep("name", name);
      talk.signIn(name).catch((error) => dispatch({ do: "nobody", problem: error.status ? problem(error) : t("unreachable") }));
    },
    /** Show the ways in for who has been here before, or the one for newcomers again. */
    async knock() {
      dispatch({ do: "knock", with: state().knocking ? null : (await import("./entry.js")).entry });
    },
    lastName: () => kept("name", ""),
    signOut() {
      dispatch({ do: "dialog", dialog: null });
      void attempt(() => talk.signOut());
    },
    /** Say what was written; false if it stays in the field. @param {string} text @param {{id: string, name: string}[]} mentions */
    say(text, mentions) {
      const editing = messageAt(state(), state().editing);
      if (editing) {
        if (editing.text === text) dispatch({ do: "edit", at: null });
        else void attempt(() => talk.room.edit(editing.at, text)).then((done) => done && dispatch({ do: "edit", at: null }));
        return true;
      }
      const wanted = wish(text);
      switch (wanted.is) {
        case "say": {
          const files = uploads.take();
          if (!files) {
            note("stillSending");
            return false;
          }
          utter(wanted.text, { ...wanted.data, ...(mentions.length ? { mentions } : {}), ...(files.length ? { files } : {}) });
          return true;
        }
        case "help": void this.dialog({ is: "help" }); return true;
        case "clear": dispatch({ do: "veil", on: true }); return true;
        case "topic": void attempt(() => talk.topic(wanted.topic)).then((done) => done && note("topicSet")); return true;
        default: note("unknownCommand", wanted.word); return false;
      }
    },
    /** @param {Iterable<File>} files */
    attach(files) {
      uploads.add(files);
      field()?.focus();
    },
    /** @param {string} key */
    detach: (key) => uploads.remove(key),
    unveil() {
      dispatch({ do: "veil", on: false });
      void talk.newest();
    },
    draft: () => kept(place(), ""),
    /** @param {string} text */
    typed(text) {
      clearTimeout(drafting);
      const where = place();
      if (text) drafting = setTimeout(() => keep(where, text), DRAFT_PAUSE);
      else keep(where, null);
      if (!text || /^[/／]/u.test(text) || Date.now() - typedAt < TYPING_PAUSE) return;
      typedAt = Date.now();
      talk.room?.typing().catch(() => {});
    },
    /** @param {number | null} at */
    edit: (at) => dispatch({ do: "edit", at }),
    editLast() {
      const { log, me } = state();
      const last = log.entries.findLast((one) => one.kind === "message" && one.author.id === me?.id && !one.deleted && one.text);
      if (last) dispatch({ do: "edit", at: last.at });
    },
    /** @param {number} at */
    reply: (at) => dispatch({ do: "reply", at }),
    /** @param {number} at @param {string} emoji */
    react(at, emoji) {
      const { me } = state();
      const reaction = messageAt(state(), at)?.reactions.find((one) => one.emoji === emoji);
      const own = reaction && me && mine(reaction, me.id);
      void attempt(() => (own ? talk.room.unreact(at, emoji) : talk.room.react(at, emoji)));
    },
    /** @param {number} at */
    remove(at) {
      void attempt(() => talk.room.delete(at));
      /** @type {HTMLElement | null} */ (document.querySelector(`article[data-at="${at}"]`))?.focus();
    },
    /** @param {string} nonce */
    again(nonce) {
      const one = state().pending.find((each) => each.nonce === nonce);
      dispatch({ do: "discard", nonce });
      if (one) talk.say(one.text, one.data);
    },
    /** @param {string} nonce */
    discard: (nonce) => dispatch({ do: "discard", nonce }),
    /** @param {string} text */
    copy: (text) => copied(text, "copied"),
    /** Copy without a word; says whether it was done. @param {string} text */
    take: (text) => copied(text, ""),
    rooms: () => talk.rooms(),
    /** A room is one's own no longer. @param {string} room */
    async left(room) {
      await this.ask("DELETE", `/v1/rooms/${encodeURIComponent(room)}/read`);
      dispatch({ do: "forgotten", room });
    },
    /** @param {number} at */
    copyLink(at) {
      const link = `/r/${encodeURIComponent(state().room)}#${at}`;
      if (!embedded) history.replaceState(null, "", link);
      void copied(location.origin + link, "copied");
    },
    /** @param {import("./state.js").Dialog | null} dialog */
    async dialog(dialog) {
      if (dialog) await loadDialogs();
      dispatch({ do: "dialog", dialog });
    },
    /** @param {import("./settings.js").Settings} settings */
    async choose(settings) {
      keep("settings", settings);
      await speak(settings.language);
      dispatch({ do: "settings", settings });
    },
    /** @param {string} date as 2026-11-24 */
    async toDate(date) {
      await attempt(async () => {
        const at = await talk.offsetAt(new Date(`${date}T00:00`).getTime());
        if (at) await jump(at);
        else await latest();
      });
    },
    /** @param {MouseEvent} event @param {string} room @param {number | null} [at] */
    follow(event, room, at = null) {
      if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
      event.preventDefault();
      open(room, at);
    },
    /** @param {number} at */
    chosen(at) {
      if (state().active !== at) dispatch({ do: "active", at });
    },
    /** A tap shows a message's actions where nothing hovers. @param {MouseEvent} event @param {number} at */
    tapped(event, at) {
      const target = /** @type {HTMLElement} */ (event.target);
      if (target.closest("a, button, pre") || getSelection()?.toString()) return;
      dispatch({ do: "active", at: state().active === at && matchMedia("(hover: none)").matches ? null : at });
    },
    /** @param {Event} event */
    toField(event) {
      event.preventDefault();
      field()?.focus();
    },
    /** Whom one may mention: who is here, then who has spoken. */
    known() {
      const { people, log, me } = state();
      const all = new Map(people.here.map((one) => [one.id, one]));
      for (const one of log.entries) if (one.kind === "message" && one.author.id && !all.has(one.author.id)) all.set(one.author.id, one.author);
      all.delete(me?.id ?? "");
      return [...all.values()];
    },
    /** @type {import("./push.js").Ask} */ ask: (method, path, body) => talk.ask(method, path, body),
    /** @param {any} session */
    opened: (session) => talk.opened(session),
    over() {
      dispatch({ do: "dialog", dialog: null });
      talk.over();
    },
    /** @param {string} query @param {string} before */
    search: (query, before) => talk.search(query, before),
    /** See what waits for those who keep order. */
    async look() {
      await talk.rooms();
      await talk.waiting();
    },
    reconnect: () => talk.reconnect(),
    /** @param {HTMLElement | null} view */
    attend: (view) => scroller.attend(view),
    /** @param {KeyboardEvent} event */
    listKey: (event) => listKey(event, { state, scroller }),
  };
}
