"""The transaction in PostgreSQL: rooms are locked, in the order of their names, and then written.

The one decision here: whoever appends to a room holds the lock of its row until the commit, so
offsets are dense however many nodes write; rooms of different groups do not wait for each other.
A group costs three journeys to the server: the locks, the nonces, and everything that is written,
commit included.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Final, LiteralString, NamedTuple

import psycopg

from kodama.core.change import Change
from kodama.core.event import Entry
from kodama.core.room import RoomFacts
from kodama.store.batch import Batch, EventRow, Head, Known, NonceRow
from kodama.store.interface import ANYTHING, NOTHING, Commit, RoomMoved, Stored
from kodama.store.postgres.server import (
    Connection,
    connect,
    epoch_of,
    has_partitions,
    outage,
    unavailable,
)
from kodama.store.postgres.terms import terms

MARK: Final = "md5(jsonb_build_array(title, topic, access, owner, days, events)::text)"
ENTRY: Final = '"offset", epoch, time, kind, json'
TRIES: Final = 5  # of a group that met another node's in the same place

_AGAIN: Final = (
    psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure, psycopg.errors.UniqueViolation,
)  # fmt: skip
_PUT_ROOM: Final = (
    "INSERT INTO kodama_rooms (name, title, topic, access, owner, days, events) "
    "VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT (name) DO "
)


class Put(NamedTuple):
    """How events are written, with what further columns: ``words`` of room, JSON and kind."""

    insert: LiteralString
    rewrite: LiteralString
    words: Callable[..., tuple[str | None, ...]]


_EVENTS: Final = (
    "unnest(%s::bigint[], %s::bigint[], %s::text[], %s::bigint[], %s::text[], %s::bigint[], %s::text[], "
    "%s::bytea[]"
)


def _cut(room: int, json: bytes, kind: str = "message") -> tuple[str | None, ...]:
    return (terms(room, json) if kind == "message" else None,)


PUT: Final = Put(
    "INSERT INTO kodama_events SELECT a, b, c, d, e, f, g, h, words::tsvector FROM "  # noqa: S608 - of constants
    + _EVENTS
    + ", %s::text[]) AS new (a, b, c, d, e, f, g, h, words)",
    'UPDATE kodama_events SET json = %s, words = %s::tsvector WHERE room_id = %s AND "offset" = %s',
    _cut,
)
PUT_PLAIN: Final = Put(  # an engine without an index
    "INSERT INTO kodama_events SELECT * FROM " + _EVENTS + ")",  # noqa: S608 - of constants
    'UPDATE kodama_events SET json = %s WHERE room_id = %s AND "offset" = %s',
    lambda *_: (),
)


class Log:
    """The writer's side. One connection, made anew after an outage; used by one thread."""

    fault = psycopg.Error
    outage = staticmethod(outage)
    unavailable = staticmethod(unavailable)

    def __init__(self, url: str, *, now: Callable[[], int]) -> None:
        self._url = url
        self._now = now
        self._connection: Connection | None = None
        self._indexed = False
        self.epoch = ""

    @property
    def connection(self) -> Connection:
        """The connection; raises psycopg's errors if the server cannot be reached."""
        if self._connection is None or self._connection.broken or self._connection.closed:
            self._connection = connect(self._url)
            self.epoch = epoch_of(self._connection)
            self._indexed = has_partitions(self._connection)
        return self._connection

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()

    def write(self, changes: Sequence[Change]) -> tuple[list[Commit], list[Stored | Exception]]:
        """Commit ``changes`` durably; refused ones are settled as their refusal."""
        for left in reversed(range(TRIES)):
            try:
                return self._write(changes)
            except _AGAIN:
                if not left:
                    raise
        raise AssertionError("unreachable")

    def _write(self, changes: Sequence[Change]) -> tuple[list[Commit], list[Stored | Exception]]:
        connection = self.connection
        rows = _Rows(connection, epoch=self.epoch, now=self._now, put=PUT if self._indexed else PUT_PLAIN)
        with _pipeline(connection), connection.transaction(), rows:
            rows.lock(sorted({change.room for change in changes}))
            batch = Batch(rows)
            results = batch.take(changes)
        return batch.commits(), results


class _Rows:
    """One open transaction, as a batch sees it."""

    fault = psycopg.Error

    def __init__(self, connection: Connection, *, epoch: str, now: Callable[[], int], put: Put) -> None:
        self._connection = connection
        self._put = put
        self._heads: dict[str, Head] = {}
        self._swept: dict[int, int] = {}
        self._tops: dict[int, EventRow] = {}
        self.epoch = epoch
        self.now = now

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            self._write_tops()

    def lock(self, rooms: Sequence[str]) -> None:
        """Lock the rooms that exist and learn where they end; always in the order of their names."""
        rows = self._connection.execute(
            "SELECT name, swept, id, top, time, epoch FROM kodama_rooms WHERE name = ANY(%s) "
            "ORDER BY name FOR UPDATE",
            (list(rooms),),
        )
        for name, swept, *head in rows:
            self._heads[name] = Head(*head)
            self._swept[self._heads[name].id] = swept

    def head(self, room: str) -> Head | None:
        """Return where the room's log ends."""
        return self._heads.get(room)

    def create(self, facts: RoomFacts) -> Head:
        """Create the room, or lock the one that another node created meanwhile."""
        self._connection.execute(_PUT_ROOM + "NOTHING", _columns(facts))
        self.lock([facts.name])
        return self._heads[facts.name]

    def known(self, keys: Sequence[tuple[int, str, str]]) -> Mapping[tuple[int, str, str], Known]:
        """Return what was stored under these nonces."""
        rows = self._connection.execute(
            'SELECT room_id, sender, nonce, id, "offset", epoch, time, digest FROM kodama_nonces '
            "JOIN unnest(%s::bigint[], %s::text[], %s::text[]) AS asked (room, who, what) "
            "ON room_id = room AND sender = who AND nonce = what",
            _arrays(keys),
        )
        return {(number, sender, text): Known(*known) for number, sender, text, *known in rows}

    def at(self, head: Head, offset: int) -> Entry | None:
        """Return the entry at ``offset`` if it is kept."""
        row = self._connection.execute(
            f'SELECT {ENTRY} FROM kodama_events WHERE room_id = %s AND "offset" = %s',  # noqa: S608
            (head.id, offset),
        ).fetchone()
        return Entry(*row) if row and offset > self._swept[head.id] else None

    def related(self, head: Head, *, target: int, mark: str) -> Sequence[bytes]:
        """Return the events that aim at ``target`` under ``mark``."""
        rows = self._connection.execute(
            "SELECT json FROM kodama_events WHERE room_id = %s AND target = %s AND mark = %s "
            'AND "offset" > %s ORDER BY "offset"',
            (head.id, target, mark, self._swept[head.id]),
        )
        return [json for (json,) in rows]

    def rewrite(self, head: Head, *, offset: int, json: bytes) -> None:
        """Replace an entry's bytes."""
        words = self._put.words(head.id, json)
        self._connection.execute(self._put.rewrite, (json, *words, head.id, offset))

    def set_topic(self, head: Head, topic: str) -> None:
        """Keep the room's topic."""
        self._connection.execute("UPDATE kodama_rooms SET topic = %s WHERE id = %s", (topic, head.id))

    def begin_epoch(self, head: Head, *, offset: int, epoch: str) -> None:
        """Note the room's first event of ``epoch``."""
        self._connection.execute("INSERT INTO kodama_epochs VALUES (%s, %s, %s)", (head.id, offset, epoch))

    def insert(self, events: Sequence[EventRow], nonces: Sequence[NonceRow]) -> None:
        """Insert rows, all in one statement a table."""
        if events:
            rows = [(*row, *self._put.words(row.room_id, row.json, row.kind)) for row in events]
            self._connection.execute(self._put.insert, _arrays(rows))
            self._tops |= {row.room_id: row for row in events}
        if nonces:
            self._connection.execute(
                "INSERT INTO kodama_nonces SELECT * FROM unnest(%s::bigint[], %s::text[], %s::text[], "
                "%s::text[], %s::bigint[], %s::text[], %s::bigint[], %s::bytea[])",
                _arrays(nonces),
            )

    def _write_tops(self) -> None:
        if self._tops:
            tops = [(row.room_id, row.offset, row.time, row.epoch) for row in self._tops.values()]
            self._connection.execute(
                "UPDATE kodama_rooms SET top = new.top, time = new.time, epoch = new.epoch FROM "
                "unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::text[]) AS new (id, top, time, epoch) "
                "WHERE kodama_rooms.id = new.id",
                _arrays(tops),
            )


def _pipeline(connection: Connection) -> AbstractContextManager[object]:
    """Let statements whose answers nobody waits for travel together with the next."""
    return connection.pipeline() if psycopg.Pipeline.is_supported() else nullcontext()


def put_room(connection: Connection, facts: RoomFacts, *, over: str = ANYTHING) -> None:
    """Create the room or replace its settings, in an open transaction. Raises `RoomMoved`."""
    if over == NOTHING:
        if not connection.execute(_PUT_ROOM + "NOTHING", _columns(facts)).rowcount:
            raise RoomMoved
        return
    if over != ANYTHING:
        found = connection.execute(
            f"SELECT {MARK} FROM kodama_rooms WHERE name = %s FOR UPDATE",  # noqa: S608
            (facts.name,),
        ).fetchone()
        if found != (over,):
            raise RoomMoved
    connection.execute(
        _PUT_ROOM + "UPDATE SET title = excluded.title, topic = excluded.topic, access = excluded.access, "
        "owner = excluded.owner, days = excluded.days, events = excluded.events",
        _columns(facts),
    )


def _columns(facts: RoomFacts) -> tuple[Any, ...]:
    return (
        facts.name, facts.title, facts.topic, facts.access.value, facts.owner,
        facts.retention.days, facts.retention.events,
    )  # fmt: skip


def _arrays(rows: Sequence[Sequence[Any]]) -> list[list[Any]]:
    """Return the columns of ``rows``."""
    return [list(column) for column in zip(*rows, strict=True)]
