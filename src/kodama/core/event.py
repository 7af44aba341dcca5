"""The events of a room's log, and the bytes in which each is kept and served.

An event is encoded to JSON once, when it is stored; from then on store, memory and answers
pass the same bytes on. `Entry` is those bytes with the few facts that are needed about them.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final, NamedTuple

import msgspec
from msgspec import UNSET, UnsetType


class Author(msgspec.Struct, frozen=True):
    """Who wrote an event; ``kind`` is ``guest``, ``user``, ``bot`` or ``host``."""

    id: str
    name: str
    kind: str


class Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="type"):
    """What all logged events have. ``time`` is RFC 3339 in UTC with milliseconds."""

    room: str
    offset: int
    epoch: str
    id: str
    time: str
    author: Author


class Message(Event, frozen=True, kw_only=True, tag="message"):
    """What somebody typed (``text``) or an application sent (``data``), or its tombstone.

    A live message has both fields, one of them possibly null; a deleted one has neither.
    """

    text: str | None | UnsetType = UNSET
    data: Any = UNSET
    nonce: str | UnsetType = UNSET
    edited: bool | UnsetType = UNSET
    deleted: bool | UnsetType = UNSET


class Edit(Event, frozen=True, kw_only=True, tag="edit"):
    """New words for the message at ``target``; without them once a later edit replaced it."""

    target: int
    text: str | None | UnsetType = UNSET
    data: Any = UNSET
    edited: bool | UnsetType = UNSET
    deleted: bool | UnsetType = UNSET


class Delete(Event, frozen=True, kw_only=True, tag="delete"):
    """The message at ``target`` is gone."""

    target: int


class Reaction(Event, frozen=True, kw_only=True, tag="reaction"):
    """``author`` puts (``op`` = add) or takes back (remove) ``emoji`` on ``target``."""

    target: int
    emoji: str
    op: str


class Topic(Event, frozen=True, kw_only=True, tag="topic"):
    """The room's topic is now ``topic``."""

    topic: str


class Member(Event, frozen=True, kw_only=True, tag="member"):
    """What became of ``user`` in the room: ``op`` is ``add`` or ``role`` (with the ``role``),
    ``remove``, ``ban`` or ``unban``."""

    user: Author
    op: str
    role: str | UnsetType = UNSET


Logged = Message | Edit | Delete | Reaction | Topic | Member

_encoder: Final = msgspec.json.Encoder()
_decoder: Final[msgspec.json.Decoder[Logged]] = msgspec.json.Decoder(Logged)


class Entry(NamedTuple):
    """One line of a room's log. ``time`` is in ms since 1970, ``json`` the event as served."""

    offset: int
    epoch: str
    time: int
    kind: str
    json: bytes


def encode(event: Logged) -> bytes:
    """Return ``event`` as one line of JSON in UTF-8, its fields in the order of the contract."""
    return _encoder.encode(event)


def decode(json: bytes) -> Logged:
    """Return the event that `encode` made ``json`` of."""
    return _decoder.decode(json)


def kind_of(event: Logged) -> str:
    """Return the event's ``type``."""
    return str(type(event).__struct_config__.tag)


def entry(event: Logged, *, time: int) -> Entry:
    """Return ``event`` as a line of the log; ``time`` in ms is what ``event.time`` says."""
    return Entry(event.offset, event.epoch, time, kind_of(event), encode(event))


def timestamp(ms: int) -> str:
    """Return milliseconds since 1970 as RFC 3339, for example ``2026-11-23T22:10:05.123Z``."""
    return f"{_second(ms // 1000)}.{ms % 1000:03d}Z"


@lru_cache(maxsize=4)
def _second(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}"
