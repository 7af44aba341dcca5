"""The server as a Twisted service: starts, listens, sweeps, drains."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, cast

from twisted.application.service import Service
from twisted.internet.defer import Deferred, DeferredList, inlineCallbacks, maybeDeferred, succeed
from twisted.internet.interfaces import IListeningPort
from twisted.internet.task import LoopingCall, deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure

from kodama.app.systemd import family_of
from kodama.app.tls import Certificate
from kodama.http.factory import HttpFactory
from kodama.node import Node

SWEEP_SECONDS: Final = 60.0
LAG_SECONDS: Final = 0.5
INDEX_SECONDS: Final = 1.0
INDEX_STEP: Final = 0.02  # between two pieces, each of some ms: publishing goes on
WATCH_SECONDS: Final = 0.5
DRAIN_STEP: Final = 0.05
ARRIVING: Final = 2.0  # a request that has begun when the drain does may take so long to arrive
PARTING: Final = 3.0  # and who has been answered, so long to read it and go
BACKLOG: Final = 4096
_log: Final = Logger()


def _no_code() -> Deferred[str | None]:
    return succeed(None)


class KodamaService(Service):
    """One node listening on one TCP port. ``drain`` is the longest a stop may take, in seconds;
    ``look`` asks the store what others wrote, every ``look_seconds``.
    ``owner_code`` makes the code by which somebody owns the server, None if somebody does."""

    def __init__(
        self, *, reactor: Any, node: Node, factory: HttpFactory, host: str, port: int, drain: float,
        started: Sequence[Callable[[], None]], draining: Callable[[], None],
        watch: Sequence[Callable[[], Deferred[None]]],
        look: Callable[[], Deferred[None]], look_seconds: float,
        inherited: int | None = None, certificate: Certificate | None = None,
        owner_code: Callable[[], Deferred[str | None]] = _no_code,
    ) -> None:  # fmt: skip
        self._reactor = reactor
        self._node = node
        self._factory = factory
        self._host = host
        self._port = port
        self._drain = drain
        self._started = started
        self._draining = draining
        self._look_store = look
        self._look_seconds = look_seconds
        self._inherited = inherited
        self._certificate = certificate
        self.owner_code = owner_code
        self._watch = watch
        self._listening: IListeningPort | None = None
        self._loops: list[LoopingCall] = []
        self._expected = 0.0

    def startService(self) -> None:
        """Open the store, listen, begin to sweep. Raises what the store or the port raise."""
        super().startService()  # type: ignore[no-untyped-call]
        self._node.start()
        for begin in self._started:
            begin()
        self._listening = self._listen()
        self._begin(self._measure_lag, LAG_SECONDS)
        self._watched()
        self._begin(self._watched, WATCH_SECONDS)
        self._begin(self._sweep, SWEEP_SECONDS)
        self._begin(self._index, INDEX_SECONDS)
        self._look()
        self._begin(self._look, self._look_seconds)

    def _listen(self) -> IListeningPort:
        given = self._inherited
        factory = self._factory if self._certificate is None else self._certificate.before(self._factory)
        if given is None:
            listening = self._reactor.listenTCP(
                self._port, factory, backlog=BACKLOG, interface=self._host
            )
        else:
            listening = self._reactor.adoptStreamPort(given, family_of(given), factory)
        return cast("IListeningPort", listening)

    def address(self) -> str:
        """Return the address of the page."""
        assert self._listening is not None
        host = f"[{self._host}]" if ":" in self._host else self._host
        bound: Any = self._listening.getHost()
        scheme = "http" if self._certificate is None else "https"
        return f"{scheme}://{host}:{bound.port}/"

    @inlineCallbacks
    def stopService(self) -> Any:
        """Drain: no new connections, every held poll answered, writes finished."""
        yield maybeDeferred(super().stopService)
        for loop in self._loops:
            if loop.running:
                loop.stop()
        self._draining()  # readiness fails first
        if self._listening is not None:
            yield maybeDeferred(self._listening.stopListening)
        began = self._reactor.seconds()
        while self._must_wait(self._reactor.seconds() - began):
            yield deferLater(self._reactor, DRAIN_STEP)
        yield self._node.stop()

    def _must_wait(self, waited: float) -> bool:
        """Close what may be closed; return whether anybody is worth waiting for after ``waited`` seconds.

        Whoever does not read, or does not say goodbye, is no reason to be late: what the kernel
        has taken is delivered by it even when the process is gone.
        """
        if waited >= self._drain:
            return False
        if waited >= ARRIVING:
            self._factory.hurry()
        return bool(self._factory.drain()) or (waited < PARTING and self._factory.connections > 0)

    def _begin(self, function: Callable[[], Deferred[None] | None], seconds: float) -> None:
        loop = LoopingCall(function)
        loop.clock = self._reactor
        loop.start(seconds, now=False).addErrback(lambda failure: _log.failure("a loop failed", failure))
        self._expected = self._reactor.seconds() + LAG_SECONDS
        self._loops.append(loop)

    def _measure_lag(self) -> None:
        now = self._reactor.seconds()
        self._node.metrics.loop_lag.observe(max(0.0, now - self._expected))
        self._expected = now + LAG_SECONDS

    def _watched(self) -> Deferred[None]:
        looks = [look().addErrback(_not_done) for look in self._watch]
        return DeferredList(looks).addCallback(lambda _: None)

    def _sweep(self) -> Deferred[None]:
        return self._node.sweep().addErrback(lambda failure: _log.failure("the sweep failed", failure))

    @inlineCallbacks
    def _index(self) -> Any:
        """Let the store do what search still needs, with pauses."""
        try:
            while self.running and (yield self._node.store.index()):
                yield deferLater(self._reactor, INDEX_STEP)
        except Exception:  # noqa: BLE001 - it is tried again
            _log.failure("indexing failed")

    def _look(self) -> Deferred[None]:
        looking = self._look_store()
        return looking.addErrback(lambda failure: _log.failure("looking at the store failed", failure))


def _not_done(failure: Failure) -> None:
    _log.failure("what is done twice a second failed", failure)
