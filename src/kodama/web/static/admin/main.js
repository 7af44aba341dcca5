/** Joins the console's state, requests and drawing. Decided here: the live view is asked for while somebody looks at it, and then only. */

import { keep, kept, settingsOf } from "../js/settings.js";
import { problem, speak, t } from "../js/words.js";
import { render } from "../vendor/preact.mjs";
import { ask } from "./ask.js";
import { LISTS } from "./lists.js";
import { reduce, sectionOf, start } from "./state.js";
import { view } from "./view.js";

/** @typedef {import("./state.js").Action} Action */
/** @typedef {{enter: (name: string) => Promise<void>, more: () => void, sure: (key: string) => void, end: (path: string) => Promise<void>,
 *   makeKey: (body: {name: string, rooms: string[] | null, read_only: boolean}) => Promise<boolean>, copy: () => Promise<void>}} Acts */

const LOOK_EVERY = 2000;
const root = /** @type {HTMLElement} */ (document.getElementById("app"));
const CATALOGUES = { en: () => import("./words/en.js"), ja: () => import("./words/ja.js") };

/** The code of the link that makes an owner; it is taken out of the address at once. */
const code = /^#owner=(.+)$/u.exec(location.hash)?.[1] ?? "";
if (code) history.replaceState(null, "", "/admin");

let state = start(sectionOf(location.hash));

/** @param {Action} action */
function dispatch(action) {
  state = reduce(state, action);
  const title = `${t(state.phase === "open" ? `section ${state.section}` : "console")} · Kodama`;
  if (document.title !== title) document.title = title;
  render(view(state, acts), root);
}

/** Say what went wrong; a session that is over leads back to the door. @param {any} error */
function failed(error) {
  if (error?.status === 401) void whoAmI();
  dispatch({ do: "problem", problem: error?.status === undefined ? String(error) : problem(error) });
}

async function whoAmI() {
  try {
    const { user, server_owner: owns } = await ask("GET", "/v1/session");
    dispatch({ do: "phase", phase: "asking", me: user });
    if (code && !owns) return await own();
    if (!owns) return dispatch({ do: "phase", phase: "stranger" });
    open();
  } catch (error) {
    const status = /** @type {any} */ (error).status;
    if (status === 404 || status === 401) return dispatch({ do: "phase", phase: "door", me: null });
    dispatch({ do: "problem", problem: problem(error) });
  }
}

async function own() {
  try {
    await ask("POST", "/v1/owner", { code });
    open();
  } catch (error) {
    dispatch({ do: "phase", phase: "stranger" });
    const used = /** @type {any} */ (error).code === "not_found";
    dispatch({ do: "problem", problem: used ? t("linkUsed") : problem(error) });
  }
}

function open() {
  dispatch({ do: "phase", phase: "open" });
  void look();
  void load("");
}

/** @param {string} place where the list goes on */
async function load(place) {
  const { section } = state;
  const one = LISTS[section];
  if (!one) return;
  dispatch({ do: "busy" });
  try {
    const found = await ask("GET", one.path + (place ? `?${one.next}=${encodeURIComponent(place)}` : ""));
    const { [one.list]: rows, ...facts } = found;
    dispatch({ do: "rows", section, rows, facts, more: Boolean(found.more), on: place !== "" });
  } catch (error) {
    failed(error);
  }
}

async function look() {
  if (state.phase !== "open" || state.section !== "live" || document.hidden) return;
  try {
    dispatch({ do: "look", look: await ask("GET", "/v1/admin/metrics") });
  } catch (error) {
    failed(error);
  }
}

/** @type {Acts} */
const acts = {
  async enter(name) {
    try {
      await ask("POST", "/v1/session", { name });
      keep("name", name);
      await whoAmI();
    } catch (error) {
      dispatch({ do: "problem", problem: problem(error) });
    }
  },
  more: () => void load(LISTS[state.section].place(state.rows.at(-1))),
  sure: (sure) => dispatch({ do: "sure", sure }),
  async end(path) {
    try {
      await ask("DELETE", path);
      dispatch({ do: "token", token: "" });
      dispatch({ do: "note", note: t("done") });
      await load("");
      document.getElementById("main")?.focus();
    } catch (error) {
      failed(error);
    }
  },
  async makeKey(body) {
    try {
      const made = await ask("POST", "/v1/admin/keys", body);
      dispatch({ do: "note", note: "" });
      dispatch({ do: "token", token: made.token });
      await load("");
      return true;
    } catch (error) {
      failed(error);
      return false;
    }
  },
  async copy() {
    const done = await navigator.clipboard.writeText(state.token).then(() => true, () => false);
    dispatch({ do: "note", note: t(done ? "copied" : "copyFailed") });
  },
};

const settings = settingsOf(kept("settings", null));
document.documentElement.lang = await speak(settings.language, CATALOGUES);
if (settings.theme !== "auto") document.documentElement.dataset.theme = settings.theme;
addEventListener("hashchange", () => {
  const section = sectionOf(location.hash);
  if (section === state.section) return;
  dispatch({ do: "section", section });
  void look();
  void load("");
});
document.addEventListener("visibilitychange", () => void look());
setInterval(() => void look(), LOOK_EVERY);
dispatch({ do: "phase", phase: "asking" });
void whoAmI();
