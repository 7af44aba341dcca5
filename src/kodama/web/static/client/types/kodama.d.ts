/** Speak with the server at `url`, by default the page's own. @param {string} [url] @param {import("./types.js").Options} [options] */
export function connect(url?: string, options?: import("./types.js").Options): Client;
/** A connection; `unsent` events tell of messages from earlier visits that were refused. */
export class Client extends EventTarget {
    /** @param {string} url @param {import("./types.js").Options} options */
    constructor(url: string, options: import("./types.js").Options);
    /** What is read over now. @type {import("./types.js").Transport | ""} */
    transport: import("./types.js").Transport | "";
    net: Net;
    outbox: Outbox;
    /** @param {string} name @param {import("./types.js").RoomOptions} [options] */
    room(name: string, { since }?: import("./types.js").RoomOptions): Room;
    /** Open a session, with a name, a login and password, or a JWT; from now on it speaks for us. @param {object} who */
    session(who: object): Promise<any>;
    /** Messages that are not stored yet, oldest first. */
    get unsent(): import("./types.js").Unsent[];
    /** Stop reading and sending; what is unsent is kept for the next time. */
    close(): void;
    /** A room begins to be read. @param {Room} room */
    open(room: Room): void;
    /** A room is no longer read. @param {Room} room */
    leave(room: Room): void;
    #private;
}
import { fold } from "./reader.js";
import { KodamaError } from "./net.js";
import { Net } from "./net.js";
import { Outbox } from "./outbox.js";
import { Room } from "./room.js";
export { fold, KodamaError };
