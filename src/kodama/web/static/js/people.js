/**
 * Who is here and who is typing. Decided here: a diff may be applied twice; a jump in its version only says that the
 * list is to be fetched again; and who has spoken types no longer.
 *
 * @typedef {import("./log.js").Author} Author
 * @typedef {import("./log.js").RoomEvent} RoomEvent
 * @typedef {{here: readonly Author[], count: number, guests: number, version: number, stale: boolean,
 *   typing: readonly {author: Author, until: number}[]}} People
 */

/** @returns {People} */
export const nobody = () => ({ here: [], count: 0, guests: 0, version: 0, stale: true, typing: [] });

/** The list as the server gave it. @param {People} people @param {any} list @returns {People} */
export function listed(people, list) {
  if (list.version < people.version) return people;
  return { ...people, here: list.here, count: list.count, guests: list.guests ?? 0, version: list.version, stale: false };
}

/** @param {People} people @param {RoomEvent & {changed?: Author[], guests?: number}} event @param {{now: number, me: string}} at @returns {People} */
export function heard(people, event, { now, me }) {
  switch (event.type) {
    case "presence": return moved(people, event);
    case "typing": {
      const { author, until } = event;
      if (!author || author.id === me || !until) return people;
      const others = people.typing.filter((one) => one.author.id !== author.id);
      return { ...people, typing: [...others, { author, until: Math.min(Date.parse(until), now + 15_000) }] };
    }
    case "message": return silent(people, event.author?.id ?? "");
    default: return people;
  }
}

/** @param {People} people @param {RoomEvent & {changed?: Author[], guests?: number}} event @returns {People} */
function moved(people, event) {
  const version = event.version ?? 0;
  if (version < people.version) return people;
  const gone = new Set((event.left ?? []).map((one) => one.id));
  const there = new Map(people.here.filter((one) => !gone.has(one.id)).map((one) => [one.id, one]));
  for (const one of [...(event.joined ?? []), ...(event.changed ?? [])]) there.set(one.id, one);
  return {
    ...people, here: [...there.values()], count: event.count ?? people.count, guests: event.guests ?? people.guests,
    version, stale: people.stale || version > people.version + 1, typing: people.typing.filter((one) => !gone.has(one.author.id)),
  };
}

/** @param {People} people @param {string} id @returns {People} */
function silent(people, id) {
  const typing = people.typing.filter((one) => one.author.id !== id);
  return typing.length === people.typing.length ? people : { ...people, typing };
}

/** Forget who has stopped typing. @param {People} people @param {number} now @returns {People} */
export function later(people, now) {
  const typing = people.typing.filter((one) => one.until > now);
  return typing.length === people.typing.length ? people : { ...people, typing };
}
