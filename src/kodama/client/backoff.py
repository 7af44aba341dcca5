"""How long to wait before the next try; chance comes in as an argument, so that a crowd spreads out."""

from __future__ import annotations

from random import Random
from typing import Final

FIRST: Final = 0.25  # a restart of the server takes about as long
LIMIT: Final = 30.0
SPREAD: Final = 0.5


class Backoff:
    """Delays that double from ``first`` to ``limit`` seconds, each shortened by chance by up to a half."""

    __slots__ = ("_first", "_limit", "_random", "_step")

    def __init__(self, random: Random, *, first: float = FIRST, limit: float = LIMIT) -> None:
        self._random = random
        self._first = first
        self._limit = limit
        self._step = first

    def failed(self, *, retry_after: float | None = None) -> float:
        """Return the seconds to wait after a failure, at least what the server asked for."""
        wait = self._step * (1 - SPREAD * self._random.random())
        self._step = min(self._step * 2, self._limit)
        if retry_after is None:
            return wait
        return retry_after * (1 + SPREAD * self._random.random() / 2)

    def succeeded(self) -> None:
        """Begin from the first delay again."""
        self._step = self._first
