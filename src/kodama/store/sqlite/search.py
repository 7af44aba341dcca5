"""Search in the file: one question to the index, the newest first, no further than the limit.

The one decision here: which rooms somebody may read is settled in the same moment and is part of
the question, so that nothing of other rooms is counted, skipped over or guessed at.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from typing import Final

from kodama.core.event import Entry
from kodama.core.room import RoomFacts
from kodama.core.search import Wanted
from kodama.core.who import Who, admits
from kodama.store.found import cut
from kodama.store.interface import Found
from kodama.store.sqlite.reads import FACTS, facts_of
from kodama.store.sqlite.terms import expression, first_number, number_of

NAMED: Final = 50  # rooms that the index is asked for by name

_QUESTION: Final = (
    "SELECT events.offset, epoch, time, kind, json FROM search "
    "CROSS JOIN found ON found.id = search.rowid "
    "CROSS JOIN events ON events.room_id = found.room_id AND events.offset = found.offset "
    "WHERE search MATCH ? AND search.rowid >= ? AND search.rowid < ? AND found.offset < ? "
    "AND NOT (search.rowid >= ? AND found.room_id = ? AND found.offset >= ?) "
    "AND (? OR found.room_id IN (SELECT value FROM json_each(?))) "
    "ORDER BY search.rowid DESC LIMIT ?"
)
_ALL_OFFSETS: Final = 2**62
_AFTER_ALL: Final = 2**63 - 1


def search(file: sqlite3.Connection, wanted: Wanted, *, who: Who, limit: int, size: int) -> Found:
    """Return the newest messages that are wanted."""
    rooms = _rooms(file, wanted.room)
    open_ = {number for number, facts in rooms.items() if admits(facts, who)}
    if not open_:
        return Found((), more=False)
    shut = rooms.keys() - open_
    few, most = len(open_) <= NAMED, len(shut) <= NAMED
    asked = expression(
        wanted,
        only=open_ if few and (shut or wanted.room is not None) else (),
        but=shut if most and not few else (),
    )
    first = first_number(wanted.since or 0)
    rows = file.execute(
        _QUESTION,
        (
            asked, first, _end(file, wanted, rooms),
            _ALL_OFFSETS if wanted.below is None else wanted.below,
            *_shown(wanted, rooms),
            not shut and wanted.room is None, json.dumps(sorted(open_)), limit + 1,
        ),
    )  # fmt: skip
    return cut((Entry(*row) for row in rows), limit=limit, size=size)


def _rooms(file: sqlite3.Connection, name: str | None) -> Mapping[int, RoomFacts]:
    where, values = ("", ()) if name is None else ("WHERE name = ?", (name,))
    rows = file.execute(f"SELECT id, {FACTS} FROM rooms {where}", values)  # noqa: S608
    return {number: facts_of(row) for number, *row in rows}


def _end(file: sqlite3.Connection, wanted: Wanted, rooms: Mapping[int, RoomFacts]) -> int:
    """Return the number that none of the messages reaches."""
    ends = [_AFTER_ALL]
    if wanted.before is not None:
        ends.append(first_number(wanted.before))
    for number, facts in rooms.items():
        if wanted.below is not None:
            time = _time_of(file, number, offset=wanted.below)
            ends.append(_AFTER_ALL if time is None else first_number(time + 1))
        if wanted.past is not None and facts.name == wanted.past.room:
            time, _, offset = wanted.past
            past = number_of(file, room=number, offset=offset, time=time)
            ends.append(first_number(time + 1) if past is None else past)
    return min(ends)


def _shown(wanted: Wanted, rooms: Mapping[int, RoomFacts]) -> tuple[int, int, int]:
    """Return from which number, in which room and from which offset on an earlier page has shown all:
    the message at which it ended may have left the index since."""
    if wanted.past is not None:
        for number, facts in rooms.items():
            if facts.name == wanted.past.room:
                return first_number(wanted.past.time), number, wanted.past.offset
    return _AFTER_ALL, 0, 0


def _time_of(file: sqlite3.Connection, room: int, *, offset: int) -> int | None:
    row = file.execute("SELECT time FROM events WHERE room_id = ? AND offset = ?", (room, offset)).fetchone()
    return row[0] if row else None
