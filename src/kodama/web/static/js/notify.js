/**
 * What a person chooses about being called. Decided here: the level is the room's and the same on all devices, push is this
 * browser's; the words are here, because few open this and nobody waits for it.
 */

import { Component } from "../vendor/preact.mjs";
import { html } from "./html.js";
import { hindrance, subscribe, subscribed, unsubscribe } from "./push.js";
import { problem, spoken } from "./words.js";

/** @type {Record<"en" | "ja", Record<string, string>>} */
export const WORDS = {
  en: {
    level: "In this room, call me for", all: "every message", mentions: "mentions of me", none: "nothing",
    on: "Call me in this browser, also when the page is closed", test: "Try it", sent: "Sent. It should appear in a moment.",
    unsent: "The push service did not take it.", ask: "The browser did not allow it.",
    insecure: "This works only where the page came by https.",
    ios: "On iPhone and iPad: Share, then Add to Home Screen, and open the page from there.",
    unsupported: "This browser cannot be called.", denied: "Notifications of this page are blocked in the browser's settings.",
  },
  ja: {
    level: "この部屋で通知するもの", all: "すべてのメッセージ", mentions: "自分へのメンション", none: "通知しない",
    on: "ページを閉じていても、このブラウザーに通知する", test: "試す", sent: "送信しました。まもなく表示されます。",
    unsent: "プッシュサービスが受け付けませんでした。", ask: "ブラウザーで許可されませんでした。",
    insecure: "https で開いたページでのみ使えます。",
    ios: "iPhone と iPad では、「共有」から「ホーム画面に追加」を選び、そこから開いてください。",
    unsupported: "このブラウザーには通知できません。", denied: "このページの通知は、ブラウザーの設定でブロックされています。",
  },
};

/** @param {string} key */
const w = (key) => WORDS[spoken()][key];

/** @typedef {{level: string, on: boolean, busy: boolean, said: string}} Known */

/** `room` is the one that is open, `ask` asks the server. */
export class Notify extends Component {
  /** @type {Known} */ state = { level: "", on: false, busy: true, said: "" };

  componentDidMount() {
    void this.#attempt(async () => {
      const { level } = await this.props.ask("GET", this.#path);
      this.setState({ level, on: Boolean(await subscribed()) });
    });
  }

  get #path() {
    return `/v1/rooms/${encodeURIComponent(this.props.room)}/notify`;
  }

  /** @param {() => Promise<void>} what */
  async #attempt(what) {
    this.setState({ busy: true, said: "" });
    try {
      await what();
    } catch (error) {
      this.setState({ said: problem(error) });
    }
    this.setState({ busy: false });
  }

  /** @param {string} level */
  choose = (level) => this.#attempt(async () => {
    await this.props.ask("PUT", this.#path, { level });
    this.setState({ level });
  });

  toggle = () => this.#attempt(async () => {
    const { ask } = this.props;
    if (this.state.on) {
      await unsubscribe(ask);
      return this.setState({ on: false });
    }
    if (!(await subscribe(ask))) return this.setState({ said: w("ask") });
    await ask("PUT", this.#path, { level: this.state.level });  // the room is one of theirs from now on
    this.setState({ on: true });
  });

  test = () => this.#attempt(async () => {
    const { sent } = await this.props.ask("POST", "/v1/push/test");
    this.setState({ said: w(sent ? "sent" : "unsent") });
  });

  render() {
    const { level, on, busy, said } = /** @type {Known} */ (this.state);
    const why = hindrance();
    return html`<div class="settings"><label><span>${w("level")}</span>
      <select name="level" disabled=${!level} onChange=${(/** @type {any} */ event) => this.choose(event.target.value)}>
      ${["all", "mentions", "none"].map((one) => html`<option value=${one} selected=${one === level}>${w(one)}</option>`)}</select></label>
      <div class="tick"><input id="push" type="checkbox" checked=${on} disabled=${busy || Boolean(why)} onChange=${this.toggle} /><label for="push">${w("on")}</label></div>
      <p class="hint" role="status">${said || (why && w(why))}</p>
      ${on ? html`<div class="buttons"><button type="button" class="quiet" disabled=${busy} onClick=${this.test}>${w("test")}</button></div>` : null}</div>`;
  }
}
