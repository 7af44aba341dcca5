"""The two ends of the link in one test: a reactor that the test turns, and a writer in a thread."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from queue import SimpleQueue
from threading import Thread
from time import monotonic
from typing import Any, Self

from twisted.internet.defer import maybeDeferred
from twisted.internet.selectreactor import SelectReactor
from twisted.python.failure import Failure

from kodama.bus.linked import Exchange
from kodama.link.hub import Hub
from kodama.store.interface import Store
from kodama.store.linked import StoreLinks

PATIENCE = 60.0


class TurnedReactor(SelectReactor):
    """A reactor of the tests' own, turned on their thread: for what speaks over real sockets."""

    def pump_until(self, done: Callable[[], bool]) -> None:
        deadline = monotonic() + PATIENCE
        while not done():
            assert monotonic() < deadline, "nothing more comes over the link"
            self.iterate(0.01)


@cache
def turned() -> TurnedReactor:
    """Return the one for all tests: a reactor never gives back all its files."""
    return TurnedReactor()


@cache
def _running() -> SelectReactor:
    """Return a reactor that runs in a thread of its own until the end."""
    reactor = SelectReactor()
    Thread(target=lambda: reactor.run(installSignalHandlers=False), daemon=True).start()
    return reactor


class WriterThread:
    """A writer that listens at ``path``, on another thread; ``make`` makes its store."""

    def __init__(self, path: str, make: Callable[[Any], Store]) -> None:
        self._path = path
        self._reactor = _running()
        self._store = make(self._reactor)
        self._is_open = False

    def start(self) -> Self:
        self.do(self._open)
        self._is_open = True
        return self

    def stop(self) -> None:
        if not self._is_open:
            return
        self._is_open = False
        self.do(lambda: maybeDeferred(self._listening.stopListening))
        self.do(self.hub.empty)
        self.do(self._store.stop)

    def cut(self) -> None:
        """Hang up on everybody, as one who dies does."""
        self.do(lambda: [peer.link.cut() for peer in tuple(self.hub.peers)])

    def do(self, call: Callable[[], Any]) -> Any:
        """Do something on the writer's thread and return the outcome."""
        outcomes: SimpleQueue[Any] = SimpleQueue()
        self._reactor.callFromThread(lambda: maybeDeferred(call).addBoth(outcomes.put))
        outcome = outcomes.get(timeout=PATIENCE)
        if isinstance(outcome, Failure):
            outcome.raiseException()
        return outcome

    def _open(self) -> None:
        self.hub = Hub(reactor=self._reactor)
        links = StoreLinks(self._store, self.hub, told=Exchange(self.hub).told, seconds=self._reactor.seconds)
        self._store.start(links.deliver)
        self._listening: Any = self._reactor.listenUNIX(self._path, self.hub)
