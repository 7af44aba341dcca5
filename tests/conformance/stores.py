"""What the store tests share: a hand-driven reactor, a clock, and every store by its file's name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from kodama.core.change import Change, DeleteMessage, EditMessage, Nonce, Publish, React, SetTopic
from kodama.core.event import Author
from kodama.link.reach import Reach
from kodama.store.interface import Group, Store, Stored
from kodama.store.linked import LinkedStore
from kodama.store.memory import MemoryStore
from kodama.store.postgres import PostgresStore
from kodama.store.sqlite import SqliteStore
from tests import engines
from tests.conformance.links import WriterThread, turned

PATIENCE = 60.0  # seconds until a test gives a thread up for lost
AIKO = Author(id="u_aiko", name="Aiko", kind="user")
BEN = Author(id="u_ben", name="Ben", kind="user")


class HandReactor:
    """Keeps what threads ask to be called; the test calls it, on its own thread."""

    def __init__(self) -> None:
        self._calls: SimpleQueue[tuple[Callable[..., Any], tuple[Any, ...]]] = SimpleQueue()

    def callFromThread(self, callable: Callable[..., Any], *args: Any) -> None:  # noqa: A002 - Twisted's name
        self._calls.put((callable, args))

    def pump_until(self, done: Callable[[], bool]) -> None:
        while not done():
            try:
                call, args = self._calls.get(timeout=PATIENCE)
            except Empty:
                raise AssertionError("nothing more comes from the threads") from None
            call(*args)


@dataclass
class Site:
    """One store, its clock, and what it delivered."""

    store: Store
    reactor: HandReactor
    clock: list[int]
    groups: list[Group] = field(default_factory=list)
    settled: list[Stored | Exception] = field(default_factory=list)

    def start(self) -> Site:
        self.store.start(self.deliver)
        return self

    def deliver(self, group: Group) -> None:
        self.groups.append(group)
        for settle, result in group.settled:
            settle(result)

    def append(self, *changes: Change) -> list[Stored | Exception]:
        """Append all without waiting in between, then wait; return how each was settled."""
        results: dict[int, Stored | Exception] = {}
        for index, change in enumerate(changes):
            self.store.append(change, lambda result, index=index: results.__setitem__(index, result))
        self.reactor.pump_until(lambda: len(results) == len(changes))
        return [results[index] for index in range(len(changes))]

    def stored(self, change: Change) -> Stored:
        (result,) = self.append(change)
        if isinstance(result, Exception):
            raise result
        return result

    def wait(self, deferred: Deferred[Any]) -> Any:
        results: list[Any] = []
        deferred.addBoth(results.append)
        self.reactor.pump_until(lambda: bool(results))
        if isinstance(results[0], Failure):
            results[0].raiseException()
        return results[0]

    def log(self, room: str = "lobby") -> Sequence[Any]:
        return self.wait(self.store.read(room, after=0, limit=10_000_000, size=2**40)).entries

    def stop(self) -> None:
        self.wait(self.store.stop())


def memory(folder: Path) -> Site:
    clock = [1_000_000]
    return Site(MemoryStore(lambda: clock[0]), HandReactor(), clock)


def sqlite(folder: Path) -> Site:
    clock, reactor = [1_000_000], HandReactor()
    return Site(SqliteStore(folder / "log.db", reactor=reactor, now=lambda: clock[0]), reactor, clock)


def postgres(folder: Path) -> Site:
    clock, reactor = [1_000_000], HandReactor()
    return Site(PostgresStore(engines.postgres().schema(), reactor=reactor, now=lambda: clock[0]), reactor, clock)


@dataclass
class LinkedSite(Site):
    """A store over the link; the writer is on the other end, in a thread of its own."""

    writer: WriterThread = field(kw_only=True)
    reach: Reach = field(kw_only=True)

    def start(self) -> Site:
        self.writer.start()
        super().start()
        self.reactor.pump_until(lambda: self.reach.up)
        return self

    def stop(self) -> None:
        super().stop()
        self.writer.stop()


def linked(folder: Path) -> Site:
    clock = [1_000_000]
    return _linked(
        folder, clock, lambda there: SqliteStore(folder / "log.db", reactor=there, now=lambda: clock[0])
    )


def linked_to_memory(folder: Path) -> Site:
    """Return the same with a writer that never waits for a disk: what is tried is the link."""
    clock = [1_000_000]
    return _linked(folder, clock, lambda _: MemoryStore(lambda: clock[0]))


def _linked(folder: Path, clock: list[int], make: Callable[[Any], Store]) -> Site:
    reactor, path = turned(), str(folder / "link")
    writer = WriterThread(path, make)
    reach = Reach(path, name="node", reactor=reactor)
    store = LinkedStore(reach, reactor=reactor)
    return LinkedSite(store, reactor, clock, writer=writer, reach=reach)


STORES: dict[str, Callable[[Path], Site]] = {
    "linked": linked, "memory": memory, "sqlite": sqlite, "postgres": postgres,
}  # fmt: skip


def publish(
    text: str = "hello", *, room: str = "lobby", by: Author = AIKO, nonce: str | None = None, data: Any = None
) -> Publish:
    digest = repr((text, data)).encode()
    known = Nonce(sender=by.id, text=nonce, digest=digest) if nonce else None
    return Publish(room=room, author=by, text=text, data=data, nonce=known)


def edit(target: int, text: str, *, room: str = "lobby", by: Author = AIKO) -> EditMessage:
    return EditMessage(room=room, author=by, target=target, text=text)


def delete(target: int, *, room: str = "lobby", by: Author = AIKO) -> DeleteMessage:
    return DeleteMessage(room=room, author=by, target=target)


def react(target: int, emoji: str = "👍", *, op: str = "add", room: str = "lobby", by: Author = BEN) -> React:
    return React(room=room, author=by, target=target, emoji=emoji, op=op)


def topic(text: str, *, room: str = "lobby") -> SetTopic:
    return SetTopic(room=room, author=AIKO, topic=text)
