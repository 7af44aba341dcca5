"""When the clients of a node that goes down come back to it, or to another.

Decided here: no sooner than a restart takes, and not all at once. Each is given a moment of its
own, and the time over which those are spread grows with the number of clients, so that as many
come back in a second whether they are a hundred or fifty thousand.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

FIRST: Final = 0.5  # seconds; a node is seldom back sooner
SPREAD: Final = 2.5  # seconds at least: hardly anybody notices
SPREAD_LIMIT: Final = 60.0  # seconds at most: longer, and people believe that it is broken
PER_SECOND: Final = 1000  # a connection, TLS and all, and a read of what was missed take some 0.5 ms


class Returns:
    """Gives each of ``clients`` a time to come back; ``chance`` returns numbers from 0 to 1."""

    __slots__ = ("_chance", "_spread")

    def __init__(self, clients: int, chance: Callable[[], float]) -> None:
        self._spread = min(SPREAD_LIMIT, max(SPREAD, clients / PER_SECOND))
        self._chance = chance

    def after(self) -> float:
        """Return the seconds from now after which one client is to come back."""
        return round(FIRST + self._spread * self._chance(), 2)
