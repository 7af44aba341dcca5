/**
 * HTTP to one server. Decided here: what passes (no answer, 408, 429, 5xx: try again) and what is a refusal, and that
 * a 401 is met once with a fresh token.
 */
/** @param {string | null} value Retry-After, RFC 9110 section 10.2.3 @param {number} now in ms @returns {number} ms */
export function retryAfter(value: string | null, now: number): number;
/** Where `reading` is read, from `since` on. @param {import("./types.js").Reading} reading @param {Record<string, any>} more */
export function eventsPath({ rooms, presence, client }: import("./types.js").Reading, more: Record<string, any>): string;
export function random(length: number): string;
export function pause(ms: number, signal?: AbortSignal): Promise<void>;
/** What the server, or the way to it (status 0), said no with. */
export class KodamaError extends Error {
    /** @param {number} status @param {any} [problem] RFC 9457 @param {number} [after] ms */
    constructor(status: number, problem?: any, after?: number);
    status: number;
    /** @type {string} */
    code: string;
    after: number;
    /** @type {string | undefined} What is in the way. */ why: string | undefined;
    /** @type {string | undefined} */ until: string | undefined;
    /** Whether trying again may help. */
    get passing(): boolean;
}
export class Net {
    /** @param {string} url @param {import("./types.js").Options} options */
    constructor(url: string, options: import("./types.js").Options);
    url: string;
    options: import("./types.js").Options;
    /** @type {string | null | undefined} */
    token: string | null | undefined;
    /** The bearer token, if there is one. */
    bearer(): Promise<string | null>;
    /** After a 401: whether another token may be had. */
    renew(): boolean;
    /** @param {string} path @param {RequestInit} [init] @returns {Promise<Response>} @throws {KodamaError} */
    fetch(path: string, init?: RequestInit): Promise<Response>;
    /**
     * Ask for JSON, for at most 45 s: a hold and a half.
     * @param {string} method @param {string} path @param {unknown} [body] @param {AbortSignal} [signal] @returns {Promise<any>}
     */
    ask(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<any>;
}
export function pathOf(room: string): string;
