"""The promise every store keeps; `tests/conformance` is the suite that holds them to it.

1. Offsets of a room are 1, 2, 3 … without holes, given in the order of appending. ``time``
   never decreases within a room, whatever the clock does.
2. What `Store.append` settles as `Stored` is durable: a crash a moment later loses nothing of
   it (the memory store alone is excepted). What was not made durable is settled as an
   exception, leaves no trace and no hole, and later appends succeed once the cause is gone.
3. Nobody is shown an event before it is durable: a `Group` is delivered after its commit, on
   the reactor's thread, groups in the order of commit, all appends of it at once.
4. An append with a nonce that its sender used in that room before stores nothing and settles
   as `Stored` with the first one's place (``fresh`` False), or as `Conflict` if the body
   differs. Nonces are remembered as long as their event is kept and at least 24 hours.
5. An amendment (edit, delete, reaction) is decided by `kodama.core.change.amend` in the same
   transaction that stores it, and rewrites older entries in that transaction.
6. The newest event of every room carries the epoch of this opening of the store, if it was
   written since; a new epoch begins with each opening.
7. Reads show all that was settled before they were asked for, from one moment each.
8. Records (`kodama.core.record`) written together are written all or not at all, durably, and only
   if each is at the revision expected of it; a kind's version grows by one with each change.
9. A message is found by what it says now, from its commit on: an edited one no longer by its old
   words, a deleted one or one that retention took not at all. (What was stored before this version
   is found when `Store.index` has come by it.)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol

from twisted.internet.defer import Deferred

from kodama.core.apikey import ApiKey
from kodama.core.change import Change
from kodama.core.event import Entry
from kodama.core.position import Position
from kodama.core.record import Record, RecordChange, Records
from kodama.core.room import RoomFacts
from kodama.core.search import Wanted
from kodama.core.who import Who

UNREAD_LIMIT: Final = 1_000
ALL_RECORDS: Final = 1_000_000_000
ANYTHING: Final = "*"  # instead of a mark: whatever the settings are
NOTHING: Final = ""  # instead of a mark: of a room that is not there


class Stored(NamedTuple):
    """What was appended, or with ``fresh`` False what was there already. ``id`` is the event's."""

    entry: Entry
    id: str
    fresh: bool


Settle = Callable[[Stored | Exception], None]


class Commit(NamedTuple):
    """What one group did to one room: new entries in order, older entries with new bytes."""

    room: str
    entries: Sequence[Entry]
    rewritten: Sequence[Entry]


class Group(NamedTuple):
    """One commit: what is new, and whom to tell that it is durable (or that it failed)."""

    commits: Sequence[Commit]
    settled: Sequence[tuple[Settle, Stored | Exception]]


class RoomLog(NamedTuple):
    """A room at one moment.

    ``first`` is the lowest offset still kept (top + 1 if none is), ``top`` the newest ever
    given (0 before the first), ``epochs`` each epoch with its first offset, oldest first,
    ``tail`` the newest entries, ending at ``top``. ``mark`` is of the settings, as in `Standing`.
    """

    facts: RoomFacts
    first: int
    top: int
    epochs: Sequence[tuple[int, str]]
    tail: Sequence[Entry]
    mark: str


class Standing(NamedTuple):
    """Where a room stands: the end of its log, and a mark that is another one when its settings are."""

    place: Position
    mark: str


class Look(NamedTuple):
    """What others may have changed: where rooms stand, the version of each kind of records, and a mark
    that is another one when there are other API keys or ended sessions."""

    standings: Mapping[str, Standing]
    versions: Mapping[str, int]
    mark: str


class Slice(NamedTuple):
    """Entries in order without holes; ``first`` is the lowest offset kept at that moment."""

    entries: Sequence[Entry]
    first: int


class Page(NamedTuple):
    """History: messages oldest first as served now, whether there are more in that direction,
    and the end of the log (top offset and its epoch, 0 and "" if empty) they were read at.

    ``reactions`` are, for each of these messages, person and emoji, the newest reaction event.
    """

    messages: Sequence[Entry]
    more: bool
    top: int
    epoch: str
    reactions: Sequence[Entry]


class Found(NamedTuple):
    """Messages newest first (of one moment in different rooms: in any order), and whether there
    are more."""

    messages: Sequence[Entry]
    more: bool


class Listed(NamedTuple):
    """One row of the room list."""

    facts: RoomFacts
    last: int


@dataclass(frozen=True, slots=True)
class Before:
    """Messages below ``offset``."""

    offset: int


@dataclass(frozen=True, slots=True)
class After:
    """Messages above ``offset``."""

    offset: int


@dataclass(frozen=True, slots=True)
class Around:
    """Messages on both sides of ``offset``, itself included."""

    offset: int


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest messages."""


Where = Before | After | Around | Newest


class RoomMoved(Exception):
    """The room's settings are not those that were to be replaced; nothing was written."""


class StoreUnavailable(Exception):
    """The store cannot write now (disk full, I/O error, queue full); nothing was stored."""


class StoreDamaged(Exception):
    """The file is not ours, is damaged or of a newer version; it was left untouched."""


class Store(Protocol):
    """One node's way to the log. All methods are called on the reactor's thread."""

    @property
    def epoch(self) -> str:
        """The epoch of this opening, 8 characters of ``A-Z a-z 0-9`` at most."""
        ...

    def start(self, deliver: Callable[[Group], None]) -> None:
        """Begin to commit; each group is given to ``deliver`` on the reactor's thread.

        Raises `StoreDamaged`.
        """
        ...

    def stop(self) -> Deferred[None]:
        """Finish what was appended, deliver it, and close."""
        ...

    def append(self, change: Change, settle: Settle) -> None:
        """Append ``change``; ``settle`` is called, through ``deliver``, when it is durable.

        Raises `StoreUnavailable` at once when too much is waiting. A `Publish` to a room that
        does not exist creates it; every other change settles as `NotFound` then.
        """
        ...

    def open(self, room: str, *, tail_bytes: int) -> Deferred[RoomLog | None]:
        """Return the room with the newest entries up to ``tail_bytes`` of JSON, or None."""
        ...

    def read(self, room: str, *, after: int, limit: int, size: int) -> Deferred[Slice]:
        """Return at most ``limit`` entries above ``after``, cut at ``size`` bytes of JSON but
        at least one if there is one; from ``first`` on when retention has passed ``after``."""
        ...

    def offset_at(self, room: str, *, time: int) -> Deferred[int]:
        """Return the offset before the lowest kept event not older than ``time`` in ms (top if none)."""
        ...

    def history(self, room: str, *, where: Where, limit: int) -> Deferred[Page]:
        """Return a page of messages, tombstones included."""
        ...

    def search(self, wanted: Wanted, *, who: Who, limit: int, size: int) -> Deferred[Found]:
        """Return the newest messages that are ``wanted`` in rooms that ``who`` may read, at most
        ``limit``, cut at ``size`` bytes of JSON but at least one if there is one."""
        ...

    def index(self) -> Deferred[bool]:
        """Do a bounded piece of what search still needs: index what an older version or an
        application stored, drop what was removed. Return whether there is more to do."""
        ...

    def rooms(self) -> Deferred[Sequence[Listed]]:
        """Return all rooms by name."""
        ...

    def tops(self, rooms: Sequence[str]) -> Deferred[Mapping[str, Standing]]:
        """Return where each of ``rooms`` that exists stands, by one question: how a node that other
        nodes' commits and changes did not reach finds out."""
        ...

    def look(self, rooms: Sequence[str]) -> Deferred[Look]:
        """Return, by one question, what others may have changed: `tops` of ``rooms``, `versions`, and
        whether `keys` has news."""
        ...

    def unread(self, read: Mapping[str, int]) -> Deferred[Mapping[str, int]]:
        """Return how many messages, tombstones included, stand above the offset given for each room
        that exists; of more than `UNREAD_LIMIT` it is that number."""
        ...

    def put_room(self, facts: RoomFacts, *, over: str = ANYTHING) -> Deferred[None]:
        """Create the room or replace its settings, durably; fails with `RoomMoved` unless they have
        the mark ``over``, `NOTHING` if there must be no such room."""
        ...

    def sweep(self) -> Deferred[Sequence[tuple[str, int]]]:
        """Apply every room's retention once and forget old nonces.

        Returns (room, lowest offset now kept) of the rooms that lost events. The epochs of a
        room and its top survive even when all its events are gone.
        """
        ...

    def secret(self, purpose: str) -> bytes:
        """Return 32 random bytes made at first use and kept with the log."""
        ...

    def revoke(self, session: str, *, until: int) -> Deferred[None]:
        """Remember durably that ``session`` has ended; it may be forgotten after ``until`` (ms)."""
        ...

    def revoked(self) -> frozenset[str]:
        """Return the sessions that have ended and are not forgotten."""
        ...

    def put_key(self, key: ApiKey) -> Deferred[None]:
        """Keep an API key, durably."""
        ...

    def drop_key(self, id: str) -> Deferred[bool]:  # noqa: A002 - a key's id
        """Forget an API key, durably; False if there was none."""
        ...

    def keys(self) -> Deferred[Sequence[ApiKey]]:
        """Return all API keys, oldest first, with what other processes have done to them; after
        it `revoked` knows what other nodes have ended, too."""
        ...

    def write_records(self, changes: Sequence[RecordChange]) -> Deferred[Sequence[int]]:
        """Write records, all or none, in order; returns the version of its kind after each.

        Raises `ValueError` at once for what is no record; fails with `RecordMoved`.
        """
        ...

    def record(self, kind: str, key: str) -> Deferred[Record | None]:
        """Return one record, or None."""
        ...

    def records(
        self, kind: str, *, prefix: str = "", after: str = "", limit: int = ALL_RECORDS
    ) -> Deferred[Records]:
        """Return the records of a kind by key (in the order of code points), those whose keys begin
        with ``prefix`` and come after ``after``, at most ``limit``."""
        ...

    def records_now(self, kind: str) -> Records:
        """Return all records of a kind, waiting for them: for the start only."""
        ...

    def versions(self) -> Deferred[Mapping[str, int]]:
        """Return the version of each kind that has had records: how a node learns by one question
        that another has changed some."""
        ...

    def healthy(self) -> bool:
        """Return whether the last attempt to write succeeded."""
        ...
