/**
 * A `text/event-stream` (WHATWG HTML 9.2.6), without I/O. Decided here: a line end is CR, LF or both, wherever
 * the network cut the text, and an unfinished record at the end of a stream never happened.
 */

/**
 * Return what takes the stream's text, piece by piece.
 * @param {(record: {id: string, event: string, data: string}) => void} emit
 * @param {(ms: number) => void} [retry]
 */
export function sse(emit, retry) {
  let rest = "", id = "", event = "", cr = false;
  /** @type {string[]} */
  let data = [];

  /** @param {string} line */
  function take(line) {
    if (!line) {
      if (data.length) emit({ id, event: event || "message", data: data.join("\n") });
      event = "";
      data = [];
      return;
    }
    const [, field, value] = /** @type {RegExpExecArray} */ (/^([^:]*)(?:: ?)?([^]*)/u.exec(line));
    if (field === "data") data.push(value);
    else if (field === "event") event = value;
    else if (field === "id" && !value.includes("\0")) id = value;
    else if (field === "retry" && /^\d+$/u.test(value)) retry?.(Number(value));
  }

  return (/** @type {string} */ text) => {
    if (!text) return;
    if (cr && text[0] === "\n") text = text.slice(1);
    cr = text.endsWith("\r");
    const lines = (rest + text).split(/\r\n|\r|\n/u);
    rest = /** @type {string} */ (lines.pop());
    lines.forEach(take);
  };
}
