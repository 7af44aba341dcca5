/**
 * The page's side of the client: who I am, one room that is read, pages of its history, and what is written. Decided here:
 * what was asked for a room that has been left in the meantime is dropped when it comes.
 *
 * @typedef {import("./state.js").State} State
 * @typedef {import("./state.js").Action} Action
 * @typedef {import("../client/src/types.js").RoomEvent} RoomEvent
 * @typedef {{state: () => State, dispatch: (action: Action) => void, heard: (events: RoomEvent[]) => void, words: (error: any) => string}} Store
 */

import { connect, KodamaError } from "../client/kodama.js";
import { access, admit, embedded, forget, tell } from "./embed.js";
import { edges } from "./log.js";
import { keeper } from "./state.js";
import { use } from "./welcome.js";

const PAGE = 60;
const NOTE = 8000;
const GATHER = 20;
const REST = 1000;
const PATIENCE = 3000;
const pause = (/** @type {number} */ ms) => new Promise((done) => setTimeout(done, ms));
const path = (/** @type {string} */ room) => `/v1/rooms/${encodeURIComponent(room)}`;

/** @param {number} length */
export const random = (length) =>
  Array.from(crypto.getRandomValues(new Uint8Array(length)), (byte) => (byte % 36).toString(36)).join("");

/** Ask before it is known whom a connection would speak for. @param {string} method @param {string} where @param {unknown} [body] */
async function ask(method, where, body) {
  const token = where === "/v1/session" && method === "POST" ? null : access().token;
  const client = connect("", { ...access(), token, tabs: false, storage: null });
  client.close();
  return client.net.ask(method, where, body);
}

export class Talk {
  /** @type {import("../client/kodama.js").Client | null} */ client = null;
  /** @type {any} The room that is read, for asking. */ room = null;
  /** @type {import("./welcome.js").Gift | null} */ gift = null;
  #turn = 0;
  /** The turn in which the people are being fetched. */ #listing = 0;
  #store;

  /** @param {Store} store */
  constructor(store) {
    this.#store = store;
  }

  /** Ask who the cookie says I am, until there is an answer. @param {string} [problem] what to say if that is nobody */
  async whoAmI(problem) {
    for (let tries = 0; ; tries += 1) {
      try {
        return this.#begin((await ask("GET", "/v1/session")).user);
      } catch (error) {
        if (!(error instanceof KodamaError && error.passing)) return this.#store.dispatch({ do: "nobody", problem });
        this.#store.dispatch({ do: "link", link: { is: "waiting", behind: 0 } });
        await pause(Math.min(10_000, 400 * 2 ** tries) * (0.7 + 0.6 * Math.random()));
      }
    }
  }

  /** @param {string} name */
  async signIn(name) {
    this.opened(await ask("POST", "/v1/session", { name }));
  }

  /** Be who a session was opened for. @param {any} opened */
  opened(opened) {
    admit({ ...opened, site: false });
    this.#begin(opened.user);
  }

  /** Nobody any more: the session is over. */
  over() {
    forget();
    this.#leave();
    this.#store.dispatch({ do: "nobody" });
  }

  /** Ask as whoever one is, or as nobody yet. @param {string} method @param {string} where @param {unknown} [body] */
  ask(method, where, body) {
    return this.client ? this.client.net.ask(method, where, body) : ask(method, where, body);
  }

  /** Be whom the site around speaks for; nobody becomes a guest by a bad token. @param {string} jwt */
  async identify(jwt) {
    for (let tries = 1; ; tries += 1) {
      try {
        const opened = await ask("POST", "/v1/session", { jwt });
        admit({ ...opened, site: true });
        if (!this.client || opened.user.id !== this.#store.state().me?.id) this.#begin(opened.user);
        return;
      } catch (thrown) {
        const error = /** @type {KodamaError} */ (thrown);
        if (error.passing && tries < 5) {
          await pause(Math.max(error.after, 400 * 2 ** tries));
          continue;
        }
        forget();
        this.#leave();
        tell("error", { code: error.code, detail: error.message });
        return this.#store.dispatch({ do: "nobody", problem: this.#store.words(error) });
      }
    }
  }

  async signOut() {
    await this.client?.net.ask("DELETE", "/v1/session").catch((error) => {
      if (!embedded) throw error;
    });
    this.over();
  }

  #leave() {
    this.#turn += 1;
    this.client?.close();
    this.client = this.room = null;
  }

  /** @param {import("./log.js").Author} me */
  #begin(me) {
    this.client?.close();
    this.client = connect("", { ...access(), user: me.id, presence: true });
    this.client.addEventListener("unsent", (event) => {
      const { entry, error } = /** @type {CustomEvent} */ (event).detail;
      this.#store.dispatch({ do: "unsent", nonce: entry.nonce, problem: this.#store.words(error) });
    });
    this.#store.dispatch({ do: "me", me });
    void this.#arrive();
  }

  /** Use what the address gave, which may be what lets one in, and enter. */
  async #arrive() {
    await this.unwrap();
    void this.enter(this.#store.state().room);
  }

  /** Use a gift as whoever I am. */
  async unwrap() {
    const { gift, client } = this;
    if (!gift || !client) return;
    this.gift = null;
    const note = await use(gift, client.net).then(
      (key) => ({ key, value: "" }),
      (error) => (error.status === 404 ? { key: "notGood", value: "" } : { key: "failed", value: this.#store.words(error) }),
    );
    this.#store.dispatch({ do: "note", note });
    setTimeout(() => this.#store.dispatch({ do: "note", note: null }), NOTE);
    const { room, barred } = this.#store.state();
    if (!barred || note.key !== "letIn") return;
    this.#store.dispatch({ do: "room", room, seen: 0, at: null });
    void this.enter(room);
  }

  /** Read a room from its newest page on. @param {string} name */
  async enter(name) {
    const { client } = this;
    if (!client) return;
    const turn = (this.#turn += 1);
    this.room?.close();
    this.room = client.room(name);
    const known = Promise.race([this.rooms(), pause(PATIENCE)]);
    const page = await this.#patiently(turn, () => this.room.history({ limit: PAGE }));
    await known;
    if (!page || turn !== this.#turn) return;
    const reading = client.room(name, { since: page.cursor });
    this.room = reading;
    this.#store.dispatch({ do: "newest", page });
    const waiting = client.unsent.filter((one) => one.room === reading.name);
    this.#store.dispatch({ do: "kept", pending: waiting.map(({ nonce, text, data, at: when }) =>
      ({ nonce, text: text ?? "", data, time: new Date(when).toISOString(), stored: false, problem: "" })) });
    await this.#read(reading, turn);
  }

  /** The room's log is another one, from an older backup: begin again. */
  #anew() {
    const { room } = this.#store.state();
    this.#store.dispatch({ do: "room", room, seen: 0, at: null });
    this.#store.dispatch({ do: "note", note: { key: "gap", value: "" } });
    void this.enter(room);
  }

  /** @param {any} room @param {number} turn */
  async #read(room, turn) {
    /** @type {RoomEvent[]} */
    let gathered = [];
    let timer = 0;
    const flush = () => {
      const events = gathered;
      gathered = [];
      timer = 0;
      if (turn !== this.#turn) return;
      if (events.some(({ type, reason }) => type === "gap" && reason === "epoch")) return this.#anew();
      this.#store.dispatch({ do: "events", events, now: Date.now() });
      this.#store.heard(events);
    };
    room.addEventListener("state", () => turn === this.#turn && this.#link(room));
    try {
      for await (const event of room) {
        if (turn !== this.#turn) return;
        gathered.push(event);
        timer ||= setTimeout(flush, GATHER);
      }
    } catch (error) {
      if (turn === this.#turn) this.#refused(/** @type {any} */ (error));
    }
  }

  /** @param {any} room */
  #link(room) {
    const is = room.behind && room.state !== "refused" && room.state !== "closed" ? "behind" : room.state;
    if (is === "closed") return;
    this.#store.dispatch({ do: "link", link: { is, behind: room.behind } });
    if (is === "live") void this.here();
  }

  /** @param {KodamaError} error */
  #refused(error) {
    if (error.status === 401) {
      forget();
      this.#leave();
      tell("expired");
      const problem = this.#store.words(error);
      if (embedded) this.#store.dispatch({ do: "nobody", problem });
      else void this.whoAmI(problem); // another tab may have opened another session
    } else this.#store.dispatch({ do: "barred", code: error.code });
  }

  /** Ask again while what fails may pass; nothing if it is refused. @param {number} turn @param {() => Promise<any>} ask @returns {Promise<any>} */
  async #patiently(turn, ask) {
    for (let tries = 0; turn === this.#turn; tries += 1) {
      try {
        return await ask();
      } catch (thrown) {
        const error = /** @type {KodamaError} */ (thrown);
        if (turn !== this.#turn) return;
        if (!error.passing) return this.#refused(error);
        this.#store.dispatch({ do: "link", link: { is: "waiting", behind: 0 } });
        await pause(Math.max(error.after, Math.min(10_000, 400 * 2 ** tries) * (0.7 + 0.6 * Math.random())));
      }
    }
  }

  /** Bring a page, unless one is on its way. @param {"older" | "newer"} which */
  async more(which) {
    const { loading, log } = this.#store.state();
    const { first, last } = edges(log);
    if (loading || !first) return;
    await this.#page(which, which === "older" ? { before: first } : { after: last }, which === "older" ? first : last);
  }

  /** Show the newest messages. */
  newest() {
    return this.#page("newest", {});
  }

  /** Show the messages around one. @param {number} at */
  jump(at) {
    return this.#page("around", { around: at });
  }

  /** @param {"newest" | "older" | "newer" | "around"} which @param {object} place @param {number} [edge] */
  async #page(which, place, edge) {
    const turn = this.#turn;
    this.#store.dispatch({ do: "loading", which: which === "older" || which === "newer" ? which : "jump" });
    try {
      const page = await this.room.history({ ...place, limit: PAGE });
      if (turn === this.#turn) this.#store.dispatch({ do: which, page, edge });
    } catch {
      await pause(2000);
      if (turn === this.#turn) this.#store.dispatch({ do: "loading", which: "" });
    }
  }

  /** The offset of the first event not older than a time; 0 if there is none. @param {number} time in ms */
  async offsetAt(time) {
    const seconds = Math.max(1, Math.ceil((Date.now() - time) / 1000));
    const answer = await this.client?.net.ask("GET", `${path(this.#store.state().room)}/events?since=${seconds}s&wait=0&limit=1`);
    return answer?.events[0]?.offset ?? 0;
  }

  /** Say it; it is shown at once and sent until the server has answered. @param {string} text @param {any} data */
  say(text, data) {
    const nonce = random(22);
    const { room } = this;
    this.#store.dispatch({ do: "send", pending: { nonce, text, data, time: new Date().toISOString(), stored: false, problem: "" } });
    room.send({ text: text || undefined, data: data ?? undefined, nonce }).then(
      (/** @type {any} */ stored) => this.#store.dispatch({ do: "stored", nonce, held: !stored.offset }),
      (/** @type {any} */ error) => this.#store.dispatch({ do: "unsent", nonce, problem: this.#store.words(error) }),
    );
  }

  /** Fetch who is here, a little later in a crowd. */
  async here() {
    const turn = this.#turn;
    if (this.#listing === turn || !this.room) return;
    this.#listing = turn;
    await pause(this.#store.state().people.count * Math.random());
    const list = await this.room?.here().catch(() => null);
    if (list && turn === this.#turn) this.#store.dispatch({ do: "here", list });
    await pause(list ? REST : 5 * REST);
    if (this.#listing === turn) this.#listing = 0;
  }

  /** Fetch the list of rooms. */
  async rooms() {
    const answer = await this.client?.net.ask("GET", "/v1/rooms").catch(() => null);
    if (answer) this.#store.dispatch({ do: "rooms", rooms: answer.rooms });
  }

  /** Count what waits for who keeps order in the open room. */
  async waiting() {
    const state = this.#store.state();
    const turn = this.#turn;
    if (!keeper(state)) return;
    const at = path(state.room);
    const asked = ["held", "reports"].map(async (what) => (await this.client?.net.ask("GET", `${at}/${what}`))?.[what]?.length ?? 0);
    const [held, reports] = await Promise.all(asked).catch(() => [0, 0]);
    if (turn === this.#turn) this.#store.dispatch({ do: "waiting", waiting: { held, reports } });
  }

  /** Find messages. @param {string} query @param {string} before where an earlier answer ended @returns {Promise<{messages: RoomEvent[], more: boolean, next?: string}>} */
  search(query, before) {
    const asked = new URLSearchParams({ q: query, ...(before && { before }) });
    return /** @type {import("../client/kodama.js").Client} */ (this.client).net.ask("GET", `/v1/search?${asked}`);
  }

  /** Say whether the person looks; also on the way out. @param {"active" | "idle"} state */
  look(state) {
    const init = { method: "PUT", keepalive: true, headers: { "Content-Type": "application/json" }, body: JSON.stringify({ state }) };
    this.client?.net.fetch(`${path(this.#store.state().room)}/presence`, init).catch(() => {});
  }

  /** @param {string} topic */
  topic(topic) {
    return this.client?.net.ask("PUT", path(this.#store.state().room), { topic });
  }

  /** The network may be back. */
  reconnect() {
    globalThis.dispatchEvent(new Event("online"));
  }
}
