"""The transaction in SQLite: what a batch asks for, and how rows go in.

The one decision here is that nothing is done a row at a time. The heads of rooms are remembered
from the last commit; events, nonces and what is found by are inserted by one statement for many rows.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import Final

from kodama.core.change import Change
from kodama.core.event import Entry
from kodama.core.room import RoomFacts
from kodama.store.batch import Batch, EventRow, Head, Known, NonceRow
from kodama.store.interface import Commit, Stored
from kodama.store.sqlite.file import outage, transaction, unavailable
from kodama.store.sqlite.index import Index, Line
from kodama.store.sqlite.rows import chunks, insert, marks

ENTRY: Final = "offset, epoch, time, kind, json"
MESSAGE: Final = "message"  # the kind of events that are found by what they say


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
    """The writer's side of the file: the connection and the heads of rooms written lately.

    It is the `kodama.store.batch.Rows` of its own batches. ``lock`` is the descriptor that
    keeps the file for this process.
    """

    fault = sqlite3.Error
    outage = staticmethod(outage)
    unavailable = staticmethod(unavailable)

    def __init__(
        self, connection: sqlite3.Connection, *, index: Index, lock: int, epoch: str, now: Callable[[], int]
    ) -> None:
        self.connection = connection
        self._index = index
        self._lock = lock
        self.epoch = epoch
        self.now = now
        self._heads: dict[str, Head] = {}

    def write(self, changes: Sequence[Change]) -> tuple[list[Commit], list[Stored | Exception]]:
        """Commit ``changes`` durably; refused ones are settled as their refusal.

        What SQLite raises comes through, and then nothing of the group was stored.
        """
        batch = Batch(self)
        try:
            with transaction(self.connection):
                results = batch.take(changes)
        except BaseException:
            self._index.undone()
            raise
        self._index.kept()
        self._heads.update(batch.heads)
        return batch.commits(), results

    def close(self) -> None:
        """Close the file, which folds the write-ahead log in, and let it go."""
        self.connection.close()
        os.close(self._lock)

    def head(self, room: str) -> Head | None:
        """Return where the room's log ends."""
        return self._heads.get(room) or read_head(self.connection, room)

    def create(self, facts: RoomFacts) -> Head:
        """Create the room; nobody else writes to this file."""
        return Head(put_room(self.connection, facts), 0, 0, "")

    def known(self, keys: Sequence[tuple[int, str, str]]) -> Mapping[tuple[int, str, str], Known]:
        """Return what was stored under these nonces."""
        found: dict[tuple[int, str, str], Known] = {}
        for some in chunks(keys):
            # A join in this order, because for `IN (VALUES …)` SQLite walks the whole table.
            rows = self.connection.execute(
                f"WITH asked (room, who, what) AS (VALUES {marks(3, len(some))}) "  # noqa: S608
                "SELECT room_id, sender, nonce, id, offset, epoch, time, digest FROM asked "
                "CROSS JOIN nonces ON room_id = room AND sender = who AND nonce = what",
                list(chain.from_iterable(some)),
            )
            for number, sender, text, *known in rows:
                found[number, sender, text] = Known(*known)
        return found

    def at(self, head: Head, offset: int) -> Entry | None:
        """Return the entry at ``offset`` if it is kept."""
        row = self.connection.execute(
            f"SELECT {ENTRY} FROM events WHERE room_id = ? AND offset = ?",  # noqa: S608
            (head.id, offset),
        ).fetchone()
        return Entry(*row) if row else None

    def related(self, head: Head, *, target: int, mark: str) -> Sequence[bytes]:
        """Return the events that aim at ``target`` under ``mark``."""
        rows = self.connection.execute(
            "SELECT json FROM events WHERE room_id = ? AND target = ? AND mark = ? ORDER BY offset",
            (head.id, target, mark),
        )
        return [json for (json,) in rows]

    def rewrite(self, head: Head, *, offset: int, json: bytes) -> None:
        """Replace an entry's bytes and what it is found by."""
        old = self.at(head, offset)
        if old is not None and old.kind == MESSAGE:
            self._index.rewrite(Line(head.id, offset, old.time, old.json), json)
        self.connection.execute(
            "UPDATE events SET json = ? WHERE room_id = ? AND offset = ?", (json, head.id, offset)
        )

    def index_all(self) -> None:
        """Index what the index has not come to of all that was written here."""
        for _ in self._index.catch_up():
            pass

    def set_topic(self, head: Head, topic: str) -> None:
        """Keep the room's topic."""
        self.connection.execute("UPDATE rooms SET topic = ? WHERE id = ?", (topic, head.id))

    def begin_epoch(self, head: Head, *, offset: int, epoch: str) -> None:
        """Note the room's first event of ``epoch``."""
        self.connection.execute("INSERT INTO epochs VALUES (?, ?, ?)", (head.id, offset, epoch))

    def insert(self, events: Sequence[EventRow], nonces: Sequence[NonceRow]) -> None:
        """Insert rows, many a statement."""
        insert(self.connection, "events", columns=len(EventRow._fields), rows=events)
        insert(self.connection, "nonces", columns=len(NonceRow._fields), rows=nonces)
        self._index.note([(row.room_id, row.offset) for row in events if row.kind == MESSAGE])


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
