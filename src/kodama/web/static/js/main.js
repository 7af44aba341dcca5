// Puts the parts together: the address names the room, the form opens the session.
import { Refused, Room, enter, random, whoAmI } from "./connection.js";
import { applied, begun, empty, extended, marked, sending, withdrawn } from "./state.js";
import { Announcer, View, byId } from "./view.js";
import { language, words } from "./words.js";

const name = decodeURIComponent(location.pathname.match(/^\/r\/([^/]+)$/)?.[1] ?? "lobby");
const room = new Room(name);
const view = new View();
const announcer = new Announcer();
const field = /** @type {HTMLTextAreaElement} */ (byId("say"));
const touch = matchMedia("(pointer: coarse)").matches;
let state = empty;
/** @type {import("./state.js").Author|null} */
let me = null;
let composing = false;
let loading = false;

/** @param {"keep"|"end"|"older"} place */
function draw(place) {
  return view.draw([...state.rows, ...state.outbox], place);
}

/** @param {string} how */
function tell(how) {
  const line = words[how]();
  if (byId("status").textContent !== line) byId("status").textContent = line;
}

/** @param {any[]} events */
function heard(events) {
  if (!events.length) return;
  for (const event of events) {
    state = applied(state, event);
    if (event.type === "message" && event.author.id !== me?.id && !event.deleted) {
      announcer.say(words.said(event.author.name, event.text ?? JSON.stringify(event.data)));
    }
  }
  const foreign = events.filter((one) => one.type === "message").length;
  view.tellNew(draw("keep") ? 0 : view.unseen + foreign);
}

/** @param {string} text */
async function send(text) {
  if (!me || !text.trim()) return;
  const nonce = random(20);
  state = sending(state, { nonce, text, author: me, time: new Date().toISOString() });
  draw("end");
  try {
    await room.publish(text, nonce, () => {
      state = marked(state, nonce, "failed");
      draw("keep");
    });
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    state = withdrawn(state, nonce);
    draw("keep");
    byId("status").textContent = words.refused(error.message);
    if (!field.value) field.value = text;
  }
}

/** Enter while a word is being composed belongs to the input method; Safari says so only by 229.
 * @param {KeyboardEvent} event */
const inComposition = (event) => event.isComposing || event.keyCode === 229 || composing;

field.addEventListener("compositionstart", () => { composing = true; });
field.addEventListener("compositionend", () => { composing = false; });
field.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || touch || inComposition(event)) return;
  event.preventDefault();
  byId("send").click();
});
byId("speak").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = field.value;
  field.value = "";
  void send(text);
  field.focus();
});
byId("join").addEventListener("submit", async (event) => {
  event.preventDefault();
  const given = /** @type {HTMLInputElement} */ (byId("name")).value;
  try {
    welcome(await enter(given));
    localStorage.setItem("kodama.name", given);
  } catch (error) {
    byId("status").textContent = String(error instanceof Error ? error.message : error);
  }
});
byId("news").addEventListener("click", () => {
  draw("end");
  view.tellNew(0);
});
view.list.addEventListener("scroll", async () => {
  if (view.atEnd) view.tellNew(0);
  const first = state.rows.find((one) => !one.gap);
  if (view.list.scrollTop > 200 || !state.older || loading || !first) return;
  loading = true;
  try {
    const page = await room.before(first.offset);
    state = extended(state, page.messages, page.more);
    draw("older");
  } finally {
    loading = false;
  }
});

/** @param {import("./state.js").Author} user */
function welcome(user) {
  me = user;
  byId("join").hidden = true;
  byId("speak").hidden = false;
  field.focus();
}

async function begin() {
  document.documentElement.lang = language;
  document.title = `${name} · Kodama`;
  byId("room").textContent = name;
  for (const [id, key] of [["skip", "skip"], ["name-label", "name"], ["enter", "enter"], ["say-label", "say"], ["send", "send"]]) {
    byId(id).textContent = words[key]();
  }
  field.placeholder = words.say();
  /** @type {HTMLInputElement} */ (byId("name")).value = localStorage.getItem("kodama.name") ?? "";
  const user = await whoAmI().catch(() => null);
  if (user) welcome(user);
  else byId("name").focus();
  const page = await room.open();
  state = begun(state, page.messages, page.more);
  draw("end");
  tell("live");
  await room.follow(heard, tell);
}

void begin();
