/**
 * A `text/event-stream` (WHATWG HTML 9.2.6), without I/O. Decided here: a line end is CR, LF or both, wherever
 * the network cut the text, and an unfinished record at the end of a stream never happened.
 */
/**
 * Return what takes the stream's text, piece by piece.
 * @param {(record: {id: string, event: string, data: string}) => void} emit
 * @param {(ms: number) => void} [retry]
 */
export function sse(emit: (record: {
    id: string;
    event: string;
    data: string;
}) => void, retry?: (ms: number) => void): (/** @type {string} */ text: string) => void;
