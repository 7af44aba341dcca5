"""The questions asked of the file. Each gets a connection inside one read transaction.

The one decision here: a moment is found by halving (time never decreases in a room and offsets
have no holes), which is why there is no index by time to keep up at each append.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from kodama.core.event import Entry
from kodama.core.position import Position
from kodama.core.room import Access, Retention, RoomFacts
from kodama.store.interface import (
    UNREAD_LIMIT,
    After,
    Around,
    Before,
    Listed,
    Newest,
    Page,
    RoomLog,
    Slice,
    Standing,
    Where,
)
from kodama.store.sqlite.log import ENTRY, read_head

FACTS: Final = "name, title, topic, access, owner, days, events"
_BELOW: Final = (
    f"SELECT {ENTRY} FROM events WHERE room_id = ? AND offset < ? AND kind = 'message' "  # noqa: S608
    "ORDER BY offset DESC LIMIT ?"
)
_FROM: Final = (
    f"SELECT {ENTRY} FROM events WHERE room_id = ? AND offset >= ? AND kind = 'message' "  # noqa: S608
    "ORDER BY offset LIMIT ?"
)
_REACTIONS: Final = (  # answered from the index alone but for the few that it finds
    f"SELECT {ENTRY} FROM events WHERE room_id = ?1 AND offset IN (SELECT max(offset) FROM events "  # noqa: S608
    "WHERE room_id = ?1 AND target BETWEEN ?2 AND ?3 AND mark <> '' GROUP BY target, mark) ORDER BY offset"
)


class Extent(NamedTuple):
    """The room's number, the lowest offset kept, and the newest ever given."""

    id: int
    first: int
    top: int


def extent(connection: sqlite3.Connection, room: str) -> Extent | None:
    """Return where the room's kept log begins and ends, or None if there is no such room."""
    row = connection.execute(
        "SELECT id, swept, (SELECT min(offset) FROM events WHERE room_id = rooms.id), "
        "(SELECT max(offset) FROM events WHERE room_id = rooms.id) FROM rooms WHERE name = ?",
        (room,),
    ).fetchone()
    if row is None:
        return None
    number, swept, first, top = row
    return Extent(number, swept + 1 if first is None else first, swept if top is None else top)


def first_not_older(connection: sqlite3.Connection, room: Extent, *, time: int) -> int:
    """Return the lowest kept offset whose time is at least ``time``, or top + 1."""
    low, high = room.first, room.top + 1
    while low < high:
        middle = (low + high) // 2
        (found,) = connection.execute(
            "SELECT time FROM events WHERE room_id = ? AND offset = ?", (room.id, middle)
        ).fetchone()
        low, high = (middle + 1, high) if found < time else (low, middle)
    return low


def open_room(connection: sqlite3.Connection, name: str, *, tail_bytes: int) -> RoomLog | None:
    """Return the room with its newest entries."""
    room = extent(connection, name)
    if room is None:
        return None
    facts = connection.execute(f"SELECT {FACTS} FROM rooms WHERE id = ?", (room.id,)).fetchone()  # noqa: S608
    epochs = connection.execute(
        "SELECT first, epoch FROM epochs WHERE room_id = ? ORDER BY first", (room.id,)
    ).fetchall()
    tail: list[Entry] = []
    if tail_bytes:
        for row in connection.execute(
            f"SELECT {ENTRY} FROM events WHERE room_id = ? ORDER BY offset DESC",  # noqa: S608
            (room.id,),
        ):
            tail_bytes -= len(row[-1])
            if tail_bytes < 0:
                break
            tail.append(Entry(*row))
    settings = facts_of(facts)
    return RoomLog(settings, room.first, room.top, tuple(epochs), tuple(reversed(tail)), settings.mark)


def read(connection: sqlite3.Connection, name: str, *, after: int, limit: int, size: int) -> Slice:
    """Return the entries above ``after``."""
    room = extent(connection, name)
    if room is None:
        return Slice((), 1)
    taken: list[Entry] = []
    for row in connection.execute(
        f"SELECT {ENTRY} FROM events WHERE room_id = ? AND offset > ? ORDER BY offset LIMIT ?",  # noqa: S608
        (room.id, after, limit),
    ):
        size -= len(row[-1])
        if size < 0 and taken:
            break
        taken.append(Entry(*row))
    return Slice(tuple(taken), room.first)


def offset_at(connection: sqlite3.Connection, name: str, *, time: int) -> int:
    """Return the offset before the lowest kept event not older than ``time``."""
    room = extent(connection, name)
    return first_not_older(connection, room, time=time) - 1 if room else 0


def history(connection: sqlite3.Connection, name: str, *, where: Where, limit: int) -> Page:
    """Return a page of messages, oldest first."""
    room = extent(connection, name)
    if room is None:
        return Page((), more=False, top=0, epoch="", reactions=())
    epoch = connection.execute(
        "SELECT epoch FROM epochs WHERE room_id = ? ORDER BY first DESC LIMIT 1", (room.id,)
    ).fetchone()
    messages, more = _page(connection, room, where=where, limit=limit)
    reactions = _reactions(connection, room, messages)
    return Page(tuple(messages), more, room.top, epoch[0] if epoch else "", reactions)


def rooms(connection: sqlite3.Connection) -> Sequence[Listed]:
    """Return all rooms by name."""
    rows = connection.execute(
        f"SELECT {FACTS}, coalesce((SELECT max(offset) FROM events WHERE room_id = rooms.id), swept) "  # noqa: S608
        "FROM rooms ORDER BY name"
    )
    return tuple(Listed(facts_of(row[:-1]), row[-1]) for row in rows)


def unread(connection: sqlite3.Connection, read: Mapping[str, int]) -> Mapping[str, int]:
    """Return how many messages stand above the offset given for each room."""
    counted = {}
    for name, offset in read.items():
        room = extent(connection, name)
        if room is not None:
            (counted[name],) = connection.execute(
                "SELECT count(*) FROM (SELECT 1 FROM events WHERE room_id = ? AND offset > ? "
                "AND kind = 'message' LIMIT ?)",
                (room.id, offset, UNREAD_LIMIT),
            ).fetchone()
    return counted


def tops(connection: sqlite3.Connection, names: Sequence[str]) -> Mapping[str, Standing]:
    """Return where each of ``names`` that exists stands."""
    standings = {}
    for name in names:
        head = read_head(connection, name)
        if head is not None:
            row = connection.execute(f"SELECT {FACTS} FROM rooms WHERE id = ?", (head.id,)).fetchone()  # noqa: S608
            standings[name] = Standing(Position(head.epoch, head.top), facts_of(row).mark)
    return standings


def _page(
    connection: sqlite3.Connection, room: Extent, *, where: Where, limit: int
) -> tuple[list[Entry], bool]:
    match where:
        case Newest():
            below, older = _some(connection, _BELOW, room=room, offset=room.top + 1, limit=limit)
            return below[::-1], older
        case Before(offset):
            below, older = _some(connection, _BELOW, room=room, offset=offset, limit=limit)
            return below[::-1], older
        case After(offset):
            return _some(connection, _FROM, room=room, offset=offset + 1, limit=limit)
        case Around(offset):
            below, older = _some(connection, _BELOW, room=room, offset=offset, limit=limit // 2)
            above, newer = _some(connection, _FROM, room=room, offset=offset, limit=limit - limit // 2)
            return [*below[::-1], *above], older or newer


def _some(
    connection: sqlite3.Connection, question: str, *, room: Extent, offset: int, limit: int
) -> tuple[list[Entry], bool]:
    """Return ``limit`` rows and whether there is at least one more."""
    rows = connection.execute(question, (room.id, offset, limit + 1)).fetchall()
    return [Entry(*row) for row in rows[:limit]], len(rows) > limit


def _reactions(connection: sqlite3.Connection, room: Extent, messages: Sequence[Entry]) -> tuple[Entry, ...]:
    if not messages:
        return ()
    span = (room.id, messages[0].offset, messages[-1].offset)
    return tuple(Entry(*row) for row in connection.execute(_REACTIONS, span))


def facts_of(row: Sequence[object]) -> RoomFacts:
    """Return the settings of the room whose columns are ``FACTS``."""
    name, title, topic, access, owner, days, events = row
    return RoomFacts(
        name=str(name), title=str(title), topic=str(topic), access=Access(str(access)),
        owner=None if owner is None else str(owner),
        retention=Retention(days=int(str(days)), events=int(str(events))),
    )  # fmt: skip
