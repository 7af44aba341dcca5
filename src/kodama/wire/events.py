"""Answers to readers, put together from entries that were encoded when they were stored."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from kodama.core.event import Entry, Logged, Message, decode
from kodama.core.stream import Lost
from kodama.core.tally import Tally
from kodama.wire.answers import Gap

_encode: Final = msgspec.json.encode


def batch(
    cursor: str, events: Iterable[bytes], *, more: str = "false", extra: Mapping[str, object] | None = None
) -> bytes:
    """Return ``{"cursor","events","more"}`` with further fields; ``events`` are JSON already."""
    tail = b"".join(b"," + _encode(key) + b":" + _encode(value) for key, value in (extra or {}).items())
    return b'{"cursor":"%b","events":[%b],"more":%b%b}' % (
        cursor.encode(), b",".join(events), more.encode(), tail,
    )  # fmt: skip


def gap(room: str, lost: Lost) -> bytes:
    """Return the control event that tells a reader of a hole."""
    return _encode(Gap(room=room, first=lost.first, last=lost.last, reason=lost.reason.value))


class _Typed(msgspec.Struct):
    type: str


def kind_in(json: bytes) -> str:
    """Return the ``type`` of an event that is no `Entry`."""
    return msgspec.json.decode(json, type=_Typed).type


def page(messages: Iterable[Entry], *, more: str, reactions: Sequence[Tally], cursor: str | None) -> bytes:
    """Return a page of history; ``cursor`` only on the newest page."""
    end = b"" if cursor is None else b',"cursor":"%b"' % cursor.encode()
    return b'{"messages":[%b],"more":%b,"reactions":%b%b}' % (
        b",".join(entry.json for entry in messages), more.encode(), _encode(reactions), end,
    )  # fmt: skip


def found_page(messages: Iterable[Entry], *, following: str | None) -> bytes:
    """Return what a search found; ``following`` leads to the rest, None if there is none."""
    more = b"false" if following is None else b'true,"next":%b' % _encode(following)
    return b'{"messages":[%b],"more":%b}' % (b",".join(entry.json for entry in messages), more)


def as_in_2011(entry: Entry) -> bytes | None:
    """Return what the 2011 door shows of an entry: the posted JSON of an application's message,
    ``{"room","offset","name","text"}`` of a typed one, None of anything else."""
    event: Logged = decode(entry.json)
    if not isinstance(event, Message) or event.deleted is True:
        return None
    if isinstance(event.text, str):
        return _encode(
            {"room": event.room, "offset": event.offset, "name": event.author.name, "text": event.text}
        )
    return _encode(event.data)
