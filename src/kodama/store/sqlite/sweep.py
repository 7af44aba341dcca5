"""Forgetting, a little at a time: retention of rooms, then old nonces and ended sessions.

The one decision here: a sweep is a row of short transactions, and publishing goes on between
them. Events go from the lowest up, so what is kept has no hole at any moment, and the place and
time of the last one gone are written in the same transaction.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from typing import Final

from kodama.core.room import DAY_MS, Retention
from kodama.store.sqlite.file import transaction
from kodama.store.sqlite.index import Index, Line
from kodama.store.sqlite.log import MESSAGE
from kodama.store.sqlite.reads import extent, first_not_older
from kodama.store.stamps import NONCE_KEPT_MS
from kodama.store.threads import AGAIN

STEP_ROWS: Final = 500


def sweep(connection: sqlite3.Connection, index: Index, *, now: Callable[[], int]) -> Iterator[object]:
    """Yield `AGAIN` after each step and at last the rooms that lost events."""
    lost: list[tuple[str, int]] = []
    for (name,) in connection.execute("SELECT name FROM rooms ORDER BY name").fetchall():
        first, swept = _first_kept(connection, name, now=now()), False
        while _delete_some(connection, index, name, below=first):
            swept = True
            yield AGAIN
        if swept:
            lost.append((name, first))
    yield from _forget_nonces(connection, before=now() - NONCE_KEPT_MS)
    if connection.execute("SELECT 1 FROM revocations WHERE until < ? LIMIT 1", (now(),)).fetchone():
        with transaction(connection):
            connection.execute("DELETE FROM revocations WHERE until < ?", (now(),))
    yield tuple(lost)


def _first_kept(connection: sqlite3.Connection, name: str, *, now: int) -> int:
    room = extent(connection, name)
    if room is None:
        return 1
    days, events = connection.execute("SELECT days, events FROM rooms WHERE id = ?", (room.id,)).fetchone()
    recent = first_not_older(connection, room, time=now - days * DAY_MS)
    return Retention(days=days, events=events).first_kept(top=room.top, first_recent=recent)


def _delete_some(connection: sqlite3.Connection, index: Index, name: str, *, below: int) -> bool:
    room = extent(connection, name)
    if room is None or room.first >= below:
        return False
    last = min(below, room.first + STEP_ROWS) - 1
    with transaction(connection):
        connection.execute(
            "UPDATE rooms SET swept = ?, swept_time = "
            "(SELECT time FROM events WHERE room_id = ? AND offset = ?) WHERE id = ?",
            (last, room.id, last, room.id),
        )
        gone = connection.execute(
            "DELETE FROM events WHERE room_id = ? AND offset <= ? RETURNING offset, time, json, kind",
            (room.id, last),
        ).fetchall()
        index.remove(Line(room.id, *row) for *row, kind in gone if kind == MESSAGE)
    return True


def _forget_nonces(connection: sqlite3.Connection, *, before: int) -> Iterator[object]:
    """Walk all nonces in the order of their key: no second index has to be kept for this."""
    place: tuple[int, str, str] | None = (0, "", "")
    while place is not None:
        rows = connection.execute(
            "SELECT room_id, sender, nonce, time < ? AND offset <= "
            "(SELECT swept FROM rooms WHERE id = room_id) FROM nonces "
            "WHERE (room_id, sender, nonce) > (?, ?, ?) ORDER BY room_id, sender, nonce LIMIT ?",
            (before, *place, STEP_ROWS),
        ).fetchall()
        old = [row[:3] for row in rows if row[3]]
        if old:
            with transaction(connection):
                for key in old:
                    connection.execute(
                        "DELETE FROM nonces WHERE room_id = ? AND sender = ? AND nonce = ?", key
                    )
        place = rows[-1][:3] if len(rows) == STEP_ROWS else None
        yield AGAIN
