"""The promise of a bus: it carries what one node knows to the others, perhaps twice, late, or never.

1. A node hears what it tells itself at once, within `Bus.tell`, whatever becomes of the rest.
2. Commits of a room reach every node that follows it, usually within milliseconds. They may come
   twice, late, out of order or not at all: the node notices by offsets and reads the store, so no
   bus can lose a message. A commit too large for the bus comes as `Ahead`.
3. Notices are facts that every node should hear soon. They too may be lost; whatever must not be is
   in the store as well, and nodes that `Bus.healthy` denies news ask it more often.
4. Nothing is kept: who was not there has to look.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import msgspec
from twisted.internet.defer import Deferred

from kodama.core.lease import State
from kodama.store.interface import Commit


class Ahead(msgspec.Struct, frozen=True, tag="ahead"):
    """The room is at ``offset`` now; the entries are in the store."""

    room: str
    offset: int


class Person(msgspec.Struct, frozen=True, array_like=True):
    """Who an author is."""

    id: str
    name: str
    kind: str


class Seated(msgspec.Struct, frozen=True, array_like=True):
    """A reader of a room, here for ``seconds`` more; 0: only its state is told."""

    user: str | None
    client: str
    person: Person | None
    state: State
    seconds: float


class Present(msgspec.Struct, frozen=True, tag="present"):
    """Readers of a room that the sender has, seats (user, client) that were left, and the version of
    the list that its own readers hear next; for nodes that follow it."""

    room: str
    readers: list[Seated]
    left: list[tuple[str | None, str]]
    version: int


class WhoIsHere(msgspec.Struct, frozen=True, tag="who"):
    """The sender wants to be told of all readers of a room."""

    room: str


class Types(msgspec.Struct, frozen=True, tag="types"):
    """Somebody writes in a room."""

    room: str
    person: Person


class RoomChanged(msgspec.Struct, frozen=True, tag="room"):
    """The settings of a room have changed."""

    room: str


class Revoked(msgspec.Struct, frozen=True, tag="revoked"):
    """A session has ended; ``until`` in ms is when that may be forgotten."""

    session: str
    until: int


class RecordsChanged(msgspec.Struct, frozen=True, tag="records"):
    """Records of ``kind`` under ``keys`` were changed: its version was ``before`` and is ``after``.

    Without keys (``before`` equals ``after`` then) there were too many to name."""

    kind: str
    before: int
    after: int
    keys: list[str]


class Spent(msgspec.Struct, frozen=True, tag="spent"):
    """Tokens that the sender gave: from which buckets, to whom, how many."""

    taken: list[tuple[str, str, int]]


class LookAgain(msgspec.Struct, frozen=True, tag="look"):
    """The bus was deaf for a while: look at the store for all that is followed. Made by the bus itself."""


Around = Present | WhoIsHere | Types  # what is only for nodes that follow the room
Notice = Ahead | Around | RoomChanged | RecordsChanged | Revoked | Spent | LookAgain


class Bus(Protocol):
    """One node's way to hear of commits and notices, its own included. All on the reactor's thread."""

    def start(self, heard: Callable[[Sequence[Commit]], None], noticed: Callable[[Notice], None]) -> None:
        """Begin; commits are given to ``heard``, notices to ``noticed``. Raises `BusUnavailable`."""
        ...

    def follow(self, room: str) -> Deferred[None]:
        """Want the room's commits; fires when they will come, or when it is known that they may not."""
        ...

    def unfollow(self, room: str) -> None:
        """Want them no more."""
        ...

    def tell(self, commits: Sequence[Commit]) -> None:
        """Pass on what this node has committed."""
        ...

    def notice(self, notice: Notice) -> None:
        """Pass on a notice."""
        ...

    def healthy(self) -> bool:
        """Return whether what is told now will be heard, as far as is known."""
        ...

    def counts(self) -> Mapping[str, int]:
        """Return what happened so far: ``received``, ``missed``, ``dropped``, ``breaks``,
        ``unread``."""
        ...

    def stop(self) -> Deferred[None]:
        """End."""
        ...


class BusUnavailable(Exception):
    """The broker cannot be reached at start; the message says why."""
