/** @typedef {import("./types.js").RoomEvent} RoomEvent */
export class Room extends EventTarget {
    /** @param {import("./kodama.js").Client} client @param {string} name @param {string} since */
    constructor(client: import("./kodama.js").Client, name: string, since: string);
    name: string;
    path: string;
    /** `connecting`, `live`, `catching up, 120 behind`, `waiting`, `paused`, `refused` or `closed`; a `state` event tells of changes. */
    state: string;
    /** @type {KodamaError | null} Why it was refused. */
    error: KodamaError | null;
    /** Where the application is: keep it, and begin there next time. */
    get cursor(): string;
    /** Where the reader is. */
    get place(): string;
    /** How many events are known to be still to come. */
    get behind(): number;
    /** Publish; fulfilled when the server has stored it, rejected if it refuses. @param {string | import("./types.js").Draft} draft */
    send(draft: string | import("./types.js").Draft): Promise<import("./types.js").Stored>;
    /** @param {import("./types.js").PageOptions} [which] @returns {Promise<import("./types.js").Page>} */
    history(which?: import("./types.js").PageOptions): Promise<import("./types.js").Page>;
    /** @param {number} offset @param {string} text @returns {Promise<RoomEvent>} */
    edit(offset: number, text: string): Promise<RoomEvent>;
    /** @param {number} offset @returns {Promise<RoomEvent>} */
    delete(offset: number): Promise<RoomEvent>;
    /** @param {number} offset @param {string} emoji @returns {Promise<RoomEvent>} */
    react(offset: number, emoji: string): Promise<RoomEvent>;
    /** @param {number} offset @param {string} emoji @returns {Promise<RoomEvent>} */
    unreact(offset: number, emoji: string): Promise<RoomEvent>;
    /** Tell that somebody is typing here. */
    typing(): Promise<any>;
    /** Who is here. @returns {Promise<{here: import("./types.js").Author[], count: number, version: number}>} */
    here(): Promise<{
        here: import("./types.js").Author[];
        count: number;
        version: number;
    }>;
    /** @param {"active" | "idle"} state */
    presence(state: "active" | "idle"): Promise<any>;
    /** Stop reading. */
    close(): void;
    /** What the feed says, and `paused` from the client. @param {import("./types.js").Word | {is: "paused"}} word */
    hear(word: import("./types.js").Word | {
        is: "paused";
    }): void;
    get ended(): boolean;
    [Symbol.asyncIterator](): {
        next: () => Promise<IteratorResult<import("./types.js").RoomEvent, undefined>>;
        return: () => Promise<{
            done: boolean;
            value: undefined;
        }>;
    };
    #private;
}
export type RoomEvent = import("./types.js").RoomEvent;
import { KodamaError } from "./net.js";
