"""`SqliteStore`: the reactor's side, which hands work to the threads and their answers back.

The one decision here: nothing on the reactor's thread touches the file after `start`, but for
`secret` at its first use for a purpose. What comes back comes by ``callFromThread``, once a
group, so groups arrive in the order of commit and each as a whole.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from twisted.internet.defer import Deferred, succeed
from twisted.python.failure import Failure

from kodama.core.apikey import ApiKey
from kodama.core.change import Change
from kodama.core.record import Record, RecordChange, Records, check_record
from kodama.core.room import RoomFacts
from kodama.core.search import Wanted
from kodama.core.who import Who
from kodama.store.ended import EndedSessions
from kodama.store.interface import (
    ALL_RECORDS,
    ANYTHING,
    NOTHING,
    Found,
    Group,
    Listed,
    Look,
    Page,
    RoomLog,
    RoomMoved,
    Settle,
    Slice,
    Standing,
    StoreUnavailable,
    Where,
)
from kodama.store.sqlite import keys, reads, records
from kodama.store.sqlite.file import begin_opening, fold_in, hold, prepare, reading, transaction, writing
from kodama.store.sqlite.index import Index
from kodama.store.sqlite.log import Log, put_room
from kodama.store.sqlite.search import search
from kodama.store.sqlite.sweep import sweep
from kodama.store.stamps import SECRET_BYTES, new_epoch
from kodama.store.threads import FromThread, Threads

WAITING_LIMIT: Final = 20_000  # changes: some seconds of a slow disk
READERS: Final = 2
FOLD_IN_GROUPS: Final = 150  # some 1,000 pages: 1.5 ms, at the end of a commit 1 % of messages at 1,000/s


class SqliteStore:
    """A `kodama.store.interface.Store` in the file at ``path``. ``now`` gives ms since 1970; ``lock`` is
    the descriptor that holds the file, if somebody holds it for this process already."""

    def __init__(
        self, path: Path | str, *, reactor: FromThread, now: Callable[[], int],
        waiting_limit: int = WAITING_LIMIT, lock: int | None = None,
    ) -> None:  # fmt: skip
        self._path = Path(path)
        self._held = lock
        self._reactor = reactor
        self._now = now
        self._waiting_limit = waiting_limit
        self._epoch = new_epoch()
        self._threads: Threads[sqlite3.Connection] | None = None
        self._secrets: dict[str, bytes] = {}
        self._ended = EndedSessions({})
        self._upkeep = False
        self._unfolded = 0

    @property
    def epoch(self) -> str:
        """The epoch of this opening."""
        return self._epoch

    def start(self, deliver: Callable[[Group], None]) -> None:
        """Open the file and begin to commit. Raises `StoreDamaged`."""
        self._lock = hold(self._path) if self._held is None else self._held
        try:
            prepare(self._path)
            self._connection = writing(self._path)
            begin_opening(self._connection, self._epoch)
            self._index = Index(self._connection, now=self._now)
            self._remember()
        except BaseException:
            os.close(self._lock)
            raise
        self._threads = Threads(
            Log(self._connection, index=self._index, lock=self._lock, epoch=self._epoch, now=self._now),
            reading=lambda: reading(self._path), readers=READERS, reactor=self._reactor,
            deliver=self._then_upkeep(deliver), waiting_limit=self._waiting_limit,
        )  # fmt: skip
        self._threads.start()

    def stop(self) -> Deferred[None]:
        """Finish what was appended, deliver it, and close."""
        return succeed(None) if self._threads is None else self._threads.stop()

    def append(self, change: Change, settle: Settle) -> None:
        """Append ``change`` with the next group."""
        self._opened.append(change, settle)

    @property
    def reads(self) -> int:
        """How many questions were asked of the file."""
        return 0 if self._threads is None else self._threads.asked

    def open(self, room: str, *, tail_bytes: int) -> Deferred[RoomLog | None]:
        """Return the room with its newest entries."""
        return self._opened.ask(lambda file: reads.open_room(file, room, tail_bytes=tail_bytes))

    def read(self, room: str, *, after: int, limit: int, size: int) -> Deferred[Slice]:
        """Return the entries above ``after``."""
        return self._opened.ask(lambda file: reads.read(file, room, after=after, limit=limit, size=size))

    def offset_at(self, room: str, *, time: int) -> Deferred[int]:
        """Return the offset before the lowest kept event not older than ``time``."""
        return self._opened.ask(lambda file: reads.offset_at(file, room, time=time))

    def history(self, room: str, *, where: Where, limit: int) -> Deferred[Page]:
        """Return a page of messages."""
        return self._opened.ask(lambda file: reads.history(file, room, where=where, limit=limit))

    def search(self, wanted: Wanted, *, who: Who, limit: int, size: int) -> Deferred[Found]:
        """Return the newest messages that are wanted, once the index has come by all that is settled."""

        def ask(_: object) -> Deferred[Found]:
            return self._opened.ask(lambda file: search(file, wanted, who=who, limit=limit, size=size))

        return self._opened.do(self._index.catch_up()).addCallback(ask) if self._index.behind else ask(None)

    def index(self) -> Deferred[bool]:
        """Do a bounded piece of what search still needs."""
        return self._opened.do(self._piece()) if self._index.waiting else succeed(False)  # noqa: FBT003 - an answer

    def rooms(self) -> Deferred[Sequence[Listed]]:
        """Return all rooms by name."""
        return self._opened.ask(reads.rooms)

    def tops(self, rooms: Sequence[str]) -> Deferred[Mapping[str, Standing]]:
        """Return where each of ``rooms`` that exists stands."""
        return self._opened.ask(lambda file: reads.tops(file, rooms))

    def look(self, rooms: Sequence[str]) -> Deferred[Look]:
        """Return what other processes may have changed."""
        return self._opened.ask(
            lambda file: Look(reads.tops(file, rooms), records.versions(file), keys.mark(file))
        )

    def unread(self, read: Mapping[str, int]) -> Deferred[Mapping[str, int]]:
        """Return how many messages stand above the offset given for each room."""
        return self._opened.ask(lambda file: reads.unread(file, read))

    def put_room(self, facts: RoomFacts, *, over: str = ANYTHING) -> Deferred[None]:
        """Create the room or replace its settings, durably."""

        def put(file: sqlite3.Connection) -> None:
            known = reads.tops(file, [facts.name]).get(facts.name)
            if over not in (ANYTHING, NOTHING if known is None else known.mark):
                raise RoomMoved
            put_room(file, facts)

        return self._opened.do(self._one_step(put))

    def sweep(self) -> Deferred[Sequence[tuple[str, int]]]:
        """Apply every room's retention in short steps and forget old nonces and sessions."""
        swept: Deferred[Sequence[tuple[str, int]]] = self._opened.do(
            sweep(self._connection, self._index, now=self._now)
        )
        return swept.addCallback(self._forget_sessions)

    def secret(self, purpose: str) -> bytes:
        """Return 32 random bytes; waits for one commit at the first use ever for ``purpose``."""
        if purpose in self._secrets:
            return self._secrets[purpose]
        made = secrets.token_bytes(SECRET_BYTES)

        def keep(file: sqlite3.Connection) -> None:
            file.execute("INSERT INTO secrets VALUES (?, ?)", (purpose, made))

        self._opened.do_now(self._one_step(keep))
        return self._secrets.setdefault(purpose, made)

    def revoke(self, session: str, *, until: int) -> Deferred[None]:
        """Remember durably that ``session`` has ended."""

        def keep(file: sqlite3.Connection) -> None:
            file.execute(
                "INSERT INTO revocations VALUES (?, ?) "
                "ON CONFLICT (session) DO UPDATE SET until = max(until, excluded.until)",
                (session, until),
            )

        kept: Deferred[None] = self._opened.do(self._one_step(keep))
        return kept.addCallback(lambda _: self._ended.add(session, until=until))

    def revoked(self) -> frozenset[str]:
        """Return the sessions that have ended."""
        return self._ended.names

    def put_key(self, key: ApiKey) -> Deferred[None]:
        """Keep an API key, durably."""
        return self._opened.do(self._one_step(lambda file: keys.put(file, key)))

    def drop_key(self, id: str) -> Deferred[bool]:  # noqa: A002 - a key's id
        """Forget an API key, durably."""
        dropped: list[bool] = []

        def drop(file: sqlite3.Connection) -> None:
            dropped.append(keys.drop(file, id))

        done: Deferred[None] = self._opened.do(self._one_step(drop))
        return done.addCallback(lambda _: dropped[0])

    def keys(self) -> Deferred[Sequence[ApiKey]]:
        """Return all API keys, oldest first."""
        return self._opened.ask(keys.listed)

    def write_records(self, changes: Sequence[RecordChange]) -> Deferred[Sequence[int]]:
        """Write records, all or none."""
        for change in changes:
            check_record(change)
        after: list[int] = []

        def write(file: sqlite3.Connection) -> None:
            after[:] = records.write(file, changes)

        done: Deferred[None] = self._opened.do(self._one_step(write))
        return done.addCallback(lambda _: after)

    def record(self, kind: str, key: str) -> Deferred[Record | None]:
        """Return one record."""
        return self._opened.ask(lambda file: records.one(file, kind, key))

    def records(
        self, kind: str, *, prefix: str = "", after: str = "", limit: int = ALL_RECORDS
    ) -> Deferred[Records]:
        """Return the records of a kind by key."""
        return self._opened.ask(
            lambda file: records.listed(file, kind, prefix=prefix, after=after, limit=limit)
        )

    def records_now(self, kind: str) -> Records:
        """Return all records of a kind, waiting for them."""

        def all_of_them() -> Iterator[Records]:
            yield records.listed(self._connection, kind, prefix="", after="", limit=ALL_RECORDS)

        found: Records = self._opened.do_now(all_of_them())
        return found

    def versions(self) -> Deferred[Mapping[str, int]]:
        """Return the version of each kind."""
        return self._opened.ask(records.versions)

    def healthy(self) -> bool:
        """Return whether the last attempt to write succeeded."""
        return self._threads is not None and self._threads.healthy

    def _then_upkeep(self, deliver: Callable[[Group], None]) -> Callable[[Group], None]:
        """Let upkeep begin when a group is delivered: before, it would hold up the delivery."""

        def deliver_first(group: Group) -> None:
            deliver(group)
            self._unfolded += 1
            if not self._upkeep and (self._index.due or self._unfolded >= FOLD_IN_GROUPS):
                self._upkeep = True
                self._opened.do(self._maintain()).addErrback(_later).addCallback(self._maintained)

        return deliver_first

    def _maintain(self) -> Iterator[object]:
        if self._index.due:
            self._index.piece()
        if self._unfolded >= FOLD_IN_GROUPS:
            self._unfolded = 0
            fold_in(self._connection)
        yield None

    def _maintained(self, _: object) -> None:
        self._upkeep = False

    def _remember(self) -> None:
        self._secrets = dict(self._connection.execute("SELECT purpose, bytes FROM secrets"))
        ended = "SELECT session, until FROM revocations WHERE until >= ?"
        self._ended = EndedSessions(dict(self._connection.execute(ended, (self._now(),))))

    def _forget_sessions(self, swept: Sequence[tuple[str, int]]) -> Sequence[tuple[str, int]]:
        self._ended.forget(now=self._now())
        return swept

    def _one_step(self, work: Callable[[sqlite3.Connection], None]) -> Iterator[None]:
        with transaction(self._connection):
            work(self._connection)
        yield None

    def _piece(self) -> Iterator[bool]:
        yield self._index.piece()

    @property
    def _opened(self) -> Threads[sqlite3.Connection]:
        if self._threads is None:
            raise StoreUnavailable("The store is closed.")
        return self._threads


def _later(_: Failure) -> None:
    """It is tried again after the next group; what searches need is done by the regular look, too."""
