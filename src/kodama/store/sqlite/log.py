"""The transaction: a group of changes becomes rows, all of them or none.

The one decision here is how little SQLite is asked while the group is open. Tops and times are
remembered from the last commit; events, nonces and epochs are gathered and inserted by one
statement for many rows (a statement per row gives up and retakes the interpreter's lock at each);
only a change that looks at older events has the gathered rows written first.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import chain
from typing import Any, Final, NamedTuple, TypeVar

from kodama.core.change import (
    Amendment,
    Change,
    Nonce,
    Publish,
    SetTopic,
    Unchanged,
    amend,
    mark_of,
    target_of,
    written,
)
from kodama.core.errors import Conflict, NotFound
from kodama.core.event import Entry, Logged, decode, encode, entry
from kodama.core.room import RoomFacts
from kodama.store.interface import Commit, Stored
from kodama.store.sqlite.file import transaction
from kodama.store.stamps import stamp

ENTRY: Final = "offset, epoch, time, kind, json"
CHUNKS: Final = (64, 16, 4, 1)  # rows a statement; few sizes, so that all stay prepared

_EVENT_COLUMNS: Final = 8
_NONCE_COLUMNS: Final = 8

_NonceKey = tuple[str, str, str]
_Row = TypeVar("_Row")


@dataclass(frozen=True, slots=True)
class Head:
    """Where a room's log ends; ``epoch`` is that of its newest event, "" before the first."""

    id: int
    top: int
    time: int
    epoch: str


class Known(NamedTuple):
    """What was stored under a nonce."""

    id: str
    offset: int
    epoch: str
    time: int
    digest: bytes


def put_room(connection: sqlite3.Connection, facts: RoomFacts) -> int:
    """Create the room or replace its settings and return its number; in an open transaction."""
    (number,) = connection.execute(
        "INSERT INTO rooms (name, title, topic, access, owner, days, events) VALUES (?, ?, ?, ?, ?, ?, ?) "
        "ON CONFLICT (name) DO UPDATE SET title = excluded.title, topic = excluded.topic, "
        "access = excluded.access, owner = excluded.owner, days = excluded.days, "
        "events = excluded.events RETURNING id",
        (
            facts.name, facts.title, facts.topic, facts.access.value, facts.owner,
            facts.retention.days, facts.retention.events,
        ),
    ).fetchone()  # fmt: skip
    return int(number)


class Log:
    """The writer's side of the file: the connection and the heads of rooms written lately."""

    def __init__(self, connection: sqlite3.Connection, *, epoch: str, now: Callable[[], int]) -> None:
        self.connection = connection
        self.epoch = epoch
        self.now = now
        self.heads: dict[str, Head] = {}

    def write(self, changes: Sequence[Change]) -> tuple[list[Commit], list[Stored | Exception]]:
        """Commit ``changes`` durably; refused ones are settled as their refusal.

        What SQLite raises comes through, and then nothing of the group was stored.
        """
        batch = _Batch(self)
        with transaction(self.connection):
            results = batch.take(changes)
            batch.flush()
        self.heads.update(batch.heads)
        return batch.commits(), results


@dataclass(slots=True)
class _Batch:
    log: Log
    heads: dict[str, Head] = field(default_factory=dict)
    entries: dict[str, dict[int, Entry]] = field(default_factory=dict)
    rewritten: dict[str, dict[int, Entry]] = field(default_factory=dict)
    nonces: dict[_NonceKey, Known] = field(default_factory=dict)
    event_rows: list[Sequence[Any]] = field(default_factory=list)
    nonce_rows: list[Sequence[Any]] = field(default_factory=list)

    def take(self, changes: Sequence[Change]) -> list[Stored | Exception]:
        self._learn_nonces(changes)
        results: list[Stored | Exception] = []
        for change in changes:
            try:
                results.append(self._take(change))
            except sqlite3.Error:
                raise
            except Exception as refusal:  # noqa: BLE001 - whoever appended is told, whatever it is
                results.append(refusal)
        return results

    def flush(self) -> None:
        _insert(self.log.connection, "events", columns=_EVENT_COLUMNS, rows=self.event_rows)
        _insert(self.log.connection, "nonces", columns=_NONCE_COLUMNS, rows=self.nonce_rows)
        self.event_rows, self.nonce_rows = [], []

    def commits(self) -> list[Commit]:
        rooms = dict.fromkeys([*self.entries, *self.rewritten])
        return [
            Commit(
                room,
                tuple(self.entries.get(room, {}).values()),
                tuple(self.rewritten.get(room, {}).values()),
            )
            for room in rooms
        ]

    def _take(self, change: Change) -> Stored:
        match change:
            case Publish():
                return self._publish(change)
            case SetTopic():
                head = self._existing(change.room)
                stored = self._write(change, head)
                self.log.connection.execute(
                    "UPDATE rooms SET topic = ? WHERE id = ?", (change.topic, head.id)
                )
                return stored
            case _:
                return self._amend(change, self._existing(change.room))

    def _publish(self, change: Publish) -> Stored:
        nonce = change.nonce
        if nonce is not None:
            known = self.nonces.get((change.room, nonce.sender, nonce.text))
            if known is not None:
                return self._repeated(change.room, known=known, nonce=nonce)
        stored = self._write(change, self._head(change.room))
        if nonce is not None:
            line = stored.entry
            known = Known(stored.id, line.offset, line.epoch, line.time, nonce.digest)
            self.nonces[change.room, nonce.sender, nonce.text] = known
            self.nonce_rows.append((self.heads[change.room].id, nonce.sender, nonce.text, *known))
        return stored

    def _write(self, change: Publish | SetTopic, head: Head | None) -> Stored:
        time = max(self.log.now(), head.time if head else 0)
        place = stamp(head.top + 1 if head else 1, epoch=self.log.epoch, ms=time)
        event = written(change, place)
        line = entry(event, time=time)  # what cannot be encoded fails here, before any trace of it
        if head is None:
            owner = change.owner if isinstance(change, Publish) else None
            head = Head(put_room(self.log.connection, RoomFacts(name=change.room, owner=owner)), 0, 0, "")
        self._keep(event, line, head)
        return Stored(line, event.id, fresh=True)

    def _amend(self, change: Amendment, head: Head) -> Stored:
        self.flush()
        time = max(self.log.now(), head.time)
        aimed_at = self._at(head, change.target)
        related = self.log.connection.execute(
            f"SELECT {ENTRY} FROM events WHERE room_id = ? AND target = ? AND mark = ? ORDER BY offset",  # noqa: S608
            (head.id, change.target, change.mark),
        ).fetchall()
        outcome = amend(
            change,
            decode(aimed_at.json) if aimed_at else None,
            related=[decode(row[-1]) for row in related],
            stamp=stamp(head.top + 1, epoch=self.log.epoch, ms=time),
        )
        if isinstance(outcome, Unchanged):
            place = self._at(head, outcome.event.offset)
            return Stored(place or entry(outcome.event, time=time), outcome.event.id, fresh=False)
        line = entry(outcome.event, time=time)
        anew = [(changed.offset, encode(changed)) for changed in outcome.rewritten]
        for offset, json in anew:
            self._rewrite(change.room, head, offset=offset, json=json)
        self._keep(outcome.event, line, head)
        return Stored(line, outcome.event.id, fresh=True)

    def _keep(self, event: Logged, line: Entry, head: Head) -> None:
        if head.epoch != self.log.epoch:
            self.log.connection.execute(
                "INSERT INTO epochs VALUES (?, ?, ?)", (head.id, line.offset, line.epoch)
            )
        target = target_of(event)
        mark = None if target is None else mark_of(event)
        self.event_rows.append(
            (head.id, line.offset, line.epoch, line.time, line.kind, target, mark, line.json)
        )
        self.heads[event.room] = Head(head.id, line.offset, line.time, line.epoch)
        self.entries.setdefault(event.room, {})[line.offset] = line

    def _rewrite(self, room: str, head: Head, *, offset: int, json: bytes) -> None:
        """Replace an entry's bytes, also in what this very group is about to show."""
        self.log.connection.execute(
            "UPDATE events SET json = ? WHERE room_id = ? AND offset = ?", (json, head.id, offset)
        )
        new = self.entries.get(room, {})
        if offset in new:
            new[offset] = new[offset]._replace(json=json)
            return
        line = self._at(head, offset)
        if line is not None:
            self.rewritten.setdefault(room, {})[offset] = line

    def _repeated(self, room: str, *, known: Known, nonce: Nonce) -> Stored:
        if known.digest != nonce.digest:
            raise Conflict("The nonce was used for another message.")
        new = self.entries.get(room, {}).get(known.offset)
        head = self._existing(room)
        gone = Entry(known.offset, known.epoch, known.time, "message", b"")
        return Stored(new or self._at(head, known.offset) or gone, known.id, fresh=False)

    def _at(self, head: Head, offset: int) -> Entry | None:
        row = self.log.connection.execute(
            f"SELECT {ENTRY} FROM events WHERE room_id = ? AND offset = ?",  # noqa: S608
            (head.id, offset),
        ).fetchone()
        return Entry(*row) if row else None

    def _existing(self, room: str) -> Head:
        head = self._head(room)
        if head is None:
            raise NotFound("There is no such room.")
        return head

    def _head(self, room: str) -> Head | None:
        head = self.heads.get(room) or self.log.heads.get(room)
        if head is None:
            head = read_head(self.log.connection, room)
            if head is not None:
                self.heads[room] = head
        return head

    def _learn_nonces(self, changes: Iterable[Change]) -> None:
        """Ask once for all nonces of the group whether they were used before."""
        asked: dict[tuple[int, str, str], _NonceKey] = {}
        for change in changes:
            if isinstance(change, Publish) and change.nonce is not None:
                head = self._head(change.room)
                if head is not None:
                    key = (change.room, change.nonce.sender, change.nonce.text)
                    asked[head.id, *key[1:]] = key
        for some in _chunks(list(asked)):
            # A join in this order, because for `IN (VALUES …)` SQLite walks the whole table.
            rows = self.log.connection.execute(
                f"WITH asked (room, who, what) AS (VALUES {_marks(3, len(some))}) "  # noqa: S608
                "SELECT room_id, sender, nonce, id, offset, epoch, time, digest FROM asked "
                "CROSS JOIN nonces ON room_id = room AND sender = who AND nonce = what",
                list(chain.from_iterable(some)),
            )
            for number, sender, text, *known in rows:
                self.nonces[asked[number, sender, text]] = Known(*known)


def read_head(connection: sqlite3.Connection, room: str) -> Head | None:
    """Return where the room's log ends, swept away or not."""
    row = connection.execute("SELECT id, swept, swept_time FROM rooms WHERE name = ?", (room,)).fetchone()
    if row is None:
        return None
    number, top, time = row
    epoch = connection.execute(
        "SELECT epoch FROM epochs WHERE room_id = ? ORDER BY first DESC LIMIT 1", (number,)
    ).fetchone()
    newest = connection.execute(
        "SELECT offset, time FROM events WHERE room_id = ? ORDER BY offset DESC LIMIT 1", (number,)
    ).fetchone()
    head = Head(number, top, time, epoch[0] if epoch else "")
    return replace(head, top=newest[0], time=newest[1]) if newest else head


def _insert(
    connection: sqlite3.Connection, table: str, *, columns: int, rows: Sequence[Sequence[Any]]
) -> None:
    for some in _chunks(rows):
        connection.execute(
            f"INSERT INTO {table} VALUES {_marks(columns, len(some))}",  # noqa: S608
            list(chain.from_iterable(some)),
        )


def _chunks(rows: Sequence[_Row]) -> Iterable[Sequence[_Row]]:
    start = 0
    for size in CHUNKS:
        while len(rows) - start >= size:
            yield rows[start : start + size]
            start += size


@lru_cache(maxsize=32)
def _marks(columns: int, rows: int) -> str:
    row = "(" + ", ".join("?" * columns) + ")"
    return ", ".join([row] * rows)
