"""The index of messages, as the thread that writes keeps it up: in the transaction of each change.

The one decision here: the index keeps no text. What was said is cut into the same words again when
a message is rewritten or removed, and the rule of cutting is noted in the file: under another rule
(another version, another Unicode) everything is indexed anew. What was stored before there was an
index is indexed by `Index.piece`, the newest of each room first.
"""

from __future__ import annotations

import sqlite3
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple

from kodama.core.search import subject
from kodama.core.words import RULE
from kodama.store.sqlite.file import transaction
from kodama.store.sqlite.rows import insert
from kodama.store.sqlite.terms import MOMENT_BITS, first_number, number_of, terms

PIECE_EVENTS: Final = 200  # a few ms of the thread that writes
MERGED_PAGES: Final = 64
MERGE_EVERY_MS: Final = 600_000

_HOW_CUT: Final = f"{RULE}, Unicode {unicodedata.unidata_version}"
_DELETE: Final = "INSERT INTO search (search, rowid, words, marks) VALUES ('delete', ?, ?, ?)"


class Line(NamedTuple):
    """A message as it is kept."""

    room_id: int
    offset: int
    time: int
    json: bytes


class Index:
    """The index of one file. All but the constructor is called on the thread that writes, and all
    but `piece` in an open transaction. ``now`` is in ms since 1970."""

    def __init__(self, file: sqlite3.Connection, *, now: Callable[[], int]) -> None:
        self._file = file
        self._now = now
        (how,) = file.execute("SELECT rule FROM searching").fetchone()
        if how != _HOW_CUT:
            _begin_anew(file)
        self._unsearched: dict[int, int] = dict(file.execute("SELECT room_id, top FROM unsearched"))
        self._last = int(file.execute("SELECT coalesce(max(id), -1) FROM found").fetchone()[0])
        (removed,) = file.execute("SELECT removed FROM searching").fetchone()
        self._removed = bool(removed)
        self._merging = False
        self._merge_after = 0

    @property
    def waiting(self) -> bool:
        """Return whether `piece` has something to do; any thread may ask."""
        due = self._removed and self._now() >= self._merge_after
        return bool(self._unsearched) or self._merging or due

    def add(self, lines: Iterable[Line]) -> None:
        """Index new messages."""
        self._add([line for line in lines if self._has_come_to(line)])

    def rewrite(self, old: Line, json: bytes) -> None:
        """Index a message by its new bytes, if by any."""
        if self._has_come_to(old):
            self.remove([old])
            self._add([old._replace(json=json)])

    def remove(self, lines: Iterable[Line]) -> None:
        """Forget messages and the words they are found by."""
        gone = []
        for line in lines:
            about = subject(line.json)
            number = number_of(self._file, room=line.room_id, offset=line.offset, time=line.time)
            if about is not None and number is not None:
                gone.append((number, *terms(line.room_id, about)))
        if gone:
            self._file.executemany(_DELETE, gone)
            self._file.executemany("DELETE FROM found WHERE id = ?", [(number,) for number, *_ in gone])
            self._file.execute("UPDATE searching SET removed = 1 WHERE removed = 0")
            self._removed = True

    def piece(self) -> bool:
        """Do a bounded piece of what is left to do, in a transaction; return whether there is more."""
        if self._unsearched:
            self._index_older()
        elif self.waiting:
            self._merge()
        return self.waiting

    def _add(self, lines: Iterable[Line]) -> None:
        found = [(line, about) for line in lines if (about := subject(line.json)) is not None]
        numbers = self._new_numbers([line.time for line, _ in found])
        places = [(one, line.room_id, line.offset) for one, (line, _) in zip(numbers, found, strict=True)]
        insert(self._file, "found", columns=3, rows=places)
        said = [(one, *terms(line.room_id, about)) for one, (line, about) in zip(numbers, found, strict=True)]
        insert(self._file, "search (rowid, words, marks)", columns=3, rows=said)

    def _has_come_to(self, line: Line) -> bool:
        return line.offset > self._unsearched.get(line.room_id, 0)

    def _new_numbers(self, times: Sequence[int]) -> list[int]:
        """Return numbers that are not taken, each among those of its moment the highest."""
        given: list[int] = []
        highest: dict[int, int] = {}
        for time in times:
            first = first_number(time)
            if first > self._last:
                number = first
            elif first >> MOMENT_BITS == self._last >> MOMENT_BITS:
                number = self._last + 1
            else:  # the clock has gone back, or it is an older message
                number = 1 + (highest[first] if first in highest else self._highest(first))
            highest[first] = number
            self._last = max(self._last, number)
            given.append(number)
        return given

    def _highest(self, first: int) -> int:
        (taken,) = self._file.execute(
            "SELECT max(id) FROM found WHERE id >= ? AND id < ?", (first, first + 2**MOMENT_BITS)
        ).fetchone()
        return first - 1 if taken is None else int(taken)

    def _index_older(self) -> None:
        room, top = next(iter(self._unsearched.items()))
        with transaction(self._file):
            rows = self._file.execute(
                "SELECT offset, time, json, kind FROM events WHERE room_id = ? AND offset <= ? "
                "ORDER BY offset DESC LIMIT ?",
                (room, top, PIECE_EVENTS),
            ).fetchall()
            self._add(Line(room, *row) for *row, kind in reversed(rows) if kind == "message")
            left = rows[-1][0] - 1 if len(rows) == PIECE_EVENTS else 0
            self._file.execute("UPDATE unsearched SET top = ? WHERE room_id = ?", (left, room))
            self._file.execute("DELETE FROM unsearched WHERE top = 0")
        if left:
            self._unsearched[room] = left
        else:
            del self._unsearched[room]

    def _merge(self) -> None:
        """Write the index together a little, at the end of which removed words are in no page."""
        pages = MERGED_PAGES
        if not self._merging:
            self._merging, self._removed = True, False
            pages = -pages  # begins with all there is
        with transaction(self._file):
            before = self._file.total_changes
            self._file.execute("INSERT INTO search (search, rank) VALUES ('merge', ?)", (pages,))
            if self._file.total_changes - before > 1:
                return
            self._file.execute("UPDATE searching SET removed = ?", (self._removed,))
        self._merging = False
        self._merge_after = self._now() + MERGE_EVERY_MS


def _begin_anew(file: sqlite3.Connection) -> None:
    with transaction(file):
        file.execute("INSERT INTO search (search) VALUES ('delete-all')")
        file.execute("DELETE FROM found")
        file.execute("DELETE FROM unsearched")
        file.execute(
            "INSERT INTO unsearched SELECT id, top FROM (SELECT id, "
            "(SELECT max(offset) FROM events WHERE room_id = rooms.id) AS top FROM rooms) "
            "WHERE top IS NOT NULL"
        )
        file.execute("UPDATE searching SET rule = ?, removed = 0", (_HOW_CUT,))
