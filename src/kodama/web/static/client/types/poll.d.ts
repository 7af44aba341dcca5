/**
 * Ask for ever with `ask`, the first time without a hold.
 * @param {import("./types.js").Reading} reading @returns {Promise<import("./types.js").Ended>}
 * @param {(path: string, signal: AbortSignal) => Promise<import("./types.js").Answer>} ask
 * @param {(answer: import("./types.js").Answer) => Record<string, any>} [extra]
 */
export function polls(reading: import("./types.js").Reading, ask: (path: string, signal: AbortSignal) => Promise<import("./types.js").Answer>, extra?: (answer: import("./types.js").Answer) => Record<string, any>): Promise<import("./types.js").Ended>;
export function poll(net: import("./net.js").Net, reading: import("./types.js").Reading): Promise<import("./types.js").Ended>;
