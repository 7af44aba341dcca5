"""The room as HTML that needs no script: facts in, documents out.

Decided here: whatever people wrote is escaped and shown as they wrote it; only addresses that
begin with http(s) become links.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, Final
from urllib.parse import quote

import msgspec

from kodama.web.words import CATALOGUES

_LINK: Final = re.compile(r"https?://[^\s<>\"'`「」『』\uff08\uff09。、]+")  # up to Japanese brackets, too
_TRAILING: Final = ".,:;!?)]}"


class Speaker(msgspec.Struct, frozen=True):
    """Who wrote a message, as far as it is shown."""

    name: str


class Message(msgspec.Struct, frozen=True):
    """A stored message, as far as it is shown."""

    offset: int
    time: str
    author: Speaker
    text: str | None = None
    data: Any = None
    deleted: bool = False
    edited: bool = False


def address(room: str) -> str:
    """Return the path of the room's plain page."""
    return f"/r/{quote(room, safe='')}/plain"


def room_page(
    *, room: str, title: str, topic: str, lang: str, name: str | None, nonce: str, said: str = ""
) -> bytes:  # fmt: skip
    """Return the document with the form, around the frame with the messages. ``name`` is whom the
    session is for, None if there is none; ``said`` is a sentence above the form."""
    words = CATALOGUES[lang]
    place = escape(address(room))
    heading = escape(title or room)
    who = (
        f"<p>{escape(words['talking_as'].format(name=name))}</p>"
        if name is not None
        else f'<p><label for="name">{words["name"]}</label> '
        '<input id="name" name="name" required maxlength="40" autocomplete="nickname"></p>'
    )
    told = f'<p role="status">{escape(said)}</p>' if said else ""
    about = f"<p>{escape(topic)}</p>" if topic else ""
    body = f"""<header><h1 dir="auto">{heading}</h1>{about}</header>
<main><iframe src="{place}/log#end" title="{words["messages"]}"></iframe>
{told}<form method="post" action="{place}" accept-charset="utf-8">{who}
<p><label for="text">{words["write"]}</label>
<textarea id="text" name="text" rows="2" required dir="auto" autofocus></textarea></p>
<input type="hidden" name="nonce" value="{escape(nonce)}">
<p><button>{words["send"]}</button></p></form></main>
<footer><a href="{place}/log#end">{words["messages"]}</a>
· <a href="{place.removesuffix("/plain")}">{words["rich"]}</a></footer>"""
    return _document(lang, heading, body)


def log_page(*, room: str, lang: str, messages: Sequence[Message], again: str, seconds: int) -> bytes:
    """Return the messages, in a document that asks for ``again`` after ``seconds``."""
    words = CATALOGUES[lang]
    rows = "\n".join(_row(message, words) for message in messages)
    shown = f"<ol>{rows}</ol>" if messages else f"<p>{words['empty']}</p>"
    link = escape(again)
    end = f'<p id="end"><a href="{link}">{words["newest"]}</a> · <small>{words["times"]}</small></p>'
    body = f"<main>{shown}{end}</main>"
    refresh = f'<meta http-equiv="refresh" content="{seconds};url={link}">'
    return _document(lang, escape(room), body, head=refresh)


def refusal_page(*, lang: str, detail: str, back: str) -> bytes:
    """Return what somebody is told whose request was refused."""
    words = CATALOGUES[lang]
    body = f"""<main><h1>{words["refused"]}</h1><p role="alert">{escape(detail)}</p>
<p><a href="{escape(back)}" target="_top">{words["back"]}</a></p></main>"""
    return _document(lang, words["refused"], body)


def linked(text: str) -> str:
    """Return ``text`` escaped, with its addresses as links."""
    parts: list[str] = []
    end = 0
    for found in _LINK.finditer(text):
        target = found[0].rstrip(_TRAILING)
        parts.append(escape(text[end : found.start()]))
        shown = escape(target)
        parts.append(f'<a href="{shown}" rel="nofollow noopener noreferrer" target="_blank">{shown}</a>')
        end = found.start() + len(target)
    parts.append(escape(text[end:]))
    return "".join(parts)


def _row(message: Message, words: Mapping[str, str]) -> str:
    if message.deleted:
        said = f"<i>{words['deleted']}</i>"
    elif message.text is not None:
        said = linked(message.text)
    else:
        said = f"<code>{escape(msgspec.json.encode(message.data).decode())}</code>"
    edited = f" <small>({words['edited']})</small>" if message.edited else ""
    when = escape(message.time)
    return (
        f'<li id="m{message.offset}"><b dir="auto">{escape(message.author.name)}</b> '
        f'<time datetime="{when}">{when[11:16]}</time>{edited}<div dir="auto">{said}</div></li>'
    )


def _document(lang: str, title: str, body: str, *, head: str = "") -> bytes:
    """Return a whole document. Its referrer policy overrides the header's: with `no-referrer` a
    browser sends a form with ``Origin: null`` (Fetch standard, "append a request Origin header")."""
    return f"""<!doctype html>
<html lang="{lang}"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="same-origin">
<link rel="stylesheet" href="/static/plain.css">{head}</head>
<body>{body}</body></html>
""".encode()
