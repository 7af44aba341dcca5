"""The database server: how a connection is set up, which schema it has, which epoch it writes in.

The one decision here: an epoch stands for one stretch of the *database's* history, told by the
cluster's own identifier and its timeline. All nodes share it; a promoted replica or a restored
backup is on another timeline and begins another, which is how readers notice what it lost. An
engine that only speaks PostgreSQL's protocol and has no timelines has one epoch for ever; it must
not be replicated asynchronously then.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from typing import Any, Final

import psycopg

from kodama.store.interface import StoreDamaged, StoreUnavailable
from kodama.store.stamps import new_epoch

CONNECT_SECONDS: Final = 5
STATEMENT_MS: Final = 30_000
IDLE_MS: Final = 5_000  # how long rooms wait for a node that is frozen or cut off while it holds their locks
MIGRATING: Final = 0x6B6F64616D61  # the advisory lock of whoever changes the schema ("kodama")
WEEK_MS: Final = 7 * 86_400_000

# A network that is cut says nothing: after so long without a sign of the other machine, connect anew.
_CUT_OFF: Final[dict[str, Any]] = {
    "keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3, "tcp_user_timeout": 12_000,
}  # fmt: skip

INDEXES: Final = {  # of each table of messages
    "words": "USING gin (words)",
    "time": "(time) WHERE kind = 'message'",
    "uncut": "(time) WHERE kind = 'message' AND words IS NULL",
}

_PARTITIONS: Final = re.compile(r"/\*partitions\s(.*?)\*/", re.DOTALL)

Connection = psycopg.Connection[tuple[Any, ...]]


def schema() -> list[str]:
    """Return the statements of each schema version, oldest first."""
    folder = files("kodama.store.postgres") / "schema"
    names = sorted(one.name for one in folder.iterdir() if one.name.endswith(".sql"))
    return [(folder / name).read_text("utf-8") for name in names]


def connect(url: str) -> Connection:
    """Return a connection that commits durably; raises psycopg's errors."""
    connection = psycopg.connect(url, connect_timeout=CONNECT_SECONDS, autocommit=True, **_CUT_OFF)
    connection.execute(f"SET statement_timeout = {STATEMENT_MS}")
    connection.execute(f"SET idle_in_transaction_session_timeout = {IDLE_MS}")
    connection.execute("SET synchronous_commit = on")
    connection.execute("SET kodama.cuts = 'on'")  # who writes a message writes its words, too
    connection.prepare_threshold = 2
    return connection


def prepare(url: str) -> None:
    """Bring the schema up to date, while other nodes may serve.

    Raises `StoreDamaged` if it is newer than this version knows, `StoreUnavailable` if the
    database cannot be reached.
    """
    try:
        with connect(url) as connection:
            _migrate(connection)
    except psycopg.Error as error:
        raise StoreUnavailable(f"PostgreSQL cannot be used: {_one_line(error)}") from error


def epoch_of(connection: Connection) -> str:
    """Return the epoch of the history that ``connection`` writes now."""
    history = _history(connection)
    connection.execute(
        "INSERT INTO kodama_stretches VALUES (%s, %s) ON CONFLICT (history) DO NOTHING",
        (history, new_epoch()),
    )
    (epoch,) = _row(connection, "SELECT epoch FROM kodama_stretches WHERE history = %s", (history,))
    return str(epoch)


def outage(error: BaseException) -> bool:
    """Return whether the database failed, rather than what was to be written."""
    return isinstance(error, psycopg.OperationalError | psycopg.InternalError)


def unavailable(error: BaseException) -> StoreUnavailable:
    """Return what the caller is told about ``error``."""
    return StoreUnavailable(f"The log cannot be used now: {_one_line(error)}")


@contextmanager
def transaction(connection: Connection) -> Iterator[None]:
    """Commit durably what is done inside, or nothing of it."""
    with connection.transaction():
        yield


def has_partitions(connection: Connection) -> bool:
    """Return whether this database keeps events in weeks."""
    found = connection.execute("SELECT to_regclass('kodama_events_other')").fetchone()
    return found is not None and found[0] is not None


def make_week(connection: Connection, *, now: int) -> None:
    """Make the partitions of this week and the next, with their indexes; ``now`` in ms.

    Rows for which there is none go to the partition of others, so nothing depends on this.
    """
    for week in (now // WEEK_MS, now // WEEK_MS + 1):
        name = f"kodama_events_w{week}"
        if connection.execute("SELECT to_regclass(%s)", (name,)).fetchall() != [(None,)]:
            continue
        try:
            with connection.transaction():
                connection.execute(
                    f"CREATE TABLE {name} PARTITION OF kodama_events "
                    f"FOR VALUES FROM ({week * WEEK_MS}) TO ({(week + 1) * WEEK_MS})"
                )
                for suffix in INDEXES:
                    connection.execute(index_of(name, name, suffix).encode())
        except (psycopg.errors.CheckViolation, psycopg.errors.DuplicateTable, psycopg.errors.UniqueViolation):
            continue  # a clock was wrong once, or another node was first


def index_of(table: str, name: str, suffix: str, *, how: str = "") -> str:
    """Return the statement that makes one of `INDEXES` on ``table``, whose bare name is ``name``."""
    return f"CREATE INDEX {how} {name}_{suffix} ON {table} {INDEXES[suffix]}"


def _migrate(connection: Connection) -> None:
    connection.execute("SELECT pg_advisory_lock(%s)", (MIGRATING,))
    try:
        connection.execute("CREATE TABLE IF NOT EXISTS kodama_versions (version BIGINT PRIMARY KEY)")
        (there,) = _row(connection, "SELECT coalesce(max(version), 0) FROM kodama_versions", ())
        versions = schema()
        if int(there) > len(versions):
            raise StoreDamaged(f"The database has schema {there}, newer than this version's {len(versions)}.")
        for number, statements in enumerate(versions[int(there) :], start=int(there) + 1):
            with connection.transaction():
                connection.execute(_for(connection, statements).encode())
                connection.execute("INSERT INTO kodama_versions VALUES (%s)", (number,))
    finally:
        connection.execute("SELECT pg_advisory_unlock(%s)", (MIGRATING,))


def _for(connection: Connection, statements: str) -> str:
    """Return ``statements`` as this engine takes them: with partitions only where it is PostgreSQL."""
    (version,) = _row(connection, "SELECT version()", ())
    genuine = str(version).startswith("PostgreSQL") and "-YB-" not in str(version)
    return _PARTITIONS.sub(r"\1" if genuine else "", statements)


def _history(connection: Connection) -> str:
    try:
        system, timeline = _row(
            connection,
            "SELECT (SELECT system_identifier FROM pg_control_system()), "
            "substring(pg_walfile_name(pg_current_wal_lsn()) FROM 1 FOR 8)",
            (),
        )
    except (psycopg.errors.UndefinedFunction, psycopg.errors.FeatureNotSupported):
        return "this engine tells no history"
    return f"{system} {timeline}"


def _row(connection: Connection, question: str, values: tuple[Any, ...]) -> tuple[Any, ...]:
    row = connection.execute(question.encode(), values).fetchone()
    assert row is not None
    return row


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
