/** The words of rooms, invitations and people, in both languages, which come with their dialogs. Decided here: nothing but words; a test compares the keys. */

/** @type {Record<"en" | "ja", Record<string, string | {one: string, other: string}>>} */
export const WORDS = {
  en: {
    membersOnly: "This room is for its members", membersHint: "Somebody who keeps order there can invite you. You may send them this:", noRoomHere: "There is no room here for you", noRoomHint: "The address may be wrong, or the room secret. If somebody gave you the address, ask them for an invitation:",
    askToCome: "Could you invite me to {room}? I am {name} there. {link}", copyText: "Copy this text", toLobby: "Go to the lobby", openRoomHint: "A new name makes a new room.", roomName: "Name of the room",
    removed: "You may not come in here now", removedHint: "Somebody who keeps order in this room has removed you from it.",
    who: "Who may come in, if it is new", public: "Everybody", members: "Members; everybody sees that it is there", secret: "Members; nobody else sees it",
    thereAlready: "A room of this name is there already.", openIt: "Open it", address: "Address", share: "Share",
    membersOf: "Members", owner: "owner", moderator: "moderator", member: "member", noMembers: "Nobody has a role here.",
    leave: "Leave this room", leaveHint: "It goes from your list. The messages stay.", lastOwner: "You are its only owner. Make somebody else an owner first.",
    invite: "Invite people", onlyModerators: "Owners and moderators of this room make links that let people in.", openToAll: "Everybody who has the address may come in.",
    twoOnly: "This room is for the two of you.", makeLink: "Make a link", expires: "Good for", uses: "For how many people", role: "They come as",
    hour: "an hour", day: "a day", week: "a week", month: "30 days", anyNumber: "any number", people: { one: "{n} person", other: "{n} people" },
    linkMade: "The link is made. Whoever opens it comes in.", links: "Links that are good", noLinks: "There are none.", until: "until {time}", left: { one: "{n} use left", other: "{n} uses left" },
    revoke: "Take back", revoked: "The link is not good any more.", copy: "Copy", linkCopied: "Copied.", qr: "Show as QR code", qrHint: "Point a camera at it.", tooLong: "This address is too long for a code.",
    by: "by {name}",
    console: "The server's console",
  },
  ja: {
    membersOnly: "このルームはメンバー専用です", membersHint: "ルームの管理をしている人が招待できます。次の文を送ってみてください：", noRoomHere: "入れるルームがありません", noRoomHint: "アドレスが違うか、非公開のルームかもしれません。アドレスを教えてくれた人に招待を頼んでください：",
    askToCome: "{room} に招待してもらえますか？ 名前は {name} です。 {link}", copyText: "この文をコピー", toLobby: "ロビーへ", openRoomHint: "新しい名前を入れると、新しいルームができます。", roomName: "ルームの名前",
    removed: "このルームには今は入れません", removedHint: "ルームの管理をしている人に外されました。",
    who: "新しいルームに入れる人", public: "だれでも", members: "メンバーのみ（ルームがあることは全員に見えます）", secret: "メンバーのみ（ほかの人には見えません）",
    thereAlready: "この名前のルームはすでにあります。", openIt: "開く", address: "アドレス", share: "共有",
    membersOf: "メンバー", owner: "オーナー", moderator: "モデレーター", member: "メンバー", noMembers: "役割を持つ人はいません。",
    leave: "このルームから抜ける", leaveHint: "自分の一覧から消えます。メッセージは残ります。", lastOwner: "オーナーはあなただけです。先にほかの人をオーナーにしてください。",
    invite: "人を招待", onlyModerators: "招待リンクを作れるのは、このルームのオーナーとモデレーターです。", openToAll: "アドレスを知っている人はだれでも入れます。",
    twoOnly: "ここは二人だけのルームです。", makeLink: "リンクを作る", expires: "有効期間", uses: "使える人数", role: "入る人の役割",
    hour: "1 時間", day: "1 日", week: "1 週間", month: "30 日", anyNumber: "制限なし", people: { one: "{n} 人", other: "{n} 人" },
    linkMade: "リンクができました。開いた人が入れます。", links: "有効なリンク", noLinks: "ありません。", until: "{time} まで", left: { one: "残り {n} 回", other: "残り {n} 回" },
    revoke: "取り消す", revoked: "このリンクはもう使えません。", copy: "コピー", linkCopied: "コピーしました。", qr: "QR コードを表示", qrHint: "カメラを向けてください。", tooLong: "このアドレスは長すぎて QR コードにできません。",
    by: "{name} さんが作成",
    console: "サーバーの管理画面",
  },
};
