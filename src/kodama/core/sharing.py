"""What a node tells the others of its own readers, and when: presence where there are several nodes.

Decided here: a reader is the same one wherever its polls lead, by room, user and client, so lists of
several nodes are added up by saying who is where, again and again. A reader that is new is told at
the next look, every one again each `AGAIN` seconds, for `TOLD_FOR` seconds at most and never for
longer than it will be here; what was lost on the way is so made good, and the readers of a node that
died lapse. Only what a node heard from a reader itself does it tell on. A look tells at most
`AT_ONCE` readers again, so that a node's share of the bus is bounded, too.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Final, NamedTuple

from kodama.core.event import Author
from kodama.core.lease import Lease, Seat, State

AGAIN: Final = 15.0
TOLD_FOR: Final = 40.0  # two may be lost
AT_ONCE: Final = 500


class Told(NamedTuple):
    """A reader that is here for ``seconds`` more; 0: only its state is told."""

    seat: Seat
    author: Author | None
    state: State
    seconds: float


class News(NamedTuple):
    """What the other nodes should know of a room: readers, and seats that were left for good."""

    room: str
    readers: list[Told]
    gone: list[Seat]


class Sharing:
    """The leases of one node's own readers, by when the others were told of them last."""

    __slots__ = ("_changed", "_gone", "_told")

    def __init__(self) -> None:
        self._told: OrderedDict[Lease, float] = OrderedDict()
        self._changed: dict[Lease, None] = {}
        self._gone: dict[Lease, None] = {}

    def __len__(self) -> int:
        """Return how much there is to tell, sooner or later."""
        return len(self._told) + len(self._changed) + len(self._gone)

    def changed(self, lease: Lease) -> None:
        """Note a reader that is new, or is another way."""
        self._changed[lease] = None

    def gone(self, lease: Lease) -> None:
        """Note a reader that has left, and does not merely lapse."""
        self._gone[lease] = None

    def ended(self, lease: Lease) -> None:
        """Tell of this lease no more."""
        self._told.pop(lease, None)
        self._changed.pop(lease, None)

    def due(self, now: float) -> list[News]:
        """Return what is to be told now, room by room."""
        rooms: dict[str, News] = {}
        gone, self._gone = self._gone, {}
        for lease in gone:
            _news(rooms, lease).gone.append(lease.seat)
        changed, self._changed = self._changed, {}
        for lease in changed:
            self._tell(rooms, lease, now=now)
        for _ in range(min(AT_ONCE, len(self._told))):
            lease, at = next(iter(self._told.items()))
            if at + AGAIN > now:
                break
            self._told[lease] = now
            self._told.move_to_end(lease)
            if lease.own > now:
                self._tell(rooms, lease, now=now)
        return list(rooms.values())

    def _tell(self, rooms: dict[str, News], lease: Lease, *, now: float) -> None:
        seconds = max(0.0, min(TOLD_FOR, lease.own - now))
        told = Told(lease.seat, lease.who.author, lease.state, seconds)
        _news(rooms, lease).readers.append(told)
        if seconds:
            self._told[lease] = now
            self._told.move_to_end(lease)


def _news(rooms: dict[str, News], lease: Lease) -> News:
    return rooms.setdefault(lease.room, News(lease.room, [], []))
