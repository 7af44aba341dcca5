"""Records in the database: members, bans, invites and other small facts beside the log.

The one decision here: whoever writes records holds their kinds, in the order of their names, until
the commit; so versions have no holes and what is expected is what is replaced, on every node.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kodama.core.record import DropRecord, PutRecord, Record, RecordChange, Records, check_revision
from kodama.store.postgres.server import Connection


def write(db: Connection, changes: Sequence[RecordChange]) -> list[int]:
    """Write ``changes`` in an open transaction; returns the version of its kind after each. Raises
    `RecordMoved`."""
    versions = _hold(db, sorted({change.kind for change in changes}))
    after = [_write(db, change, versions) for change in changes]
    for kind, version in versions.items():
        db.execute("UPDATE kodama_kinds SET version = %s WHERE kind = %s", (version, kind))
    return after


def one(db: Connection, kind: str, key: str) -> Record | None:
    """Return a record."""
    row = db.execute(
        "SELECT key, body, revision FROM kodama_records WHERE kind = %s AND key = %s", (kind, key)
    ).fetchone()
    return None if row is None else Record(*row)


def listed(db: Connection, kind: str, *, prefix: str, after: str, limit: int) -> Records:
    """Return records by key, and their kind's version."""
    row = db.execute("SELECT version FROM kodama_kinds WHERE kind = %s", (kind,)).fetchone()
    rows = db.execute(
        "SELECT key, body, revision FROM kodama_records WHERE kind = %s AND key > %s AND key >= %s "
        "AND left(key, %s) = %s ORDER BY key LIMIT %s",
        (kind, after, prefix, len(prefix), prefix, limit),
    )
    return Records(0 if row is None else row[0], tuple(Record(*row) for row in rows))


def versions(db: Connection) -> Mapping[str, int]:
    """Return the version of each kind."""
    return dict(db.execute("SELECT kind, version FROM kodama_kinds").fetchall())


def _hold(db: Connection, kinds: Sequence[str]) -> dict[str, int]:
    """Lock ``kinds`` and return their versions."""
    held: dict[str, int] = {}
    for kind in kinds:
        db.execute("INSERT INTO kodama_kinds VALUES (%s, 0) ON CONFLICT (kind) DO NOTHING", (kind,))
        row = db.execute("SELECT version FROM kodama_kinds WHERE kind = %s FOR UPDATE", (kind,)).fetchone()
        assert row is not None
        held[kind] = row[0]
    return held


def _write(db: Connection, change: RecordChange, versions: dict[str, int]) -> int:
    found = one(db, change.kind, change.key)
    check_revision(change, found=0 if found is None else found.revision)
    versions[change.kind] += 1
    match change:
        case PutRecord():
            db.execute(
                "INSERT INTO kodama_records VALUES (%s, %s, %s, %s) ON CONFLICT (kind, key) "
                "DO UPDATE SET revision = excluded.revision, body = excluded.body",
                (change.kind, change.key, versions[change.kind], change.body),
            )
        case DropRecord():
            row = (change.kind, change.key)
            db.execute("DELETE FROM kodama_records WHERE kind = %s AND key = %s", row)
    return versions[change.kind]
