/** The room's name as the server folds it. @param {string} given */
export function fold(given: string): string;
export class Reader {
    /** @param {string} since */
    constructor(since: string);
    cursor: string;
    joined: boolean;
    last: number;
    epoch: string;
    /** After a gap, and at the start, any offset may follow. */
    loose: boolean;
    /** @type {RoomEvent[]} */
    early: RoomEvent[];
    feed: string;
    turn: number;
    /** A feed begins at `since`; without it, the feed does not read this room. @param {string} [since] */
    at(since?: string): void;
    /** The feed brings events of this room and moves to `cursor`. @param {RoomEvent[]} events @param {string} cursor */
    live(events: RoomEvent[], cursor: string): import("./types.js").RoomEvent[];
    /**
     * A page read from `this.cursor` brings what is missing; only one asked for after the feed began reaches it.
     * @param {import("./types.js").Answer} answer @param {number} turn the reader's when the page was asked for
     */
    page({ events, cursor, more }: import("./types.js").Answer, turn: number): import("./types.js").RoomEvent[];
    #private;
}
/**
 * One reader's place in one room, without I/O. Decided here: a shared feed may come and go, begin elsewhere or be
 * somebody else's; the reader goes on with it only from its own cursor, else fills up from pages first
 * (register first, read second, let offsets decide), and a hole in the offsets is never silent.
 */
export type RoomEvent = import("./types.js").RoomEvent;
