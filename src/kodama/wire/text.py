"""Events as lines that people read in a terminal: ``22:10 Aiko: hello``.

Decided here: nothing that somebody else wrote can move the cursor, colour the screen, turn the
reading direction or pass for another line. Further lines of a message are indented; every other
control or format character is shown as an escape.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final
from unicodedata import category

import msgspec

from kodama.core.event import Delete, Edit, Logged, Member, Message, Reaction, Topic, decode

MEDIA_TYPE: Final = "text/plain; charset=utf-8"
INDENT: Final = "      "  # as wide as the time and its space
_JOINERS: Final = "\u200c\u200d"  # letters of many scripts and emoji need them
_BREAK: Final = re.compile("\r\n|[\n\r\x0b\x0c\x85\u2028\u2029]")


def line(kind: str, json: bytes, *, named: str) -> bytes:
    """Return an event of type ``kind`` as one line or more; ``named`` stands before the name, for a
    reader of many rooms."""
    if kind == "gap":
        return _told(_gap(msgspec.json.decode(json)))
    event: Logged = decode(json)
    return f"{event.time[11:16]} {named}{_said(event)}\n".encode()


def notice(text: str) -> bytes:
    """Return what the server itself has to say."""
    return _told(text)


def room_mark(name: str) -> str:
    """Return what stands before a name in a stream of many rooms."""
    return f"[{visible(name)}] "


def visible(text: str) -> str:
    """Return ``text`` on one line, with every control and format character as an escape."""
    return "".join([char if _is_plain(char) else _escape(char) for char in text])


def _is_plain(char: str) -> bool:
    return char in _JOINERS or category(char) not in ("Cc", "Cf", "Zl", "Zp", "Cs")


def _escape(char: str) -> str:
    number = ord(char)
    if number < 0x100:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def _lines(text: str) -> str:
    return f"\n{INDENT}".join([visible(part) for part in _BREAK.split(text)])


def _told(text: str) -> bytes:
    return f"-- {visible(text)}\n".encode()


def _said(event: Logged) -> str:
    name = visible(event.author.name)
    match event:
        case Message():
            return f"{name}: {_content(event)}"
        case Edit():
            return f"* {name} changed message {event.target}: {_content(event)}"
        case Delete():
            return f"* {name} deleted message {event.target}"
        case Reaction():
            verb = "put" if event.op == "add" else "took"
            side = "on" if event.op == "add" else "off"
            return f"* {name} {verb} {visible(event.emoji)} {side} message {event.target}"
        case Topic():
            return f"* {name} set the topic: {visible(event.topic)}"
    return f"* {visible(event.user.name)} {_became(event)}"


def _became(event: Member) -> str:
    if event.op in ("add", "role"):
        role = "" if event.role is msgspec.UNSET else f" as {visible(event.role)}"
        return f"joined{role}" if event.op == "add" else f"is here{role}"
    return {"ban": "was banned", "unban": "may come back"}.get(event.op, "left")


def _content(event: Message | Edit) -> str:
    if event.deleted is True:
        return "(deleted)"
    mark = " (edited)" if event.edited is True and isinstance(event, Message) else ""
    if isinstance(event.text, str):
        return _lines(event.text) + mark
    if event.data is msgspec.UNSET:
        return "(changed again)"
    return visible(msgspec.json.encode(event.data).decode()) + mark


def _gap(gap: Mapping[str, Any]) -> str:
    first, last = gap["from"], gap["to"]
    lost = "events" if first is None or last is None else f"events {first} to {last}"
    return f"{lost} of {gap['room']} are gone ({gap['reason']})"

