"""What stores share in finding messages: looking through them one by one, and where an answer ends."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from typing import Final

from kodama.core.event import Entry
from kodama.core.search import Place, Wanted, fits
from kodama.store.interface import Found

LOOKED_AT: Final = 500  # messages: some ms


def look_through(rooms: Iterable[Iterator[tuple[Place, Entry]]], wanted: Wanted) -> Iterator[Entry | None]:
    """Yield what is wanted of ``rooms``, each of which comes newest first, the newest first; and None
    now and then, when there may be a pause."""
    newest = heapq.merge(*rooms, key=lambda one: one[0], reverse=True)
    for number, (place, entry) in enumerate(newest, start=1):
        if fits(entry, wanted, room=place.room):
            yield entry
        if number % LOOKED_AT == 0:
            yield None


class Cut:
    """What is found, at most ``limit`` and ``size`` bytes of it, but at least one."""

    def __init__(self, *, limit: int, size: int) -> None:
        self._limit = limit
        self._left = size
        self._taken: list[Entry] = []
        self._more = False

    def take(self, entry: Entry) -> bool:
        """Take one more, or return False: it goes over what was asked for."""
        self._left -= len(entry.json)
        self._more = len(self._taken) == self._limit or (self._left < 0 and bool(self._taken))
        if not self._more:
            self._taken.append(entry)
        return not self._more

    @property
    def found(self) -> Found:
        """Return what was taken, and whether something was not."""
        return Found(tuple(self._taken), self._more)


def cut(found: Iterable[Entry], *, limit: int, size: int) -> Found:
    """Return ``found`` as far as ``limit`` and ``size`` reach."""
    taken = Cut(limit=limit, size=size)
    for entry in found:
        if not taken.take(entry):
            break
    return taken.found
