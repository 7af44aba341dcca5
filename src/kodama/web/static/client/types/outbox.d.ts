export class Outbox {
    /**
     * @param {string} key what its keeper calls it @param {import("./net.js").Net} net @param {import("./tabs.js").Tabs} tabs
     * @param {(entry: Unsent, error: KodamaError) => void} unsent hears of refusals
     */
    constructor(key: string, net: import("./net.js").Net, tabs: import("./tabs.js").Tabs, unsent: (entry: Unsent, error: KodamaError) => void);
    key: string;
    net: import("./net.js").Net;
    tabs: import("./tabs.js").Tabs;
    unsent: (entry: Unsent, error: KodamaError) => void;
    storage: import("./types.js").KeyValue | null;
    /** @type {Map<string, {done: (stored: import("./types.js").Stored) => void, fail: (error: Error) => void}>} */
    waiting: Map<string, {
        done: (stored: import("./types.js").Stored) => void;
        fail: (error: Error) => void;
    }>;
    /** What could not be stored. @type {Map<string, Unsent>} */
    memory: Map<string, Unsent>;
    count: number;
    busy: boolean;
    closed: boolean;
    rest: AbortController;
    /** @param {string} room @param {import("./types.js").Draft} draft @returns {Promise<import("./types.js").Stored>} */
    put(room: string, { text, data, nonce }: import("./types.js").Draft): Promise<import("./types.js").Stored>;
    /** All that is unsent, by place, oldest first. @returns {[string, Unsent][]} */
    entries(): [string, Unsent][];
    /** Send what there is; one tab at a time does. */
    flush(): Promise<void>;
    /** The network may be back. */
    wake(): void;
    /** A tab tells what became of a message. @param {import("./types.js").Word & {is: "sent"}} word */
    settled({ nonce, stored, problem }: import("./types.js").Word & {
        is: "sent";
    }): void;
    #private;
}
export type Unsent = import("./types.js").Unsent;
import { KodamaError } from "./net.js";
