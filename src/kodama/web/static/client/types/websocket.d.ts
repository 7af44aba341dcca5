/** @param {import("./net.js").Net} net @param {import("./types.js").Reading} reading @returns {Promise<import("./types.js").Ended>} */
export function websocket(net: import("./net.js").Net, { rooms, since, covered, presence, signal, ready, heard, alive }: import("./types.js").Reading): Promise<import("./types.js").Ended>;
