/**
 * HTTP to one server. Decided here: what passes (no answer, 408, 429, 5xx: try again) and what is a refusal, and that
 * a 401 is met once with a fresh token.
 */

/** @param {string | null} value Retry-After, RFC 9110 section 10.2.3 @param {number} now in ms @returns {number} ms */
export function retryAfter(value, now) {
  const ms = /^\d+$/u.test(value ?? "") ? Number(value) * 1000 : Date.parse(value ?? "") - now;
  return ms > 0 ? ms : 0;
}

/** @param {number} length */
export const random = (length) =>
  Array.from(crypto.getRandomValues(new Uint8Array(length)), (byte) => (byte % 36).toString(36)).join("");

/** Wait, or until `signal`. @param {number} ms @param {AbortSignal} [signal] @returns {Promise<void>} */
export const pause = (ms, signal) => new Promise((done) => {
  if (signal?.aborted) return done();
  const timer = setTimeout(done, ms);
  signal?.addEventListener("abort", () => (clearTimeout(timer), done()));
});

/** What the server, or the way to it (status 0), said no with. */
export class KodamaError extends Error {
  /** @param {number} status @param {any} [problem] RFC 9457 @param {number} [after] ms */
  constructor(status, problem, after = 0) {
    super(problem?.detail ?? problem?.title ?? (status ? `The server answered ${status}.` : "There was no answer."));
    this.status = status;
    /** @type {string} */
    this.code = problem?.code ?? "";
    this.after = after;
    /** @type {string | undefined} What is in the way. */ this.why = problem?.why;
    /** @type {string | undefined} */ this.until = problem?.until;
  }

  /** Whether trying again may help. */
  get passing() {
    return !this.status || this.status === 408 || this.status === 429 || this.status >= 500;
  }
}

export class Net {
  /** @param {string} url @param {import("./types.js").Options} options */
  constructor(url, options) {
    this.url = url.replace(/\/+$/u, "");
    this.options = options;
    /** @type {string | null | undefined} */
    this.token = undefined;
  }

  /** The bearer token, if there is one. */
  async bearer() {
    const { token } = this.options;
    if (this.token === undefined) this.token = (typeof token === "function" ? await token() : token) ?? null;
    return this.token;
  }

  /** After a 401: whether another token may be had. */
  renew() {
    if (typeof this.options.token !== "function") return false;
    this.token = undefined;
    return true;
  }

  /** @param {string} path @param {RequestInit} [init] @returns {Promise<Response>} @throws {KodamaError} */
  async fetch(path, init) {
    for (let fresh = false; ; fresh = true) {
      let response;
      try {
        const token = await this.bearer();
        response = await fetch(this.url + path, {
          cache: "no-store", credentials: this.options.credentials, ...init,
          headers: { ...init?.headers, ...(token && { Authorization: `Bearer ${token}` }) },
        });
      } catch {
        throw new KodamaError(0);
      }
      if (response.ok) return response;
      if (response.status === 401 && !fresh && this.renew()) continue;
      const after = retryAfter(response.headers.get("Retry-After"), Date.now());
      throw new KodamaError(response.status, await response.json().catch(() => null), after);
    }
  }

  /**
   * Ask for JSON, for at most 45 s: a hold and a half.
   * @param {string} method @param {string} path @param {unknown} [body] @param {AbortSignal} [signal] @returns {Promise<any>}
   */
  async ask(method, path, body, signal) {
    const limit = AbortSignal.timeout(45_000);
    const response = await this.fetch(path, {
      method, signal: signal ? AbortSignal.any([signal, limit]) : limit,
      headers: { Accept: "application/json", ...(body ? { "Content-Type": "application/json" } : {}) },
      body: body ? JSON.stringify(body) : null,
    });
    if (response.status === 204) return null;
    return response.json().catch(() => {
      throw new KodamaError(0);
    });
  }
}

/** @param {string} room */
export const pathOf = (room) => `/v1/rooms/${encodeURIComponent(room)}`;

/** Where `reading` is read, from `since` on. @param {import("./types.js").Reading} reading @param {Record<string, any>} more */
export function eventsPath({ rooms, presence, client }, more) {
  const query = new URLSearchParams({ client, ...(presence && { presence: "1" }), ...more });
  if (rooms.length === 1) return `${pathOf(rooms[0])}/events?${query}`;
  for (const room of rooms) query.append("room", room);
  return `/v1/events?${query}`;
}
