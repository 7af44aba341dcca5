"""The log without a server: written by a command that holds the file while no server does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from kodama.store.sqlite.file import begin_opening, hold, prepare, writing
from kodama.store.sqlite.index import Index
from kodama.store.sqlite.log import Log
from kodama.store.stamps import new_epoch


@contextmanager
def opened(path: Path, *, now: Callable[[], int]) -> Iterator[Log]:
    """Yield the writer's side of the log at ``path``, made if it is not there; what is appended has
    the time that ``now`` says (ms). All is durable at the end, and nothing is waited for before.

    Raises `StoreDamaged`, also if a server runs on it.
    """
    lock = hold(path)
    prepare(path)
    connection = writing(path)
    connection.execute("PRAGMA synchronous = NORMAL")  # one wait for the disk at the end is enough
    epoch = new_epoch()
    begin_opening(connection, epoch)
    log = Log(connection, index=Index(connection, now=now), lock=lock, epoch=epoch, now=now)
    try:
        yield log
        log.index_all()
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        log.close()
