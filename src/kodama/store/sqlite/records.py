"""Records in the file: members, bans, invites and other small facts beside the log.

The one decision here: like keys, they may be written by the command line beside a running server,
which notices by the versions of their kinds; so nothing of them is remembered here.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence

from kodama.core.record import DropRecord, PutRecord, Record, RecordChange, Records, check_revision


def write(file: sqlite3.Connection, changes: Sequence[RecordChange]) -> list[int]:
    """Write ``changes`` in an open transaction; returns the version of its kind after each. Raises
    `RecordMoved`."""
    return [_write(file, change) for change in changes]


def one(file: sqlite3.Connection, kind: str, key: str) -> Record | None:
    """Return a record."""
    row = file.execute(
        "SELECT key, body, revision FROM records WHERE kind = ? AND key = ?", (kind, key)
    ).fetchone()
    return None if row is None else Record(*row)


def listed(file: sqlite3.Connection, kind: str, *, prefix: str, after: str, limit: int) -> Records:
    """Return records by key, and their kind's version."""
    rows = file.execute(
        "SELECT key, body, revision FROM records WHERE kind = ? AND key > ? AND key >= ? "
        "AND substr(key, 1, ?) = ? ORDER BY key LIMIT ?",
        (kind, after, prefix, len(prefix), prefix, limit),
    )
    return Records(_version(file, kind), tuple(Record(*row) for row in rows))


def versions(file: sqlite3.Connection) -> Mapping[str, int]:
    """Return the version of each kind."""
    return dict(file.execute("SELECT kind, version FROM kinds"))


def _write(file: sqlite3.Connection, change: RecordChange) -> int:
    found = one(file, change.kind, change.key)
    check_revision(change, found=0 if found is None else found.revision)
    version = _version(file, change.kind) + 1
    file.execute("INSERT OR REPLACE INTO kinds VALUES (?, ?)", (change.kind, version))
    match change:
        case PutRecord():
            row = (change.kind, change.key, version, change.body)
            file.execute("INSERT OR REPLACE INTO records VALUES (?, ?, ?, ?)", row)
        case DropRecord():
            file.execute("DELETE FROM records WHERE kind = ? AND key = ?", (change.kind, change.key))
    return version


def _version(file: sqlite3.Connection, kind: str) -> int:
    row = file.execute("SELECT version FROM kinds WHERE kind = ?", (kind,)).fetchone()
    return 0 if row is None else int(row[0])
