/**
 * The client's types, for editors and `tsc`. Decided here: nothing that runs; no browser ever loads this file.
 */
export type Transport = "websocket" | "sse" | "poll" | "jsonp";
/**
 * The client's types, for editors and `tsc`. Decided here: nothing that runs; no browser ever loads this file.
 */
export type Token = string | null | undefined | (() => string | null | Promise<string | null>);
/**
 * The client's types, for editors and `tsc`. Decided here: nothing that runs; no browser ever loads this file.
 */
export type Options = {
    /**
     * a bearer token, or a function that fetches one and is called again after a 401
     */
    token?: Token;
    /**
     * who the token speaks for: tabs with the same address and user share one connection
     */
    user?: string | undefined;
    /**
     * the display name of a guest without a session
     */
    name?: string | undefined;
    /**
     * best first; default `["websocket", "sse", "poll"]`; `jsonp` only if named here
     */
    transports?: Transport[] | undefined;
    /**
     * hear `presence` and `typing`, and count as present
     */
    presence?: boolean | undefined;
    /**
     * share one connection between tabs (default true)
     */
    tabs?: boolean | undefined;
    /**
     * seconds a hidden page keeps reading (default 300; Infinity: for ever)
     */
    pause?: number | undefined;
    /**
     * a read-only ticket for JSONP
     */
    ticket?: string | undefined;
    /**
     * as of fetch (default `same-origin`)
     */
    credentials?: RequestCredentials | undefined;
    /**
     * where unsent messages wait (default localStorage)
     */
    storage?: KeyValue | null | undefined;
};
/**
 * The client's types, for editors and `tsc`. Decided here: nothing that runs; no browser ever loads this file.
 */
export type KeyValue = Pick<Storage, "getItem" | "setItem" | "removeItem" | "key" | "length">;
/**
 * The client's types, for editors and `tsc`. Decided here: nothing that runs; no browser ever loads this file.
 */
export type RoomOptions = {
    /**
     * a cursor, `now` (default), `all`, `last:N`, `10m`, `2h`, `3d` or `after:812`
     */
    since?: string | undefined;
};
/**
 * The client's types, for editors and `tsc`. Decided here: nothing that runs; no browser ever loads this file.
 */
export type Author = {
    id: string;
    name: string;
    kind: "guest" | "user" | "bot" | "host";
};
/**
 * an event as protocol.md section 4 has it
 */
export type RoomEvent = {
    /**
     * `message`, `edit`, `delete`, `reaction`, `topic`, `member`, `gap`, `presence`, `typing`, …
     */
    type: string;
    room: string;
    offset?: number | undefined;
    epoch?: string | undefined;
    id?: string | undefined;
    time?: string | undefined;
    author?: Author | undefined;
    text?: string | null | undefined;
    data?: any;
    nonce?: string | undefined;
    edited?: boolean | undefined;
    deleted?: boolean | undefined;
    target?: number | undefined;
    emoji?: string | undefined;
    op?: string | undefined;
    topic?: string | undefined;
    /**
     * of a gap: the first lost offset
     */
    from?: number | null | undefined;
    /**
     * of a gap: the last lost offset
     */
    to?: number | null | undefined;
    /**
     * of a gap
     */
    reason?: string | undefined;
    /**
     * of typing
     */
    until?: string | undefined;
    joined?: Author[] | undefined;
    left?: Author[] | undefined;
    count?: number | undefined;
    version?: number | undefined;
};
/**
 * with a nonce of your own if you must know it
 */
export type Draft = {
    text?: string | null;
    data?: any;
    nonce?: string;
};
/**
 * The client's types, for editors and `tsc`. Decided here: nothing that runs; no browser ever loads this file.
 */
export type Stored = {
    id: string;
    room: string;
    offset: number;
    epoch: string;
    time: string;
};
/**
 * The client's types, for editors and `tsc`. Decided here: nothing that runs; no browser ever loads this file.
 */
export type Page = {
    messages: RoomEvent[];
    more: boolean;
    cursor?: string;
};
/**
 * The client's types, for editors and `tsc`. Decided here: nothing that runs; no browser ever loads this file.
 */
export type PageOptions = {
    before?: number;
    after?: number;
    around?: number;
    limit?: number;
};
/**
 * what a poll, a frame or a stretch of a stream brings
 */
export type Answer = {
    cursor: string;
    events: RoomEvent[];
    more?: boolean | undefined;
    after?: number | undefined;
    superseded?: boolean | undefined;
    ticket?: string | undefined;
};
/**
 * The client's types, for editors and `tsc`. Decided here: nothing that runs; no browser ever loads this file.
 */
export type Unsent = {
    nonce: string;
    room: string;
    at: number;
    text?: string | null;
    data?: any;
    name?: string;
};
/**
 * what a transport is to read
 */
export type Reading = {
    rooms: string[];
    since: string;
    /**
     * the rooms that `since` speaks of
     */
    covered: Set<string>;
    presence: boolean;
    client: string;
    signal: AbortSignal;
    ready: (cursor: string) => void;
    heard: (answer: Answer) => unknown;
    alive: () => void;
};
/**
 * why a transport stopped: come back `after`
 * seconds; wait at least `floor` ms
 */
export type Ended = {
    after?: number;
    floor?: number;
    superseded?: boolean;
} | void;
/**
 * what tabs say to each other
 */
export type Word = {
    is: "want";
    tab: string;
    rooms: Record<string, string>;
    presence: boolean;
} | {
    is: "who";
} | {
    is: "at";
    since: string;
    rooms: string[];
    away: number;
} | {
    is: "batch";
    cursor: string;
    events: RoomEvent[];
    more?: boolean;
} | {
    is: "link";
    link: "connecting" | "live" | "waiting";
    transport: Transport;
} | {
    is: "refused" | "superseded";
} | {
    is: "sent";
    nonce: string;
    stored?: Stored;
    problem?: any;
};
