/**
 * What an edit, a delete or a reaction makes of a message. Decided here: a reaction counts only if it is newer than what
 * the count says it counts, and a person counts once, so that to hear the same thing twice does no harm.
 *
 * @typedef {import("./log.js").Message} Message
 * @typedef {import("./log.js").Reaction} Reaction
 * @typedef {import("./log.js").RoomEvent} RoomEvent
 */

const NAMED = 30;

/** @param {Message} message @param {RoomEvent} event @returns {Message} */
export function amend(message, event) {
  switch (event.type) {
    case "edit":
      if (message.deleted || typeof event.text !== "string") return message;
      return { ...message, text: event.text, edited: true };
    case "delete": return { ...message, text: "", data: null, edited: false, deleted: true, reactions: [] };
    case "reaction": return message.deleted ? message : { ...message, reactions: reacted(message.reactions, event) };
    default: return message;
  }
}

/** @param {Reaction[]} reactions @param {RoomEvent} event @returns {Reaction[]} */
function reacted(reactions, { emoji = "", offset = 0, author, op }) {
  if (!author || !emoji) return reactions;
  const known = reactions.find((one) => one.emoji === emoji);
  if (known && offset <= known.upto) return reactions;
  const by = known?.by ?? [];
  const there = by.some((one) => one.id === author.id);
  const count = known?.count ?? 0;
  /** @type {Reaction} */
  let next;
  if (op === "add") {
    next = { emoji, upto: offset, count: there ? count : count + 1, by: there || by.length >= NAMED ? by : [...by, author] };
  } else {
    const gone = there || count > by.length;
    next = { emoji, upto: offset, count: gone ? count - 1 : count, by: by.filter((one) => one.id !== author.id) };
  }
  const others = reactions.filter((one) => one !== known);
  if (next.count < 1) return others;
  return known ? reactions.map((one) => (one === known ? next : one)) : [...others, next];
}

/** Whether `me` is among those who used this emoji. @param {Reaction} reaction @param {string} me */
export const mine = (reaction, me) => reaction.by.some((one) => one.id === me);
