/** @param {import("./net.js").Net} net @param {import("./types.js").Reading} reading @returns {Promise<import("./types.js").Ended>} */
export function stream(net: import("./net.js").Net, reading: import("./types.js").Reading): Promise<import("./types.js").Ended>;
