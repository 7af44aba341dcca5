"""An asyncio loop in a thread of its own, for brokers whose clients are written for asyncio.

The one decision here: the reactor may be any of Twisted's, so a broker's client does not run on it.
What goes out is queued here, bounded; what comes in is handed over a batch at a time.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from contextlib import suppress
from threading import Thread
from typing import Any, Final, Protocol

from twisted.internet.defer import Deferred

from kodama.bus.interface import BusUnavailable

QUEUED: Final = 10_000  # payloads waiting for the broker; beyond it the oldest are dropped
CONNECTING: Final = 5.0


class FromThread(Protocol):
    """The part of `twisted.internet.interfaces.IReactorFromThreads` that is used."""

    def callFromThread(self, callable: Callable[..., Any], *args: Any) -> Any:  # noqa: A002, N802
        """Call on the reactor's thread."""
        ...


class Broker(Protocol):
    """A broker's client. Every method runs in the loop's thread."""

    async def connect(self, received: Callable[[bytes], None], changed: Callable[[Up], None]) -> None:
        """Connect, and from then on keep connected; raises what the client raises."""
        ...

    async def subscribe(self, channel: str) -> None:
        """Subscribe; return when the broker knows."""
        ...

    async def unsubscribe(self, channel: str) -> None:
        """Unsubscribe."""
        ...

    async def send(self, payloads: list[tuple[str, bytes]]) -> None:
        """Send all, in order."""
        ...

    async def close(self) -> None:
        """Disconnect."""
        ...


Up = bool


class LoopLine:
    """A `kodama.bus.line.Line` over an asyncio ``broker``."""

    def __init__(self, broker: Broker, *, limit: int, reactor: FromThread) -> None:
        self._broker = broker
        self._reactor = reactor
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._run, name="kodama-bus", daemon=True)
        self._outgoing: deque[tuple[str, bytes]] = deque()
        self._incoming: deque[bytes] = deque()
        self._sending: asyncio.Event
        self._closing = False
        self.limit = limit
        self.up = False
        self.dropped = 0

    def start(self, received: Callable[[bytes], None], restored: Callable[[], None]) -> None:
        """Connect and begin; blocks until the broker has answered once."""
        self._received = received
        self._restored = restored
        self._thread.start()
        try:
            asyncio.run_coroutine_threadsafe(self._begin(), self._loop).result(CONNECTING)
        except Exception as error:  # the clients' exceptions have no common base
            self._closing = True
            asyncio.run_coroutine_threadsafe(self._abandon(), self._loop).result()
            self._end()
            raise BusUnavailable(f"The broker cannot be used: {error or type(error).__name__}") from error
        self.up = True

    def subscribe(self, channel: str) -> Deferred[None]:
        """Subscribe."""
        return self._do(self._broker.subscribe(channel))

    def unsubscribe(self, channel: str) -> None:
        """Unsubscribe."""
        self._do(self._broker.unsubscribe(channel)).addErrback(lambda _: None)

    def send(self, channel: str, payload: bytes) -> None:
        """Queue ``payload``; the oldest give way when the broker does not keep up."""
        self._outgoing.append((channel, payload))
        if len(self._outgoing) > QUEUED:
            self._outgoing.popleft()
            self.dropped += 1
        if len(self._outgoing) == 1:
            self._loop.call_soon_threadsafe(self._sending.set)

    def stop(self) -> Deferred[None]:
        """Disconnect and end the thread."""
        self._closing = True
        return self._do(self._finish()).addBoth(lambda _: self._end())

    def _end(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()

    def _do(self, work: Coroutine[Any, Any, None]) -> Deferred[None]:
        done: Deferred[None] = Deferred()

        def finished(task: asyncio.Future[None] | Any) -> None:
            failure = task.exception()
            if failure is None:
                self._reactor.callFromThread(_fire, done.callback, done, None)
            else:
                self._reactor.callFromThread(_fire, done.errback, done, failure)

        asyncio.run_coroutine_threadsafe(work, self._loop).add_done_callback(finished)
        return done

    async def _begin(self) -> None:
        self._sending = asyncio.Event()
        await self._broker.connect(self._came, self._changed)
        self._sender = asyncio.ensure_future(self._send())

    async def _abandon(self) -> None:
        with suppress(Exception):  # it was never connected
            await asyncio.wait_for(self._broker.close(), 1.0)
        await _end_others()

    async def _finish(self) -> None:
        self._sender.cancel()
        rest, self._outgoing = list(self._outgoing), deque()
        with suppress(Exception):  # what the broker does not take now, the others find in the store
            await asyncio.wait_for(self._broker.send(rest), 1.0)
        with suppress(Exception):
            await asyncio.wait_for(self._broker.close(), 1.0)
        await _end_others()

    async def _send(self) -> None:
        while True:
            await self._sending.wait()
            self._sending.clear()
            while self._outgoing:
                batch = [self._outgoing.popleft() for _ in range(min(len(self._outgoing), 256))]
                if not await self._sent(batch):
                    self.dropped += len(batch)

    async def _sent(self, batch: list[tuple[str, bytes]]) -> bool:
        """Return whether the broker took the batch; a connection may have broken since the last one."""
        for pause in (0.0, 0.05, 0.25):
            await asyncio.sleep(pause)
            with suppress(Exception):  # the clients' exceptions have no common base
                await self._broker.send(batch)
                return True
        return False

    def _came(self, payload: bytes) -> None:
        self._incoming.append(payload)
        if len(self._incoming) == 1:
            self._reactor.callFromThread(self._hand_over)

    def _hand_over(self) -> None:
        while self._incoming and not self._closing:
            self._received(self._incoming.popleft())

    def _changed(self, up: Up) -> None:
        if not self._closing:
            self._reactor.callFromThread(self._note, up)

    def _note(self, up: Up) -> None:
        was, self.up = self.up, up
        if up and not was:
            self._restored()


async def _end_others() -> None:
    """End every other task of the loop, so that it can be closed."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    if others:
        await asyncio.wait(others, timeout=1.0)


def _fire(fire: Callable[[Any], None], done: Deferred[None], value: Any) -> None:
    if not done.called:
        fire(value)
