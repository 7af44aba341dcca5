"""Which transport to take: the best that works here, down a step when one fails, up again later.

    websocket → sse → poll        (fastest first; a long poll passes every proxy)

A rung that is refused, that a proxy buffers (open, but nothing comes through), or that is cut
off early again and again is left for a while; each time it fails anew, for twice as long.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Final

REST_FIRST: Final = 60.0
REST_LIMIT: Final = 1800.0
EARLY: Final = 10.0
CUTS: Final = 3


class Transport(Enum):
    """A way to read; the value is how a person calls it."""

    WEBSOCKET = "websocket"
    SSE = "sse"
    NDJSON = "ndjson"
    POLL = "poll"


DEFAULT: Final = (Transport.WEBSOCKET, Transport.SSE, Transport.POLL)


class Ladder:
    """The choice among ``rungs``, best first. All times are in seconds of one clock.

    The last rung never rests: there is nothing below it.
    """

    __slots__ = ("_cuts", "_rest", "_rungs", "_until")

    def __init__(self, rungs: Sequence[Transport] = DEFAULT) -> None:
        self._rungs = tuple(rungs) or DEFAULT
        self._until: dict[Transport, float] = {}
        self._rest: dict[Transport, float] = {}
        self._cuts: dict[Transport, int] = {}

    @property
    def lowest(self) -> Transport:
        """Return the rung that never rests."""
        return self._rungs[-1]

    def choose(self, *, now: float) -> Transport:
        """Return the best transport that does not rest now."""
        for rung in self._rungs[:-1]:
            if self._until.get(rung, now) <= now:
                return rung
        return self._rungs[-1]

    def climb_at(self, rung: Transport) -> float | None:
        """Return when a better transport than ``rung`` should be tried, None if it is the best."""
        above = self._rungs[: self._rungs.index(rung)]
        return min((self._until[one] for one in above if one in self._until), default=None)

    def unfit(self, rung: Transport, *, now: float) -> None:
        """Note that ``rung`` does not work here: it was refused, or a proxy holds it back."""
        rest = self._rest.get(rung, REST_FIRST / 2) * 2
        self._rest[rung] = min(rest, REST_LIMIT)
        self._until[rung] = now + self._rest[rung]
        self._cuts[rung] = 0

    def cut(self, rung: Transport, *, lasted: float, now: float) -> None:
        """Note that a connection broke after ``lasted`` seconds."""
        if lasted >= EARLY:
            self._cuts[rung] = 0
            return
        self._cuts[rung] = self._cuts.get(rung, 0) + 1
        if self._cuts[rung] >= CUTS:
            self.unfit(rung, now=now)

    def works(self, rung: Transport, *, lasted: float) -> None:
        """Note that ``rung`` has brought something through ``lasted`` seconds after it was opened."""
        if lasted >= EARLY:
            self._rest.pop(rung, None)
            self._until.pop(rung, None)
            self._cuts[rung] = 0
