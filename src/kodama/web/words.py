"""The words of what the server draws itself, in English and Japanese.

Which language is chosen by Accept-Language (RFC 9110 section 12.5.4); a test holds the
catalogues to the same keys and places.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

ENGLISH: Final = {
    "back": "Back to the room",
    "deleted": "Message deleted",
    "edited": "edited",
    "empty": "Nothing said here yet. Begin!",
    "held": "Your message waits for approval.",
    "name": "Your name",
    "newest": "Refresh",
    "messages": "Messages",
    "refused": "That did not work",
    "rich": "With JavaScript",
    "send": "Send",
    "talking_as": "You are {name}.",
    "times": "Times are UTC.",
    "write": "Message",
}

JAPANESE: Final = {
    "back": "ルームに戻る",
    "deleted": "削除されたメッセージ",
    "edited": "編集済み",
    "empty": "まだ何もありません。最初のひとことをどうぞ。",
    "held": "メッセージは承認待ちです。",
    "name": "お名前",
    "newest": "更新",
    "messages": "メッセージ一覧",
    "refused": "うまくいきませんでした",
    "rich": "JavaScript 版",
    "send": "送信",
    "talking_as": "{name} さんとして参加中です。",
    "times": "時刻は UTC です。",
    "write": "メッセージ",
}

CATALOGUES: Final[Mapping[str, Mapping[str, str]]] = {"en": ENGLISH, "ja": JAPANESE}


def language(accepted: bytes | None) -> str:
    """Return ``ja`` if Accept-Language prefers it to English, else ``en``."""
    best, chosen = 0.0, "en"
    for part in (accepted or b"").decode("latin-1").lower().split(","):
        tag, *parameters = (piece.strip() for piece in part.split(";"))
        known = tag.partition("-")[0]
        quality = _quality(parameters)
        if known in CATALOGUES and quality > best:
            best, chosen = quality, known
    return chosen


def _quality(parameters: list[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0
