"""What the answers to single requests hold, as types; each is read by `read`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from random import Random
from typing import Any, TypeVar

import msgspec

from kodama.client.backoff import LIMIT, Backoff
from kodama.client.event import Author, Event
from kodama.client.faults import ClientFault, Unreachable, may_pass, refused
from kodama.client.http1 import Answer, retry_after

T = TypeVar("T")


class Stored(msgspec.Struct, frozen=True):
    """A message is durable and has its place."""

    id: str
    room: str
    offset: int
    epoch: str
    time: str


class RoomEntry(msgspec.Struct, frozen=True):
    """A room of the server; ``last`` is the offset of its newest event."""

    room: str
    title: str = ""
    topic: str = ""
    access: str = "public"
    last: int = 0


class Person(msgspec.Struct, frozen=True):
    """Who somebody is."""

    id: str
    name: str
    kind: str


class Session(msgspec.Struct, frozen=True):
    """A session that was opened; ``expires`` is RFC 3339."""

    token: str
    user: Person
    expires: str


class Ticket(msgspec.Struct, frozen=True):
    """A read-only ticket."""

    ticket: str


class Presence(msgspec.Struct, frozen=True):
    """Who is in a room; on a jump in ``version`` ask again."""

    here: list[Person]
    count: int
    version: int


class _Rooms(msgspec.Struct, frozen=True):
    rooms: list[RoomEntry]


class _Page(msgspec.Struct, frozen=True):
    messages: list[dict[str, Any]]
    more: bool
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Messages, oldest first; on the newest page a ``cursor`` to go on live from."""

    messages: list[Event]
    more: bool
    cursor: str | None


def read(body: bytes, kind: Callable[..., T]) -> T:
    """Read an answer as ``kind``; raises `ClientFault` if it is not one."""
    try:
        return msgspec.json.decode(body, type=kind)  # type: ignore[no-any-return]
    except msgspec.DecodeError as error:
        raise ClientFault(f"The server's answer makes no sense: {error}") from None


def page(body: bytes) -> Page:
    """Read a page of history."""
    found = read(body, _Page)
    return Page([Event(one) for one in found.messages], found.more, found.cursor)


def room_list(body: bytes) -> list[RoomEntry]:
    """Read the list of rooms."""
    return read(body, _Rooms).rooms


def people(presence: Presence) -> list[Author]:
    """Return who is here as authors of events are."""
    return [Author(one.id, one.name, one.kind) for one in presence.here]


def newest(pages: Iterable[tuple[str, Page]]) -> dict[str, int]:
    """Return the newest message's offset of each room that has one."""
    found = {room: one.messages[-1].offset for room, one in pages if one.messages}
    return {room: offset for room, offset in found.items() if offset is not None}


class Errand:
    """One request until it is answered: what each outcome means, and how long to wait.

    ``tries`` is how often to try at most, None for ever; ``pause`` the longest time between two, in seconds.
    """

    __slots__ = ("_backoff", "_tries")

    def __init__(self, random: Random, *, tries: int | None, pause: float = LIMIT) -> None:
        self._backoff = Backoff(random, limit=pause)
        self._tries = tries

    def answered(self, answer: Answer, *, now: float) -> float | None:
        """Return the seconds to wait before trying again, None if done; raises `Refused`, `Unreachable`."""
        if answer.status < 400:
            return None
        fault = refused(answer.status, answer.body)
        if not may_pass(answer.status):
            raise fault
        return self.failed(str(fault), wait=retry_after(answer.fields, now=now))

    def failed(self, reason: str, *, wait: float | None = None) -> float:
        """Return the seconds to wait after a try that came to nothing; raises `Unreachable`."""
        if self._tries is not None:
            self._tries -= 1
            if self._tries <= 0:
                raise Unreachable(reason)
        return self._backoff.failed(retry_after=wait)
