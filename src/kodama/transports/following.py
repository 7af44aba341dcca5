"""A reading without end: rooms, places in them, and somebody who takes what is new at once.

Decided here: there is no queue for a reader. All who stand at the end of the same rooms are a
crowd, for which the news are encoded once and written to each; whose outlet is full leaves the
crowd with its place, goes back to the log, and comes again when it has caught up.

    CATCHING ──at the end──▶ LIVE        any ──end──▶ ENDED
     │  ▲  ▲                  │ full
     │  │  └── drained ── FULL ◀┘
     │  │                  ▲
     ▼  │ came             │ full
    READING (the store) ───┘

How a batch is written is the framing's: server-sent events, lines, WebSocket frames.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum, auto
from typing import TYPE_CHECKING, Final

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from kodama.core.errors import Refused
from kodama.core.position import Position
from kodama.core.who import Who
from kodama.node import LiveRoom
from kodama.transports.attending import Attending
from kodama.transports.framing import Framing, Outlet
from kodama.transports.reading import Batch, Plan, cursor_of, followed
from kodama.transports.whereabouts import NOWHERE, Whereabouts
from kodama.wire.problem import Problem, problem_of

if TYPE_CHECKING:
    from kodama.transports.crowd import Crowd
    from kodama.transports.followers import Followers

PIECES: Final = 16  # written at a time, in one turn of the loop, to one that catches up


class State(Enum):
    """Where a reader is; see the drawing above."""

    CATCHING = auto()
    READING = auto()
    FULL = auto()
    LIVE = auto()
    ENDED = auto()


class Watching(Enum):
    """Whether a reader gets ephemeral events."""

    NO = False
    YES = True


class Until(Enum):
    """Whether a reading goes on until the reader goes, or ends once there is nothing new."""

    GONE = False
    CAUGHT_UP = True


class Following:
    """One reader, from `Followers.follow` until it ends or is gone."""

    __slots__ = (
        "_at", "_followers", "attending", "crowd", "framing", "limit", "outlet", "reason", "state",
        "until", "watching", "who",
    )  # fmt: skip

    def __init__(
        self, followers: Followers, outlet: Outlet, framing: Framing, *, who: Who, limit: int, until: Until
    ) -> None:
        self._followers = followers
        self.outlet = outlet
        self.framing = framing
        self.who = who
        self.limit = limit
        self.watching = Watching.NO
        self.until = until
        self.state = State.CATCHING
        self.attending: Attending | None = None  # of those who ask for ephemeral events
        self.crowd: Crowd | None = None
        self.reason: str | None = None  # the code of the problem that ended the reading
        self._at = NOWHERE  # while it is in no crowd
        outlet.on_drained = self.drained
        outlet.on_filled = self.filled
        outlet.on_gone = self.gone

    @property
    def rooms(self) -> tuple[LiveRoom, ...]:
        """Return the rooms that are read."""
        return (self._at if self.crowd is None else self.crowd).rooms

    @property
    def places(self) -> tuple[Position, ...]:
        """Return the places in them, after all that was written."""
        return (self._at if self.crowd is None else self.crowd).places

    @property
    def cursor(self) -> str:
        """Return the places as a cursor."""
        return cursor_of(self.rooms, self.places)

    def add(self, plan: Plan) -> None:
        """Read the plan's rooms too, from its places; a room that is read already begins anew.

        Raises `Forbidden`, `NotFound`.
        """
        policy = self._followers.node.policy
        for room in plan.rooms:
            policy.admit(room.facts, self.who)
        if self._apart():
            self._stand(self._at.joined(plan))

    def attend(self, plan: Plan, client: str | None) -> None:
        """Be present in the plan's rooms and hear what is told of them, from what was missed on."""
        self.watching = Watching.YES
        if self.attending is None:
            self.attending = Attending(self._followers.people, client)
        found = [self.attending.enter(room.name, self.who, plan.poll.since) for room in plan.rooms]
        missed = [event for event in found if event is not None]
        if missed and not self.outlet.full and (piece := self.framing.ephemeral(missed)):
            self.outlet.send(piece)

    def remove(self, names: Iterable[str]) -> None:
        """Read these rooms no longer."""
        if self.attending is not None:
            self.attending.leave(names)
        if self._apart():
            self._stand(self._at.without(frozenset(names)))

    def go_on(self) -> None:
        """Write what is owed until that is nothing, the outlet is full or the turn is over."""
        try:
            self._catch_up()
        except Exception:  # noqa: BLE001 - one failing reader keeps no message from the others
            self.fail(Failure())

    def drained(self) -> None:
        """The outlet: there is room again."""
        if self.state is State.FULL:
            self.state = State.CATCHING
            self.go_on()

    def gone(self) -> None:
        """The outlet: nobody listens any more."""
        self._leave()
        self.state = State.ENDED
        self._followers.ended(self)

    def filled(self) -> None:
        """The outlet: it takes no more. Who waited in a crowd leaves it, with the crowd's place."""
        if self.state is State.LIVE:
            self._followers.metrics.slow_readers += 1
            self._leave()
            self.state = State.FULL

    def settle(self, crowd: Crowd) -> None:
        """Wait with those who stand at the same places."""
        self.state = State.LIVE
        self._at = NOWHERE
        crowd.join(self)

    def go_alone(self) -> None:
        """Leave the crowd and catch up alone."""
        self._leave()
        self.state = State.CATCHING
        self.go_on()

    def refuse(self, error: Refused) -> None:
        """Say why, and end."""
        self._end_for(problem_of(error))

    def fail(self, failure: Failure) -> None:
        """Say that serving failed, and end."""
        error = failure.value
        given = problem_of(error) if isinstance(error, Refused) else self._followers.fault(failure)
        self._end_for(given)

    def finish(self) -> None:
        """End: there is nothing more to say."""
        self._end(b"")

    def send_away(self, after: float) -> None:
        """Say when to come back, and end."""
        self._end(self.framing.come_back(self.cursor, after))

    def review(self) -> None:
        """End if one of the rooms admits the reader no more."""
        policy = self._followers.node.policy
        try:
            for room in self.rooms:
                policy.admit(room.facts, self.who)
        except Refused as error:
            self.refuse(error)

    def _end_for(self, given: Problem) -> None:
        self.reason = given.code
        self._end(self.framing.problem(given, self.cursor))

    def _end(self, last: bytes) -> None:
        if self.state is not State.ENDED:
            self._leave()
            self.state = State.ENDED
            self._followers.ended(self)
            if last:
                self.outlet.send(last)
            self.outlet.finish()

    def _apart(self) -> bool:
        """Leave the crowd; return whether there is still somebody to read."""
        if self.state is State.ENDED:
            return False
        self._leave()
        return True

    def _stand(self, at: Whereabouts) -> None:
        self._at = at
        if self.state is not State.FULL:
            self.state = State.CATCHING
            self.go_on()

    def _leave(self) -> None:
        crowd = self.crowd
        if crowd is not None:
            self._at = Whereabouts(crowd.rooms, crowd.places)
            self.crowd = None
            crowd.leave(self)
        self._followers.alone.add(self)

    def _catch_up(self) -> None:
        for _ in range(PIECES):
            if self.state is not State.CATCHING:
                return
            if self.outlet.full:
                self.state = State.FULL
                return
            self.review()
            self._step()
        self._followers.clock.callLater(0, self._next_turn)

    def _step(self) -> None:
        if self.state is not State.CATCHING:
            return
        if not followed(self._at.rooms):
            self._follow_again()
        elif self._at.at_end:
            self._followers.arrived(self)
        else:
            self._take()

    def _next_turn(self) -> None:
        if self.state is State.CATCHING:
            self.go_on()

    def _take(self) -> None:
        at, age = self._at, self._at.age
        found = at.owed(self._followers.node, limit=self.limit)
        if isinstance(found, Deferred):
            self.state = State.READING
            found.addCallback(self._was_read, at, age)
            found.addErrback(self.fail)
        else:
            self._give(found, age)

    def _was_read(self, found: Batch, at: Whereabouts, age: int) -> None:
        if self.state is not State.READING:
            return
        self.state = State.CATCHING
        if at is self._at and not self.outlet.full:
            self.review()
            self._give(found, age)
        self.go_on()

    def _give(self, found: Batch, age: int) -> None:
        if self.state is not State.CATCHING:
            return
        at = self._at
        if found.events:
            self.outlet.send(at.framed(found, self.framing, age=age))
            self._followers.count(found, readers=1)
        self._at = Whereabouts(at.rooms, found.places)

    def _follow_again(self) -> None:
        """Find the rooms anew that the node has let go of meanwhile."""
        self.state = State.READING
        again = Deferred.fromCoroutine(self._followers.rooms_again(self._at.rooms))
        again.addCallback(self._found_again, self._at)
        again.addErrback(self.fail)

    def _found_again(self, rooms: tuple[LiveRoom, ...], at: Whereabouts) -> None:
        if self.state is State.READING:
            self.state = State.CATCHING
            if at is self._at:
                self._at = at._replace(rooms=rooms)
            self.go_on()
