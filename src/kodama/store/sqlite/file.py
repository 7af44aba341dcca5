"""The file itself: whose it is, whether it is sound, and how a connection to it is set up.

The one decision here: nothing is written to a file before it is known to be ours, whole, of a
version we understand, and not in use. Until then it is only read, and a refusal is a
`StoreDamaged` whose sentence says what to do. A new file is made under another name and moved
into place, so that a crash in between leaves no half-made log behind.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from kodama.store.interface import StoreDamaged, StoreUnavailable

APPLICATION_ID: Final = 0x4B6F646D  # "Kodm", at byte 68 of the file
CHECKED_WHOLE: Final = 16 * 2**20  # bytes: up to this size a full check takes some milliseconds
BUSY_MS: Final = 5_000
CHECKPOINT_PAGES: Final = 4_000  # in the midst of a commit; before it comes to that `fold_in` was due

_MAGIC: Final = b"SQLite format 3\0"
_HEADER: Final = 100


def schema() -> list[str]:
    """Return the statements of each schema version, oldest first."""
    folder = files("kodama.store") / "schema"
    names = sorted(one.name for one in folder.iterdir() if one.name.endswith(".sql"))
    return [(folder / name).read_text("utf-8") for name in names]


class Superseded(sqlite3.OperationalError):
    """Somebody has opened the file for writing since we did; nothing of ours is written any more."""

    sqlite_errorcode = sqlite3.SQLITE_READONLY

    def __init__(self) -> None:
        super().__init__("another process has taken it over")


class Writer(sqlite3.Connection):
    """A connection that writes. Once it has `begin_opening`, ``epoch`` is that of its opening and
    ``newest`` the one that it expects to find in the file. ``synchronous`` is whether its commits
    wait for the disk (FULL) or not (NORMAL)."""

    epoch: str | None = None
    newest: str = ""
    synchronous: str = "FULL"


def begin_opening(connection: Writer, epoch: str) -> None:
    """Let nobody who opened the file before write to it any more: at once, or, if the disk is full, from
    the first thing on that can be written."""
    (connection.newest,) = connection.execute("SELECT epoch FROM opening").fetchone()
    connection.epoch = epoch
    try:
        with transaction(connection):
            pass
    except sqlite3.Error as error:
        if not outage(error):
            raise


def hold(path: Path) -> int:
    """Take the file for this process; closing the returned descriptor lets it go."""
    beside = path.with_name(path.name + ".lock")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(beside, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StoreDamaged(f"{path} cannot be opened: {error.strerror}.") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise StoreDamaged(
            f"{path} is in use by another process. Stop that one, or choose another data directory."
        ) from error
    return descriptor


def prepare(path: Path) -> None:
    """Make the file if there is none, else examine it. Raises `StoreDamaged`."""
    if path.exists() and (path.stat().st_size or wal_of(path).exists()):
        examine(path)
        return
    fresh = path.with_name(path.name + ".new")
    try:
        fresh.unlink(missing_ok=True)
        connection = sqlite3.connect(fresh, isolation_level=None)
        try:
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            migrate(connection)
            connection.execute("PRAGMA journal_mode = WAL")
        finally:
            connection.close()
        settle_on_disk(fresh)
        fresh.replace(path)
        settle_on_disk(path.parent)
    except (OSError, sqlite3.Error) as error:
        raise StoreDamaged(f"{path} cannot be made: {error}.") from error


def examine(path: Path) -> None:
    """Read just enough of the file to trust it. Raises `StoreDamaged`; writes nothing."""
    try:
        with path.open("rb") as opened:
            header = opened.read(_HEADER)
        size = path.stat().st_size
    except OSError as error:
        raise StoreDamaged(f"{path} cannot be read: {error.strerror}.") from error
    _examine_header(path, header=header)
    unclean = wal_of(path).exists()
    # With a write-ahead log beside it the end may be in there: a checkpoint was cut short.
    if not unclean and size < _size_in(header):
        raise StoreDamaged(f"{path} is damaged (its end is missing). Restore a backup of it.")
    with _damage_explained(path), inspecting(path) as connection:
        version = int(connection.execute("PRAGMA user_version").fetchone()[0])
        if version > len(schema()):
            raise StoreDamaged(_too_new(path, version))
        connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        if size <= CHECKED_WHOLE:
            verify(connection, path=path, check="quick_check")
        elif unclean:
            # A whole check of a large log after each crash would keep people waiting; the
            # roots and the newest leaves are where an unfinished write would show.
            for table in ("rooms", "events", "epochs", "nonces", "revocations", "secrets"):
                connection.execute(f"SELECT * FROM {table} LIMIT 1").fetchone()  # noqa: S608


def verify(connection: sqlite3.Connection, *, path: Path, check: str) -> None:
    """Run SQLite's ``quick_check`` or ``integrity_check``. Raises `StoreDamaged`."""
    found = str(connection.execute(f"PRAGMA {check}(1)").fetchone()[0])
    if found != "ok":
        raise StoreDamaged(f"{path} is damaged ({found}). Restore a backup of it.")


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the file to the newest schema version, one transaction for each step."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    for number, statements in enumerate(schema()[version:], start=version + 1):
        connection.executescript(f"BEGIN IMMEDIATE; {statements}\nPRAGMA user_version = {number}; COMMIT;")


def writing(path: Path) -> Writer:
    """Return the one connection that writes; any single thread may use it."""
    with _damage_explained(path):
        connection = sqlite3.connect(
            path, isolation_level=None, check_same_thread=False, cached_statements=256, factory=Writer
        )
        for pragma in (
            f"busy_timeout = {BUSY_MS}",
            "journal_mode = WAL",
            "synchronous = FULL",
            "secure_delete = ON",
            f"wal_autocheckpoint = {CHECKPOINT_PAGES}",
            "journal_size_limit = 67108864",
            "cache_size = -16384",
        ):
            connection.execute(f"PRAGMA {pragma}")
        migrate(connection)
    return connection


@contextmanager
def reading(path: Path) -> Iterator[Callable[[Callable[[sqlite3.Connection], Any]], Any]]:
    """Yield what answers questions from one moment each, on a connection that cannot write."""
    with inspecting(path) as connection:

        def answer(question: Callable[[sqlite3.Connection], Any]) -> Any:
            connection.execute("BEGIN")
            try:
                return question(connection)
            finally:
                connection.execute("COMMIT")

        yield answer


@contextmanager
def inspecting(path: Path) -> Iterator[sqlite3.Connection]:
    """Yield a connection that cannot write, for one thread."""
    connection = sqlite3.connect(
        path.resolve().as_uri() + "?mode=ro", uri=True, isolation_level=None, check_same_thread=False
    )
    try:
        connection.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
        yield connection
    finally:
        connection.close()


def transaction(connection: sqlite3.Connection) -> AbstractContextManager[None]:
    """Commit durably what is done inside, or nothing of it. Raises `Superseded` if the file was opened
    for writing since `begin_opening`, as may happen to a process that was frozen."""
    _wait_for_disk(connection, "FULL")
    return _committing(connection)


def unsynced_transaction(connection: sqlite3.Connection) -> AbstractContextManager[None]:
    """Commit what is done inside without a wait for the disk. It is durable with the first `transaction`
    after it; a power cut before that takes it, as the write-ahead log ends with what was synced."""
    _wait_for_disk(connection, "NORMAL")
    return _committing(connection)


def _wait_for_disk(connection: sqlite3.Connection, synchronous: str) -> None:
    """Say it where it changes. Each transaction asks for its own: none depends on how another ended."""
    if isinstance(connection, Writer) and connection.synchronous != synchronous:
        connection.execute(f"PRAGMA synchronous = {synchronous}")
        connection.synchronous = synchronous


@contextmanager
def _committing(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        _check_opening(connection)
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    if isinstance(connection, Writer) and connection.epoch is not None:
        connection.newest = connection.epoch


def fold_in(connection: sqlite3.Connection) -> None:
    """Bring what is in the write-ahead log into the file, which begins anew with the next commit."""
    connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()


def _check_opening(connection: sqlite3.Connection) -> None:
    if not isinstance(connection, Writer) or connection.epoch is None:
        return
    (found,) = connection.execute("SELECT epoch FROM opening").fetchone()
    if found != connection.newest:
        raise Superseded
    if found != connection.epoch:
        connection.execute("UPDATE opening SET epoch = ?", (connection.epoch,))


def outage(error: BaseException) -> bool:
    """Return whether the disk or the file failed, rather than what was to be written."""
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and (code & 0xFF) in _OUTAGES


def unavailable(error: BaseException) -> StoreUnavailable:
    """Return what the caller is told about ``error``."""
    return StoreUnavailable(f"The log cannot be used now: {error}.")


def wal_of(path: Path) -> Path:
    """Return the write-ahead log beside ``path``; it is there while open and after a crash."""
    return path.with_name(path.name + "-wal")


def settle_on_disk(path: Path) -> None:
    """Make a file, or what a directory lists, survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


_OUTAGES: Final[frozenset[Any]] = frozenset(
    (
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_NOTADB,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_PERM,
    )
)


def _examine_header(path: Path, *, header: bytes) -> None:
    if not header.startswith(_MAGIC) or len(header) < _HEADER:
        raise StoreDamaged(f"{path} is not a Kodama log (it is not a SQLite file). It was left as it is.")
    if int.from_bytes(header[68:72]) != APPLICATION_ID:
        raise StoreDamaged(f"{path} is a SQLite file, but not a Kodama log. It was left as it is.")
    version = int.from_bytes(header[60:64])
    if version > len(schema()):
        raise StoreDamaged(_too_new(path, version))


def _size_in(header: bytes) -> int:
    page = int.from_bytes(header[16:18])
    return (65_536 if page == 1 else page) * int.from_bytes(header[28:32])


def _too_new(path: Path, version: int) -> str:
    return (
        f"{path} was written by a newer Kodama (schema {version}, this one knows {len(schema())}). "
        "It was left as it is; start the newer version."
    )


@contextmanager
def _damage_explained(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise StoreDamaged(
            f"{path} cannot be opened ({error}). Restore a backup if it is damaged."
        ) from error
