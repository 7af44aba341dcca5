/** @template T */
export class Ladder<T> {
    /** @param {T[]} rungs best first @param {() => number} chance from 0 to 1 */
    constructor(rungs: T[], chance: () => number);
    rungs: T[];
    chance: () => number;
    at: number;
    fails: number;
    tries: number;
    cuts: number;
    best: number;
    home: number;
    climb: number;
    /** @type {number | null} */
    since: number | null;
    get rung(): T;
    /** The first record is here. @param {number} now in ms, as everywhere here */
    opened(now: number): void;
    /** Is it time to try the top again? @param {number} now */
    due(now: number): boolean;
    /** It was closed on purpose. */
    left(): void;
    /** Leave what works for the top. */
    up(): void;
    /** The network is another one: what failed before may work. @param {number} now */
    wake(now: number): void;
    /** The server said when to come back: return the ms, a little later for some. @param {number} ms */
    told(ms: number): number;
    /** It failed or was cut: return the ms to wait, at least `floor` where it had worked. @param {number} now @param {number} [floor] */
    ended(now: number, floor?: number): number;
    #private;
}
