/** Where a first reading begins: as all rooms wish, else where one of them stands. @param {Map<string, string>} rooms */
export function beginning(rooms: Map<string, string>): string;
export class Feed {
    /** @param {import("./net.js").Net} net @param {(word: import("./types.js").Word) => void} tell */
    constructor(net: import("./net.js").Net, tell: (word: import("./types.js").Word) => void);
    net: import("./net.js").Net;
    tell: (word: import("./types.js").Word) => void;
    /** @type {Ladder<Transport>} */
    ladder: Ladder<Transport>;
    /** @type {Map<string, string>} */
    rooms: Map<string, string>;
    presence: boolean;
    cursor: string;
    /** @type {string[]} The rooms of the open connection, none if it is not open. */
    open: string[];
    /** @type {Set<string>} The rooms that the cursor speaks of. */
    known: Set<string>;
    client: string;
    seen: number;
    running: boolean;
    renewed: boolean;
    cut: AbortController;
    /** Read these rooms (name → where a reader stands) from now on. @param {Map<string, string>} rooms @param {boolean} presence */
    want(rooms: Map<string, string>, presence: boolean): void;
    /** The network may be back, or another one. */
    wake(): void;
    /** @param {string} since @param {number} away */
    begin(since: string, away: number): void;
    /** @param {"connecting" | "live" | "waiting"} link */
    link(link: "connecting" | "live" | "waiting"): void;
    run(): Promise<void>;
    /** One connection, from its start to its end: return the ms until the next. @param {AbortController} cut */
    once(cut: AbortController): Promise<number>;
    /** @param {any} end an `Ended` */
    ended(end: any): number;
    /** @param {KodamaError} error @param {string} reason for which it was cut from here */
    failed(error: KodamaError, reason: string): number;
}
export type Transport = import("./types.js").Transport;
import { Ladder } from "./ladder.js";
import { KodamaError } from "./net.js";
