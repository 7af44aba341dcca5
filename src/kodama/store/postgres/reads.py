"""The questions asked of the database, each inside one read-only transaction of one moment.

The one decision here: what retention took away is decided by the room's ``swept`` alone; rows at
or below it may still be there for a while and are never shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from kodama.core.event import Entry
from kodama.core.position import Position
from kodama.core.room import Access, Retention, RoomFacts
from kodama.store.interface import (
    UNREAD_LIMIT,
    After,
    Around,
    Before,
    Listed,
    Look,
    Newest,
    Page,
    RoomLog,
    Slice,
    Standing,
    Where,
)
from kodama.store.postgres.keys import MARK as KEYS_MARK
from kodama.store.postgres.log import ENTRY, MARK
from kodama.store.postgres.server import Connection, connect
from kodama.store.threads import Question

FACTS: Final = "name, title, topic, access, owner, days, events"
BELOW: Final = (
    f'SELECT {ENTRY} FROM kodama_events WHERE room_id = %s AND "offset" < %s AND "offset" > %s '  # noqa: S608
    "AND kind = 'message' ORDER BY \"offset\" DESC LIMIT %s"
)
_FROM: Final = (
    f'SELECT {ENTRY} FROM kodama_events WHERE room_id = %s AND "offset" >= %s AND "offset" > %s '  # noqa: S608
    "AND kind = 'message' ORDER BY \"offset\" LIMIT %s"
)
_REACTIONS: Final = (
    f'SELECT {ENTRY} FROM kodama_events WHERE room_id = %s AND "offset" IN (SELECT max("offset") '  # noqa: S608
    "FROM kodama_events WHERE room_id = %s AND target BETWEEN %s AND %s AND mark <> '' "
    'AND "offset" > %s GROUP BY target, mark) ORDER BY "offset"'
)
_STEP_ROWS: Final = 500


class Extent(NamedTuple):
    """The room's number, what was swept, the newest offset ever given, and its epoch."""

    id: int
    swept: int
    top: int
    epoch: str


@dataclass(frozen=True, slots=True)
class Alone:
    """A question that is one statement, and so of one moment without a transaction around it."""

    ask: Question[Connection]

    def __call__(self, connection: Connection) -> Any:
        """Ask it."""
        return self.ask(connection)


@contextmanager
def reading(url: str) -> Iterator[Any]:
    """Yield what answers questions from one moment each; reconnects after an outage."""
    held: list[Connection] = []

    def answer(question: Question[Connection]) -> Any:
        if held and (held[0].broken or held[0].closed):
            held.clear()
        if not held:
            held.append(connect(url))
            held[0].execute("SET default_transaction_isolation = 'repeatable read'")
            held[0].execute("SET default_transaction_read_only = on")
        if isinstance(question, Alone):
            return question(held[0])
        with held[0].transaction():
            return question(held[0])

    try:
        yield answer
    finally:
        for connection in held:
            connection.close()


def extent(connection: Connection, room: str) -> Extent | None:
    """Return where the room's kept log begins and ends, or None if there is no such room."""
    row = connection.execute(
        "SELECT id, swept, top, epoch FROM kodama_rooms WHERE name = %s", (room,)
    ).fetchone()
    return Extent(*row) if row else None


def first_not_older(connection: Connection, room: Extent, *, time: int) -> int:
    """Return the lowest kept offset whose time is at least ``time``, or top + 1.

    By halving: time never decreases in a room and offsets have no holes, so no index is needed.
    """
    low, high = room.swept + 1, room.top + 1
    while low < high:
        middle = (low + high) // 2
        row = connection.execute(
            'SELECT time FROM kodama_events WHERE room_id = %s AND "offset" = %s', (room.id, middle)
        ).fetchone()
        assert row is not None
        low, high = (middle + 1, high) if row[0] < time else (low, middle)
    return low


def open_room(connection: Connection, name: str, *, tail_bytes: int) -> RoomLog | None:
    """Return the room with its newest entries."""
    room = extent(connection, name)
    if room is None:
        return None
    found = connection.execute(
        f"SELECT {FACTS}, {MARK} FROM kodama_rooms WHERE id = %s",  # noqa: S608
        (room.id,),
    ).fetchone()
    assert found is not None
    *facts, mark = found
    epochs = connection.execute(
        "SELECT first, epoch FROM kodama_epochs WHERE room_id = %s ORDER BY first", (room.id,)
    ).fetchall()
    tail = _tail(connection, room, size=tail_bytes)
    starts = [(int(first), str(epoch)) for first, epoch in epochs]
    return RoomLog(facts_of(facts), room.swept + 1, room.top, tuple(starts), tuple(reversed(tail)), mark)


def read(connection: Connection, name: str, *, after: int, limit: int, size: int) -> Slice:
    """Return the entries above ``after``."""
    room = extent(connection, name)
    if room is None:
        return Slice((), 1)
    taken: list[Entry] = []
    after = max(after, room.swept)
    while len(taken) < limit:
        rows = connection.execute(
            f'SELECT {ENTRY} FROM kodama_events WHERE room_id = %s AND "offset" > %s '  # noqa: S608
            'ORDER BY "offset" LIMIT %s',
            (room.id, after, min(_STEP_ROWS, limit - len(taken))),
        ).fetchall()
        for row in rows:
            size -= len(row[-1])
            if size < 0 and taken:
                return Slice(tuple(taken), room.swept + 1)
            taken.append(Entry(*row))
        if len(rows) < _STEP_ROWS:
            break
        after = taken[-1].offset
    return Slice(tuple(taken), room.swept + 1)


def offset_at(connection: Connection, name: str, *, time: int) -> int:
    """Return the offset before the lowest kept event not older than ``time``."""
    room = extent(connection, name)
    return first_not_older(connection, room, time=time) - 1 if room else 0


def history(connection: Connection, name: str, *, where: Where, limit: int) -> Page:
    """Return a page of messages, oldest first."""
    room = extent(connection, name)
    if room is None:
        return Page((), more=False, top=0, epoch="", reactions=())
    messages, more = _page(connection, room, where=where, limit=limit)
    return Page(tuple(messages), more, room.top, room.epoch, _reactions(connection, room, messages))


def rooms(connection: Connection) -> Sequence[Listed]:
    """Return all rooms by name."""
    rows = connection.execute(f"SELECT {FACTS}, top FROM kodama_rooms ORDER BY name")  # noqa: S608
    return tuple(Listed(facts_of(row[:-1]), row[-1]) for row in rows)


def unread(connection: Connection, read: Mapping[str, int]) -> Mapping[str, int]:
    """Return how many messages stand above the offset given for each room."""
    rows = connection.execute(
        "SELECT name, (SELECT count(*) FROM (SELECT 1 FROM kodama_events WHERE room_id = kodama_rooms.id "
        "AND \"offset\" > greatest(asked.at, swept) AND kind = 'message' LIMIT %s) AS new) "
        "FROM unnest(%s::text[], %s::bigint[]) AS asked (room, at) JOIN kodama_rooms ON name = room",
        (UNREAD_LIMIT, list(read), list(read.values())),
    )
    return dict(rows.fetchall())


def tops(connection: Connection, names: Sequence[str]) -> Mapping[str, Standing]:
    """Return where each of ``names`` that exists stands."""
    question = f"SELECT name, epoch, top, {MARK} FROM kodama_rooms WHERE name = ANY(%s)"  # noqa: S608
    rows = connection.execute(question, (list(names),))
    return {name: Standing(Position(epoch, top), mark) for name, epoch, top, mark in rows}


def look(connection: Connection, names: Sequence[str], *, now: int) -> Look:
    """Return what others may have changed, by one statement."""
    question = (
        f"SELECT name, epoch, top, {MARK} FROM kodama_rooms WHERE name = ANY(%s) "  # noqa: S608
        "UNION ALL SELECT kind, NULL, version, NULL FROM kodama_kinds "
        f"UNION ALL SELECT NULL, NULL, NULL, {KEYS_MARK}"
    )
    standings, versions, kept = {}, {}, ""
    for name, epoch, number, mark in connection.execute(question.encode(), (list(names), now)):
        if name is None:
            kept = mark
        elif mark is None:
            versions[name] = number
        else:
            standings[name] = Standing(Position(epoch, number), mark)
    return Look(standings, versions, kept)


def _tail(connection: Connection, room: Extent, *, size: int) -> list[Entry]:
    tail: list[Entry] = []
    before = room.top + 1
    while size:
        rows = connection.execute(
            f'SELECT {ENTRY} FROM kodama_events WHERE room_id = %s AND "offset" < %s AND "offset" > %s '  # noqa: S608
            'ORDER BY "offset" DESC LIMIT %s',
            (room.id, before, room.swept, _STEP_ROWS),
        ).fetchall()
        for row in rows:
            size -= len(row[-1])
            if size < 0:
                return tail
            tail.append(Entry(*row))
        if len(rows) < _STEP_ROWS:
            return tail
        before = tail[-1].offset
    return tail


def _page(connection: Connection, room: Extent, *, where: Where, limit: int) -> tuple[list[Entry], bool]:
    match where:
        case Newest():
            below, older = some(connection, BELOW, room=room, offset=room.top + 1, limit=limit)
            return below[::-1], older
        case Before(offset):
            below, older = some(connection, BELOW, room=room, offset=offset, limit=limit)
            return below[::-1], older
        case After(offset):
            return some(connection, _FROM, room=room, offset=offset + 1, limit=limit)
        case Around(offset):
            below, older = some(connection, BELOW, room=room, offset=offset, limit=limit // 2)
            above, newer = some(connection, _FROM, room=room, offset=offset, limit=limit - limit // 2)
            return [*below[::-1], *above], older or newer


def some(
    connection: Connection, question: str, *, room: Extent, offset: int, limit: int
) -> tuple[list[Entry], bool]:
    """Return ``limit`` rows and whether there is at least one more."""
    rows = connection.execute(question.encode(), (room.id, offset, room.swept, limit + 1)).fetchall()
    return [Entry(*row) for row in rows[:limit]], len(rows) > limit


def _reactions(connection: Connection, room: Extent, messages: Sequence[Entry]) -> tuple[Entry, ...]:
    if not messages:
        return ()
    span = (room.id, room.id, messages[0].offset, messages[-1].offset, room.swept)
    return tuple(Entry(*row) for row in connection.execute(_REACTIONS.encode(), span).fetchall())


def facts_of(row: Sequence[Any]) -> RoomFacts:
    """Return a room's settings as `FACTS` asks for them."""
    name, title, topic, access, owner, days, events = row
    return RoomFacts(
        name=name,
        title=title,
        topic=topic,
        access=Access(access),
        owner=owner,
        retention=Retention(days=days, events=events),
    )
