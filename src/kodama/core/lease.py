"""Leases: presence that lapses unless it is renewed, and when to look at it again.

Decided here: renewing costs one assignment. A lease is looked at only when the second in which
it was to lapse has come, and is put off then if it was renewed meanwhile; there is no timer for
each. What an open connection holds does not lapse at all.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from math import ceil, inf
from typing import Final, NamedTuple

from kodama.core.who import Who

LEASE_FLOOR: Final = 25.0
GRACE: Final = 20.0
UNTOLD: Final = -1


class State(StrEnum):
    """Whether the person is at a reader, or away from it."""

    ACTIVE = "active"
    IDLE = "idle"


class Seat(NamedTuple):
    """What tells one reader of a room from another: the user, and which of the user's readers."""

    user: str | None
    client: str


class Lease:
    """One reader's presence in a room until ``until``, in seconds: the later of ``own``, for which it
    spoke to this node, and ``elsewhere``, for which other nodes did. ``told`` is the version of the
    room's list that the reader heard of (`UNTOLD`: none yet); ``held`` counts open connections;
    ``lives`` until it has ended."""

    __slots__ = ("elsewhere", "held", "lives", "own", "room", "seat", "slot", "state", "told", "until", "who")

    def __init__(self, room: str, seat: Seat, who: Who) -> None:
        self.room = room
        self.seat = seat
        self.who = who
        self.told = UNTOLD
        self.state = State.ACTIVE
        self.held = 0
        self.lives = True
        self.until = 0.0
        self.own = 0.0
        self.elsewhere = 0.0
        self.slot = 0


def lease_seconds(hold: float) -> float:
    """Return how long a poll that may be held for ``hold`` seconds keeps its reader present."""
    return max(hold, LEASE_FLOOR) + GRACE


class Deadlines:
    """Which leases to look at in which second."""

    __slots__ = ("_slots",)

    def __init__(self) -> None:
        self._slots: dict[int, list[Lease]] = {}

    def __len__(self) -> int:
        """Return in how many seconds there is something to look at."""
        return len(self._slots)

    def extend(self, lease: Lease, until: float) -> None:
        """Let ``lease`` last until ``until`` at least."""
        lease.until = max(lease.until, until)
        if not lease.slot:
            self._put(lease)

    def lapsed(self, now: float) -> Iterator[Lease]:
        """Yield the leases that were not renewed in time, once each."""
        for slot in sorted(slot for slot in self._slots if slot <= now):
            for lease in self._slots.pop(slot):
                lease.slot = 0
                if lease.until <= now:
                    yield lease
                elif lease.until != inf:
                    self._put(lease)

    def _put(self, lease: Lease) -> None:
        lease.slot = max(1, ceil(lease.until))
        self._slots.setdefault(lease.slot, []).append(lease)
