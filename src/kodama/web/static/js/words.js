// The words of the page, in English and Japanese.

/** @typedef {Record<string, (...values: any[]) => string>} Words */

/** @type {Words} */
const en = {
  skip: () => "Skip to the message field",
  name: () => "Your name",
  enter: () => "Enter",
  say: () => "Message",
  send: () => "Send",
  live: () => "Connected",
  lost: () => "Connection lost, trying again…",
  catching: () => "Catching up…",
  news: (n) => (n === 1 ? "1 new message" : `${n} new messages`),
  deleted: () => "This message was deleted.",
  edited: () => "(edited)",
  failed: () => "Not sent; it will be tried again.",
  refused: (why) => `Not sent: ${why}`,
  gap: () => "Some messages here can no longer be shown.",
  said: (who, text) => `${who}: ${text}`,
};

/** @type {Words} */
const ja = {
  skip: () => "メッセージ欄へ移動",
  name: () => "名前",
  enter: () => "入室",
  say: () => "メッセージ",
  send: () => "送信",
  live: () => "接続中",
  lost: () => "接続が切れました。再接続しています…",
  catching: () => "続きを読み込んでいます…",
  news: (n) => `新着 ${n} 件`,
  deleted: () => "このメッセージは削除されました。",
  edited: () => "(編集済み)",
  failed: () => "未送信です。自動で再送します。",
  refused: (why) => `送信できませんでした: ${why}`,
  gap: () => "表示できなくなったメッセージがあります。",
  said: (who, text) => `${who}: ${text}`,
};

export const language = navigator.language.startsWith("ja") ? "ja" : "en";
export const words = language === "ja" ? ja : en;
