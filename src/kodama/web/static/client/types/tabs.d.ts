/** @typedef {import("./types.js").Word} Word */
export class Tabs {
    /** @param {string} key what they share @param {boolean | undefined} shared @param {(word: Word) => void} hear */
    constructor(key: string, shared: boolean | undefined, hear: (word: Word) => void);
    key: string;
    hear: (word: Word) => void;
    id: string;
    locks: LockManager | undefined;
    channel: BroadcastChannel | undefined;
    /** Ends this tab's life for the others. @type {() => void} */
    leave: () => void;
    /** @type {() => void} */
    resign: () => void;
    /** When the others can see that this tab lives. */
    here: Promise<any>;
    /** Say it to all tabs, this one included. @param {Word} word */
    say(word: Word): void;
    /** Call `start` when it is this tab's turn to lead. @param {() => void} start */
    lead(start: () => void): void;
    /** Call `gone` when that tab has left. @param {string} tab @param {() => void} gone */
    watch(tab: string, gone: () => void): void;
    #private;
}
export type Word = import("./types.js").Word;
