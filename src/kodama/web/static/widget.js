/**
 * A room on the page of another site: <script async src="https://chat.example/widget.js" data-room="lobby"></script>.
 * Decided here: the page gets a button and a frame of the chat's own origin, made when it is wanted; both sides name the
 * other's origin exactly; whoever one is goes by message and never stands in an address; and no style of the page reaches in.
 */
(() => {
  "use strict";
  const script = document.currentScript ?? document.querySelector('script[src$="/widget.js"]');
  const early = window.Kodama;
  if (!script || early?.open) return;
  const origin = new URL(script.src).origin;
  const set = script.dataset;
  const ja = (set.lang || navigator.language).startsWith("ja");
  const words = ja
    ? { chat: "チャット", close: "閉じる", own: "別のウィンドウで開く", failed: "ここではチャットを表示できません。", unread: (n) => `未読 ${n} 件` }
    : { chat: "Chat", close: "Close", own: "Open in its own window", failed: "The chat cannot be shown here.", unread: (n) => `${n} unread` };
  const heard = new EventTarget();
  const tell = (type, detail) => heard.dispatchEvent(new CustomEvent(type, { detail }));
  const chats = new Set();
  /** The JWT, or what fetches one, of whoever the page says is here. */
  let who = null;

  /** The room of a page, docs/how-to/widget.md: the same for all who see it, another for every other page. */
  function roomOf(address) {
    const { host, pathname } = new URL(address, location.href);
    let path = pathname;
    try {
      path = decodeURIComponent(path);
    } catch {}
    const name = host + path.replace(/\/+$/u, "");
    const plain = name.replace(/[^\p{L}\p{M}\p{N}.\-/]/gu, "-").normalize("NFKC").toLowerCase();
    if (plain === name && [...name].length <= 64) return name.replace(/\//gu, "_");
    let hash = 0xcbf29ce484222325n;
    for (const byte of new TextEncoder().encode(name)) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
    return `${[...plain.replace(/\//gu, "_")].slice(0, 47).join("")}-${hash.toString(16).padStart(16, "0")}`;
  }

  const named = (room) =>
    room === "auto" ? roomOf(document.querySelector("link[rel=canonical]")?.href ?? location.href) : room || "lobby";

  /** @param {string} tag @param {object} facts @param {...Node} inside */
  function make(tag, facts, ...inside) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(facts)) {
      if (name in element) element[name] = value;
      else element.setAttribute(name, value);
    }
    element.append(...inside);
    return element;
  }

  /** Draw in a tree of our own, whose !important the page's cannot outdo (CSS Cascade 5, section 6.1). */
  function draw(host, style, ...inside) {
    const root = host.attachShadow({ mode: "closed" });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(style);
    root.adoptedStyleSheets = [sheet];
    root.append(...inside);
    return root;
  }

  /** A room in a frame, and what is said between the page and it. */
  class Chat {
    constructor(room) {
      this.room = named(room);
      this.seen = true;
      this.ready = false;
      this.page = `${origin}/r/${encodeURIComponent(this.room)}`;
      this.frame = make("iframe", {
        title: `${words.chat}: ${this.room}`, allow: "clipboard-write", referrerPolicy: "no-referrer",
        src: `${origin}/embed/${encodeURIComponent(this.room)}?lang=${ja ? "ja" : "en"}`,
      });
      this.frame.addEventListener("load", () => {
        this.say("hello", { shown: this.seen, focus: this.focus, who: !!who });
        void this.identify();
        setTimeout(() => this.ready || this.fail(), 5000);
      });
      this.hear = (event) => {
        const { kodama, type, ...more } = event.data ?? {};
        if (event.source !== this.frame.contentWindow || event.origin !== origin || kodama !== 1) return;
        if (type === "ready") this.ready = true;
        if (type === "expired") void this.identify();
        if (type === "error") console.error(`Kodama: ${more.detail}`);
        this.onsaid?.(type, more);
        if (type !== "wish") tell(type, more);
      };
      addEventListener("message", this.hear);
      chats.add(this);
    }

    say(type, more) {
      this.frame.contentWindow?.postMessage({ kodama: 1, type, ...more }, origin);
    }

    show(seen) {
      this.seen = this.focus = seen;
      if (this.ready) this.say("shown", { shown: seen, focus: seen });
    }

    async identify() {
      if (!who) return;
      let jwt = "";
      try {
        jwt = typeof who === "function" ? await who() : who;
      } catch (error) {
        console.error("Kodama: nobody could say who is here.", error);
        tell("error", { code: "identity", detail: String(error) });
      }
      this.say("identify", { jwt });
    }

    /** The browser keeps the frame empty: the room's owner has not named this site. */
    fail() {
      if (!this.frame.isConnected) return;
      this.frame.replaceWith(make("p", { role: "alert" }, words.failed, " ",
        make("a", { href: this.page, target: "_blank", rel: "noopener", textContent: words.own })));
      tell("error", { code: "not_shown", detail: `${location.origin} may not show this room, or the chat is away.` });
      this.end();
    }

    end() {
      removeEventListener("message", this.hear);
      chats.delete(this);
    }
  }

  const LOOK = `*{box-sizing:border-box}iframe{display:block;width:100%;flex:1;min-height:0;border:0;color-scheme:normal}
p{margin:auto;padding:2rem;text-align:center}a{color:inherit}`;

  /** The button in the corner, and the panel above it. */
  function launcher() {
    const host = make("div", {});
    const badge = make("span", { className: "badge", hidden: true });
    const sign = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    const line = document.createElementNS("http://www.w3.org/2000/svg", "path");
    sign.setAttribute("viewBox", "0 0 24 24");
    sign.setAttribute("aria-hidden", "true");
    line.setAttribute("d", "M4 5h16v11h-9l-5 4v-4H4z");
    sign.append(line);
    const button = make("button", { type: "button", className: "open", ariaExpanded: "false", ariaLabel: words.chat }, sign, badge);
    const shut = make("button", { type: "button", ariaLabel: words.close, textContent: "×" });
    const panel = make("div", { role: "dialog", ariaLabel: words.chat, className: "panel", hidden: true },
      make("div", { className: "bar" }, make("b", { textContent: words.chat }), shut));
    let chat = null;

    function load() {
      if (chat && chats.has(chat)) return;
      panel.querySelector("p")?.remove();
      chat = new Chat(set.room);
      chat.seen = !panel.hidden;
      chat.onsaid = (type, { count, name }) => {
        if (type === "wish" && name === "close") close();
        if (type === "unread") mark(count);
      };
      panel.append(chat.frame);
    }

    function mark(count) {
      badge.hidden = !count;
      badge.textContent = count > 99 ? "99+" : count;
      button.ariaLabel = count ? `${words.chat}, ${words.unread(count)}` : words.chat;
    }

    function open() {
      if (!panel.hidden) return;
      panel.hidden = false;
      button.ariaExpanded = "true";
      load();
      chat.show(true);
      chat.frame.focus();
      tell("open");
    }

    function close() {
      if (panel.hidden) return;
      panel.hidden = true;
      button.ariaExpanded = "false";
      chat?.show(false);
      button.focus();
      tell("close");
    }

    const root = draw(host, `${LOOK}
:host{all:initial!important;display:block!important;position:fixed!important;z-index:2147483647!important;inset:auto 1rem 1rem auto!important;
font:16px/1.5 system-ui,"Hiragino Sans","Noto Sans CJK JP",sans-serif!important;color-scheme:light dark!important}
[hidden]{display:none!important}button,a{font:inherit;color:inherit;cursor:pointer}
.open{position:relative;width:56px;height:56px;border:0;border-radius:50%;background:#1f6b4a;color:#fff;box-shadow:0 2px 12px #0005}
svg{width:26px;fill:none;stroke:currentColor;stroke-width:2;stroke-linejoin:round;vertical-align:middle}
.badge{position:absolute;top:-4px;right:-4px;min-width:22px;padding:0 6px;border-radius:11px;background:#b3261e;font-size:13px;line-height:22px}
.panel{position:fixed;z-index:1;inset:auto 1rem 84px auto;width:400px;height:min(640px,100dvh - 100px);display:flex;flex-direction:column;overflow:hidden;
border-radius:14px;background:Canvas;color:CanvasText;box-shadow:0 6px 32px #0006}
.bar{display:flex;align-items:center;gap:4px;padding:2px 4px 2px 14px;background:#1f6b4a;color:#fff}b{flex:1}
.bar>:not(b){width:44px;line-height:40px;border:0;background:none;font-size:22px;text-align:center;text-decoration:none}
:focus-visible{outline:3px solid #fff;outline-offset:-5px}.open:focus-visible{outline-color:Highlight;outline-offset:3px}
@media (max-width:480px),(max-height:420px){.panel{inset:0;width:auto;height:100dvh;border-radius:0}}
@media (forced-colors:active){.open,.panel{border:1px solid}}`, panel, button);
    root.addEventListener("keydown", (event) => event.key === "Escape" && close());
    button.addEventListener("click", () => (panel.hidden ? open() : close()));
    shut.addEventListener("click", close);
    const place = () => document.documentElement.append(host);
    if (document.readyState === "loading") addEventListener("DOMContentLoaded", place);
    else place();
    if ("badge" in set) (window.requestIdleCallback ?? setTimeout)(load);
    return { open, close, destroy: () => (host.remove(), chat?.end()) };
  }

  /** <kodama-chat room="lobby">: the room within the page, made when it comes into sight. */
  class Inline extends HTMLElement {
    #root = draw(this, `${LOOK}:host{all:initial!important;display:flex!important;flex-direction:column!important;block-size:var(--kodama-height,32rem)!important}`);
    #chat = null;
    #sight = new IntersectionObserver((seen) => seen.some((one) => one.isIntersecting) && this.#load());

    connectedCallback() {
      this.#sight.observe(this);
    }

    disconnectedCallback() {
      this.#sight.disconnect();
      this.#chat?.end();
      this.#chat = null;
    }

    #load() {
      this.#sight.disconnect();
      this.#chat = new Chat(this.getAttribute("room"));
      this.#root.replaceChildren(this.#chat.frame);
    }
  }

  const corner = "room" in set ? launcher() : null;
  const fetchToken = async () => {
    const answer = await fetch(set.tokenUrl);
    if (!answer.ok && answer.status !== 401) throw new Error(`${set.tokenUrl} answered ${answer.status}`);
    return answer.ok ? (await answer.text()).trim() : "";
  };
  if (set.tokenUrl) who = fetchToken;
  const Kodama = {
    open: () => corner?.open(), close: () => corner?.close(), roomOf,
    /** @param {string | (() => string | Promise<string>)} jwt of whoever is here, or what fetches a fresh one each time */
    identify(jwt) {
      who = jwt;
      for (const chat of chats) if (chat.ready) void chat.identify();
    },
    destroy() {
      corner?.destroy();
      window.Kodama = null;
    },
    logout() {
      who = null;
      for (const chat of chats) chat.say("logout");
    },
    on(type, listener) {
      const call = ({ detail }) => listener(detail ?? {});
      heard.addEventListener(type, call);
      return () => heard.removeEventListener(type, call);
    },
    push: ([name, ...rest]) => Kodama[name](...rest),
  };
  window.Kodama = Kodama;
  if (Array.isArray(early)) early.forEach(Kodama.push);
  if (!customElements.get("kodama-chat")) customElements.define("kodama-chat", Inline);
})();
