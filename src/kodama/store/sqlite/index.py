"""The index of messages, as the thread that writes keeps it up.

The one decision here: the index follows the log, many messages at a time. What is new is only noted
in the transaction that stores it, and a search waits until the index has come by what was committed
before; indexed in its own commit, a message that comes alone took 60 % more of the thread's time.
What is rewritten or removed leaves the index in the transaction of the change.

The index keeps no text. What was said is cut into the same words again when a message is rewritten
or removed, and the rule of cutting is noted in the file: under another rule (another version,
another Unicode) everything is indexed anew. What was stored before there was an index is indexed by
`Index.piece`, the newest of each room first.
"""

from __future__ import annotations

import sqlite3
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from kodama.core.search import subject
from kodama.core.words import RULE
from kodama.store.sqlite.file import transaction, unsynced_transaction
from kodama.store.sqlite.rows import insert
from kodama.store.sqlite.terms import MOMENT_BITS, first_number, number_of, terms
from kodama.store.threads import AGAIN

BEHIND_EVENTS: Final = 8  # of what is new: 0.4 ms that a publish may wait (16: 0.55)
WITH_COMMIT: Final = 64  # indexed with a commit when too much is: as many as it is likely to bring
BEHIND_LIMIT: Final = 2_000  # messages; with more, each commit indexes a piece, too
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
    but `piece` and `catch_up` in an open transaction, of which `kept` or `undone` tells the end.
    ``now`` is in ms since 1970."""

    def __init__(self, file: sqlite3.Connection, *, now: Callable[[], int]) -> None:
        self._file = file
        self._now = now
        (how,) = file.execute("SELECT rule FROM searching").fetchone()
        if how != _HOW_CUT:
            _begin_anew(file)
        self._unsearched: dict[int, int] = dict(file.execute("SELECT room_id, top FROM unsearched"))
        self._behind: dict[int, int] = dict(file.execute("SELECT room_id, first FROM behind"))
        self._before: dict[int, int | None] = {}  # what the open transaction has changed in it
        self._owed = 0  # messages that were noted, about
        self._last = int(file.execute("SELECT coalesce(max(id), -1) FROM found").fetchone()[0])
        (removed,) = file.execute("SELECT removed FROM searching").fetchone()
        self._removed = bool(removed)
        self._merging = False
        self._merge_after = 0

    @property
    def waiting(self) -> bool:
        """Return whether `piece` has something to do; any thread may ask."""
        due = self._removed and self._now() >= self._merge_after
        return bool(self._behind or self._unsearched) or self._merging or due

    @property
    def due(self) -> bool:
        """Return whether enough is noted for a piece between two commits; any thread may ask."""
        return self._owed >= BEHIND_EVENTS

    @property
    def behind(self) -> bool:
        """Return whether something is committed that `catch_up` would index; any thread may ask."""
        return bool(self._behind)

    def note(self, messages: Iterable[tuple[int, int]]) -> None:
        """Note new messages, by room and offset, to be indexed later."""
        fresh: list[tuple[int, int]] = []
        for room, offset in messages:
            self._owed += 1
            if room not in self._behind:
                self._move(room, offset)
                fresh.append((room, offset))
        if fresh:
            insert(self._file, "behind", columns=2, rows=fresh)
        if self._owed > BEHIND_LIMIT:
            self._follow(WITH_COMMIT)

    def kept(self) -> None:
        """The transaction is committed."""
        self._before.clear()

    def undone(self) -> None:
        """The transaction has left no trace."""
        for room, first in self._before.items():
            if first is None:
                self._behind.pop(room, None)
            else:
                self._behind[room] = first
        self._before.clear()

    def catch_up(self) -> Iterator[object]:
        """Yield `AGAIN` after each piece, and None when all that was committed before is indexed."""
        ends = [(room, self._end(room)) for room in self._behind]
        for room, end in ends:
            while self._behind.get(room, end + 1) <= end:
                self._follow_once()
                yield AGAIN
        yield None

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
        if self._behind:
            self._follow_once()
        elif self._unsearched:
            self._index_older()
        elif self.waiting:
            self._merge()
        return self.waiting

    def _add(self, lines: Iterable[Line]) -> None:
        found = [(line, about) for line in lines if (about := subject(line.json)) is not None]
        numbers = self._new_numbers([line.time for line, _ in found])
        places = [(one, line.room_id, line.offset) for one, (line, _) in zip(numbers, found, strict=True)]
        insert(self._file, "found", columns=3, rows=places)
        # Cut one by one between the inserts, each of which lets other threads go on.
        said = ((one, *terms(line.room_id, about)) for one, (line, about) in zip(numbers, found, strict=True))
        self._file.executemany("INSERT INTO search (rowid, words, marks) VALUES (?, ?, ?)", said)

    def _has_come_to(self, line: Line) -> bool:
        first = self._behind.get(line.room_id)
        return line.offset > self._unsearched.get(line.room_id, 0) and (first is None or line.offset < first)

    def _move(self, room: int, first: int | None) -> None:
        """Let what is not indexed of ``room`` begin at ``first``; None if all is."""
        self._before.setdefault(room, self._behind.get(room))
        if first is None:
            del self._behind[room]
        else:
            self._behind[room] = first

    def _end(self, room: int) -> int:
        (end,) = self._file.execute("SELECT max(offset) FROM events WHERE room_id = ?", (room,)).fetchone()
        return int(end or 0)

    def _follow_once(self) -> None:
        """Index a piece in a transaction that is durable with the next commit: lost, it is done again."""
        try:
            with unsynced_transaction(self._file):
                self._follow(min(max(BEHIND_EVENTS, self._owed), WITH_COMMIT))
        except BaseException:
            self.undone()
            raise
        self.kept()

    def _follow(self, left: int) -> None:
        """Index so many of what is new, in the order of time: a number is then found without a look."""
        lines: list[Line] = []
        for room, first in tuple(self._behind.items()):
            rows = self._file.execute(
                "SELECT offset, time, json, kind FROM events WHERE room_id = ? AND offset >= ? "
                "ORDER BY offset LIMIT ?",
                (room, first, left),
            ).fetchall()
            lines += [Line(room, *row) for *row, kind in rows if kind == "message"]
            self._followed(room, rows[-1][0] + 1 if len(rows) == left else None)
            left -= len(rows)
            if not left:
                break
        self._add(sorted(lines, key=lambda line: line.time))
        self._owed = max(0, self._owed - len(lines)) if self._behind else 0

    def _followed(self, room: int, first: int | None) -> None:
        if first is None:
            self._file.execute("DELETE FROM behind WHERE room_id = ?", (room,))
        else:
            self._file.execute("UPDATE behind SET first = ? WHERE room_id = ?", (first, room))
        self._move(room, first)

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
        file.execute("DELETE FROM behind")
        file.execute(
            "INSERT INTO unsearched SELECT id, top FROM (SELECT id, "
            "(SELECT max(offset) FROM events WHERE room_id = rooms.id) AS top FROM rooms) "
            "WHERE top IS NOT NULL"
        )
        file.execute("UPDATE searching SET rule = ?, removed = 0", (_HOW_CUT,))
