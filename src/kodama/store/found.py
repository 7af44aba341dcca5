"""What stores share in finding messages: looking through them one by one, and where an answer ends."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator

from kodama.core.event import Entry
from kodama.core.search import Place, Wanted, fits
from kodama.store.interface import Found


def look_through(rooms: Iterable[Iterator[tuple[Place, Entry]]], wanted: Wanted) -> Iterator[Entry]:
    """Yield what is wanted of ``rooms``, each of which comes newest first, the newest first."""
    for place, entry in heapq.merge(*rooms, key=lambda one: one[0], reverse=True):
        if fits(entry, wanted, room=place.room):
            yield entry


def cut(found: Iterable[Entry], *, limit: int, size: int) -> Found:
    """Return at most ``limit`` and ``size`` bytes of what is found, but at least one."""
    taken: list[Entry] = []
    for entry in found:
        size -= len(entry.json)
        if len(taken) == limit or (size < 0 and taken):
            return Found(tuple(taken), more=True)
        taken.append(entry)
    return Found(tuple(taken), more=False)
