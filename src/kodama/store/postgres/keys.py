"""API keys and ended sessions in the database, as every node and the command line sees them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import psycopg

from kodama.core.apikey import ApiKey
from kodama.store.postgres.server import Connection, connect, prepare, unavailable

# Another one when there are other keys or sessions that have ended; asked for with the time in ms.
MARK: Final = (
    "coalesce((SELECT string_agg(id || read_only || coalesce(rooms, ''), ',' ORDER BY id) "
    "FROM kodama_keys), '') "
    "|| (SELECT ' ' || count(*) || ' ' || coalesce(sum(until), 0) FROM kodama_revocations WHERE until >= %s)"
)


def put(db: Connection, key: ApiKey) -> None:
    """Keep ``key``."""
    rooms = None if key.rooms is None else json.dumps(sorted(key.rooms))
    db.execute(
        "INSERT INTO kodama_keys VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT (id) DO NOTHING",
        (key.id, key.digest, key.name, rooms, key.read_only, key.created),
    )


def drop(db: Connection, key: str) -> bool:
    """Forget the key with that id and return whether there was one."""
    return db.execute("DELETE FROM kodama_keys WHERE id = %s", (key,)).rowcount > 0


def listed(db: Connection) -> Sequence[ApiKey]:
    """Return all keys, oldest first."""
    return tuple(
        ApiKey(
            digest=bytes(digest), name=name, rooms=None if rooms is None else frozenset(json.loads(rooms)),
            read_only=read_only, created=created,
        )
        for digest, name, rooms, read_only, created in db.execute(
            "SELECT digest, name, rooms, read_only, created FROM kodama_keys ORDER BY created, id"
        )
    )  # fmt: skip


def ended(db: Connection, *, now: int) -> dict[str, int]:
    """Return the sessions that have ended, on whichever node, and until when that matters (ms)."""
    found = db.execute("SELECT session, until FROM kodama_revocations WHERE until >= %s", (now,))
    return dict(found.fetchall())


@contextmanager
def beside(url: str) -> Iterator[Connection]:
    """Yield a transaction on the database, whether servers run on it or not.

    Raises `StoreDamaged`, `StoreUnavailable`.
    """
    prepare(url)
    try:
        with connect(url) as connection, connection.transaction():
            yield connection
    except psycopg.Error as error:
        raise unavailable(error) from error
