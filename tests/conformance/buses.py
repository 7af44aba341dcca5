"""What the bus tests share: every line to a broker by its file's name, and a line in memory that
drops, doubles, delays and reorders as told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random
from tempfile import TemporaryDirectory

from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock

from kodama.bus.interface import Notice
from kodama.bus.line import Line
from kodama.bus.linked import LinkLine
from kodama.bus.nats import nats_line
from kodama.bus.postgres import postgres_line
from kodama.bus.redis import redis_line
from kodama.bus.remote import RemoteBus
from kodama.link.reach import Reach
from kodama.store.interface import Commit
from kodama.store.memory import MemoryStore
from tests import engines
from tests.conformance.links import WriterThread, turned
from tests.conformance.stores import HandReactor


class Hub:
    """A broker in this process. Each payload is dropped, doubled or kept back by chance."""

    def __init__(self, random: Random, *, drop: float = 0.0, double: float = 0.0, delay: float = 0.0) -> None:
        self.random = random
        self.drop, self.double, self.delay = drop, double, delay
        self.lines: list[HubLine] = []
        self.late: list[tuple[str, bytes]] = []
        self.passed = 0

    def pass_on(self, channel: str, payload: bytes) -> None:
        self.passed += 1
        if self.random.random() < self.drop:
            return
        for _ in range(1 + (self.random.random() < self.double)):
            if self.random.random() < self.delay:
                self.late.insert(self.random.randint(0, len(self.late)), (channel, payload))
            else:
                self.deliver(channel, payload)

    def deliver(self, channel: str, payload: bytes) -> None:
        for line in self.lines:
            if channel in line.channels:
                line.received(payload)

    def settle(self) -> None:
        """Deliver what was kept back."""
        late, self.late = self.late, []
        for channel, payload in late:
            self.deliver(channel, payload)


class HubLine:
    """A `kodama.bus.line.Line` to a `Hub`."""

    limit = 100_000
    up = True
    dropped = 0

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.channels: set[str] = set()
        self.received: Callable[[bytes], None] = lambda _: None

    def start(self, received: Callable[[bytes], None], restored: Callable[[], None]) -> None:
        self.received, self.restored = received, restored
        self.hub.lines.append(self)

    def subscribe(self, channel: str) -> Deferred[None]:
        self.channels.add(channel)
        return succeed(None)

    def unsubscribe(self, channel: str) -> None:
        self.channels.discard(channel)

    def send(self, channel: str, payload: bytes) -> None:
        self.hub.pass_on(channel, payload)

    def stop(self) -> Deferred[None]:
        self.hub.lines.remove(self)
        return succeed(None)


@contextmanager
def on_nats() -> Iterator[Callable[[HandReactor], Line]]:
    server = engines.nats_server()
    try:
        yield lambda reactor: nats_line(server.url, reactor)
    finally:
        server.stop()


@contextmanager
def on_redis() -> Iterator[Callable[[HandReactor], Line]]:
    server = engines.redis_server()
    try:
        yield lambda reactor: redis_line(server.url, reactor)
    finally:
        server.stop()


@contextmanager
def on_postgres() -> Iterator[Callable[[HandReactor], Line]]:
    url = engines.postgres().schema()
    yield lambda reactor: postgres_line(url, reactor)


@contextmanager
def on_the_link() -> Iterator[Callable[[HandReactor], Line]]:
    with TemporaryDirectory() as folder:
        path = f"{folder}/link"
        writer = WriterThread(path, lambda _: MemoryStore(lambda: 0)).start()
        yield lambda reactor: LinkLine(Reach(path, name="node", reactor=reactor))
        writer.stop()


REACTORS: dict[str, Callable[[], HandReactor]] = {"linked": turned}
LINES = {"linked": on_the_link, "nats": on_nats, "redis": on_redis, "postgres": on_postgres}


class Ear:
    """One node's end of the bus, and what it heard."""

    def __init__(self, line: Line, *, name: str, reactor: HandReactor | None = None) -> None:
        self.reactor = reactor or HandReactor()
        self.bus = RemoteBus(line, node=name, clock=Clock())
        self.commits: list[Commit] = []
        self.notices: list[Notice] = []

    def start(self) -> Ear:
        self.bus.start(self.commits.extend, self.notices.append)
        self.follow("anything")  # whose answer says that the channel of everybody is heard, too
        return self

    def follow(self, room: str) -> None:
        done: list[object] = []
        self.bus.follow(room).addBoth(done.append)
        self.reactor.pump_until(lambda: bool(done))

    def until(self, condition: Callable[[], bool]) -> None:
        self.reactor.pump_until(condition)

    def stop(self) -> None:
        done: list[object] = []
        self.bus.stop().addBoth(done.append)
        self.reactor.pump_until(lambda: bool(done))
