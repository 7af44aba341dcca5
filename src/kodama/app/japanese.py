"""The catalogue of the command line: what is said in Japanese for each text in English.

Decided here: helps of commands by the command's path, everything else by its English. A test holds it
to every command, option, sentence and text of click that a person can meet.
"""

from __future__ import annotations

from typing import Final

COMMANDS: Final = {
    "": """メッセージを失わないチャット・ライブイベント用サーバー。

    \b
    kodama serve                    http://127.0.0.1:8080/ にルームを開く
    kodama send lobby "こんにちは"  発言する
    kodama tail lobby               発言を表示する
    kodama doctor URL               プロキシ越しにサーバーを診断する
    """,
    "key": "ボットやバックエンド用の API キー。動作中のサーバーには 1 秒以内に反映されます。",
    "key add": "NAME として発言するキーを作り、一度だけ表示します。",
    "key list": "すべてのキーの ID、名前、ルーム、権限、作成日時を表示します。",
    "key revoke": "キー ID を無効にします。開いている接続にも効きます。",
    "owner": "開いた人をサーバーの所有者にするリンクを表示します。使えるのは一度だけです。\n\n"
    "以前に表示し、まだ使われていないリンクは無効になります。",
    "account": "利用者のアカウント。",
    "account reset": "LOGIN の回復コードを表示します。新しいパスワードを一度だけ設定できます。\n\n"
    "本人が持っているコードは有効なままです。",
    "doctor": "URL のサーバーをプロキシ越しに診断し、どこに何を書けばよいかを示します。\n\n"
    "何も投稿しません。終了コード 0: すべて正常、1: 異常あり、2: URL が不正。",
    "export": "すべてのルームを、フォルダー TARGET に 1 つずつファイルとして書き出します。"
    "サーバーの動作中でも使えます。\n\n"
    "形式は `kodama import` で読み込める JSON Lines、または --html で検索できる単独のページです。",
    "import": "SOURCE のルームを発言者と時刻ごと取り込みます。サーバーは停止しておいてください。\n\n"
    "二度目からは新しいものだけを取り込みます。取り込んだルームは無期限に保存され、秘密のルームは秘密のままです。",
    "serve": "サーバーを開き、止められる (SIGTERM、Ctrl-C) まで動かします。\n\n"
    "どの設定も、環境変数 KODAMA_… で指定できます。",
    "send": "TEXT を ROOM に送ります。- なら標準入力から読みます。\n\n"
    "サーバーに届くまで同じ nonce で送り直すので、失われも重複もしません。",
    "tail": "ROOM の発言を表示し続けます。サーバーが再起動しても続きから表示します。",
    "backup": "データの写しをファイル TARGET に書きます。サーバーの動作中でも使えます。",
    "restore": "バックアップ SOURCE からデータを戻します。サーバーは停止しておいてください。",
    "verify": "サーバーが約束を守るか (欠落、重複、順序の乱れ、黙った抜けがないか) を検査します。\n\n"
    "書き手と読み手は、通信を切断・遅延・重複させるプロキシを通ります。verify-… という専用のルームに"
    "書き込むので、それがあってはならないサーバーには使わないでください。\n\n"
    "終了コード: 0 すべて守られた、1 異常あり、2 実行できなかった。",
}

OPTIONS: Final = {
    "A TOML file of settings.": "設定の TOML ファイル。",
    "A gap that is told is no violation.": "通知された抜けを違反としません。",
    "Address to listen on (127.0.0.1).": "待ち受けるアドレス (127.0.0.1)。",
    "Directory of the store.": "データのディレクトリ。",
    "End after so many; 0: go on.": "この数で終了。0: 続行。",
    "End after so many; 0: only time counts.": "この数で終了。0: 時間だけで決めます。",
    "End when all is shown.": "すべて表示したら終了します。",
    "File that keeps the cursor between runs.": "次回のためにカーソルを保存するファイル。",
    "Name to speak under.": "発言者の名前。",
    "One event per line as JSON.": "1 行に 1 件の JSON で表示します。",
    "One readable page a room.": "ルームごとに読めるページにします。",
    "Only this room. Repeatable.": "このルームだけ。複数指定できます。",
    "Open this room to the key, and no other. Repeatable.":
        "キーで使えるルームをこれに限ります。複数指定できます。",
    "Port to listen on (8080; 0 takes a free one).": "待ち受けるポート (8080。0 なら空いているもの)。",
    "Print the findings as JSON.": "結果を JSON で表示します。",
    "Processes that share the port (1).": "ポートを分け合うプロセスの数 (1)。",
    "Readers in all.": "読み手の総数。",
    "Repeats the choices of an earlier run.": "以前の実行と同じ選択を繰り返します。",
    "Rooms to use.": "使うルームの数。",
    "Seconds from fault to fault.": "障害の間隔 (秒)。",
    "Seconds that a quiet poll and a quiet stream have to live through.":
        "発言のない接続が保たれるべき秒数。",
    "Seconds to write.": "書き込む秒数。",
    "Show the version and exit.": "バージョンを表示して終了します。",
    "Starts the server; then it is killed, stopped and started again, too.":
        "サーバーを起動するコマンド。指定すると、強制終了・停止・再起動も試します。",
    "The key writes nothing.": "読み取り専用のキーにします。",
    "The server.": "サーバー。",
    "The server; again for each further node of it.":
        "サーバー。ノードが複数なら繰り返し指定します。",
    "What wrote it.": "書き出したプログラム。",
    "Write the report to a file as JSON; - is standard output.":
        "報告を JSON でファイルに書きます。- は標準出力。",
    "Writers in all.": "書き手の総数。",
    "all, none, or a list with commas.": "all、none、またはコンマ区切りの一覧。",
    "all, or a list with commas.": "all、またはコンマ区切りの一覧。",
    "now, all, last:N, 10m, or a cursor.": "now、all、last:N、10m、またはカーソル。",
}  # fmt: skip

SAID: Final = {
    "Copied to {target}.": "{target} に写しました。",
    "It is good once, for POST /v1/accounts/recover, and is not shown again.":
        "POST /v1/accounts/recover で一度だけ使えます。再表示はできません。",
    "Key {id} is revoked.": "キー {id} を無効にしました。",
    "Kodama is open at [bold]{address}[/]": "Kodama を開きました: [bold]{address}[/]",
    "No backup was made: {error}": "バックアップできませんでした: {error}",
    "Not sent: {error}": "送信できませんでした: {error}",
    "Nothing was restored: {error}": "復元できませんでした: {error}",
    "Others on your network: [bold]{address}[/]": "同じネットワークの人は: [bold]{address}[/]",
    "Restored from {source}.": "{source} から復元しました。",
    "There are no keys.": "キーはありません。",
    "There is no account with the login {login}.": "ログイン名 {login} のアカウントはありません。",
    "There is no key {id}.": "キー {id} はありません。",
    "This is key [bold]{id}[/]; it is not shown again.": "キー [bold]{id}[/] です。再表示はできません。",
    "To own it, open this once, as whoever you want to be there: {address}#owner={code}":
        "所有者になるには、使いたい名前でこのリンクを一度だけ開いてください: {address}#owner={code}",
    "--- missing: {first} to {last} ({reason})": "--- 抜け: {first} から {last} まで ({reason})",
    "Nothing more was exported: {error}": "これ以上は書き出せませんでした: {error}",
    "Nothing more was imported: {error}": "これ以上は取り込めませんでした: {error}",
    "There is no room {rooms}.": "ルーム {rooms} はありません。",
    "{count} rooms are in {target}.": "{count} 個のルームを {target} に書き出しました。",
    "{room}: {new} of {all} messages are new.": "{room}: {all} 件中 {new} 件を取り込みました。",
    "what was seen": "結果",
    "[green]well[/]": "[green]正常[/]",
    "[red]ill[/]": "[red]異常[/]",
    "[yellow]unknown[/]": "[yellow]不明[/]",
    "write": "次のように書きます",
}  # fmt: skip

CLICK: Final = {
    "Aborted!": "中止しました。",
    "Missing command.": "コマンドを指定してください。",
    "Options": "オプション",
    "Commands": "コマンド",
    "Usage:": "使い方:",
    "Got unexpected extra arguments ({args})": "余分な引数があります ({args})",
    "env var: {var}": "環境変数: {var}",
    "default: {default}": "既定値: {default}",
    "Takes {nargs} values but {len} were given.": "{nargs} 個の値が必要ですが、{len} 個しかありません。",
    "(Did you mean one of: {possibilities}?)": "({possibilities} のことですか?)",
    "Missing argument": "引数がありません",
    "Missing option": "オプションがありません",
    "Missing parameter": "パラメーターがありません",
    "Missing parameter: {param_name}": "パラメーターがありません: {param_name}",
    "Missing {param_type}": "{param_type} がありません",
    "unknown error": "不明なエラー",
    "Invalid value: {message}": "値が正しくありません: {message}",
    "Invalid value for {param_hint}: {message}": "{param_hint} の値が正しくありません: {message}",
    "Could not open file {filename!r}: {message}": "ファイル {filename!r} を開けません: {message}",
    "Error: {message}": "エラー: {message}",
    "Try '{command} {option}' for help.": "使い方は '{command} {option}' で表示されます。",
    "No such option {name!r}.": "オプション {name!r} はありません。",
    "No such command {name!r}.": "コマンド {name!r} はありません。",
    "file": "ファイル",
    "directory": "ディレクトリ",
    "path": "パス",
    "Choose from:\n\t{choices}": "次から選んでください:\n\t{choices}",
    "{value!r} is not one of {choices}.": "{value!r} は {choices} のいずれでもありません。",
    "{value} is not in the range {range}.": "{value} は範囲 {range} にありません。",
    "{value!r} is not a valid {number_type}.": "{value!r} は正しい {number_type} ではありません。",
    "{name} {filename!r} does not exist.": "{name} {filename!r} はありません。",
    "{name} {filename!r} is a file.": "{name} {filename!r} はファイルです。",
    "{name} {filename!r} is a directory.": "{name} {filename!r} はディレクトリです。",
    "{name} {filename!r} is not readable.": "{name} {filename!r} を読めません。",
    "{name} {filename!r} is not writable.": "{name} {filename!r} に書けません。",
    "{name} {filename!r} is not executable.": "{name} {filename!r} を実行できません。",
    "Option {name!r} does not take a value.": "オプション {name!r} は値を取りません。",
    "Option {name!r} requires {nargs} arguments.": "オプション {name!r} には値が必要です。",
    "Argument {name!r} takes {nargs} values.": "引数 {name!r} には {nargs} 個の値が必要です。",
    "%(prog)s, version %(version)s": "%(prog)s、バージョン %(version)s",
    "Show the version and exit.": "バージョンを表示して終了します。",
    "Show this message and exit.": "この説明を表示して終了します。",
}
