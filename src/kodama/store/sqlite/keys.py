"""API keys in the file: written by the server, and by the command line beside it.

The one decision here: another process may write this one table while a server holds the log. A
server reads it again and again, and nothing in it depends on what the server remembers.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from kodama.core.apikey import ApiKey
from kodama.store.interface import StoreUnavailable
from kodama.store.sqlite.file import examine, hold, inspecting, prepare, schema, writing


def put(file: sqlite3.Connection, key: ApiKey) -> None:
    """Keep ``key``; in an open transaction."""
    rooms = None if key.rooms is None else json.dumps(sorted(key.rooms))
    file.execute(
        "INSERT OR REPLACE INTO keys VALUES (?, ?, ?, ?, ?, ?)",
        (key.id, key.digest, key.name, rooms, int(key.read_only), key.created),
    )


def drop(file: sqlite3.Connection, key: str) -> bool:
    """Forget the key with that id and return whether there was one; in an open transaction."""
    return file.execute("DELETE FROM keys WHERE id = ?", (key,)).rowcount > 0


def listed(file: sqlite3.Connection) -> Sequence[ApiKey]:
    """Return all keys, oldest first."""
    return tuple(
        ApiKey(
            digest=digest, name=name, rooms=None if rooms is None else frozenset(json.loads(rooms)),
            read_only=bool(read_only), created=created,
        )
        for digest, name, rooms, read_only, created in file.execute(
            "SELECT digest, name, rooms, read_only, created FROM keys ORDER BY created, id"
        )
    )  # fmt: skip


def mark(file: sqlite3.Connection) -> str:
    """Return what is another one when there are other keys, or more sessions that have ended."""
    kept = file.execute(
        "SELECT (SELECT group_concat(id || read_only || ifnull(rooms, '')) FROM keys), "
        "(SELECT count(*) || ' ' || ifnull(sum(until), 0) FROM revocations)"
    ).fetchone()
    return " ".join(map(str, kept))


@contextmanager
def beside(path: Path) -> Iterator[sqlite3.Connection]:
    """Yield a transaction on the log at ``path``, whether a server runs on it or not.

    Raises `StoreDamaged`, `StoreUnavailable`.
    """
    if not _ready(path):
        lock = hold(path)
        try:
            prepare(path)
            writing(path).close()
        finally:
            os.close(lock)
    file = writing(path)
    try:
        file.execute("BEGIN IMMEDIATE")
        yield file
        file.execute("COMMIT")
    except sqlite3.Error as error:
        raise StoreUnavailable(f"{path} cannot be written: {error}.") from error
    finally:
        file.close()


def _ready(path: Path) -> bool:
    """Return whether the file is there in today's form; then it is not changed but for its rows."""
    if not path.exists():
        return False
    examine(path)
    with inspecting(path) as file:
        (version,) = file.execute("PRAGMA user_version").fetchone()
    return bool(version == len(schema()))
