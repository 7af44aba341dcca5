/** Joins state, talk and drawing. Decided here: one drawing for each change, and what follows from a change after it. */

import { fold } from "../client/kodama.js";
import { render } from "../vendor/preact.mjs";
import { actsOf } from "./acts.js";
import { announcer } from "./announce.js";
import { embedded, escapeKey, inSight, serve, takeFocus, tell, wished } from "./embed.js";
import { watchCompositions } from "./ime.js";
import { pageKey } from "./keys.js";
import { learn } from "./looks.js";
import { mentions } from "./mentions.js";
import { Scroller } from "./scroller.js";
import { keep, kept, settingsOf } from "./settings.js";
import { reduce, start } from "./state.js";
import { Talk } from "./talk.js";
import { gist } from "./text.js";
import { app } from "./view.js";
import { unwrap } from "./welcome.js";
import { problem, speak, spoken, t } from "./words.js";

/** @typedef {import("./state.js").Action} Action */

const NEAR = 900;
const ROOMS_EVERY = 20_000;
const root = /** @type {HTMLElement} */ (document.getElementById("app"));

/** The room and the message that the address names. */
function address() {
  const name = /^\/(?:r|embed)\/((?:[^/%]|%[\da-f]{2})+)/iu.exec(location.pathname)?.[1];
  const at = Number(/^#(\d{1,15})$/u.exec(location.hash)?.[1] ?? new URLSearchParams(location.search).get("at") ?? 0);
  return { room: name ? fold(decodeURIComponent(name)) : "lobby", at: Number.isSafeInteger(at) && at > 0 ? at : null };
}

let state = { ...start(address().room, settingsOf({ ...wished, ...kept("settings", null) })), wanted: address().at };
const scroller = new Scroller((atEnd) => {
  if (atEnd !== state.atEnd) dispatch({ do: "scrolled", atEnd });
  more();
});
const talk = new Talk({ state: () => state, dispatch, heard, words: problem });
const acts = actsOf({ state: () => state, dispatch, talk, scroller });
const announce = announcer(/** @type {HTMLElement} */ (document.getElementById("announce")), () => state.settings.announce, t);

/** @param {Action} action */
function dispatch(action) {
  const before = state;
  state = reduce(state, action);
  if (state === before) return;
  if (state.settings !== before.settings) dress();
  draw();
  followUp(before, action);
}

function draw() {
  const { room, rooms, unseen } = state;
  const title = rooms.find((row) => row.room === room)?.title || room;
  const words = `${unseen ? `(${unseen}) ` : ""}${title} · Kodama`;
  if (document.title !== words) document.title = words;
  render(app(state, acts), root);
  scroller.settle();
  takeFocus();
}

/** @param {import("./state.js").State} before @param {Action} action */
function followUp(before, action) {
  if (action.do === "me") {
    remember();
    if (!embedded) void import("./push.js").then(({ renew }) => renew(acts.ask)).catch(() => {});
  }
  if (action.do === "newest" && !before.ready) arrive();
  if (state.people.stale && state.link.is === "live" && action.do !== "here") void talk.here();
  if (state.seen !== before.seen || state.rooms !== before.rooms) markSeen();
  if (state.pending !== before.pending) keepFailed(before);
  if (state.log !== before.log) more();
  if (state.unseen !== before.unseen) tell("unread", { count: state.unseen });
}

/** What this browser knows of the person: what they have seen, and what was refused. */
function remember() {
  const marks = kept(`marks ${state.me?.id}`, {});
  dispatch({ do: "rooms", rooms: state.rooms, marks });
  state = { ...state, seen: marks[state.room] ?? 0 };
}

/** What was refused waits for the person's word, through reloads too. @param {import("./state.js").State} before */
function keepFailed(before) {
  const failed = state.pending.filter((one) => one.problem);
  if (!failed.length && !before.pending.some((one) => one.problem)) return;
  if (before.room === state.room && state.me) keep(`failed ${state.me.id} ${state.room}`, failed.length ? failed : null);
}

/** The first page is there: begin at the message of the address, at what is new, or at the end. */
function arrive() {
  const at = state.wanted;
  if (at) void acts.jump(at);
  else if (state.divider !== null && !scroller.show("new", 0.2)) scroller.toEnd();
  dispatch({ do: "kept", pending: kept(`failed ${state.me?.id} ${state.room}`, []) });
  dispatch({ do: "scrolled", atEnd: scroller.sticking && !at });
  more();
}

function markSeen() {
  const { me, room, seen, atEnd, shown, rooms, marks } = state;
  if (!me || !state.ready) return;
  const top = rooms.find((row) => row.room === room)?.last ?? 0;
  const mark = atEnd && shown ? Math.max(seen, top) : seen;
  if (mark <= (marks[room] ?? -1)) return;
  const next = { ...kept(`marks ${me.id}`, {}), ...marks, [room]: mark };
  keep(`marks ${me.id}`, next);
  dispatch({ do: "rooms", rooms, marks: next });
}

/** Load what is near the edge of the screen. */
function more() {
  if (!state.ready || state.loading || state.phase !== "room") return;
  const { above, below } = scroller.room;
  if (state.log.older && !state.veil && above < NEAR) void talk.more("older");
  else if (state.log.newer && below < NEAR) void talk.more("newer");
}

/** @param {import("./log.js").RoomEvent[]} events */
function heard(events) {
  for (const { type, author, text, data, deleted } of events) {
    if (type !== "message" || deleted || !author || author.id === state.me?.id) continue;
    const forMe = state.me !== null && mentions(text ?? "", data, state.me);
    if (state.settings.sound === "all" ? !state.shown || forMe : state.settings.sound === "mentions" && forMe) void import("./sound.js").then(({ chime }) => chime());
    announce({ line: t("said", { name: author.name, text: gist(text ?? "", 200) }), forMe });
  }
}

/** Put on the language and the theme. */
function dress() {
  document.documentElement.lang = spoken();
  if (state.settings.theme === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = state.settings.theme;
}

function shown() {
  const visible = !document.hidden && inSight();
  if (visible !== state.shown) {
    dispatch({ do: "shown", shown: visible });
    talk.look(visible ? "active" : "idle");
  }
  if (visible && state.phase === "room") void talk.rooms();
}

/** Files that are dropped anywhere go into the room. @param {DragEvent} event */
function dropped(event) {
  if (state.phase !== "room" || !event.dataTransfer?.types.includes("Files")) return;
  event.preventDefault();
  if (event.type === "drop") acts.attach([...event.dataTransfer.files]);
}

watchCompositions(document);
await speak(state.settings.language);
dress();
if (location.pathname === "/") history.replaceState(null, "", `/r/lobby${location.hash}`);
addEventListener("dragover", dropped);
addEventListener("drop", dropped);
addEventListener("keydown", (event) => {
  pageKey(event, state, acts);
  escapeKey(event, state);
});
addEventListener("popstate", () => void acts.enter(address().room, address().at));
addEventListener("hashchange", () => {
  const gift = unwrap();
  if (!gift) return void acts.enter(address().room, address().at);
  talk.gift = gift;
  void talk.unwrap();
});
document.addEventListener("visibilitychange", shown);
setInterval(() => state.people.typing.length && dispatch({ do: "tick", now: Date.now() }), 1000);
setInterval(() => !document.hidden && state.phase === "room" && void talk.rooms(), ROOMS_EVERY);
draw();
talk.gift = unwrap();
void learn();
if (embedded) {
  let done = Promise.resolve();
  serve((word) => {
    shown();
    takeFocus();
    done = done.then(() => told(word)).catch(() => {});
  });
} else void talk.whoAmI();

/** What the site around wants: it names whoever is here, nobody too, or leaves it to us. @param {import("./embed.js").Word} word */
function told({ type, who, jwt }) {
  if (type === "hello" && !who) return talk.whoAmI();
  if (type === "identify" && jwt) return talk.identify(jwt);
  const over = type === "logout" || (type === "identify" && state.me?.kind === "host");
  if (over) return talk.signOut();
  return type === "identify" && state.phase === "loading" ? talk.whoAmI() : undefined;
}
