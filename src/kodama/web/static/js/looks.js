/**
 * Whose names look alike. Decided here: nobody is refused a name; of two people in sight whose names look alike (docs/spec,
 * section 7) each is told apart by the end of their id. The table of look-alikes comes when the page has time.
 */

const KEPT = 10_000; // keys; more are forgotten at once
/** @type {ReadonlyMap<string, string>} */
let table = new Map();
/** @type {Map<string, Set<string>>} */
const seen = new Map();

/** What is left of a name when all that look alike are one (UTS #39, skeleton). @param {string} name */
function skeleton(name) {
  const plain = name.normalize("NFKC").normalize("NFD").replace(/\p{Default_Ignorable_Code_Point}/gu, "");
  return [...plain].map((one) => table.get(one) ?? one).join("").normalize("NFD");
}

/** What two names must have in common to look alike: as written, or in small letters. @param {string} name */
export function looks(name) {
  return [...new Set([skeleton(name), skeleton(name.normalize("NFKC").toLowerCase()).toLowerCase()])];
}

/** Whether somebody else was seen whose name looks like this one. @param {{id: string, name: string}} author */
export function twin({ id, name }) {
  if (seen.size > KEPT) seen.clear();
  let others = false;
  for (const look of looks(name)) {
    const ids = seen.get(look) ?? new Set();
    seen.set(look, ids.add(id));
    others ||= ids.size > 1;
  }
  return others;
}

/** Take a table of look-alikes. @param {Record<string, string>} given */
export function teach(given) {
  table = new Map(Object.entries(given));
  seen.clear();
}

/** Fetch the table; without it, names are alike that differ in case and width only. */
export async function learn() {
  const answer = await fetch(new URL("../looks/look-alikes.json", import.meta.url)).catch(() => null);
  if (answer?.ok) teach((await answer.json()).looks);
}
