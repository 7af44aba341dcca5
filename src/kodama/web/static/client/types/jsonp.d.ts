/** @param {import("./net.js").Net} net @param {import("./types.js").Reading} reading */
export function jsonp(net: import("./net.js").Net, reading: import("./types.js").Reading): Promise<import("./types.js").Ended>;
