/** The words of accounts. They are here and not in the page's catalogues, because few open this and nobody waits for it. */

import { spoken } from "./words.js";

/** @type {Record<"en" | "ja", Record<string, string>>} */
export const WORDS = {
  en: {
    guest: "You are here as a guest of this browser.", account: "Your account: {login}", outside: "You are known here by another site or a proxy.",
    become: "Make an account", becomeHint: "You stay who you are and keep all you have said, and can come back from any device. No e-mail.",
    login: "Login", password: "Password", newPassword: "New password", presentPassword: "Present password", passwordHint: "At least 8 characters.", make: "Make the account",
    codes: "Your recovery codes", codesHint: "Each opens your account once if the password is lost. They are shown only now: keep them where you find them again.",
    copy: "Copy", copied: "Copied", download: "Save as a file", kept: "I have kept them", name: "Name", save: "Save", saved: "Saved",
    change: "Change the password", passkeys: "Passkeys", passkeysHint: "Sign in with this device's lock instead of a password.", none: "None yet.", passkeyName: "What to call it",
    addPasskey: "Add a passkey", removePasskey: "Remove {name}", noPasskeys: "This browser cannot make passkeys here.", fresh: "New recovery codes", freshHint: "{n} codes are left. New ones make the old ones void.", freshGo: "Make new ones",
    forget: "Forget me", forgetHint: "The account is gone and cannot be brought back.", forgetGuest: "Nothing of yours stays but what you said.", messages: "Delete all that I have said, too", forgetGo: "Forget me for good",
    byPassword: "With a login and password", enter: "Sign in", byPasskey: "With a passkey", byCode: "With a recovery code", code: "Recovery code", recover: "Set the password and sign in",
    byPhrase: "With a name and a secret phrase", phrase: "Secret phrase", phraseHint: "The same name and phrase are the same guest on every device. Nothing is kept of them here.", back: "Back", stopped: "The browser stopped it.", wrong: "That was not right.", taken: "This login is taken.", signOut: "Sign out",
  },
  ja: {
    guest: "このブラウザーのゲストとして参加しています。", account: "アカウント：{login}", outside: "ほかのサイトまたはプロキシの認証で参加しています。",
    become: "アカウントを作る", becomeHint: "いままでの発言はそのまま残り、どの端末からでも戻ってこられます。メールアドレスは不要です。",
    login: "ログイン名", password: "パスワード", newPassword: "新しいパスワード", presentPassword: "いまのパスワード", passwordHint: "8文字以上", make: "作る",
    codes: "回復コード", codesHint: "パスワードを忘れたとき、1つにつき1回だけアカウントを開けます。いましか表示されません。安全な場所に保管してください。",
    copy: "コピー", copied: "コピーしました", download: "ファイルに保存", kept: "保管しました", name: "名前", save: "保存", saved: "保存しました",
    change: "パスワードを変える", passkeys: "パスキー", passkeysHint: "パスワードの代わりに、この端末のロックでサインインできます。", none: "まだありません。", passkeyName: "パスキーの名前",
    addPasskey: "パスキーを追加", removePasskey: "{name}を削除", noPasskeys: "このブラウザーではパスキーを作れません。", fresh: "新しい回復コード", freshHint: "残り{n}個です。新しく作ると古いコードは使えなくなります。", freshGo: "新しく作る",
    forget: "アカウントと記録の削除", forgetHint: "アカウントは削除され、元に戻せません。", forgetGuest: "発言のほかには何も残りません。", messages: "これまでの発言もすべて削除する", forgetGo: "完全に削除する",
    byPassword: "ログイン名とパスワードで", enter: "サインイン", byPasskey: "パスキーで", byCode: "回復コードで", code: "回復コード", recover: "パスワードを決めてサインイン",
    byPhrase: "名前と合言葉で", phrase: "合言葉", phraseHint: "同じ名前と合言葉なら、どの端末でも同じゲストになります。ここには何も保存されません。", back: "戻る", stopped: "ブラウザーが中止しました。", wrong: "正しくありません。", taken: "このログイン名は使われています。", signOut: "サインアウト",
  },
};

/** @param {string} key @param {Record<string, string | number>} [values] */
export const w = (key, values = {}) =>
  (WORDS[spoken()][key] ?? key).replace(/\{(\w+)\}/gu, (_, name) => String(values[name] ?? ""));
