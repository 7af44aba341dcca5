/**
 * The connection: the session, history, the long poll and the outbox.
 * Decided here: whatever fails in passing is tried again with the same cursor or nonce, slower each time.
 *
 * @typedef {import("./state.js").State} State
 * @typedef {import("./state.js").Action} Action
 * @typedef {{state: () => State, dispatch: (action: Action) => void}} Store
 */

const PATIENCE = 45_000;

/** A refusal that trying again would not change. */
class Refusal extends Error {
  /** @param {number} status @param {string} detail */
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

/** @param {number} length */
export function random(length) {
  return Array.from(crypto.getRandomValues(new Uint8Array(length)), (byte) => (byte % 36).toString(36)).join("");
}

/** @param {number} tries */
export function delay(tries) {
  return Math.min(10_000, 300 * 2 ** tries) * (0.7 + 0.6 * Math.random());
}

/** @param {number} milliseconds @returns {Promise<void>} */
function pause(milliseconds) {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      removeEventListener("online", done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    addEventListener("online", done);
  });
}

/** @param {string} method @param {string} path @param {unknown} [body] @returns {Promise<any>} */
async function ask(method, path, body) {
  /** @type {RequestInit} */
  const options = { method, headers: { Accept: "application/json" }, signal: AbortSignal.timeout(PATIENCE), cache: "no-store" };
  if (body !== undefined) {
    options.body = JSON.stringify(body);
    options.headers = { ...options.headers, "Content-Type": "application/json" };
  }
  const response = await fetch(path, options);
  if (response.ok) return response.json();
  const problem = await response.json().catch(() => ({}));
  const passing = response.status >= 500 || response.status === 429 || response.status === 408;
  if (passing) throw new Error(problem.detail ?? "");
  throw new Refusal(response.status, problem.detail ?? problem.title ?? "");
}

/** @param {Store} store @param {() => string} signedOut */
export function connect(store, signedOut) {
  const base = `/v1/rooms/${encodeURIComponent(store.state().room)}`;
  const client = random(16);
  let reading = false;
  let sending = false;

  /** @param {unknown} error */
  function gone(error) {
    if (!(error instanceof Refusal)) return false;
    if (error.status === 401) store.dispatch({ do: "nobody", problem: signedOut() });
    return true;
  }

  async function whoAmI() {
    for (let tries = 0; ; tries += 1) {
      try {
        const answer = await ask("GET", "/v1/session");
        if (answer.user) return enter(answer.user);
        return store.dispatch({ do: "nobody" });
      } catch (error) {
        if (error instanceof Refusal) return store.dispatch({ do: "nobody" });
        store.dispatch({ do: "link", link: "reconnecting" });
        await pause(delay(tries));
      }
    }
  }

  /** @param {import("./state.js").Author} me */
  function enter(me) {
    store.dispatch({ do: "me", me });
    void read();
    void flush();
  }

  /** @param {string} name */
  async function signIn(name) {
    const answer = await ask("POST", "/v1/session", { name });
    enter(answer.user);
  }

  async function once() {
    const { cursor, link } = store.state();
    if (!cursor) {
      const page = await ask("GET", `${base}/messages?limit=50`);
      store.dispatch({ do: "newest", messages: page.messages, more: page.more, cursor: page.cursor });
      return page;
    }
    const wait = link === "live" ? 25 : 0;
    const answer = await ask("GET", `${base}/events?since=${cursor}&client=${client}&wait=${wait}`);
    if (!answer.superseded) store.dispatch({ do: "events", events: answer.events, cursor: answer.cursor });
    return answer;
  }

  async function read() {
    if (reading) return;
    reading = true;
    let tries = 0;
    while (store.state().phase === "room") {
      try {
        const answer = await once();
        tries = 0;
        if (answer.superseded) {
          store.dispatch({ do: "link", link: "elsewhere" });
          break;
        }
        const behind = answer.events !== undefined && answer.more;
        store.dispatch({ do: "link", link: behind ? "catching" : "live" });
        if (answer.after) {
          store.dispatch({ do: "link", link: "reconnecting" });
          await pause(answer.after * 1000);
        }
      } catch (error) {
        if (gone(error)) {
          store.dispatch({ do: "link", link: "refused" });
          break;
        }
        store.dispatch({ do: "link", link: "reconnecting" });
        await pause(delay(tries));
        tries += 1;
      }
    }
    reading = false;
  }

  async function older() {
    const { older: more, loadingOlder, entries } = store.state();
    const first = entries.find((entry) => entry.kind === "message");
    if (!more || loadingOlder || !first) return;
    store.dispatch({ do: "loadOlder" });
    try {
      const page = await ask("GET", `${base}/messages?before=${first.at}&limit=50`);
      store.dispatch({ do: "older", messages: page.messages, more: page.more });
    } catch {
      store.dispatch({ do: "olderFailed" });
    }
  }

  async function flush() {
    if (sending) return;
    sending = true;
    let tries = 0;
    for (;;) {
      const next = store.state().pending.find((one) => !one.problem);
      if (!next || store.state().phase !== "room") break;
      try {
        const kept = await ask("POST", `${base}/messages`, { text: next.text, nonce: next.nonce });
        tries = 0;
        store.dispatch({ do: "stored", nonce: next.nonce, offset: kept.offset, epoch: kept.epoch, time: kept.time });
      } catch (error) {
        if (gone(error)) {
          const problem = error instanceof Error ? error.message : "";
          store.dispatch({ do: "unsent", nonce: next.nonce, problem: problem || "refused" });
        } else {
          await pause(delay(tries));
          tries += 1;
        }
      }
    }
    sending = false;
  }

  return { whoAmI, signIn, older, flush };
}
