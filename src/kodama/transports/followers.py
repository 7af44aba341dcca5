"""All readers of one transport over streams: who there is, who waits in which crowd, and what happens to all.

Decided here: one look a second serves every reader: who was told nothing for a while is kept
alive, and whose session is over is ended.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain
from typing import Final

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.python.failure import Failure

from kodama.core.errors import Unauthorized
from kodama.core.returning import Returns
from kodama.core.who import Who
from kodama.http.fanout import Fanout
from kodama.node import LiveRoom, Node
from kodama.people import People
from kodama.transports.crowd import Crowd, Standing
from kodama.transports.following import Following, Until
from kodama.transports.framing import Framing, Outlet
from kodama.transports.reading import Batch, Verdict
from kodama.wire.problem import Problem

TICK: Final = 1.0


class Followers:
    """All readers of one transport. ``fault`` logs a failure of ours and words it; ``now`` is in ms;
    ``fanout`` writes to many at once."""

    def __init__(
        self, node: Node, people: People, *, clock: IReactorTime, now: Callable[[], int],
        fault: Callable[[Failure], Problem], fanout: Fanout | None = None,
    ) -> None:  # fmt: skip
        self.fanout = fanout
        self.node = node
        self.people = people
        self.metrics = node.metrics
        self.clock = clock
        self.fault = fault
        self._now = now
        self.alone: set[Following] = set()
        self.crowds: dict[Standing, Crowd] = {}
        self._expiring: set[Following] = set()
        self._ticking: IDelayedCall | None = None
        self._returns: Returns | None = None  # the drain has begun

    @property
    def waiting(self) -> int:
        """Return how many readers there are."""
        return len(self.alone) + sum(len(crowd.readers) for crowd in self.crowds.values())

    def follow(
        self, outlet: Outlet, framing: Framing, *, who: Who, limit: int, until: Until = Until.GONE
    ) -> Following:  # fmt: skip
        """Return a new reader of no room yet."""
        following = Following(self, outlet, framing, who=who, limit=limit, until=until)
        self.alone.add(following)
        if who.expires is not None:
            self._expiring.add(following)
        if self._ticking is None:
            self._ticking = self.clock.callLater(TICK, self._tick)
        return following

    def knows(self, following: Following, who: Who) -> None:
        """Let ``following`` be ``who`` from now on."""
        following.who = who
        if following.attending is not None:
            following.attending.become(who)
        self._expiring.discard(following)
        if who.expires is not None:
            self._expiring.add(following)
        following.review()

    def drain(self, returns: Returns) -> None:
        """Send every reader away, each with a time of its own, and so whoever comes yet."""
        self._returns = returns
        for following in self.everybody():
            following.send_away(returns.after())

    def review(self, verdict: Verdict) -> None:
        """End the reading of everybody whom ``verdict`` refuses."""
        for following in self.everybody():
            refusal = verdict(following.who)
            if refusal is not None:
                following.refuse(refusal)

    def everybody(self) -> list[Following]:
        """Return all readers."""
        return list(chain(self.alone, *[crowd.readers for crowd in self.crowds.values()]))

    def arrived(self, following: Following) -> None:
        """``following`` stands at the end of its rooms: let it wait with others."""
        if self._returns is not None:
            following.send_away(self._returns.after())
            return
        if following.until is Until.CAUGHT_UP:
            following.finish()
            return
        standing = Standing(
            following.framing, following.limit, following.watching, following.rooms, following.places
        )
        crowd = self.crowds.get(standing)
        if crowd is None:
            crowd = Crowd(self, standing)
        self.alone.discard(following)
        following.settle(crowd)

    def ended(self, following: Following) -> None:
        """Forget a reader."""
        if following.attending is not None:
            following.attending.end()
        self.alone.discard(following)
        self._expiring.discard(following)

    def count(self, found: Batch, *, readers: int) -> None:
        """Note that a batch was written to so many."""
        self.metrics.deliveries += readers
        self.metrics.gaps += found.gaps * readers
        self.metrics.cursor_lag.observe(found.lag, readers)

    async def rooms_again(self, rooms: Sequence[LiveRoom]) -> tuple[LiveRoom, ...]:
        """Return the rooms of these names as the node follows them now."""
        return tuple([self.node.followed(room.name) or await self.node.room(room.name) for room in rooms])

    def _tick(self) -> None:
        """Keep quiet connections alive, and end those whose session has run out: one look a second."""
        self._ticking = None
        seconds = self.clock.seconds()
        for crowd in tuple(self.crowds.values()):
            if seconds - crowd.spoken >= crowd.framing.quiet:
                crowd.say(crowd.framing.keep_alive)
        now = self._now()
        for following in tuple(self._expiring):
            if following.who.expires is not None and following.who.expires <= now:
                following.refuse(Unauthorized("This session has ended."))
        if self.alone or self.crowds:
            self._ticking = self.clock.callLater(TICK, self._tick)
