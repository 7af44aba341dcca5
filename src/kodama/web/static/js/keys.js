/**
 * Keys outside the message field. Decided here: in the list, arrows go from message to message and Enter into a message's
 * actions; single letters mean something only there, or with nothing to type in, and can be switched off.
 */

import { ime } from "./ime.js";

/** @typedef {import("./state.js").State} State */

/** @type {Record<string, string>} */
const LETTERS = { r: "reply", e: "edit", "+": "react", c: "link", Delete: "delete" };

/** @param {KeyboardEvent} event @param {{state: () => State, scroller: import("./scroller.js").Scroller}} page */
export function listKey(event, { state, scroller }) {
  if (ime(event) || event.ctrlKey || event.metaKey || event.altKey) return;
  const target = /** @type {HTMLElement} */ (event.target);
  const article = target.closest("article");
  if (!article?.dataset.at) return;
  const done = target === article ? inList(event.key, article, state(), scroller) : inActions(event.key, target, article);
  if (done) event.preventDefault();
}

/** @param {string} key @param {HTMLElement} article @param {State} state @param {import("./scroller.js").Scroller} scroller */
function inList(key, article, state, scroller) {
  switch (key) {
    case "ArrowUp": return go(neighbour(article, -1), scroller);
    case "ArrowDown": return go(neighbour(article, 1), scroller);
    case "Home": return go(document.querySelector("article[data-at]"), scroller);
    case "End": {
      scroller.toEnd();
      return go([...document.querySelectorAll("article[data-at]")].at(-1) ?? null, scroller);
    }
    case "Enter": case "ArrowRight": return focus(stops(article)[0]);
    case "Escape": return focus(document.getElementById("write"));
    default: {
      const act = state.settings.keys === "on" || key === "Delete" ? LETTERS[key] : undefined;
      const button = act ? article.querySelector(`[data-act=${act}]`) : null;
      if (button) /** @type {HTMLElement} */ (button).click();
      return button !== null;
    }
  }
}

/** @param {string} key @param {HTMLElement} target @param {HTMLElement} article */
function inActions(key, target, article) {
  const all = stops(article);
  const at = all.indexOf(target);
  switch (key) {
    case "ArrowRight": return focus(all[(at + 1) % all.length]);
    case "ArrowLeft": return focus(all[(at + all.length - 1) % all.length]);
    case "Escape": case "ArrowUp": case "ArrowDown": return focus(article);
    default: return false;
  }
}

/** What can be done on a message, its links first. @param {HTMLElement} article @returns {HTMLElement[]} */
const stops = (article) => [...article.querySelectorAll(/** @type {"a"} */ ("a:not(.time), button"))];

/** @param {Element | null | undefined} element */
function focus(element) {
  /** @type {HTMLElement | null | undefined} */ (element)?.focus({ preventScroll: true });
  return Boolean(element);
}

/** @param {Element | null} article @param {import("./scroller.js").Scroller} scroller */
function go(article, scroller) {
  const row = /** @type {HTMLElement | null} */ (article?.closest("[data-key]"));
  if (row) scroller.reveal(row);
  return focus(article) || true;
}

/** @param {Element} article @param {1 | -1} step */
function neighbour(article, step) {
  let row = article.closest("[data-key]");
  do row = (step < 0 ? row?.previousElementSibling : row?.nextElementSibling) ?? null;
  while (row && !row.querySelector("article[data-at]"));
  return row?.querySelector("article[data-at]") ?? null;
}

/** Keys that mean something anywhere. @param {KeyboardEvent} event @param {State} state @param {import("./acts.js").Acts} acts */
export function pageKey(event, state, acts) {
  if (ime(event) || event.defaultPrevented || state.phase !== "room" || state.dialog) return;
  const typing = event.target instanceof Element && event.target.closest("input, textarea, select");
  if ((event.ctrlKey || event.metaKey) && event.key === "/") {
    event.preventDefault();
    void acts.dialog({ is: "help" });
  } else if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
    event.preventDefault();
    void acts.dialog({ is: "search" });
  } else if (event.key === "?" && !typing && state.settings.keys === "on") {
    event.preventDefault();
    acts.dialog({ is: "help" });
  } else if (event.key === "Escape" && !typing) document.getElementById("write")?.focus();
}
