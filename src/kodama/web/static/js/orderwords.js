/** The words of keeping order. They are here and not in the page's catalogues, because few open this and nobody waits for it. */

import { spoken } from "./words.js";

/** @type {Record<"en" | "ja", Record<string, string>>} */
export const WORDS = {
  en: {
    loading: "Loading…", saved: "Saved", nothing: "Nothing here.", save: "Save", forEver: "for good", until: "until {when}",
    settings: "How this room is kept", title: "Title", topic: "Topic", access: "Who may read",
    "access public": "Everybody", "access members": "Members; it is listed", "access secret": "Members; nobody else knows of it",
    slow: "Between two messages of one person", "slow 0": "no pause",
    locked: "Only moderators write", hold: "Messages of new guests wait for a moderator", keepDays: "Days that messages are kept",
    keepEvents: "Messages that are kept at least", sites: "Sites that may show this room in a frame, one address a line",
    held: "Waiting for approval", release: "Let it in", refuse: "Refuse", reports: "Reported messages", reportedBy: "reported by {name}",
    show: "Show", remove: "Delete the message", seenTo: "Done", outside: "Banned and muted", banned: "banned", muted: "muted", lift: "Lift",
    audit: "What was done", earlier: "Earlier",
    person: "{name}", role: "Role in this room", "role owner": "Owner", "role moderator": "Moderator", "role member": "Member", "role guest": "Guest",
    direct: "Write to them alone", howLong: "For how long", reason: "Reason (they are not told)", network: "Guests from their network, too, for a day at most",
    mute: "Mute", unmute: "Let them write again", ban: "Ban", unban: "Let them in again", kick: "Send away for a minute",
    purge: "Remove what they said in the last", purgeGo: "Remove", sure: "{deed} {name}?", removed: "{n} messages removed", done: "Done",
    report: "Report this message", reportWhy: "What is wrong with it? (may stay empty)", reportGo: "Report", reported: "Thank you. A moderator will see it.",
    "did add": "gave a role to", "did remove": "took out", "did ban": "banned", "did unban": "lifted the ban of", "did mute": "muted",
    "did unmute": "lifted the mute of", "did kick": "sent away", "did purge": "removed messages of", "did delete": "deleted a message of",
    "did release": "let in a message of", "did refuse": "refused a message of", "did invite": "made an invitation", "did uninvite": "took back an invitation",
    "did order": "changed how order is kept:", "did join": "came in by invitation of", "did dismiss": "saw to a report on",
  },
  ja: {
    loading: "読み込み中…", saved: "保存しました", nothing: "ここには何もありません。", save: "保存", forEver: "無期限", until: "{when}まで",
    settings: "この部屋の設定", title: "表示名", topic: "トピック", access: "読める人",
    "access public": "だれでも", "access members": "メンバーのみ（一覧には載る）", "access secret": "メンバーのみ（ほかの人には見えない）",
    slow: "同じ人の次の投稿までの間隔", "slow 0": "間隔なし",
    locked: "モデレーターだけが書ける", hold: "新しいゲストの投稿は承認を待つ", keepDays: "メッセージを残す日数",
    keepEvents: "少なくとも残すメッセージの数", sites: "この部屋をフレームで表示できるサイト（1行に1つ）",
    held: "承認待ち", release: "通す", refuse: "断る", reports: "報告されたメッセージ", reportedBy: "{name}さんが報告",
    show: "見る", remove: "メッセージを削除", seenTo: "対応済み", outside: "追放・発言禁止", banned: "追放", muted: "発言禁止", lift: "解除",
    audit: "操作の記録", earlier: "以前の記録",
    person: "{name}", role: "この部屋での役割", "role owner": "オーナー", "role moderator": "モデレーター", "role member": "メンバー", "role guest": "ゲスト",
    direct: "二人だけで話す", howLong: "期間", reason: "理由（本人には伝わりません）", network: "同じネットワークのゲストも（最長1日）",
    mute: "発言禁止", unmute: "発言禁止を解除", ban: "追放", unban: "追放を解除", kick: "1分間退室させる",
    purge: "発言をまとめて削除する範囲", purgeGo: "削除", sure: "{name}さん：{deed}を行いますか？", removed: "{n}件を削除しました", done: "完了しました",
    report: "このメッセージを報告", reportWhy: "どんな問題がありますか？（空欄でもかまいません）", reportGo: "報告する", reported: "ありがとうございます。モデレーターが確認します。",
    "did add": "役割を与えた", "did remove": "外した", "did ban": "追放した", "did unban": "追放を解除した", "did mute": "発言を禁止した",
    "did unmute": "発言禁止を解除した", "did kick": "退室させた", "did purge": "発言をまとめて削除した", "did delete": "メッセージを削除した",
    "did release": "投稿を通した", "did refuse": "投稿を断った", "did invite": "招待を作った", "did uninvite": "招待を取り消した",
    "did order": "管理の設定を変えた：", "did join": "招待で入った", "did dismiss": "報告に対応した",
  },
};

/** @param {string} key @param {Record<string, string | number>} [values] */
export const w = (key, values = {}) =>
  (WORDS[spoken()][key] ?? key).replace(/\{(\w+)\}/gu, (_, name) => String(values[name] ?? ""));
