"""How many rooms there are, so that there are not too many.

Decided here: nobody waits to be counted. The store is asked at most once a minute, while rooms are
being made, and those that are made until it has answered are added: so there may be some too many,
by what all nodes make in a minute.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import inf
from typing import Final

from twisted.logger import Logger

from kodama.core.errors import Forbidden
from kodama.metrics import Metrics
from kodama.store.interface import Store

ASKED_SECONDS: Final = 60.0
_log: Final = Logger()


class Census:
    """The rooms of a store, of which there may be ``most``."""

    def __init__(self, store: Store, metrics: Metrics, *, most: int, seconds: Callable[[], float]) -> None:
        self._store = store
        self._metrics = metrics
        self._most = most
        self._seconds = seconds
        self._asked = -inf
        self._count = 0

    def admit_one(self) -> None:
        """Count a new room. Raises `Forbidden` if there are too many."""
        if self._seconds() - self._asked >= ASKED_SECONDS:
            self._asked = self._seconds()
            self._store.rooms().addCallbacks(self._told, lambda failure: _log.failure("not counted", failure))
        if self._count >= self._most:
            self._metrics.limit("rooms", "refused")
            raise Forbidden("This server takes no more rooms.")
        self._count += 1

    def _told(self, rooms: Sequence[object]) -> None:
        self._count = len(rooms)
