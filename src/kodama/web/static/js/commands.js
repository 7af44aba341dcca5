/**
 * What a line that begins with `/` or `／` asks for. Decided here: `//` says a slash, and an unknown word after a slash is
 * never said aloud by mistake.
 *
 * @typedef {{is: "say", text: string, data: any} | {is: "topic", topic: string} | {is: "clear"} | {is: "help"}
 *   | {is: "unknown", word: string}} Wish
 */

/** The commands, and what follows each: a word of the catalogue, or nothing. */
export const COMMANDS = { topic: "cmdTopicArgument", me: "cmdMeArgument", shrug: "", clear: "", help: "" };

/** @param {string} line @returns {Wish} */
export function wish(line) {
  const found = /^[/／](?:([\p{L}]+)(?:[\s\u3000]+([\s\S]*))?|([/／][\s\S]*))$/u.exec(line);
  if (!found) return { is: "say", text: line, data: null };
  if (found[3] !== undefined) return { is: "say", text: found[3], data: null };
  const [, name, rest = ""] = found;
  switch (name.normalize("NFKC").toLowerCase()) {
    case "topic": return { is: "topic", topic: rest.trim() };
    case "me": return rest.trim() ? { is: "say", text: rest.trim(), data: { me: true } } : { is: "unknown", word: name };
    case "shrug": return { is: "say", text: `${rest.trim()} ¯\\\\\\_(ツ)\\_/¯`.trim(), data: null };
    case "clear": return { is: "clear" };
    case "help": return { is: "help" };
    default: return { is: "unknown", word: name };
  }
}
