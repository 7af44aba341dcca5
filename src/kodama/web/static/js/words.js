/** The words of the page in English and Japanese, chosen by the browser's language. */

const ENGLISH = {
  name: "Your name", enter: "Enter", write: "Message", send: "Send", connecting: "Connecting…", live: "Live",
  reconnecting: "Reconnecting…", catching: "Catching up…", elsewhere: "This reader was replaced by a newer one",
  refused: "This room cannot be read", gap: "Some messages are no longer kept", edited: "edited",
  deleted: "Message deleted", empty: "Nothing said here yet. Begin!", again: "Try again", unsent: "Not sent",
  sending: "sending", latest: "Newest", older: "Loading older messages…", skip: "Skip to the message field",
  messages: "Messages", signedOut: "Please enter your name again.", unreachable: "The server cannot be reached.",
};

/** @type {typeof ENGLISH} */
const JAPANESE = {
  name: "お名前", enter: "入る", write: "メッセージ", send: "送信", connecting: "接続中…", live: "接続済み",
  reconnecting: "再接続中…", catching: "続きを読み込み中…", elsewhere: "新しい画面に切り替わりました",
  refused: "このルームは読めません", gap: "一部のメッセージは保存期間を過ぎました", edited: "編集済み",
  deleted: "削除されたメッセージ", empty: "まだ何もありません。最初のひとことをどうぞ。", again: "再試行",
  unsent: "未送信", sending: "送信中", latest: "最新へ", older: "過去のメッセージを読み込み中…",
  skip: "入力欄へ移動", messages: "メッセージ一覧", signedOut: "もう一度お名前を入力してください。",
  unreachable: "サーバーに接続できません。",
};

const japanese = globalThis.navigator?.language?.startsWith("ja") ?? false;

export const language = japanese ? "ja" : "en";
export const words = japanese ? JAPANESE : ENGLISH;

/** @param {number} count */
export function newOnes(count) {
  return japanese ? `新着 ${count} 件` : `${count} new`;
}

/** @param {string} time */
export function clock(time) {
  return new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit" }).format(new Date(time));
}

/** @param {string} time */
export function day(time) {
  return new Intl.DateTimeFormat(language, { dateStyle: "full" }).format(new Date(time));
}
