"""One wheel of timers for all connections.

Holds, idle times, header and body times differ per connection and change with each request,
but nearly all run out far in the future or never. So a timer is an attribute, ``deadline``,
that is looked at only when the slot it once was put in comes round: moving it later costs an
assignment.
"""

from __future__ import annotations

from math import ceil, inf
from typing import Final, Protocol

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

_log = Logger()

TICK: Final = 0.1


class Timed(Protocol):
    """What can be in the wheel.

    ``slot`` is the wheel's own, 0 when it is not in it; a float, because it is compared with
    times for each poll, and an integer would be converted each time.
    """

    deadline: float
    slot: float

    def timed_out(self) -> None:
        """The deadline has passed."""


class Wheel:
    """Calls `Timed.timed_out` within a tick (0.1 s) after ``deadline`` (seconds of ``clock``)."""

    __slots__ = ("_call", "_clock", "_next", "_slots", "now")

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._slots: dict[float, set[Timed]] = {}
        self._call: IDelayedCall | None = None
        self._next = 0.0
        self.now = clock.seconds

    def arm(self, timed: Timed, deadline: float) -> None:
        """Let ``timed`` run out at ``deadline``, whatever it was before."""
        timed.deadline = deadline
        if timed.slot and timed.slot * TICK <= deadline:
            return
        if deadline != inf:
            self._insert(timed, float(ceil(deadline / TICK)))

    def drop(self, timed: Timed) -> None:
        """Forget ``timed``."""
        timed.deadline = inf
        waiting = self._slots.get(timed.slot)
        if waiting is not None:
            waiting.discard(timed)
        timed.slot = 0.0

    def _insert(self, timed: Timed, slot: float) -> None:
        if timed.slot and (old := self._slots.get(timed.slot)) is not None:
            old.discard(timed)
        timed.slot = slot
        waiting = self._slots.get(slot)
        if waiting is None:
            self._slots[slot] = {timed}
            if self._call is None or slot < self._next:
                self._schedule()
        else:
            waiting.add(timed)

    def _schedule(self) -> None:
        if self._call is not None and self._call.active():
            self._call.cancel()
        self._call = None
        if self._slots:
            self._next = min(self._slots)
            delay = max(0.0, self._next * TICK - self._clock.seconds())
            self._call = self._clock.callLater(delay, self._turn)

    def _turn(self) -> None:
        self._call = None
        now = self._clock.seconds()
        due = int(now / TICK + 1e-6)
        for slot in sorted(slot for slot in self._slots if slot <= due):
            for timed in self._slots.pop(slot):
                timed.slot = 0.0
                if timed.deadline <= now + 1e-6:
                    timed.deadline = inf
                    try:
                        timed.timed_out()
                    except Exception:  # noqa: BLE001 - the timers of all others are in this loop
                        _log.failure("A timer of {timed} failed.", timed=timed)
                elif timed.deadline != inf:
                    self._insert(timed, float(max(due + 1, ceil(timed.deadline / TICK))))
        self._schedule()
