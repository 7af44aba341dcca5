/**
 * Files on their way into a room, by tus in pieces. Decided here: a file begins its way when it is chosen and is shown by
 * the next message; a cut costs one piece, because the server is asked how far it has come.
 *
 * @typedef {{file: string, name: string, size: number, type: string, width?: number, height?: number}} Attached
 * @typedef {{key: string, name: string, size: number, sent: number, problem: string, done: Attached | null}} Upload
 * @typedef {{net: () => import("../client/src/net.js").Net, room: () => string, words: (error: any) => string,
 *   changed: (uploads: readonly Upload[]) => void, random: () => string}} Around
 */

const PIECE = 48 * 1024;
const TRIES = 8;
const TUS = { "Tus-Resumable": "1.0.0" };
const pause = (/** @type {number} */ ms) => new Promise((done) => setTimeout(done, ms));

/** @param {string} text */
const base64 = (text) => btoa(String.fromCharCode(...new TextEncoder().encode(text)));

export class Uploads {
  /** @type {readonly Upload[]} */ all = [];
  /** @type {Map<string, AbortController>} */ #under = new Map();
  #around;

  /** @param {Around} around */
  constructor(around) {
    this.#around = around;
  }

  /** @param {Iterable<File>} files */
  add(files) {
    for (const file of files) {
      const key = this.#around.random();
      this.#set([...this.all, { key, name: file.name || "file", size: file.size, sent: 0, problem: "", done: null }]);
      const stopping = new AbortController();
      this.#under.set(key, stopping);
      this.#send(key, file, stopping.signal).then(
        (done) => this.#change(key, { done, sent: file.size }),
        (error) => stopping.signal.aborted || this.#change(key, { problem: this.#around.words(error) }),
      ).finally(() => this.#under.delete(key));
    }
  }

  /** Stop it, and let the server forget it. @param {string} key */
  remove(key) {
    this.#under.get(key)?.abort();
    const one = this.all.find((each) => each.key === key);
    if (one?.done) void this.#around.net().fetch(`/v1/files/${one.done.file}`, { method: "DELETE" }).catch(() => {});
    this.#set(this.all.filter((each) => each.key !== key));
  }

  /** Those that are whole, for a message; nothing if one is still on its way or has failed. @returns {Attached[] | null} */
  take() {
    const whole = this.all.flatMap(({ done }) => (done ? [done] : []));
    if (whole.length < this.all.length) return null;
    if (whole.length) this.#set([]);
    return whole.map(({ file, name, size, type, width, height }) => ({ file, name, size, type, ...(width && { width, height }) }));
  }

  /** What was chosen for one room is not for another. */
  leave() {
    for (const { key } of this.all) this.remove(key);
  }

  /** @param {string} key @param {File} file @param {AbortSignal} signal @returns {Promise<Attached>} */
  async #send(key, file, signal) {
    const net = this.#around.net();
    const begun = await net.fetch(`/v1/rooms/${encodeURIComponent(this.#around.room())}/files`, {
      method: "POST", signal,
      headers: { ...TUS, "Upload-Length": String(file.size), "Upload-Metadata": `filename ${base64(file.name || "file")}` },
    });
    const place = begun.headers.get("Location") ?? "";
    for (let at = 0, tries = 0; at < file.size;) {
      try {
        const added = await net.fetch(place, {
          method: "PATCH", signal, body: file.slice(at, at + PIECE),
          headers: { ...TUS, "Upload-Offset": String(at), "Content-Type": "application/offset+octet-stream" },
        });
        at = Number(added.headers.get("Upload-Offset"));
        tries = 0;
      } catch (thrown) {
        const error = /** @type {import("../client/kodama.js").KodamaError} */ (thrown);
        if (signal.aborted || (!error.passing && error.status !== 409) || (tries += 1) > TRIES) throw error;
        await pause(Math.max(error.after * 1000 || 0, 300 * 2 ** tries));
        at = await this.#reached(place, at);
      }
      this.#change(key, { sent: at });
    }
    return net.ask("GET", place);
  }

  /** How far the server says it has come. @param {string} place @param {number} known */
  async #reached(place, known) {
    const head = await this.#around.net().fetch(place, { method: "HEAD" }).catch(() => null);
    return head ? Number(head.headers.get("Upload-Offset")) : known;
  }

  /** @param {string} key @param {Partial<Upload>} more */
  #change(key, more) {
    this.#set(this.all.map((each) => (each.key === key ? { ...each, ...more } : each)));
  }

  /** @param {readonly Upload[]} all */
  #set(all) {
    this.all = all;
    this.#around.changed(all);
  }
}
