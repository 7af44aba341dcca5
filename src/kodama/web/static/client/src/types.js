/**
 * The client's types, for editors and `tsc`. Decided here: nothing that runs; no browser ever loads this file.
 *
 * @typedef {"websocket" | "sse" | "poll" | "jsonp"} Transport
 * @typedef {string | null | undefined | (() => string | null | Promise<string | null>)} Token
 *
 * @typedef {object} Options
 * @property {Token} [token] a bearer token, or a function that fetches one and is called again after a 401
 * @property {string} [user] who the token speaks for: tabs with the same address and user share one connection
 * @property {string} [name] the display name of a guest without a session
 * @property {Transport[]} [transports] best first; default `["websocket", "sse", "poll"]`; `jsonp` only if named here
 * @property {boolean} [presence] hear `presence` and `typing`, and count as present
 * @property {boolean} [tabs] share one connection between tabs (default true)
 * @property {number} [pause] seconds a hidden page keeps reading (default 300; Infinity: for ever)
 * @property {string} [ticket] a read-only ticket for JSONP
 * @property {RequestCredentials} [credentials] as of fetch (default `same-origin`)
 * @property {KeyValue | null} [storage] where unsent messages wait (default localStorage)
 *
 * @typedef {Pick<Storage, "getItem" | "setItem" | "removeItem" | "key" | "length">} KeyValue
 *
 * @typedef {object} RoomOptions
 * @property {string} [since] a cursor, `now` (default), `all`, `last:N`, `10m`, `2h`, `3d` or `after:812`
 *
 * @typedef {{id: string, name: string, kind: "guest" | "user" | "bot" | "host"}} Author
 *
 * @typedef {object} RoomEvent an event as protocol.md section 4 has it
 * @property {string} type `message`, `edit`, `delete`, `reaction`, `topic`, `member`, `gap`, `presence`, `typing`, …
 * @property {string} room
 * @property {number} [offset]
 * @property {string} [epoch]
 * @property {string} [id]
 * @property {string} [time]
 * @property {Author} [author]
 * @property {string | null} [text]
 * @property {any} [data]
 * @property {string} [nonce]
 * @property {boolean} [edited]
 * @property {boolean} [deleted]
 * @property {number} [target]
 * @property {string} [emoji]
 * @property {string} [op]
 * @property {string} [topic]
 * @property {number | null} [from] of a gap: the first lost offset
 * @property {number | null} [to] of a gap: the last lost offset
 * @property {string} [reason] of a gap
 * @property {string} [until] of typing
 * @property {Author[]} [joined]
 * @property {Author[]} [left]
 * @property {number} [count]
 * @property {number} [version]
 *
 * @typedef {{text?: string | null, data?: any, nonce?: string}} Draft with a nonce of your own if you must know it
 * @typedef {{id: string, room: string, offset: number, epoch: string, time: string}} Stored
 * @typedef {{messages: RoomEvent[], more: boolean, cursor?: string}} Page
 * @typedef {{before?: number, after?: number, around?: number, limit?: number}} PageOptions
 *
 * @typedef {object} Answer what a poll, a frame or a stretch of a stream brings
 * @property {string} cursor
 * @property {RoomEvent[]} events
 * @property {boolean} [more]
 * @property {number} [after]
 * @property {boolean} [superseded]
 * @property {string} [ticket]
 *
 * @typedef {{nonce: string, room: string, at: number, text?: string | null, data?: any, name?: string}} Unsent
 *
 * @typedef {object} Reading what a transport is to read
 * @property {string[]} rooms
 * @property {string} since
 * @property {Set<string>} covered the rooms that `since` speaks of
 * @property {boolean} presence
 * @property {string} client
 * @property {AbortSignal} signal
 * @property {(cursor: string) => void} ready
 * @property {(answer: Answer) => unknown} heard
 * @property {() => void} alive
 *
 * @typedef {{after?: number, floor?: number, superseded?: boolean} | void} Ended why a transport stopped: come back `after`
 *   seconds; wait at least `floor` ms
 *
 * @typedef {{is: "want", tab: string, rooms: Record<string, string>, presence: boolean}
 *   | {is: "who"}
 *   | {is: "at", since: string, rooms: string[], away: number}
 *   | {is: "batch", cursor: string, events: RoomEvent[], more?: boolean}
 *   | {is: "link", link: "connecting" | "live" | "waiting", transport: Transport}
 *   | {is: "refused" | "superseded"}
 *   | {is: "sent", nonce: string, stored?: Stored, problem?: any}} Word what tabs say to each other
 */

export {};
