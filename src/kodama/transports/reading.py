"""What all transports share: from a request's parameters to places in rooms, and on from there.

Decides what a reader at a place is owed: entries, a gap, or nothing yet.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal, NamedTuple, Protocol

from twisted.internet.defer import Deferred

from kodama.core.errors import Refused
from kodama.core.merge import in_turn
from kodama.core.position import Cursor, Position, encode_cursor
from kodama.core.returning import Returns
from kodama.core.stream import Lost, Reason, Recovered, Stored
from kodama.core.who import Who
from kodama.node import LiveRoom, Node
from kodama.wire.events import gap
from kodama.wire.polls import AfterOffset, Ago, All, Last, Now, Poll, Since

ANSWER_BYTES: Final = 256 * 1024

Verdict = Callable[[Who], Refused | None]


class Transport(Protocol):
    """One way to hold readers, as the rest of the server sees it."""

    @property
    def waiting(self) -> int:
        """Return how many readers are held."""
        ...

    def drain(self, returns: Returns) -> None:
        """Send every reader away, now and from now on, each with its cursor and when to come back."""
        ...

    def review(self, verdict: Verdict) -> None:
        """End the reading of everybody whom ``verdict`` refuses: a session was revoked, say."""
        ...


Step = Recovered | Lost | Stored


class Bounds(NamedTuple):
    """How much is taken at a time, at least one event; and what a hole is called whose events have
    grown too old: ``slow`` to a reader that was there all the time."""

    limit: int
    size: int = ANSWER_BYTES
    too_old: Reason = Reason.RETENTION


@dataclass(frozen=True, slots=True)
class Batch:
    """What a reader gets now: events as JSON in order, and the places after them.

    ``steps`` and ``counts`` say, room by room, where they were taken from: see `one_by_one`.
    """

    events: Sequence[bytes]
    places: tuple[Position, ...]
    more: str
    lag: int
    gaps: int
    steps: Sequence[Step]
    counts: Sequence[int]


class Told(NamedTuple):
    """One event of a batch: its room and type, its JSON, and the cursor after it."""

    room: str
    kind: str
    json: bytes
    cursor: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Plan:
    """A reading that has its places: ``started`` are rooms that the cursor did not speak of."""

    rooms: tuple[LiveRoom, ...]
    places: tuple[Position, ...]
    started: dict[str, int] | None
    poll: Poll
    lost: tuple[Lost | None, ...] = ()

    @property
    def common(self) -> bool:
        """Return whether others may get the same answer: it is one room, without a gap to tell and
        without a ticket to renew."""
        single = len(self.rooms) == 1 and not self.lost
        return single and self.started is None and self.poll.ticket is None

    @property
    def cursor(self) -> str:
        """Return the plan's places as a cursor."""
        return cursor_of(self.rooms, self.places)


class Asked:
    """A poll's parameters and, once they are known, its places: shared by all who ask the same.

    ``crowd`` is the transport's own: where they wait together. ``plain`` says that whoever asks
    like this without a token needs no further look.
    """

    __slots__ = ("crowd", "plain", "plan", "poll")

    def __init__(self, poll: Poll) -> None:
        self.poll = poll
        self.plain = poll.callback is None and poll.ticket is None
        self.plan: Plan | None = None
        self.crowd: object | None = None


def cursor_of(rooms: Sequence[LiveRoom], places: Sequence[Position]) -> str:
    """Return places in rooms as a cursor."""
    return encode_cursor({room.name: place for room, place in zip(rooms, places, strict=True)})


async def find(node: Node, poll: Poll, *, now: int) -> Plan:
    """Return where a reading with these parameters begins. ``now`` is in ms.

    Whatever any node has committed before is known here then.
    """
    rooms = tuple([node.followed(name) or await node.room(name) for name in poll.rooms])
    if node.shared:
        await node.current(poll.rooms)
    return await _find(node, poll, rooms, now=now)


async def find_to_hold(node: Node, poll: Poll, *, now: int) -> Plan:
    """Do as `find` does, but who stands at the end as far as is known here, and waits, is told soon
    enough of what is not."""
    rooms = tuple([node.followed(name) or await node.room(name) for name in poll.rooms])
    if node.shared and isinstance(poll.since, Cursor):
        plan = await _find(node, poll, rooms, now=now)
        if may_wait(plan):
            return plan
    if node.shared:
        await node.current(poll.rooms)
    return await _find(node, poll, rooms, now=now)


async def _find(node: Node, poll: Poll, rooms: tuple[LiveRoom, ...], *, now: int) -> Plan:
    found = [await _place(node, poll.since, room, now=now) for room in rooms]
    started = {
        room.name: place.offset for room, (place, how) in zip(rooms, found, strict=True) if how == "new"
    }
    lost = tuple([how if isinstance(how, Lost) else None for _, how in found])
    return Plan(
        rooms=rooms, places=tuple([place for place, _ in found]), started=started or None, poll=poll,
        lost=lost if any(lost) else (),
    )  # fmt: skip


async def _place(
    node: Node, since: Since, room: LiveRoom, *, now: int
) -> tuple[Position, Lost | Literal["new"] | None]:
    """Return where to begin in ``room``, and whether that leaves a hole or the cursor had no word of it."""
    match since:
        case Cursor():
            known = since.get(room.name)
            return (room.stream.top, "new") if known is None else (known, None)
        case Now():
            return room.stream.top, None
        case All():
            return _kept(room, 0), None
        case Last():
            return _kept(room, room.stream.top.offset - since.count), None
        case Ago():
            offset = await node.store.offset_at(room.name, time=now - since.ms) if room.exists else 0
            return _kept(room, offset), None
        case AfterOffset():
            place = room.stream.at(since.offset)
            return (_kept(room, 0), room.stream.beyond()) if place is None else (place, None)


def followed(rooms: Sequence[LiveRoom]) -> bool:
    """Return whether the node still hears of all these rooms."""
    return all([room.followed for room in rooms])  # noqa: C419 - faster than a generator


def at_end(rooms: Sequence[LiveRoom], places: Sequence[Position]) -> bool:
    """Return whether there is nothing after these places."""
    return all([place == room.stream.top for room, place in zip(rooms, places, strict=True)])  # noqa: C419


def at_the_end(plan: Plan) -> bool:
    """Return whether there is nothing new for the reader."""
    for room, place in zip(plan.rooms, plan.places, strict=True):
        if place != room.stream.top:
            return False
    return not plan.lost


def may_wait(plan: Plan) -> bool:
    """Return whether the reader can be held: there is nothing new as far as is known, and it waits."""
    return plan.poll.wait != 0 and plan.started is None and at_the_end(plan)


def take(node: Node, plan: Plan) -> Batch | Deferred[Batch] | None:
    """Return what is owed to the reader, later if the store must be asked, None if nothing."""
    if at_the_end(plan):
        return None
    return owed(node, plan.rooms, plan.places, lost=plan.lost, bounds=Bounds(plan.poll.limit))


def owed(
    node: Node, rooms: tuple[LiveRoom, ...], places: tuple[Position, ...], *,
    lost: Sequence[Lost | None], bounds: Bounds,
) -> Batch | Deferred[Batch]:  # fmt: skip
    """Return what a reader at ``places`` is owed, later if the store must be asked; the batch may be
    empty. ``lost`` are holes to tell first, one or None for each room, or nothing at all."""
    steps: list[Step] = []
    for index, (room, place) in enumerate(zip(rooms, places, strict=True)):
        hole = lost[index] if lost else None
        steps.append(hole or _named(room.stream.after(place, limit=bounds.limit, size=bounds.size), bounds))
    if any(isinstance(step, Stored) for step in steps):
        return Deferred.fromCoroutine(_read(node, rooms, places, steps, bounds))
    return _batch(rooms, places, steps, bounds)


def one_by_one(rooms: Sequence[LiveRoom], places: Sequence[Position], owed: Batch) -> Iterator[Told]:
    """Yield the events of a batch that was taken at ``places``, each with the cursor after it."""
    names = [room.name for room in rooms]
    now = dict(zip(names, places, strict=True))
    events = iter(owed.events)
    for name, step, count in zip(names, owed.steps, owed.counts, strict=True):
        if isinstance(step, Lost):
            now[name] = step.resume
            yield Told(name, "gap", next(events), encode_cursor(now))
        elif isinstance(step, Recovered):
            for entry in step.entries[:count]:
                now[name] = Position(entry.epoch, entry.offset)
                yield Told(name, entry.kind, next(events), encode_cursor(now))


def _named(step: Step, bounds: Bounds) -> Step:
    """Return ``step`` with the reason that the reader is told."""
    if isinstance(step, Lost) and step.reason is Reason.RETENTION and bounds.too_old is not step.reason:
        return replace(step, reason=bounds.too_old)
    return step


async def _read(
    node: Node, rooms: tuple[LiveRoom, ...], places: tuple[Position, ...], steps: list[Step], bounds: Bounds
) -> Batch:
    for index, (room, step) in enumerate(zip(rooms, tuple(steps), strict=True)):
        if isinstance(step, Stored):
            after = step.position.offset
            found = await node.read(room, after=after, limit=bounds.limit, size=bounds.size)
            if found.first > after + 1:
                room.stream.forget(found.first)
                steps[index] = _named(room.stream.lost_at(step.position, found.first), bounds)
            else:
                steps[index] = room.stream.cut(found.entries, step.position, size=bounds.size)
    return _batch(rooms, places, steps, bounds)


def _batch(
    rooms: Sequence[LiveRoom], standing: Sequence[Position], steps: Sequence[Step], bounds: Bounds
) -> Batch:
    """Put the rooms' parts together; a room with a gap gives only the gap, the rest comes next."""
    entries = [step.entries if isinstance(step, Recovered) else () for step in steps]
    counts = in_turn(entries, limit=bounds.limit, size=bounds.size)
    events: list[bytes] = []
    places: list[Position] = []
    lag = gaps = 0
    for room, place, step, count in zip(rooms, standing, steps, counts, strict=True):
        end = place
        if isinstance(step, Lost):
            events.append(gap(room.name, step))
            end = step.resume
            gaps += 1
        elif isinstance(step, Recovered) and count:
            events += [entry.json for entry in step.entries[:count]]
            end = Position(step.entries[count - 1].epoch, step.entries[count - 1].offset)
        places.append(end)
        lag += room.stream.top.offset - end.offset
    return Batch(events, tuple(places), "true" if lag > 0 else "false", lag, gaps, steps, counts)


def _kept(room: LiveRoom, offset: int) -> Position:
    return room.stream.at(max(offset, room.stream.first - 1)) or room.stream.top
