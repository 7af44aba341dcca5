/**
 * What stands in the list, one under the other. Decided here: a day, a gap or the line above what is new begins a group,
 * and so does another author, a reply or five minutes of silence.
 *
 * @typedef {import("./log.js").Message} Message
 * @typedef {{is: "day", key: string, time: string} | {is: "gap", key: string, reason: string} | {is: "new", key: string}
 *   | {is: "message", key: string, entry: Message, first: boolean}} Row
 */

const PAUSE = 5 * 60_000;

/** @param {string} time */
const dayOf = (time) => {
  const date = new Date(time);
  return `${date.getFullYear()}-${date.getMonth()}-${date.getDate()}`;
};

/** @param {readonly import("./log.js").Entry[]} entries @param {number | null} divider @returns {Row[]} */
export function rows(entries, divider) {
  /** @type {Row[]} */
  const found = [];
  /** @type {Message | null} */
  let last = null;
  let day = "";
  let drawn = divider === null;
  for (const entry of entries) {
    if (entry.kind === "gap") {
      found.push({ is: "gap", key: `gap ${entry.at}`, reason: entry.reason });
      last = null;
      continue;
    }
    const today = dayOf(entry.time);
    if (today !== day) {
      found.push({ is: "day", key: `day ${today}`, time: entry.time });
      day = today;
      last = null;
    }
    if (!drawn && entry.at > (divider ?? 0)) {
      found.push({ is: "new", key: "new" });
      drawn = true;
      last = null;
    }
    found.push({ is: "message", key: String(entry.at), entry, first: !follows(last, entry) });
    last = entry;
  }
  return found;
}

/** @param {Message | null} last @param {Message} next */
function follows(last, next) {
  if (!last || next.data?.reply || next.data?.me || last.data?.me) return false;
  const same = last.author.id === next.author.id && last.author.name === next.author.name;
  return same && Date.parse(next.time) - Date.parse(last.time) < PAUSE;
}
