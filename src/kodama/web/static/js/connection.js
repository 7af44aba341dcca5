// The public protocol as the page needs it: one long poll at a time, publishing with a nonce.

/** @param {number} ms @returns {Promise<void>} */
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

/** @param {number} length @returns {string} */
export function random(length) {
  const letters = "abcdefghijklmnopqrstuvwxyz0123456789";
  return Array.from(crypto.getRandomValues(new Uint8Array(length)), (byte) => letters[byte % 36]).join("");
}

export class Refused extends Error {}

export class Room {
  /** @param {string} name */
  constructor(name) {
    this.base = `/v1/rooms/${encodeURIComponent(name)}`;
    this.client = random(16);
    this.cursor = "";
  }

  /** The newest page of history; what follows it is `follow`ed. */
  async open() {
    const page = await this.#untilAnswered(`${this.base}/messages?limit=50`, {});
    this.cursor = page.cursor;
    return page;
  }

  /** @param {number} offset */
  async before(offset) {
    return this.#untilAnswered(`${this.base}/messages?limit=50&before=${offset}`, {});
  }

  /** Follow the room for ever. @param {(events: any[], more: boolean) => void} heard @param {(how: string) => void} status */
  async follow(heard, status) {
    for (let wait = 500; ; ) {
      try {
        const answer = await fetch(`${this.base}/events?since=${this.cursor}&client=${this.client}`, { cache: "no-store" });
        if (!answer.ok) throw new Error(String(answer.status));
        const news = await answer.json();
        if (news.superseded) return;
        this.cursor = news.cursor;
        heard(news.events, news.more);
        status(news.more ? "catching" : "live");
        wait = 500;
        if (news.after) await pause(news.after * 1000);
      } catch {
        status("lost");
        await pause(wait * (0.5 + Math.random() / 2));
        wait = Math.min(wait * 2, 10_000);
      }
    }
  }

  /** Publish until the server has it. @param {string} text @param {string} nonce @param {() => void} failed */
  async publish(text, nonce, failed) {
    const body = JSON.stringify({ text, nonce });
    return this.#untilAnswered(`${this.base}/messages`, { method: "POST", headers: { "Content-Type": "application/json" }, body }, failed);
  }

  /** @param {string} url @param {RequestInit} init @param {() => void} [failed] @returns {Promise<any>} */
  async #untilAnswered(url, init, failed) {
    for (let wait = 500; ; wait = Math.min(wait * 2, 10_000)) {
      try {
        const answer = await fetch(url, init);
        if (answer.ok) return await answer.json();
        const again = answer.status >= 500 || answer.status === 429 || answer.status === 408;
        if (!again) throw new Refused((await answer.json()).detail);
        wait = Math.max(wait, 1000 * Number(answer.headers.get("Retry-After") ?? 0));
      } catch (error) {
        if (error instanceof Refused) throw error;
      }
      failed?.();
      await pause(wait);
    }
  }
}

/** Who I am, or null. @returns {Promise<any>} */
export async function whoAmI() {
  const answer = await fetch("/v1/session");
  return answer.ok ? (await answer.json()).user : null;
}

/** Open a session. @param {string} name @returns {Promise<any>} */
export async function enter(name) {
  const answer = await fetch("/v1/session", {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ name }),
  });
  if (!answer.ok) throw new Refused((await answer.json()).detail);
  return (await answer.json()).user;
}
