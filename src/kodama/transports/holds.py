"""How long a poll may wait."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Final

from kodama.core.who import Who
from kodama.wire.polls import Poll

HOLD_JITTER: Final = 0.15


class Holds:
    """The holds of a node: ``hold`` seconds, more or less, for a poll that leaves it to us."""

    def __init__(self, hold: float, random: Random, now: Callable[[], int]) -> None:
        self._hold = hold
        self._random = random
        self._now = now

    def wait(self, poll: Poll, who: Who) -> float:
        """Return how many seconds a poll of ``who`` waits: not longer than the session lasts."""
        wait = self.jittered() if poll.wait is None else poll.wait
        if who.expires is not None:
            wait = min(wait, max(0.0, (who.expires - self._now()) / 1000))
        return wait

    def longest(self, poll: Poll) -> float:
        """Return how many seconds the poll may be held."""
        return self._hold * (1 + HOLD_JITTER) if poll.wait is None else poll.wait

    def jittered(self) -> float:
        """Return how many seconds a poll that left it to us is held."""
        return self._hold * (1 - HOLD_JITTER + 2 * HOLD_JITTER * self._random.random())

    def outlasts(self, seconds: float, who: Who) -> bool:
        """Return whether a session is over before so many seconds are."""
        return who.expires is not None and who.expires - self._now() < seconds * 1000
