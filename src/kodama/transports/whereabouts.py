"""Where one reader stands who is not in a crowd: its rooms, the place in each, and what it has lost there.

Decided here: what it is owed at most at a time, that a hole which was there when the reading began
is called by its name and a later one ``slow``, and that a piece is encoded once for all who come by
the same place.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from twisted.internet.defer import Deferred

from kodama.core.position import Position
from kodama.core.stream import Lost, Reason
from kodama.node import LiveRoom, Node
from kodama.transports.framing import Framing
from kodama.transports.reading import Batch, Bounds, Plan, at_end, owed

PIECE: Final = 16 * 1024  # bytes of events written at a time to one that catches up


class Whereabouts(NamedTuple):
    """``holes`` are to be told first: one or None for each room, or nothing at all."""

    rooms: tuple[LiveRoom, ...]
    places: tuple[Position, ...]
    holes: tuple[Lost | None, ...] = ()

    @property
    def at_end(self) -> bool:
        """Return whether there is nothing to tell."""
        return not self.holes and at_end(self.rooms, self.places)

    @property
    def age(self) -> int:
        """Return what the first room's memory of answers is asked by, before anything is taken."""
        return self.rooms[0].answers.age if self.rooms else 0

    def joined(self, plan: Plan) -> Whereabouts:
        """Return these and the plan's rooms; one that is in both begins anew."""
        fresh = {room.name for room in plan.rooms}
        kept = self._where(lambda name: name not in fresh)
        return Whereabouts(
            kept.rooms + plan.rooms, kept.places + plan.places,
            _or_nothing((*(kept.holes or (None,) * len(kept.rooms)), *_holes(plan))),
        )  # fmt: skip

    def without(self, names: frozenset[str]) -> Whereabouts:
        """Return the other rooms."""
        return self._where(lambda name: name not in names)

    def owed(self, node: Node, *, limit: int) -> Batch | Deferred[Batch]:
        """Return what comes next, later if the store must be asked."""
        return owed(
            node, self.rooms, self.places, lost=self.holes, bounds=Bounds(limit, PIECE, Reason.SLOW)
        )

    def framed(self, found: Batch, framing: Framing, *, age: int) -> bytes:
        """Return ``found`` as ``framing`` writes it; others at the same place may have had it done."""
        if len(self.rooms) != 1 or self.holes:
            return framing.batch(self.rooms, self.places, found)
        answers = self.rooms[0].answers
        key = (framing, self.places, found.places)
        piece = answers.get(key)
        if not isinstance(piece, bytes):
            piece = framing.batch(self.rooms, self.places, found)
            answers.put(key, piece, size=len(piece), age=age)
        return piece

    def _where(self, wanted: Callable[[str], bool]) -> Whereabouts:
        at = [index for index, room in enumerate(self.rooms) if wanted(room.name)]
        holes = tuple([self.holes[index] for index in at]) if self.holes else ()
        return Whereabouts(
            tuple([self.rooms[index] for index in at]), tuple([self.places[index] for index in at]),
            _or_nothing(holes),
        )  # fmt: skip


NOWHERE: Final = Whereabouts((), ())


def _or_nothing(holes: tuple[Lost | None, ...]) -> tuple[Lost | None, ...]:
    return holes if any(holes) else ()


def _holes(plan: Plan) -> tuple[Lost | None, ...]:
    """Return what is lost already where the reading begins: what is lost later, it was too slow for."""
    holes = []
    for index, (room, place) in enumerate(zip(plan.rooms, plan.places, strict=True)):
        step = room.stream.after(place, limit=1, size=1)
        known = plan.lost[index] if plan.lost else None
        holes.append(known or (step if isinstance(step, Lost) else None))
    return tuple(holes)
