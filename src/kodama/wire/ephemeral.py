"""Ephemeral events as JSON: who came and went, who is typing. They have no offset and are not kept."""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec import UNSET, UnsetType

from kodama.core.attendance import Diff, Here, Present, Typing
from kodama.core.event import Author, timestamp
from kodama.core.lease import State

_encode: Final = msgspec.json.encode


class Person(msgspec.Struct, frozen=True):
    """Somebody who is here: an author, with ``state`` only where it is ``idle``."""

    id: str
    name: str
    kind: str
    state: str | UnsetType = UNSET


class PresenceEvent(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="presence"):
    """Who came, went or changed since the version before. ``guests`` of ``count`` have no name."""

    room: str
    joined: list[Person]
    left: list[Author]
    changed: list[Person]
    count: int
    guests: int
    version: int
    partial: bool | UnsetType = UNSET


class TypingEvent(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="typing"):
    """``author`` is typing; unless it is said again, not any more from ``until`` on."""

    room: str
    author: Author
    until: str


class PresenceList(msgspec.Struct, frozen=True, kw_only=True):
    """``GET …/presence``: who is here by name, and how many there are with those who have none."""

    here: list[Person]
    count: int
    guests: int
    version: int
    partial: bool | UnsetType = UNSET


def presence_event(room: str, diff: Diff) -> bytes:
    """Return a diff as an event."""
    return _encode(
        PresenceEvent(
            room=room, joined=_people(diff.joined), left=list(diff.left), changed=_people(diff.changed),
            count=diff.count, guests=diff.guests, version=diff.version,
            partial=True if diff.partial else UNSET,
        )
    )  # fmt: skip


def typing_event(room: str, typing: Typing, *, wall: int, now: float) -> bytes:
    """Return typing as an event; ``wall`` is ``now`` in ms since 1970."""
    until = wall + round((typing.until - now) * 1000)
    return _encode(TypingEvent(room=room, author=typing.author, until=timestamp(until)))


def presence_list(here: Here) -> bytes:
    """Return a room's list."""
    return _encode(
        PresenceList(
            here=_people(here.people), count=here.count, guests=here.guests, version=here.version,
            partial=True if here.partial else UNSET,
        )
    )  # fmt: skip


def _people(people: tuple[Present, ...]) -> list[Person]:
    return [_person(one.author, one.state) for one in people]


def _person(author: Author, state: State) -> Person:
    """Return what is said of somebody; that they are active, as nearly everybody is, is not."""
    return Person(author.id, author.name, author.kind, UNSET if state is State.ACTIVE else state.value)
