// Draws the state. Text becomes text nodes, never markup.
import { language, words } from "./words.js";

/** @typedef {import("./state.js").Row} Row */

const LINK = /https?:\/\/[^\s<>"'。、）」]+/g;
const clock = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit" });
const dayOf = new Intl.DateTimeFormat(language, { dateStyle: "full" });

/** @template {HTMLElement} T @param {string} id @returns {T} */
export const byId = (id) => /** @type {T} */ (document.getElementById(id));

/** @param {string} tag @param {string} name @param {(Node|string)[]} children @returns {HTMLElement} */
function element(tag, name, ...children) {
  const made = document.createElement(tag);
  if (name) made.className = name;
  made.append(...children);
  return made;
}

/** @param {string} text @returns {(Node|string)[]} */
function linked(text) {
  const parts = [];
  let end = 0;
  for (const match of text.matchAll(LINK)) {
    const link = document.createElement("a");
    link.href = match[0];
    link.rel = "noopener noreferrer nofollow";
    link.target = "_blank";
    link.textContent = match[0];
    parts.push(text.slice(end, match.index), link);
    end = match.index + match[0].length;
  }
  return [...parts, text.slice(end)];
}

/** @param {Row} row @param {Row|undefined} before @returns {HTMLElement[]} */
function drawn(row, before) {
  if (row.gap) return [element("li", "gap", words.gap())];
  const made = [];
  const when = new Date(row.time);
  const day = dayOf.format(when);
  const newDay = !before || before.gap || dayOf.format(new Date(before.time)) !== day;
  if (newDay) made.push(element("li", "day", day));
  const first = newDay || before?.author.id !== row.author.id || before?.author.name !== row.author.name;
  const article = element("article", "");
  const time = /** @type {HTMLTimeElement} */ (element("time", "", clock.format(when)));
  time.dateTime = row.time;
  const who = element("p", first ? "who text" : "quiet", element("bdi", "", row.author.name), time);
  const text = element("p", "text", ...(row.deleted ? [words.deleted()] : linked(row.text)));
  text.dir = "auto";
  if (row.edited && !row.deleted) text.append(" ", element("span", "mark", words.edited()));
  article.append(who, text);
  const item = element("li", [first ? "first" : "", row.sending, row.deleted ? "gone" : ""].join(" ").trim(), article);
  if (row.sending === "failed") item.title = words.failed();
  item.dataset.key = row.key;
  return [...made, item];
}

export class View {
  constructor() {
    this.list = byId("messages");
    this.unseen = 0;
    /** @type {Map<Row, HTMLElement[]>} */
    this.cache = new Map();
  }

  get atEnd() {
    return this.list.scrollHeight - this.list.scrollTop - this.list.clientHeight < 60;
  }

  /** Draw; what is read stays where it is. @param {Row[]} rows @param {"keep"|"end"|"older"} place */
  draw(rows, place) {
    const stick = place === "end" || (place === "keep" && this.atEnd);
    const below = this.list.scrollHeight - this.list.scrollTop;
    const cache = new Map();
    const nodes = rows.flatMap((row, index) => {
      const before = rows[index - 1];
      const key = `${before?.key ?? ""}`;
      const known = this.cache.get(row);
      const made = known && known[0].dataset.before === key ? known : drawn(row, before);
      made[0].dataset.before = key;
      cache.set(row, made);
      return made;
    });
    this.cache = cache;
    const top = this.list.scrollTop;
    this.list.replaceChildren(...nodes);
    if (stick) this.list.scrollTop = this.list.scrollHeight;
    else this.list.scrollTop = place === "older" ? this.list.scrollHeight - below : top;
    return stick;
  }

  /** @param {number} count */
  tellNew(count) {
    this.unseen = count;
    const pill = byId("news");
    pill.hidden = count === 0;
    pill.textContent = words.news(count);
  }
}

/** Reads arrivals out, a few at a time. */
export class Announcer {
  constructor() {
    /** @type {string[]} */
    this.waiting = [];
    this.timer = 0;
  }

  /** @param {string} line */
  say(line) {
    this.waiting.push(line);
    this.timer ||= window.setTimeout(() => {
      this.timer = 0;
      const lines = this.waiting.splice(0);
      byId("announcer").textContent = lines.length > 3 ? words.news(lines.length) : lines.join("\n");
    }, 1500);
  }
}
