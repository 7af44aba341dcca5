/** Joins state, connection and drawing. Decided here: where the list stands after each drawing. */

import { render } from "../vendor/preact.mjs";
import { announcer } from "./announce.js";
import { keep, kept } from "./outbox.js";
import { connect, random } from "./poll.js";
import { reduce, start } from "./state.js";
import { composed } from "./text.js";
import { app } from "./view.js";
import { language, words } from "./words.js";

/** @typedef {import("./state.js").Action} Action */

const NEAR = 48;
const place = location.pathname.match(/^\/r\/([^/]+)/u);
let state = start(place ? decodeURIComponent(place[1]) : "lobby");
let composing = false;

const root = /** @type {HTMLElement} */ (document.getElementById("app"));
const announce = announcer(/** @type {HTMLElement} */ (document.getElementById("announce")));
const connection = connect({ state: () => state, dispatch }, () => words.signedOut);
const scroller = () => document.getElementById("scroll");
const field = () => /** @type {HTMLTextAreaElement|null} */ (document.getElementById("write"));

/** @param {Action} action */
function dispatch(action) {
  const before = scroller()?.scrollHeight ?? 0;
  const top = scroller()?.scrollTop ?? 0;
  const { phase, pending } = state;
  state = reduce(state, action);
  if (action.do === "me") state = reduce(state, { do: "kept", pending: kept(state.room, action.me.id) });
  else if (state.me && state.pending !== pending) keep(state.room, state.me.id, state.pending);
  draw();
  const list = scroller();
  if (list && action.do === "older") list.scrollTop = top + list.scrollHeight - before;
  else if (list && state.atEnd) list.scrollTop = list.scrollHeight;
  if (action.do === "events") tell(action.events);
  if (phase !== "room" && state.phase === "room") field()?.focus();
}

function draw() {
  document.title = `${state.unseen ? `(${state.unseen}) ` : ""}${state.room} · Kodama`;
  render(app(state, acts), root);
}

/** @param {import("./state.js").ChatEvent[]} events */
function tell(events) {
  for (const event of events) {
    if (event.type === "message" && event.author?.id !== state.me?.id) {
      announce(`${event.author?.name}: ${event.text ?? ""}`);
    }
  }
}

function send() {
  const written = field();
  if (!written || composing || !written.value.trim()) return;
  dispatch({ do: "send", nonce: random(20), text: written.value.trim(), time: new Date().toISOString() });
  written.value = "";
  written.focus();
  void connection.flush();
}

/** @type {import("./view.js").Acts} */
const acts = {
  signIn(event) {
    event.preventDefault();
    const name = new FormData(/** @type {HTMLFormElement} */ (event.target)).get("name");
    connection.signIn(String(name).trim()).catch((/** @type {Error} */ error) => {
      const unreachable = error instanceof TypeError || !error.message;
      dispatch({ do: "nobody", problem: unreachable ? words.unreachable : error.message });
    });
  },
  send,
  key(event) {
    if (event.key !== "Enter" || event.shiftKey || composed(event, composing)) return;
    if (matchMedia("(pointer: coarse)").matches) return;
    event.preventDefault();
    send();
  },
  compose(event) {
    composing = event.type === "compositionstart";
  },
  scroll() {
    const list = scroller();
    if (!list) return;
    const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < NEAR;
    if (atEnd !== state.atEnd) dispatch({ do: "scrolled", atEnd });
    if (list.scrollTop < 300) void connection.older();
  },
  latest() {
    dispatch({ do: "scrolled", atEnd: true });
    field()?.focus();
  },
  again(nonce) {
    dispatch({ do: "again", nonce });
    void connection.flush();
  },
};

addEventListener("resize", () => {
  const list = scroller();
  if (list && state.atEnd) list.scrollTop = list.scrollHeight;
});
document.documentElement.lang = language;
draw();
void connection.whoAmI();
