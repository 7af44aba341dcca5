"""Writing the same bytes to many connections at once, where the transport knows how.

A transport that can has ``takeSeat(protocol)``, which returns the seat under which its connection is
reached by a `Fanout`, or `NO_SEAT`; none is reached so while its producer is paused.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Any, Final, Protocol

NO_SEAT: Final = -1
NOT_ASKED: Final = -2  # nobody's either: the transport may have one


class Fanout(Protocol):
    """Reaches connections by their seats."""

    def write(self, seats: array[int], data: bytes) -> Sequence[tuple[int, int]]:
        """Write ``data`` to the connections on ``seats`` (of the type "i"); `NO_SEAT` is nobody's.

        Returns which of them, by index, did not take all of it, each with how many bytes it took.
        """


def spread(fanout: Fanout | None, seats: array[int], data: bytes) -> Sequence[tuple[int, int]]:
    """Return what is left to be written after ``fanout`` has done what it can: everything without one."""
    if fanout is None:
        return [(index, 0) for index in range(len(seats))]
    return fanout.write(seats, data)


def take_seat(transport: Any, protocol: object, fanout: Fanout | None) -> int:
    """Return the seat of ``protocol``, `NO_SEAT` if ``transport`` has none for it."""
    take = getattr(transport, "takeSeat", None)
    return NO_SEAT if take is None or fanout is None else int(take(protocol))
