"""A TCP proxy that does to connections what networks do, on order.

It knows nothing of the protocol but where a request begins; so it serves HTTP and WebSocket
alike, and passes TLS through (where it cannot send a request twice).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from enum import Enum
from random import Random
from typing import Final, Self, cast

SLICE: Final = 200
TICK: Final = 0.02
_VERBS: Final = (b"GET ", b"POST ", b"PUT ", b"PATCH ", b"DELETE ")


class Fault(Enum):
    """What can be done to a connection; the value is its name on the command line."""

    CUT = "cut"
    CUT_REQUEST = "cut-request"
    DELAY = "delay"
    DUPLICATE = "duplicate"
    HALF_OPEN = "half-open"
    SLOW = "slow"
    REFUSE = "refuse"


class End(asyncio.Protocol):
    """One side of a passed connection: what comes in here goes out on the other."""

    def __init__(self, pair: Pair, *, downward: str = "no") -> None:
        self.pair = pair
        self.down = downward == "yes"
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Pass it on."""
        if self.down:
            self.pair.to_client(data)
        else:
            self.pair.to_server(data)

    def eof_received(self) -> bool:
        """Pass the end on; the connection is over."""
        self.pair.ended()
        return False

    def connection_lost(self, error: Exception | None) -> None:
        """Pass the end on."""
        self.pair.ended()

    def pause_writing(self) -> None:
        """Read no more on the other side than this side takes."""
        self.pair.pause(self.other)

    def resume_writing(self) -> None:
        """Read on."""
        self.pair.resume(self.other)

    @property
    def other(self) -> End:
        """Return the other side."""
        return self.pair.client if self.down else self.pair.server


class Pair:
    """A client's connection and the one to the server that belongs to it."""

    def __init__(self, proxy: FaultProxy) -> None:
        self._proxy = proxy
        self.client = End(self)
        self.server = End(self, downward="yes")
        self._early: list[bytes] = []
        self._cut_down: int | None = None
        self._cut_up: int | None = None
        self._twice = 0
        self._held = 0
        self._dead = False  # nothing passes any more, and nobody has been told
        self._calm = False
        self._slow: bytearray | None = None
        self.closed = False

    async def connect(self) -> None:
        """Connect to the server, then pass on what the client has sent meanwhile."""
        loop = asyncio.get_running_loop()
        for upstream in self._proxy.upstreams():
            try:
                await loop.create_connection(lambda: self.server, *upstream)
                break
            except OSError:
                continue
        else:
            self.abort()
            return
        if self.closed:
            self.abort()
            return
        early, self._early = self._early, []
        for data in early:
            self.to_server(data)

    def to_server(self, data: bytes) -> None:
        """Pass on what the client sent."""
        if self.server.transport is None:
            self._early.append(data)
            return
        if self._cut_up is not None:
            if len(data) >= self._cut_up:
                self.server.transport.write(data[: self._cut_up])
                self._proxy.done(Fault.CUT_REQUEST)
                self.server.transport.close()
                self._abort(self.client)
                return
            self._cut_up -= len(data)
        self.server.transport.write(data)
        if self._twice and data.startswith(_VERBS):
            self._twice -= 1
            self._proxy.done(Fault.DUPLICATE)
            self._proxy.again(data)

    def to_client(self, data: bytes) -> None:
        """Pass on what the server sent."""
        if self.client.transport is None or self.closed:
            return
        if self._slow is not None:
            self._slow += data
            return
        if self._cut_down is not None:
            if len(data) >= self._cut_down:
                self.client.transport.write(data[: self._cut_down])
                self._proxy.done(Fault.CUT)
                self.client.transport.close()
                self._abort(self.server)
                return
            self._cut_down -= len(data)
        self.client.transport.write(data)

    def apply(self, fault: Fault, random: Random) -> None:
        """Do something to this connection, now or at one of its next bytes."""
        match fault:
            case Fault.CUT:
                self._cut_down = random.choice((1, 20, 300, 2000)) * random.randint(1, 3)
            case Fault.CUT_REQUEST:
                self._cut_up = random.randint(1, 250)
            case Fault.DUPLICATE:
                self._twice = 1
            case Fault.DELAY:
                self._hold(random.uniform(0.1, 2.0), self.release)
                self._proxy.done(fault)
            case Fault.HALF_OPEN:
                self._dead = True
                self._hold(random.uniform(4.0, 12.0), self.abort)
                self._proxy.done(fault)
            case Fault.SLOW if self._slow is None:
                self._slow = bytearray()
                self._proxy.later(TICK, lambda: self._trickle(random.randint(20, 100)))
                self._proxy.done(fault)

    def calm(self) -> None:
        """Forget what was to be done at one of the next bytes, and end what is being done."""
        self._cut_down = self._cut_up = None
        self._twice = 0
        self._calm = True
        if self._dead:
            self.abort()

    def release(self) -> None:
        """End a delay."""
        self._held -= 1
        if not self._held:
            self.resume(self.client)
            self.resume(self.server)

    def pause(self, end: End) -> None:
        """Read no more on one side for now."""
        if end.transport is not None and not end.transport.is_closing():
            end.transport.pause_reading()

    def resume(self, end: End) -> None:
        """Read on, unless everything is held."""
        if end.transport is not None and not end.transport.is_closing() and not self._held:
            end.transport.resume_reading()

    def ended(self) -> None:
        """One side has ended: so does the other, after what is on its way."""
        if self.closed:
            return
        self.closed = True
        self._proxy.pairs.discard(self)
        for end in (self.client, self.server):
            if end.transport is not None:
                if end is self.client and self._slow:
                    end.transport.write(bytes(self._slow))
                end.transport.close()

    def abort(self) -> None:
        """Break both sides at once."""
        self.closed = True
        self._proxy.pairs.discard(self)
        self._abort(self.client)
        self._abort(self.server)

    def _abort(self, end: End) -> None:
        if end.transport is not None:
            end.transport.abort()

    def _hold(self, seconds: float, then: Callable[[], None]) -> None:
        self._held += 1
        self.pause(self.client)
        self.pause(self.server)
        self._proxy.later(seconds, then)

    def _trickle(self, ticks: int) -> None:
        slow = self._slow
        ticks = 0 if self._calm else ticks
        if slow is None or self.closed or self.client.transport is None:
            return
        out = bytes(slow) if ticks <= 0 else bytes(slow[:SLICE])
        del slow[: len(out)]
        self.client.transport.write(out)
        if ticks <= 0:
            self._slow = None
            self.resume(self.server)
            return
        if len(slow) > 65536:
            self.pause(self.server)
        self._proxy.later(TICK, lambda: self._trickle(ticks - 1))


class FaultProxy:
    """Listens on loopback and passes each connection to one of ``nodes`` (host, port), whichever it is;
    ``told`` hears of faults."""

    def __init__(
        self, nodes: Sequence[tuple[str, int]], *, random: Random, told: Callable[[Fault], None]
    ) -> None:
        self._nodes = tuple(nodes)
        self._random = random
        self.pairs: set[Pair] = set()
        self.port = 0
        self.done = told
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._refusing = 0

    async def __aenter__(self) -> Self:
        """Listen."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *reason: object) -> None:
        """Close everything."""
        if self._server is not None:
            self._server.close()
        for pair in tuple(self.pairs):
            pair.abort()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def inject(self, fault: Fault, random: Random, *, share: float) -> None:
        """Do ``fault`` to about ``share`` of all connections, at least one."""
        if fault is Fault.REFUSE:
            self._refusing = random.randint(1, 5)
            return
        pairs = list(self.pairs)
        for pair in random.sample(pairs, min(len(pairs), max(1, int(len(pairs) * share)))):
            pair.apply(fault, random)

    async def quiet(self) -> None:
        """Make no more trouble, and wait until requests sent a second time are over."""
        self._refusing = 0
        for pair in tuple(self.pairs):
            pair.calm()
        while self._tasks:
            await asyncio.wait(self._tasks)

    def upstreams(self) -> list[tuple[str, int]]:
        """Return all nodes, in the order in which one connection tries them."""
        return self._random.sample(self._nodes, len(self._nodes))

    def later(self, seconds: float, what: Callable[[], None]) -> None:
        """Do something after some time."""
        asyncio.get_running_loop().call_later(seconds, what)

    def again(self, data: bytes) -> None:
        """Send a request a second time, on a connection of its own; nobody reads the answer."""
        self._start(self._again(data))

    def _accept(self) -> asyncio.Protocol:
        if self._refusing:
            self._refusing -= 1
            self.done(Fault.REFUSE)
            return _Closing()
        pair = Pair(self)
        self.pairs.add(pair)
        self._start(pair.connect())
        return pair.client

    async def _again(self, data: bytes) -> None:
        try:
            async with asyncio.timeout(10):
                reader, writer = await asyncio.open_connection(*self.upstreams()[0])
                try:
                    writer.write(data)
                    await reader.read(65536)
                finally:
                    writer.close()
        except OSError:
            return

    def _start(self, what: object) -> None:
        assert asyncio.iscoroutine(what)
        task = asyncio.get_running_loop().create_task(what)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


class _Closing(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.close()
