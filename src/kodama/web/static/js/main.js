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
import { called, elsewhere } from "./places.js";
import { keeper, reduce, start } from "./state.js";
import { Talk } from "./talk.js";
import { gist } from "./text.js";
import { app, loadDialogs } from "./view.js";
import { unwrap } from "./welcome.js";
import { problem, speak, spoken, t } from "./words.js";

/** @typedef {import("./state.js").Action} Action */

/** @type {import("./afar.js").Afar | null} */
let afar = null;
const NEAR = 900;
const ROOMS_EVERY = 20_000;
const root = /** @type {HTMLElement} */ (document.getElementById("app"));

/** The room and the message that the address names. */
function address() {
  const name = /^\/(?:r|embed)\/((?:[^/%]|%[\da-f]{2})+)/iu.exec(location.pathname)?.[1];
  const at = Number(/^#(\d{1,15})$/u.exec(location.hash)?.[1] ?? new URLSearchParams(location.search).get("at") ?? 0);
  return { room: name ? fold(decodeURIComponent(name)) : "lobby", at: Number.isSafeInteger(at) && at > 0 ? at : null };
}

let state = { ...start(address().room, settingsOf({ ...wished, ...kept("settings", null) })), wanted: address().at, shown: !document.hidden && inSight() };
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
  const fresh = unseen + (embedded ? 0 : elsewhere(rooms, room).unread);
  const words = `${fresh ? `(${fresh}) ` : ""}${called(rooms.find((row) => row.room === room), room)} · Kodama`;
  if (document.title !== words) document.title = words;
  render(app(state, acts), root);
  scroller.settle();
  takeFocus();
}

/** @param {import("./state.js").State} before @param {Action} action */
function followUp(before, action) {
  if (action.do === "me") {
    if (!embedded) void import("./push.js").then(({ renew }) => renew(acts.ask)).catch(() => {});
  }
  if (action.do === "barred") void loadDialogs().then(draw);
  if (action.do === "newest" && !before.ready) arrive();
  if (keeper(state) && (!keeper(before) || action.do === "room")) void talk.waiting();
  if (state.people.stale && state.link.is === "live" && action.do !== "here") void talk.here();
  if (state.seen !== before.seen) markSeen();
  if (state.rooms !== before.rooms || state.room !== before.room || state.me !== before.me) afar?.look();
  if (state.pending !== before.pending) keepFailed(before);
  if (state.log !== before.log) more();
  if (state.unseen !== before.unseen) tell("unread", { count: state.unseen });
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
  if (afar) markSeen();
  else void hearAfar();
  more();
}

/** What was seen is marked as read, here at once and soon on the server. */
function markSeen() {
  const { room, seen, ready, rooms } = state;
  if (!ready || !seen) return;
  const row = rooms.find((one) => one.room === room);
  if (seen <= (row?.read ?? -1)) return;
  dispatch({ do: "marked", room, offset: seen });
  afar?.mark(room, seen);
}

/** Hear of the other rooms, too; in a frame of another site there is one only, whose marks are kept. */
async function hearAfar() {
  const { Afar } = await import("./afar.js");
  afar ??= new Afar({
    state: () => state, dispatch, client: () => talk.client, reload: () => void talk.rooms(),
    heard: (room, events) => {
      dispatch({ do: "elsewhere", room, events, now: Date.now() });
      calledAfar(room, events);
    },
  });
  afar.look();
  if (state.seen) afar.mark(state.room, state.seen); // what was seen before it came
}

/** @param {string} room @param {import("./log.js").RoomEvent[]} events */
function calledAfar(room, events) {
  const row = state.rooms.find((one) => one.room === room);
  for (const { type, author, text, data, deleted } of events) {
    if (type !== "message" || deleted || !author || author.id === state.me?.id || !state.me) continue;
    if (!row?.direct && !mentions(text ?? "", data, state.me)) continue;
    if (state.settings.sound !== "off") void import("./sound.js").then(({ chime }) => chime());
    announce({ line: t("saidIn", { name: author.name, room: called(row, room), text: gist(text ?? "", 200) }), forMe: true });
  }
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
setInterval(() => !document.hidden && state.phase === "room" && void acts.look(), ROOMS_EVERY);
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
