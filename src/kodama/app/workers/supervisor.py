"""Keeps a writer and some workers running: starts, replaces and ends them, and serves nobody itself.

The one decision here: whatever others depend on (the port, the hold on the store's file) is the
supervisor's, so that any process of the family may die and be followed by another.
"""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable, Sequence
from typing import Any, Final

from twisted.internet.defer import Deferred, DeferredList, inlineCallbacks
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from kodama.app.workers.child import Child, State
from kodama.app.workers.part import PULSE_SECONDS, WRITER, Part

FROZEN_TICKS: Final = 12  # of the supervisor without a sign of life: 3 s
FIRST_TICKS: Final = 120  # until the first sign: 30 s, for a slow machine to load the code
LIVED: Final = 10.0  # seconds after which a death is the first again
FIRST_PAUSE: Final = 0.25
LONGEST_PAUSE: Final = 10.0
GRACE: Final = 8.0  # seconds beyond the drain until a process is ended for good
_log: Final = Logger()


class Slot:
    """A place for one process; ``own`` is the open file that each in that place is given."""

    def __init__(self, number: int, *, own: int) -> None:
        self.number = number
        self.own = own
        self.child: Child | None = None
        self.deaths = 0
        self.again: Any = None

    def pause(self, *, lived: float) -> float:
        """Return the seconds until the next try: none at first, then twice as long each time."""
        self.deaths = 1 if lived >= LIVED else self.deaths + 1
        if self.deaths == 1:
            return 0.0
        return float(min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (self.deaths - 2)))


class Supervisor:
    """``count`` workers on ``sockets`` and a writer that is given ``lock``; ``drain`` is in seconds."""

    def __init__(
        self, *, sockets: Sequence[socket.socket], lock: int, link: str, drain: float, reactor: Any,
        ready: Callable[[], None], failed: Callable[[str], None],
    ) -> None:  # fmt: skip
        self._reactor = reactor
        self._sockets = sockets
        self._link = link
        self._patience = drain + GRACE
        self._ready = ready
        self._failed = failed
        self._writer = Slot(WRITER, own=lock)
        self._workers = [Slot(number, own=one.fileno()) for number, one in enumerate(sockets, start=1)]
        self._family: set[Child] = set()
        self._watching = LoopingCall(self._tick)
        self._watching.clock = reactor
        self._stopping = False
        self._reloading = False
        self._is_open = False

    def start(self) -> Deferred[None]:
        """Start the writer, then the workers; fires when all serve or one has failed to."""
        self._watching.start(PULSE_SECONDS)
        return Deferred.fromCoroutine(self._start())

    def reload(self) -> None:
        """Replace the workers one by one: the next is ready before the last is asked to drain."""
        if self._is_open and not self._stopping and not self._reloading:
            self._reloading = True
            Deferred.fromCoroutine(self._reload()).addErrback(
                lambda failure: _log.failure("the reload failed", failure)
            )

    @inlineCallbacks
    def stop(self) -> Any:
        """Let all workers drain, then end the writer."""
        self._stopping = True
        for slot in (self._writer, *self._workers):
            if slot.again is not None and slot.again.active():
                slot.again.cancel()
        for one in self._sockets:
            one.close()
        yield self._end([child for child in self._family if child.part.number != WRITER])
        yield self._end(list(self._family))
        self._watching.stop()

    async def _start(self) -> None:
        if not await self._spawn(self._writer).ready:
            self._failed("The writer did not start; it has said why.")
            return
        first = [self._spawn(slot, greets=number == 0).ready for number, slot in enumerate(self._workers)]
        for ready in first:
            if not await ready:
                self._failed("A worker did not start; it has said why.")
                return
        self._is_open = True
        if not self._stopping:
            self._ready()

    async def _reload(self) -> None:
        try:
            for slot in self._workers:
                before = slot.child
                successor = self._spawn(slot)
                if not await successor.ready:
                    _log.error("{name} did not start again; the reload ends here", name=successor.part.name)
                    if before is not None and before.state is State.READY:
                        slot.child = before
                    return
                if before is not None:
                    before.signal(signal.SIGTERM)
                    self._reactor.callLater(self._patience, before.signal, signal.SIGKILL)
                _log.info("{name} was replaced", name=successor.part.name)
        finally:
            self._reloading = False

    def _spawn(self, slot: Slot, *, greets: bool = False) -> Child:
        part = Part(number=slot.number, link=self._link, greets=greets)
        child = Child(part, own=slot.own, reactor=self._reactor)
        slot.child = child
        self._family.add(child)
        child.ended.addCallback(self._note_end, slot, child)
        return child

    def _note_end(self, code: int, slot: Slot, child: Child) -> int:
        self._family.discard(child)
        self._follow(slot, child, code)
        return code

    def _follow(self, slot: Slot, child: Child, code: int) -> None:
        """Start the next in the place of one that is gone."""
        if self._stopping or slot.child is not child or not (child.served or self._is_open):
            return
        slot.child = None
        pause = slot.pause(lived=self._reactor.seconds() - child.began)
        _log.warn(
            "{name} is gone ({code}); it is started again in {pause} s",
            name=child.part.name, code=code, pause=pause,
        )  # fmt: skip
        slot.again = self._reactor.callLater(pause, self._spawn, slot)

    def _end(self, some: Sequence[Child]) -> Deferred[Any]:
        """End ``some``, for good if they are too late; fires when all are gone."""
        return DeferredList([self._gone(child) for child in some])

    def _gone(self, child: Child) -> Deferred[None]:
        gone: Deferred[None] = Deferred()
        late = self._reactor.callLater(self._patience, child.signal, signal.SIGKILL)

        def ended(_: int) -> None:
            if late.active():
                late.cancel()
            gone.callback(None)

        child.ended.addCallback(ended)
        child.signal(signal.SIGTERM)
        return gone

    def _tick(self) -> None:
        for child in self._family:
            child.unheard += 1
            if child.unheard > (FROZEN_TICKS if child.heard else FIRST_TICKS):
                _log.error("{name} is frozen; it is ended", name=child.part.name)
                child.signal(signal.SIGKILL)
