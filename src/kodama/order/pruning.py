"""The end of old lines of the audit log, and of those of which one room has too many.

Decided here: once an hour, room by room, a page at a time. The key of a line is the older the
greater, so that all that is too old, or too much, stands behind one place.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from twisted.internet.defer import Deferred, succeed
from twisted.logger import Logger

from kodama.core.record import DropRecord
from kodama.order.houses import AUDIT, key, moment_key
from kodama.registry import Registry
from kodama.store.interface import Store

LOOK_MS: Final = 3_600_000
DAY_MS: Final = 86_400_000
PAGE: Final = 500
_log: Final = Logger()


class Pruning:
    """Forgets lines that are older than ``days``, and all but the last ``lines`` of each room and of the
    server. ``now`` gives ms since 1970."""

    def __init__(
        self, store: Store, registry: Registry, *, days: int, lines: int, now: Callable[[], int]
    ) -> None:
        self._store = store
        self._registry = registry
        self._age = days * DAY_MS
        self._lines = lines
        self._now = now
        self._looked = 0

    def look(self) -> Deferred[None]:
        """Look at all rooms if an hour has passed since the last time; fires at once."""
        if self._now() - self._looked >= LOOK_MS:
            self._looked = self._now()
            pruning = Deferred.fromCoroutine(self.prune())
            pruning.addErrback(lambda failure: _log.failure("pruning the audit log failed", failure))
        return succeed(None)

    async def prune(self) -> int:
        """Forget all lines that are too old or too many; returns how many those were."""
        limit, place, gone = moment_key(self._now() - self._age), "", 0
        while (found := (await self._store.records(AUDIT, after=place, limit=1)).records):
            room = found[0].key.partition("/")[0]
            gone += await self._prune_room(room, min(key(room, limit), await self._last(room)))
            place = f"{room}0"  # the next letter after the slash: behind all of the room
        return gone

    async def _last(self, room: str) -> str:
        """Return the key of the last line that a room may have, or what is behind all of them."""
        place, left = "", self._lines
        while left:
            wanted = min(left, PAGE)
            page = (await self._store.records(AUDIT, prefix=key(room, ""), after=place, limit=wanted)).records
            if len(page) < wanted:
                return f"{room}0"
            place, left = page[-1].key, left - wanted
        return place

    async def _prune_room(self, room: str, after: str) -> int:
        gone, prefix = 0, key(room, "")
        while (old := (await self._store.records(AUDIT, prefix=prefix, after=after, limit=PAGE)).records):
            await self._registry.write([DropRecord(kind=AUDIT, key=one.key) for one in old])
            gone += len(old)
        return gone
