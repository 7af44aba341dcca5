"""Forgetting: what is swept is not shown from then on, and its rows go when that is cheap.

The one decision here: retention moves the room's ``swept`` and so takes effect at once, room by
room; the rows go afterwards, a whole week's table at a time where nothing in it is shown any
more, else a few at a time. One node sweeps; the others see it in what they read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from kodama.core.room import DAY_MS, Retention
from kodama.store.postgres.reads import Extent, first_not_older
from kodama.store.postgres.server import WEEK_MS, Connection, has_partitions, make_week
from kodama.store.stamps import NONCE_KEPT_MS
from kodama.store.threads import AGAIN

STEP_ROWS: Final = 500
SWEEPING: Final = 0x6B6F64616D62  # the advisory lock of the node that sweeps


def sweep(connection: Callable[[], Connection], *, now: Callable[[], int]) -> Iterator[object]:
    """Yield `AGAIN` after each step and at last the rooms that lost events."""
    lost: list[tuple[str, int]] = []
    if not _one(connection(), "SELECT pg_try_advisory_lock(%s)", SWEEPING):
        yield ()
        return
    try:
        for name, number in _candidates(connection()):
            first = _sweep_room(connection(), number, now=now())
            if first is not None:
                lost.append((name, first))
                yield AGAIN
        yield from _remove(connection, now=now)
    finally:
        connection().execute("SELECT pg_advisory_unlock(%s)", (SWEEPING,))
    yield tuple(lost)


def _candidates(connection: Connection) -> list[tuple[str, int]]:
    """Return the rooms that keep more events than they must by number."""
    rows = connection.execute("SELECT name, id FROM kodama_rooms WHERE top - swept > events ORDER BY name")
    return [(name, number) for name, number in rows]


def _sweep_room(connection: Connection, number: int, *, now: int) -> int | None:
    """Move ``swept`` of one room and return the lowest offset now kept, None if nothing went."""
    with connection.transaction():
        row = connection.execute(
            "SELECT id, swept, top, epoch, days, events FROM kodama_rooms WHERE id = %s FOR UPDATE", (number,)
        ).fetchone()
        if row is None:
            return None
        room, days, events = Extent(*row[:4]), row[4], row[5]
        recent = first_not_older(connection, room, time=now - days * DAY_MS)
        first = Retention(days=days, events=events).first_kept(top=room.top, first_recent=recent)
        if first <= room.swept + 1:
            return None
        connection.execute("UPDATE kodama_rooms SET swept = %s WHERE id = %s", (first - 1, number))
        return first


def _remove(connection: Callable[[], Connection], *, now: Callable[[], int]) -> Iterator[object]:
    """Remove swept rows, old nonces and ended sessions."""
    if has_partitions(connection()):
        make_week(connection(), now=now())
        for week in _weeks(connection(), now=now()):
            _drop_if_swept(connection(), week)
            yield AGAIN
    removing = (
        (
            'DELETE FROM kodama_events WHERE (room_id, "offset", time) IN (SELECT room_id, "offset", '
            "kodama_events.time FROM kodama_events JOIN kodama_rooms ON id = room_id "
            'WHERE "offset" <= swept LIMIT %s)',
            (STEP_ROWS,),
        ),
        (
            "DELETE FROM kodama_nonces WHERE (room_id, sender, nonce) IN (SELECT room_id, sender, nonce "
            "FROM kodama_nonces JOIN kodama_rooms ON kodama_rooms.id = room_id "
            'WHERE kodama_nonces.time < %s AND "offset" <= swept LIMIT %s)',
            (now() - NONCE_KEPT_MS, STEP_ROWS),
        ),
        ("DELETE FROM kodama_revocations WHERE until < %s", (now(),)),
    )
    for statement, values in removing:
        while connection().execute(statement.encode(), values).rowcount >= STEP_ROWS:
            yield AGAIN


def _weeks(connection: Connection, *, now: int) -> list[str]:
    """Return the tables of weeks that are over."""
    rows = connection.execute(
        "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'kodama_events'::regclass"
    ).fetchall()
    over = []
    for (table,) in rows:
        number = table.rpartition("kodama_events_w")[2].strip('"')
        if number.isdigit() and (int(number) + 1) * WEEK_MS <= now:
            over.append(table)
    return over


def _drop_if_swept(connection: Connection, table: str) -> None:
    shown = _one(
        connection,
        f"SELECT EXISTS (SELECT 1 FROM {table} JOIN kodama_rooms ON id = room_id "  # noqa: S608 - a name of ours
        'WHERE "offset" > swept AND "offset" > %s)',
        0,
    )
    if not shown:
        connection.execute(f"DROP TABLE {table}".encode())


def _one(connection: Connection, question: str, value: object) -> Any:
    row = connection.execute(question.encode(), (value,)).fetchone()
    return row[0] if row else None
