/**
 * The page in a frame of another site. Decided here: only the window around is heard, and only at the origin it spoke from
 * first; the browser has let nobody be there whom the room's owner did not name. Who one is stands in a token in memory,
 * never in a cookie or an address, and a guest's is kept where the browser lets it.
 */

import { ime } from "./ime.js";
import { keep, kept } from "./settings.js";

/** @typedef {{token: string, expires: string, user: import("./log.js").Author, site: boolean}} Session */
/** @typedef {{type: string, jwt?: string, who?: boolean, shown?: boolean, focus?: boolean}} Word */

const SOON = 2000;
const PATIENCE = 15_000;
const SILENCE = 3000;

/** Whether this is a frame on the page of a site. */
export const embedded = globalThis.document?.documentElement.classList.contains("embed") ?? false;

/** What the site would like: its language, unless the person chose another. */
export const wished = { language: embedded ? new URLSearchParams(location.search).get("lang") : null };

let shown = !embedded;
let focus = false;
/** The origin of the page around, once it has spoken. */
let around = "";
/** @type {Session | null} */
let session = embedded ? kept("guest", null) : null;
/** @type {(() => void)[]} */
const waiting = [];
/** @type {Word[]} */
const early = [];
/** @type {(word: Word) => void} */
let obey = (word) => void early.push(word);

/** Whether the site shows the frame now. */
export const inSight = () => shown;

/** Say it to the page around. @param {string} type @param {object} [more] */
export function tell(type, more) {
  if (around) parent.postMessage({ kodama: 1, type, ...more }, around);
}

/** How to speak with the server from here. @returns {import("../client/src/types.js").Options} */
export const access = () => (embedded ? { tabs: false, credentials: "omit", token } : {});

/** A session was opened, by the word of the site or by a name. @param {Session} opened */
export function admit(opened) {
  if (!embedded) return;
  session = opened;
  keep("guest", opened.site ? null : opened);
  release();
}

/** The session is over. */
export function forget() {
  if (!embedded) return;
  session = null;
  keep("guest", null);
  release();
}

/** Whoever waits for a token gets what there is. */
function release() {
  for (const go of waiting.splice(0)) go();
}

/** The token; one of a site runs out with the site's word, which is then asked for again. */
async function token() {
  if (session?.site && Date.parse(session.expires) < Date.now() + SOON) {
    const fresh = new Promise((done) => waiting.push(() => done(null)));
    tell("expired");
    await Promise.race([fresh, new Promise((done) => setTimeout(done, PATIENCE))]);
  }
  return session?.token ?? null;
}

/** Do from now on what the page around asks for, or what it would if it were not silent. @param {(word: Word) => void} what */
export function serve(what) {
  obey = what;
  early.splice(0).forEach(what);
  setTimeout(() => {
    if (around) return;
    shown = true;
    what({ type: "hello" });
  }, SILENCE);
}

/** Put the focus where one writes, if the page around has handed it over. */
export function takeFocus() {
  const field = focus && (document.getElementById("write") ?? document.getElementById("name"));
  if (!field) return;
  focus = false;
  field.focus();
}

/** Escape that means nothing else closes the chat. @param {KeyboardEvent} event @param {import("./state.js").State} state */
export function escapeKey(event, state) {
  if (!embedded || event.key !== "Escape" || event.defaultPrevented || ime(event) || state.dialog) return;
  tell("wish", { name: "close" });
}

/** @param {MessageEvent} event */
function hear({ source, origin, data }) {
  if (source !== parent || data?.kodama !== 1 || (around && origin !== around)) return;
  around = origin;
  if ("shown" in data) {
    shown = data.shown === true;
    focus = data.focus === true;
  }
  if (data.type === "hello") tell("ready");
  obey(data);
}

if (embedded && parent === window) location.replace(location.pathname.replace("/embed/", "/r/"));
if (embedded) addEventListener("message", hear);
