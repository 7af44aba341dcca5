"""`PostgresStore`: the reactor's side of a log that many nodes write to.

The one decision here: as in the SQLite store, a thread writes groups and a few threads read, each
with a connection of its own, so that no Twisted reactor needs to be an asyncio loop and a slow
database never holds up the loop. What another node committed is learned from the bus, or by
asking (`positions`).
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

import psycopg
from twisted.internet.defer import Deferred, succeed

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
    Found,
    Group,
    Listed,
    Look,
    Page,
    RoomLog,
    Settle,
    Slice,
    Standing,
    StoreUnavailable,
    Where,
)
from kodama.store.postgres import index, keys, reads, records
from kodama.store.postgres.log import Log, put_room
from kodama.store.postgres.search import search
from kodama.store.postgres.server import Connection, has_partitions, make_week, prepare, unavailable
from kodama.store.postgres.sweep import sweep
from kodama.store.stamps import SECRET_BYTES
from kodama.store.threads import FromThread, Threads

WAITING_LIMIT: Final = 20_000  # changes: some seconds of a slow database
READERS: Final = 3
INDEX_EVERY_MS: Final = 60_000  # how often the database is asked whether the index needs something


class PostgresStore:
    """A `kodama.store.interface.Store` in the database at ``url``. ``now`` gives ms since 1970."""

    def __init__(
        self, url: str, *, reactor: FromThread, now: Callable[[], int], waiting_limit: int = WAITING_LIMIT
    ) -> None:
        self._url = url
        self._reactor = reactor
        self._now = now
        self._waiting_limit = waiting_limit
        self._threads: Threads[Connection] | None = None
        self._log = Log(url, now=now)
        self._secrets: dict[str, bytes] = {}
        self._ended = EndedSessions({})
        self._unindexed = False
        self._index_after = 0

    @property
    def epoch(self) -> str:
        """The epoch of the database's history that is written now."""
        return self._log.epoch

    def start(self, deliver: Callable[[Group], None]) -> None:
        """Bring the schema up to date and begin. Raises `StoreDamaged`, `StoreUnavailable`."""
        prepare(self._url)
        try:
            self._remember(self._log.connection)
        except psycopg.Error as error:
            raise unavailable(error) from error
        self._threads = Threads(
            self._log, reading=lambda: reads.reading(self._url), readers=READERS, reactor=self._reactor,
            deliver=deliver, waiting_limit=self._waiting_limit,
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
        """How many questions were asked of the database."""
        return 0 if self._threads is None else self._threads.asked

    def open(self, room: str, *, tail_bytes: int) -> Deferred[RoomLog | None]:
        """Return the room with its newest entries."""
        return self._opened.ask(lambda db: reads.open_room(db, room, tail_bytes=tail_bytes))

    def read(self, room: str, *, after: int, limit: int, size: int) -> Deferred[Slice]:
        """Return the entries above ``after``."""
        return self._opened.ask(lambda db: reads.read(db, room, after=after, limit=limit, size=size))

    def offset_at(self, room: str, *, time: int) -> Deferred[int]:
        """Return the offset before the lowest kept event not older than ``time``."""
        return self._opened.ask(lambda db: reads.offset_at(db, room, time=time))

    def history(self, room: str, *, where: Where, limit: int) -> Deferred[Page]:
        """Return a page of messages."""
        return self._opened.ask(lambda db: reads.history(db, room, where=where, limit=limit))

    def search(self, wanted: Wanted, *, who: Who, limit: int, size: int) -> Deferred[Found]:
        """Return the newest messages that are wanted."""
        return self._opened.ask(lambda db: search(db, wanted, who=who, limit=limit, size=size))

    def index(self) -> Deferred[bool]:
        """Do a piece of what the index still needs; while it needs nothing, the database is seldom asked."""
        if not self._unindexed and self._now() < self._index_after:
            return succeed(False)  # noqa: FBT003 - an answer

        def asked(waiting: bool) -> Any:  # noqa: FBT001 - an answer
            self._index_after = self._now() + INDEX_EVERY_MS
            return self._opened.aside(lambda: index.piece(self._url)) if waiting else False

        def done(more: bool) -> bool:  # noqa: FBT001 - an answer
            self._unindexed = more
            return more

        if self._unindexed:
            return self._opened.aside(lambda: index.piece(self._url)).addCallback(done)
        return self._opened.ask(index.waiting).addCallback(asked).addCallback(done)

    def rooms(self) -> Deferred[Sequence[Listed]]:
        """Return all rooms by name."""
        return self._opened.ask(reads.Alone(reads.rooms))

    def tops(self, rooms: Sequence[str]) -> Deferred[Mapping[str, Standing]]:
        """Return where each of ``rooms`` that exists stands."""
        return self._opened.ask(reads.Alone(lambda db: reads.tops(db, rooms)))

    def look(self, rooms: Sequence[str]) -> Deferred[Look]:
        """Return what others may have changed."""
        now = self._now()
        return self._opened.ask(reads.Alone(lambda db: reads.look(db, rooms, now=now)))

    def unread(self, read: Mapping[str, int]) -> Deferred[Mapping[str, int]]:
        """Return how many messages stand above the offset given for each room."""
        return self._opened.ask(reads.Alone(lambda db: reads.unread(db, read)))

    def put_room(self, facts: RoomFacts, *, over: str = ANYTHING) -> Deferred[None]:
        """Create the room or replace its settings, durably."""
        return self._opened.do(self._one_step(lambda db: put_room(db, facts, over=over)))

    def sweep(self) -> Deferred[Sequence[tuple[str, int]]]:
        """Apply every room's retention in short steps and forget old nonces and sessions."""
        swept: Deferred[Sequence[tuple[str, int]]] = self._opened.do(
            sweep(lambda: self._log.connection, now=self._now)
        )
        return swept.addCallback(self._forget_sessions)

    def secret(self, purpose: str) -> bytes:
        """Return 32 random bytes, the same on every node; waits at the first use for ``purpose``."""
        if purpose not in self._secrets:
            self._opened.do_now(self._one_step(lambda db: self._make_secret(db, purpose)))
        return self._secrets[purpose]

    def revoke(self, session: str, *, until: int) -> Deferred[None]:
        """Remember durably that ``session`` has ended."""

        def keep(db: Connection) -> None:
            db.execute(
                "INSERT INTO kodama_revocations VALUES (%s, %s) ON CONFLICT (session) "
                "DO UPDATE SET until = greatest(kodama_revocations.until, excluded.until)",
                (session, until),
            )

        kept: Deferred[None] = self._opened.do(self._one_step(keep))
        return kept.addCallback(lambda _: self._ended.add(session, until=until))

    def revoked(self) -> frozenset[str]:
        """Return the sessions that have ended, as far as this node has heard."""
        return self._ended.names

    def put_key(self, key: ApiKey) -> Deferred[None]:
        """Keep an API key, durably."""
        return self._opened.do(self._one_step(lambda db: keys.put(db, key)))

    def drop_key(self, id: str) -> Deferred[bool]:  # noqa: A002 - a key's id
        """Forget an API key, durably."""
        dropped: list[bool] = []
        done: Deferred[None] = self._opened.do(self._one_step(lambda db: dropped.append(keys.drop(db, id))))
        return done.addCallback(lambda _: dropped[-1])

    def keys(self) -> Deferred[Sequence[ApiKey]]:
        """Return all API keys, oldest first; and hear which sessions other nodes have ended."""

        def heard(found: tuple[Sequence[ApiKey], dict[str, int]]) -> Sequence[ApiKey]:
            listed, ended = found
            self._ended.hear(ended)
            return listed

        now = self._now()
        asked: Deferred[tuple[Sequence[ApiKey], dict[str, int]]] = self._opened.ask(
            lambda db: (keys.listed(db), keys.ended(db, now=now))
        )
        return asked.addCallback(heard)

    def write_records(self, changes: Sequence[RecordChange]) -> Deferred[Sequence[int]]:
        """Write records, all or none."""
        for change in changes:
            check_record(change)
        after: list[int] = []

        def write(db: Connection) -> None:
            after[:] = records.write(db, changes)

        done: Deferred[None] = self._opened.do(self._one_step(write))
        return done.addCallback(lambda _: after)

    def record(self, kind: str, key: str) -> Deferred[Record | None]:
        """Return one record."""
        return self._opened.ask(reads.Alone(lambda db: records.one(db, kind, key)))

    def records(
        self, kind: str, *, prefix: str = "", after: str = "", limit: int = ALL_RECORDS
    ) -> Deferred[Records]:
        """Return the records of a kind by key."""
        return self._opened.ask(lambda db: records.listed(db, kind, prefix=prefix, after=after, limit=limit))

    def records_now(self, kind: str) -> Records:
        """Return all records of a kind, waiting for them."""

        def all_of_them() -> Iterator[Records]:
            yield records.listed(self._log.connection, kind, prefix="", after="", limit=ALL_RECORDS)

        found: Records = self._opened.do_now(all_of_them())
        return found

    def versions(self) -> Deferred[Mapping[str, int]]:
        """Return the version of each kind."""
        return self._opened.ask(reads.Alone(records.versions))

    def healthy(self) -> bool:
        """Return whether the last attempt to write succeeded."""
        return self._threads is not None and self._threads.healthy

    @property
    def _opened(self) -> Threads[Connection]:
        if self._threads is None:
            raise StoreUnavailable("The store is closed.")
        return self._threads

    def _one_step(self, work: Callable[[Connection], None]) -> Iterator[None]:
        connection = self._log.connection
        with connection.transaction():
            work(connection)
        yield None

    def _remember(self, db: Connection) -> None:
        self._secrets = dict(db.execute("SELECT purpose, bytes FROM kodama_secrets").fetchall())
        self._ended = EndedSessions(keys.ended(db, now=self._now()))
        if has_partitions(db):
            make_week(db, now=self._now())

    def _make_secret(self, db: Connection, purpose: str) -> None:
        db.execute(
            "INSERT INTO kodama_secrets VALUES (%s, %s) ON CONFLICT (purpose) DO NOTHING",
            (purpose, secrets.token_bytes(SECRET_BYTES)),
        )
        row = db.execute("SELECT bytes FROM kodama_secrets WHERE purpose = %s", (purpose,)).fetchone()
        assert row is not None
        self._secrets[purpose] = row[0]

    def _forget_sessions(self, swept: Sequence[tuple[str, int]]) -> Sequence[tuple[str, int]]:
        self._ended.forget(now=self._now())
        return swept
