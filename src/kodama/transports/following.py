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

from collections.abc import Callable, Mapping, Sequence
from enum import Enum, auto
from itertools import chain
from typing import Final, Protocol

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.python.failure import Failure

from kodama.core.errors import Refused, Unauthorized
from kodama.core.position import Position
from kodama.core.returning import Returns
from kodama.core.stream import Lost, Reason
from kodama.core.who import Who, admit
from kodama.node import LiveRoom, Node
from kodama.people import People
from kodama.transports.attending import Attending
from kodama.transports.crowd import Crowd, Standing
from kodama.transports.reading import Batch, Bounds, Plan, Verdict, at_end, cursor_of, followed, owed
from kodama.wire.problem import Problem, problem_of

PIECE: Final = 16 * 1024  # bytes of events written at a time to one that catches up
PIECES: Final = 16  # such pieces in one turn of the loop
TICK: Final = 1.0

Ages = tuple[int, ...]  # of what each room remembered when it was read


class Outlet(Protocol):
    """Where a reader's bytes go. ``full`` is true while it does not keep up, and `send` is not
    called then; ``on_filled``, ``on_drained`` and ``on_gone`` are called when that begins, perhaps
    within `send`, when it ends, and when the reader is no more. `send` stays the same until then."""

    full: bool
    send: Callable[[bytes], None]
    on_drained: Callable[[], None]
    on_filled: Callable[[], None]
    on_gone: Callable[[], None]

    def finish(self) -> None:
        """End what was begun; nothing is sent after it."""
        ...


class Framing(Protocol):
    """How records are written; every method returns the bytes that an `Outlet` sends.

    ``quiet`` is how many seconds may pass without any before ``keep_alive`` is sent.
    """

    quiet: float
    keep_alive: bytes

    def ready(self, cursor: str, started: Mapping[str, int]) -> bytes:
        """Return the first record."""
        ...

    def batch(self, rooms: Sequence[LiveRoom], places: Sequence[Position], owed: Batch) -> bytes:
        """Return a batch that was taken at ``places`` in ``rooms``."""
        ...

    def ephemeral(self, events: Sequence[bytes]) -> bytes:
        """Return events that have no offset."""
        ...

    def problem(self, given: Problem, cursor: str) -> bytes:
        """Return why the reading ends."""
        ...

    def come_back(self, cursor: str, after: float) -> bytes:
        """Return that the server goes down, and in how many seconds to return."""
        ...


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
        "_followers", "_lost", "_places", "_rooms", "attending", "crowd", "framing", "limit", "outlet",
        "reason", "state", "until", "watching", "who",
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
        self._rooms: tuple[LiveRoom, ...] = ()
        self._places: tuple[Position, ...] = ()
        self._lost: tuple[Lost | None, ...] = ()
        outlet.on_drained = self.drained
        outlet.on_filled = self.filled
        outlet.on_gone = self.gone

    @property
    def rooms(self) -> tuple[LiveRoom, ...]:
        """Return the rooms that are read."""
        return self._rooms if self.crowd is None else self.crowd.rooms

    @property
    def places(self) -> tuple[Position, ...]:
        """Return the places in them, after all that was written."""
        return self._places if self.crowd is None else self.crowd.places

    @property
    def cursor(self) -> str:
        """Return the places as a cursor."""
        return cursor_of(self.rooms, self.places)

    def add(self, plan: Plan) -> None:
        """Read the plan's rooms too, from its places; a room that is read already begins anew.

        Raises `Forbidden`, `NotFound`.
        """
        for room in plan.rooms:
            admit(room.facts, self.who)
        fresh = {room.name for room in plan.rooms}
        kept = self._kept(lambda name: name not in fresh)
        holes = _holes(plan)
        self._stand([*kept, *zip(plan.rooms, plan.places, holes, strict=True)])

    def attend(self, plan: Plan, client: str | None) -> None:
        """Be present in the plan's rooms and hear what is told of them, from what was missed on."""
        self.watching = Watching.YES
        if self.attending is None:
            self.attending = Attending(self._followers.people, client)
        missed = [self.attending.enter(room.name, self.who, plan.poll.since) for room in plan.rooms]
        piece = self.framing.ephemeral([event for event in missed if event is not None])
        if piece and not self.outlet.full:
            self.outlet.send(piece)

    def remove(self, names: Sequence[str]) -> None:
        """Read these rooms no longer."""
        if self.attending is not None:
            self.attending.leave(names)
        self._stand(self._kept(lambda name: name not in names))

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
        try:
            for room in self.rooms:
                admit(room.facts, self.who)
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

    def _kept(self, wanted: Callable[[str], bool]) -> list[tuple[LiveRoom, Position, Lost | None]]:
        holes = self._lost or (None,) * len(self.rooms)
        standing = zip(self.rooms, self.places, holes, strict=True)
        return [(room, place, hole) for room, place, hole in standing if wanted(room.name)]

    def _stand(self, standing: Sequence[tuple[LiveRoom, Position, Lost | None]]) -> None:
        if self.state is State.ENDED:
            return
        self._leave()
        self._rooms = tuple([room for room, _, _ in standing])
        self._places = tuple([place for _, place, _ in standing])
        holes = tuple([hole for _, _, hole in standing])
        self._lost = holes if any(holes) else ()
        if self.state is not State.FULL:
            self.state = State.CATCHING
            self.go_on()

    def _leave(self) -> None:
        crowd = self.crowd
        if crowd is not None:
            self._rooms, self._places, self._lost = crowd.rooms, crowd.places, ()
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
        if not followed(self._rooms):
            self._follow_again()
        elif not self._lost and at_end(self._rooms, self._places):
            self._followers.arrived(self)
        else:
            self._take()

    def _next_turn(self) -> None:
        if self.state is State.CATCHING:
            self.go_on()

    def _take(self) -> None:
        bounds = Bounds(self.limit, PIECE, Reason.SLOW)
        ages = tuple([room.answers.age for room in self._rooms])
        found = owed(self._followers.node, self._rooms, self._places, lost=self._lost, bounds=bounds)
        if isinstance(found, Deferred):
            self.state = State.READING
            asked = (self._rooms, self._places)
            found.addCallback(self._was_read, asked, ages)
            found.addErrback(self.fail)
        else:
            self._give(found, ages)

    def _was_read(
        self, found: Batch, asked: tuple[tuple[LiveRoom, ...], tuple[Position, ...]], ages: Ages
    ) -> None:
        if self.state is not State.READING:
            return
        self.state = State.CATCHING
        if asked == (self._rooms, self._places) and not self.outlet.full:
            self.review()
            self._give(found, ages)
        self.go_on()

    def _give(self, found: Batch, ages: Ages) -> None:
        if self.state is not State.CATCHING:
            return
        if found.events:
            self.outlet.send(self._encoded(found, ages))
            self._followers.count(found, readers=1)
        self._places = found.places
        self._lost = ()

    def _encoded(self, found: Batch, ages: Ages) -> bytes:
        """Return the piece, which others at the same place may have had encoded already."""
        if len(self._rooms) != 1 or self._lost:
            return self.framing.batch(self._rooms, self._places, found)
        answers = self._rooms[0].answers
        key = (self.framing, self._places, found.places)
        piece = answers.get(key)
        if not isinstance(piece, bytes):
            piece = self.framing.batch(self._rooms, self._places, found)
            answers.put(key, piece, size=len(piece), age=ages[0])
        return piece

    def _follow_again(self) -> None:
        """Find the rooms anew that the node has let go of meanwhile."""
        self.state = State.READING
        again = Deferred.fromCoroutine(self._followers.rooms_again(self._rooms))
        again.addCallback(self._found_again, self._rooms)
        again.addErrback(self.fail)

    def _found_again(self, rooms: tuple[LiveRoom, ...], instead_of: tuple[LiveRoom, ...]) -> None:
        if self.state is State.READING:
            self.state = State.CATCHING
            if instead_of is self._rooms:
                self._rooms = rooms
            self.go_on()


class Followers:
    """All readers of one transport. ``fault`` logs a failure of ours and words it; ``now`` is in ms."""

    def __init__(
        self, node: Node, people: People, *, clock: IReactorTime, now: Callable[[], int],
        fault: Callable[[Failure], Problem],
    ) -> None:  # fmt: skip
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
        following.state = State.LIVE
        crowd.join(following)

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


def _holes(plan: Plan) -> tuple[Lost | None, ...]:
    """Return what is lost already where the reading begins: what is lost later, it was too slow for."""
    holes = []
    for index, (room, place) in enumerate(zip(plan.rooms, plan.places, strict=True)):
        step = room.stream.after(place, limit=1, size=1)
        known = plan.lost[index] if plan.lost else None
        holes.append(known or (step if isinstance(step, Lost) else None))
    return tuple(holes)
