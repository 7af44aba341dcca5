"""The index of words: made table by table beside what goes on, and kept up where nobody else does.

The one decision here: a message's words stand in its own row, written in the transaction that
stores, edits or deletes it, so that what is taken back is not found and what goes with its week goes
from the index. Rows without words are those that an older version stored, or an application in SQL;
one node at a time cuts them, the newest first, and a search looks through the newest of them.
"""

from __future__ import annotations

from typing import Final

from kodama.store.postgres.server import INDEXES, Connection, connect, has_partitions, index_of
from kodama.store.postgres.terms import HOW_CUT, terms

PIECE_EVENTS: Final = 500
INDEXING: Final = 0x6B6F64616D63  # the advisory lock of the node that does a piece

_UNCUT: Final = "FROM kodama_events WHERE kind = 'message' AND words IS NULL"
_TABLES: Final = (
    "SELECT inhrelid::regclass::text, relname FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid "
    "WHERE inhparent = 'kodama_events'::regclass"
)
_MADE: Final = (
    "SELECT relname FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid "
    "WHERE indrelid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = 'kodama_events'::regclass)"
)


def waiting(db: Connection) -> bool:
    """Return whether there is something for `piece` to do."""
    if not has_partitions(db):
        return False
    rule, above = db.execute("SELECT rule, above FROM kodama_searching").fetchall()[0]
    if rule < HOW_CUT or above is not None or _missing(db):
        return True
    return bool(db.execute(f"SELECT EXISTS (SELECT 1 {_UNCUT})").fetchall()[0][0])


def piece(url: str) -> bool:
    """Do a bounded piece of it on a connection of its own; return whether there may be more.

    Making an index of a large table is one piece, and takes as long as the database takes for it.
    """
    with connect(url) as db:
        if not db.execute("SELECT pg_try_advisory_lock(%s)", (INDEXING,)).fetchall()[0][0]:
            return False
        try:
            return _piece(db)
        finally:
            db.execute("SELECT pg_advisory_unlock(%s)", (INDEXING,))  # before the next piece asks for it


def _piece(db: Connection) -> bool:
    db.execute("SET statement_timeout = 0")
    for table, name, suffix in _missing(db):
        db.execute(f"DROP INDEX IF EXISTS {name}_{suffix}".encode())  # left half made by a crash
        db.execute(index_of(table, name, suffix, how="CONCURRENTLY").encode())
        return True
    return _begin_anew(db) or _cut(db)


def _missing(db: Connection) -> list[tuple[str, str, str]]:
    """Return the indexes that are not there or not whole: of which table, its bare name, and which."""
    made = {name for (name,) in db.execute(f"{_MADE} AND indisvalid")}
    tables = db.execute(_TABLES).fetchall()
    return [
        (table, name, suffix)
        for table, name in tables
        for suffix in INDEXES
        if f"{name}_{suffix}" not in made
    ]


def _begin_anew(db: Connection) -> bool:
    """Forget the words of the next room if they were cut by an older rule; return whether they were."""
    db.execute("UPDATE kodama_searching SET rule = %s, above = 0 WHERE rule < %s", (HOW_CUT, HOW_CUT))
    with db.transaction():
        room = db.execute(
            "SELECT id FROM kodama_searching JOIN kodama_rooms ON id > above ORDER BY id LIMIT 1 "
            "FOR UPDATE OF kodama_rooms"
        ).fetchone()
        if room is None:
            db.execute("UPDATE kodama_searching SET above = NULL WHERE above IS NOT NULL")
            return False
        db.execute("UPDATE kodama_events SET words = NULL WHERE room_id = %s AND words IS NOT NULL", room)
        db.execute("UPDATE kodama_searching SET above = %s", room)
        return True


def _cut(db: Connection) -> bool:
    """Cut the newest messages that have no words."""
    with db.transaction():
        rows = db.execute(
            f'SELECT room_id, "offset", time, json {_UNCUT} ORDER BY time DESC LIMIT %s '
            "FOR UPDATE SKIP LOCKED",
            (PIECE_EVENTS,),
        ).fetchall()
        if rows:
            db.execute(
                "UPDATE kodama_events SET words = new.words::tsvector "
                "FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::text[]) "
                "AS new (room, at, moment, words) "
                'WHERE room_id = room AND "offset" = at AND time = moment',
                (
                    [row[0] for row in rows], [row[1] for row in rows], [row[2] for row in rows],
                    [terms(row[0], row[3]) for row in rows],
                ),
            )  # fmt: skip
    return len(rows) == PIECE_EVENTS
