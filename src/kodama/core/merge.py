"""One answer out of several rooms: from each in turn, so that a busy room hides no quiet one."""

from __future__ import annotations

from collections.abc import Sequence

from kodama.core.event import Entry


def in_turn(rooms: Sequence[Sequence[Entry]], *, limit: int, size: int) -> list[int]:
    """Return how many entries to take from the front of each of ``rooms``.

    At most ``limit`` in all and ``size`` bytes of JSON, but at least one if there is any.
    """
    counts = [0] * len(rooms)
    taken = 0
    waiting = [index for index, entries in enumerate(rooms) if entries]
    while waiting:
        for index in tuple(waiting):
            entries, count = rooms[index], counts[index]
            size -= len(entries[count].json)
            if taken >= limit or (size < 0 and taken):
                return counts
            counts[index] += 1
            taken += 1
            if counts[index] == len(entries):
                waiting.remove(index)
    return counts
