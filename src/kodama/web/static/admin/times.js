/** Times in tables. Decided here: short, in the reader's language and zone. */

import { spoken } from "../js/words.js";

/** @param {string} time */
export function clockless(time) {
  const when = new Date(time);
  return Number.isNaN(when.getTime()) || when.getTime() === 0 ? "" : when.toLocaleString(spoken(), { dateStyle: "medium", timeStyle: "short" });
}
