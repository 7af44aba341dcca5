/** The words of the console in Japanese. Decided here: nothing but words; a test compares the keys with the English ones. */

/** @type {Record<string, string | {one: string, other: string}>} */
export const WORDS = {
  console: "管理コンソール", enterConsole: "入る", doorHint: "このコンソールはサーバーの所有者のためのものです。",
  stranger: "{name} さんはこのサーバーの所有者ではありません。", ownerHint: "サーバー上でプログラムを実行できる人が、所有者になるためのリンクを作れます：",
  linkUsed: "このリンクは無効か、すでに使われています。", asking: "サーバーに問い合わせ中…", toChat: "チャットへ", sections: "項目", skipNav: "本文へ移動",
  "section live": "稼働状況", "section rooms": "ルーム", "section people": "人", "section bans": "追放", "section keys": "API キー",
  "section hooks": "Webhook", "section invites": "招待", "section audit": "監査ログ", "section settings": "設定",
  liveHint: "表示中のこのノードの様子（最長 5 分間、2 秒ごとに更新）。",
  chartWaiting: "待機中のクライアント", chartDeliveries: "配信", chartLatency: "遅延（99 % がこれ以下）", chartLag: "読み手の遅れ（イベント数）", chartMemory: "メモリ", chartHere: "接続と人",
  longpoll: "ロングポール", legacy: "2011 年の方式", sse: "サーバー送信イベント", ndjson: "NDJSON", text: "テキスト", websocket: "WebSocket",
  deliveries: "配信", published: "イベント", refused: "拒否", publish99: "保存まで", delivery99: "最後の読み手まで", loop99: "イベントループ",
  lag50: "応答の半数", lag99: "応答の 99 %", memory: "使用中", connections: "接続", here: "人", guests: "名前のない方", aSecond: "毎秒 {value}",
  room: "ルーム", title: "表示名", access: "公開範囲", events: "イベント", members: "メンバー", bans: "追放", person: "人", role: "役割", since: "開始", by: "実行者", until: "期限", reason: "理由",
  keyName: "名前", id: "ID", rooms: "ルーム", may: "できること", hookName: "名前", kind: "種類", address: "アドレス", failures: "失敗", code: "コード", uses: "残り回数", when: "日時", did: "操作", note: "備考",
  setting: "設定", value: "値", meaning: "意味", action: "操作",
  "access public": "公開", "access members": "メンバー限定", "access secret": "秘密", "role owner": "所有者", "role moderator": "モデレーター", "role member": "メンバー",
  "kind incoming": "受信", "kind outgoing": "送信",
  forEver: "無期限", allRooms: "公開ルームすべて", mayRead: "読む", mayWrite: "読み書き", anyNumber: "無制限", server: "サーバー",
  lift: "追放を解く", revoke: "無効にする", remove: "削除", sure: "本当に？", done: "完了しました。", nothing: "何もありません。", more: "さらに表示",
  roomsCount: { one: "ルーム {n} 件", other: "ルーム {n} 件" }, directCount: { one: "ほかに二人だけのルーム {n} 件", other: "ほかに二人だけのルーム {n} 件" }, owners: "サーバーの所有者", ownersHint: "すべてのルームで所有者として扱われます。新しい所有者は、次のコマンドのリンクで：", disown: "所有者から外す",
  settingsHint: "このノードの起動時の設定です。太字は既定値と異なるもの。変更はサーバーの起動側で行います。",
  makeKey: "キーを作る", make: "作成", keyRooms: "ルーム", keyRoomsHint: "このキーで使えるルームを空白区切りで。空欄ならすべての公開ルーム。",
  tokenHint: "今すぐキーを控えてください。二度と表示されません。", copy: "コピー",
};
