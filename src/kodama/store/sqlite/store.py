"""`SqliteStore`: the reactor's side, which hands work to the threads and their answers back.

The one decision here: nothing on the reactor's thread touches the file after `start`, but for
`secret` at its first use for a purpose. What comes back comes by ``callFromThread``, once a
group, so groups arrive in the order of commit and each as a whole.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Final, Protocol

from twisted.internet.defer import Deferred, succeed

from kodama.core.change import Change
from kodama.core.room import RoomFacts
from kodama.store.interface import Group, Listed, Page, RoomLog, Settle, Slice, StoreUnavailable, Where
from kodama.store.sqlite import reads
from kodama.store.sqlite.file import hold, prepare, transaction, writing
from kodama.store.sqlite.log import Log, put_room
from kodama.store.sqlite.sweep import sweep
from kodama.store.sqlite.threads import Ask, Readers, Task, Waiting, Writer
from kodama.store.stamps import SECRET_BYTES, new_epoch

WAITING_LIMIT: Final = 20_000  # changes: some seconds of a slow disk
READERS: Final = 2


class FromThread(Protocol):
    """The part of `twisted.internet.interfaces.IReactorFromThreads` that is used."""

    def callFromThread(self, callable: Callable[..., Any], *args: Any) -> Any:  # noqa: A002, N802
        """Call on the reactor's thread."""
        ...


class SqliteStore:
    """A `kodama.store.interface.Store` in the file at ``path``. ``now`` gives ms since 1970."""

    def __init__(
        self, path: Path | str, *, reactor: FromThread, now: Callable[[], int],
        waiting_limit: int = WAITING_LIMIT,
    ) -> None:  # fmt: skip
        self._path = Path(path)
        self._reactor = reactor
        self._now = now
        self._waiting_limit = waiting_limit
        self._epoch = new_epoch()
        self._waiting = 0
        self._open = False
        self._closing: Deferred[None] | None = None
        self._secrets: dict[str, bytes] = {}
        self._revoked: dict[str, int] = {}
        self._ended: frozenset[str] = frozenset()
        self.reads = 0

    @property
    def epoch(self) -> str:
        """The epoch of this opening."""
        return self._epoch

    def start(self, deliver: Callable[[Group], None]) -> None:
        """Open the file and begin to commit. Raises `StoreDamaged`."""
        self._lock = hold(self._path)
        try:
            prepare(self._path)
            self._connection = writing(self._path)
            self._remember()
        except BaseException:
            os.close(self._lock)
            raise
        self._deliver = deliver
        self._log = Log(self._connection, epoch=self._epoch, now=self._now)
        self._readers = Readers(self._path, count=READERS)
        self._closing = Deferred()
        self._writer = Writer(self._log, deliver=self._committed, closed=self._close)
        self._writer.start()
        self._readers.start()
        self._open = True

    def stop(self) -> Deferred[None]:
        """Finish what was appended, deliver it, and close."""
        if self._open:
            self._open = False
            self._readers.finish()
            self._writer.finish()
        return succeed(None) if self._closing is None else self._closing

    def append(self, change: Change, settle: Settle) -> None:
        """Append ``change`` with the next group."""
        if not self._open:
            raise StoreUnavailable("The store is closed.")
        if self._waiting >= self._waiting_limit:
            raise StoreUnavailable("Too much is waiting to be written.")
        self._waiting += 1
        self._writer.put(Waiting(change, settle))

    def open(self, room: str, *, tail_bytes: int) -> Deferred[RoomLog | None]:
        """Return the room with its newest entries."""
        return self._ask(lambda file: reads.open_room(file, room, tail_bytes=tail_bytes))

    def read(self, room: str, *, after: int, limit: int, size: int) -> Deferred[Slice]:
        """Return the entries above ``after``."""
        return self._ask(lambda file: reads.read(file, room, after=after, limit=limit, size=size))

    def offset_at(self, room: str, *, time: int) -> Deferred[int]:
        """Return the offset before the lowest kept event not older than ``time``."""
        return self._ask(lambda file: reads.offset_at(file, room, time=time))

    def history(self, room: str, *, where: Where, limit: int) -> Deferred[Page]:
        """Return a page of messages."""
        return self._ask(lambda file: reads.history(file, room, where=where, limit=limit))

    def rooms(self) -> Deferred[Sequence[Listed]]:
        """Return all rooms by name."""
        return self._ask(reads.rooms)

    def put_room(self, facts: RoomFacts) -> Deferred[None]:
        """Create the room or replace its settings, durably."""

        def put(file: sqlite3.Connection) -> None:
            put_room(file, facts)

        return self._do(self._one_step(put))

    def sweep(self) -> Deferred[Sequence[tuple[str, int]]]:
        """Apply every room's retention in short steps and forget old nonces and sessions."""
        swept: Deferred[Sequence[tuple[str, int]]] = self._do(sweep(self._connection, now=self._now))
        return swept.addCallback(self._forget_sessions)

    def secret(self, purpose: str) -> bytes:
        """Return 32 random bytes; waits for one commit at the first use ever for ``purpose``."""
        if purpose in self._secrets:
            return self._secrets[purpose]
        if not self._open:
            raise StoreUnavailable("The store is closed.")
        made = secrets.token_bytes(SECRET_BYTES)

        def keep(file: sqlite3.Connection) -> None:
            file.execute("INSERT INTO secrets VALUES (?, ?)", (purpose, made))

        answers: SimpleQueue[Any] = SimpleQueue()
        self._writer.put(Task(self._one_step(keep), answers.put))
        failure = answers.get()
        if isinstance(failure, Exception):
            raise failure
        return self._secrets.setdefault(purpose, made)

    def revoke(self, session: str, *, until: int) -> Deferred[None]:
        """Remember durably that ``session`` has ended."""

        def keep(file: sqlite3.Connection) -> None:
            file.execute(
                "INSERT INTO revocations VALUES (?, ?) "
                "ON CONFLICT (session) DO UPDATE SET until = max(until, excluded.until)",
                (session, until),
            )

        def kept(_: None) -> None:
            self._revoked[session] = max(until, self._revoked.get(session, until))
            self._ended = frozenset(self._revoked)

        kept_durably: Deferred[None] = self._do(self._one_step(keep))
        return kept_durably.addCallback(kept)

    def revoked(self) -> frozenset[str]:
        """Return the sessions that have ended."""
        return self._ended

    def healthy(self) -> bool:
        """Return whether the last attempt to write succeeded."""
        return self._open and self._writer.healthy

    def _remember(self) -> None:
        self._secrets = dict(self._connection.execute("SELECT purpose, bytes FROM secrets"))
        self._revoked = dict(
            self._connection.execute(
                "SELECT session, until FROM revocations WHERE until >= ?", (self._now(),)
            )
        )
        self._ended = frozenset(self._revoked)

    def _forget_sessions(self, swept: Sequence[tuple[str, int]]) -> Sequence[tuple[str, int]]:
        now = self._now()
        self._revoked = {session: until for session, until in self._revoked.items() if until >= now}
        self._ended = frozenset(self._revoked)
        return swept

    def _one_step(self, work: Callable[[sqlite3.Connection], None]) -> Iterator[None]:
        with transaction(self._connection):
            work(self._connection)
        yield None

    def _ask(self, question: Callable[[sqlite3.Connection], Any]) -> Deferred[Any]:
        self.reads += 1
        answered: Deferred[Any] = Deferred()
        if self._open:
            self._readers.put(Ask(question, self._firing(answered)))
        else:
            answered.errback(StoreUnavailable("The store is closed."))
        return answered

    def _do(self, steps: Iterator[Any]) -> Deferred[Any]:
        done: Deferred[Any] = Deferred()
        if self._open:
            self._writer.put(Task(steps, self._firing(done)))
        else:
            done.errback(StoreUnavailable("The store is closed."))
        return done

    def _firing(self, deferred: Deferred[Any]) -> Callable[[Any], None]:
        """Return what a thread calls to fire ``deferred`` on the reactor's thread."""

        def fire(result: Any) -> None:
            deliver = deferred.errback if isinstance(result, Exception) else deferred.callback
            self._reactor.callFromThread(deliver, result)

        return fire

    def _committed(self, group: Group) -> None:
        self._reactor.callFromThread(self._delivered, group)

    def _delivered(self, group: Group) -> None:
        self._waiting -= len(group.settled)
        self._deliver(group)

    def _close(self) -> None:
        """Close on the writer's thread, after the readers, so that the write-ahead log is folded in."""
        self._readers.join()
        self._connection.close()
        os.close(self._lock)
        self._reactor.callFromThread(self._closed)

    def _closed(self) -> None:
        self._writer.join()
        if self._closing is not None:
            self._closing.callback(None)
