"""One node: joins rooms in memory, the store and the bus.

Owns which rooms are followed and how much of them is kept in memory. A room is followed from
the first request for it: registered for commits first, read from the store second, and the
handover lets offsets decide. Tells publishers first and wakes readers after, in one turn of
the loop, so that a write is answered before the crowd is.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from itertools import count
from typing import Final

from twisted.internet.defer import Deferred, DeferredList, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from kodama.bus.interface import (
    Ahead,
    Around,
    Bus,
    LookAgain,
    Notice,
    Present,
    RecordsChanged,
    Revoked,
    RoomChanged,
    Spent,
    Types,
    WhoIsHere,
)
from kodama.core.change import Change
from kodama.core.event import Entry
from kodama.core.handover import Handover, Mode
from kodama.core.policy import Policy
from kodama.core.position import Position
from kodama.core.remembered import Budget
from kodama.core.room import Retention, RoomFacts
from kodama.core.stream import Stream
from kodama.live import Company, LiveRoom, Reader, Watcher
from kodama.metrics import Metrics
from kodama.store.interface import (
    ANYTHING,
    Commit,
    Group,
    RoomLog,
    Settle,
    Slice,
    Standing,
    Store,
    Stored,
)
from kodama.store.together import Together

TAIL_AT_OPEN: Final = 1024 * 1024
ROOMS_FOLLOWED: Final = 10_000
BLIND_SECONDS: Final = 6.0  # of a shared store that does not answer; what the bus says is not passed on then
ANSWERS_BYTES: Final = 32 * 1024 * 1024
_log: Final = Logger()

__all__ = ["Company", "LiveRoom", "Node", "Reader", "Watcher"]


class Node:
    """The rooms of one process. ``tail_memory`` bytes of entries are kept in memory in all.

    Where others write, too, whoever answers a reader asks `current` first: ``shared`` says so.
    ``revoked`` and ``changed`` are called when a session has ended, or a room has other settings,
    ``around`` when a node says something of a room's readers, ``spent`` what senders took elsewhere.
    """

    def __init__(
        self, store: Store, bus: Bus, *, clock: IReactorTime, metrics: Metrics,
        tail_memory: int, retention: Retention, company: Company = Company.NONE,
    ) -> None:  # fmt: skip
        self.store = store
        self.shared: bool = company.value
        self.metrics = metrics
        self.policy = Policy()
        self._bus = bus
        self._clock = clock
        self._tail_memory = tail_memory
        self._tail_size = 0
        self._budget = Budget(ANSWERS_BYTES)
        self.retention = retention
        self._rooms: OrderedDict[str, LiveRoom] = OrderedDict()
        self._opening: dict[str, tuple[LiveRoom, list[Deferred[LiveRoom]]]] = {}
        self._reads: dict[tuple[str, int, int, int, int], list[Deferred[Slice]]] = {}
        self._woken: list[LiveRoom] = []
        self.telling = False
        self._turns = count(1)
        self._looked = clock.seconds()
        self._standings = Together(self._ask, self._compare)
        self.revoked: Callable[[str, int], None] = _nobody_minds
        self.records_changed: Callable[[RecordsChanged], None] = _nobody_minds
        self.changed: Callable[[RoomFacts], None] = _nobody_minds
        self.spent: Callable[[Spent], None] = _nobody_minds
        self.around: Callable[[Around], None] = _nobody_minds
        self.committed: list[Callable[[Sequence[Commit]], None]] = []

    def start(self) -> None:
        """Begin to commit and to hear. Raises what the store raises."""
        self._bus.start(self._heard, self._noticed)
        self.store.start(self._deliver)

    def stop(self) -> Deferred[None]:
        """Finish all writes, then close."""
        return self.store.stop().addCallback(lambda _: self._bus.stop())

    def followed(self, name: str) -> LiveRoom | None:
        """Return the room if it is in memory already."""
        return self._rooms.get(name)

    def room(self, name: str) -> Deferred[LiveRoom]:
        """Return the room, following it from now on; one that does not exist is empty."""
        room = self._rooms.get(name)
        if room is not None:
            return succeed(room)
        waiting: Deferred[LiveRoom] = Deferred()
        if name in self._opening:
            self._opening[name][1].append(waiting)
            return waiting
        self._opening[name] = (LiveRoom(name, self.default_facts(name), self._budget), [waiting])
        following = self._bus.follow(name)
        following.addCallback(lambda _: self.store.open(name, tail_bytes=TAIL_AT_OPEN)).addCallbacks(
            self._opened, self._not_opened, callbackArgs=(name,), errbackArgs=(name,)
        )
        return waiting

    def default_facts(self, name: str) -> RoomFacts:
        """Return the settings of a room that nobody has set up."""
        return RoomFacts(name=name, retention=self.retention)

    def append(self, change: Change, settle: Settle) -> None:
        """Append ``change``; ``settle`` hears when it is durable. Raises `StoreUnavailable`."""
        began = self._clock.seconds()

        def settled(outcome: Stored | Exception) -> None:
            if isinstance(outcome, Stored):
                self.metrics.published += outcome.fresh
                self.metrics.publish_seconds.observe(self._clock.seconds() - began)
            settle(outcome)

        self.store.append(change, settled)

    def whisper(self, room: LiveRoom, ephemeral: Sequence[bytes]) -> None:
        """Pass ephemeral events (JSON) to whoever watches the room now, on this node."""
        for watcher in tuple(room.watchers):
            try:
                watcher.hear(room, ephemeral)
            except Exception:  # noqa: BLE001 - one watcher's trouble is not the next one's
                _log.failure("passing on an ephemeral event failed")

    def tell(self, notice: Spent | Around | RecordsChanged) -> None:
        """Let every node that it concerns hear of it; this one hears it, too."""
        self._bus.notice(notice)

    def revoke(self, session: str, *, until: int) -> Deferred[None]:
        """End a session durably, then on every node. ``until`` (ms) is when it may be forgotten."""

        def revoked(_: None) -> None:
            self._bus.notice(Revoked(session, until))

        return self.store.revoke(session, until=until).addCallback(revoked)

    def put_room(self, facts: RoomFacts, *, over: str = ANYTHING) -> Deferred[None]:
        """Create or change a room; its readers are asked again whether they may read. Fails with
        `RoomMoved` if its settings have not the mark ``over``."""

        def put(_: None) -> None:
            room = self._rooms.get(facts.name)
            if room is not None:
                self._settle(room, facts, "", asked=next(self._turns))
            self._bus.notice(RoomChanged(facts.name))

        return self.store.put_room(facts, over=over).addCallback(put)

    def people_changed(self, name: str) -> LiveRoom | None:
        """Ask a room's readers again whether they may read; returns the room if it is followed."""
        room = self._rooms.get(name)
        if room is not None:
            room.people += 1
            room.ask_again()
        return room

    def look(self) -> Deferred[None]:
        """Ask the store, by one question, where all rooms in memory stand, and catch up.

        What a bus lost is found here; where there is no other node nothing can be lost.
        """
        began = self._clock.seconds()

        def looked(_: None) -> None:
            self._looked = began

        asking = self.current(tuple(self._rooms)) if self._rooms else succeed(None)
        return asking.addCallback(looked)

    @property
    def blind(self) -> bool:
        """Return whether a store that others write to has not been looked at for too long.

        Rooms may have been closed to their readers meanwhile, so nothing is passed on from the bus:
        it will be found in the store.
        """
        return self.shared and self._clock.seconds() - self._looked > BLIND_SECONDS

    def current(self, names: Sequence[str]) -> Deferred[None]:
        """Make sure that memory has all that any node committed to ``names``, or settled about them,
        before now. Whoever asks meanwhile shares one question."""
        return self._standings.about(names)

    def read(self, room: LiveRoom, *, after: int, limit: int, size: int) -> Deferred[Slice]:
        """Read below the tail; equal reads under way at the same time are one, but none is joined
        that began before the room last changed."""
        key = (room.name, room.answers.age, after, limit, size)
        waiting: Deferred[Slice] = Deferred()
        if key in self._reads:
            self._reads[key].append(waiting)
            return waiting
        self._reads[key] = [waiting]

        def done(outcome: Slice | Failure) -> None:
            for one in self._reads.pop(key):
                one.callback(outcome)

        self.store.read(room.name, after=after, limit=limit, size=size).addBoth(done)
        return waiting

    def sweep(self) -> Deferred[None]:
        """Apply retention once, and let rooms in memory know."""

        def swept(rooms: Sequence[tuple[str, int]]) -> None:
            for name, first in rooms:
                room = self._rooms.get(name)
                if room is not None:
                    before = room.stream.size
                    room.stream.forget(first)
                    self._tail_size += room.stream.size - before
                    room.answers.clear()

        return self.store.sweep().addCallback(swept)

    def waiting_rooms(self) -> list[LiveRoom]:
        """Return the rooms that somebody waits for."""
        return [room for room in self._rooms.values() if room.readers]

    def _opened(self, log: RoomLog | None, name: str) -> None:
        room, waiting = self._opening.pop(name)
        if log is not None:
            room.facts, room.mark = log.facts, log.mark
            self._load(room, log)
        self._rooms[name] = room
        for entry in room.handover.history((), top=room.stream.top.offset):
            self._append(room, entry)
        for entry in room.rewritten_early:
            room.stream.rewrite(entry)
        room.rewritten_early = ()
        if room.handover.mode is Mode.READING:
            self._close_hole(room).addErrback(_log_failure)
        self._bound_memory()
        for one in waiting:
            one.callback(room)

    def _load(self, room: LiveRoom, log: RoomLog) -> None:
        room.exists = True
        room.stream = Stream(first=log.first, top=log.top, epochs=log.epochs, tail=log.tail)
        self._tail_size += room.stream.size

    def _not_opened(self, failure: Failure, name: str) -> None:
        for one in self._opening.pop(name)[1]:
            one.errback(failure)

    def _deliver(self, group: Group) -> None:
        self.metrics.commit_size.observe(len(group.settled))
        began = self._clock.seconds()
        self.telling = True  # publishers hear of it before readers
        self._bus.tell(group.commits)
        self.telling = False
        for settle, outcome in group.settled:
            try:
                settle(outcome)
            except Exception:  # noqa: BLE001 - one publisher's trouble is not the next one's
                _log.failure("telling a publisher failed")
        before = self.metrics.deliveries
        self._wake()
        self.metrics.delivery_seconds.observe(self._clock.seconds() - began, self.metrics.deliveries - before)

    def _heard(self, commits: Sequence[Commit]) -> None:
        for told in self.committed:
            told(commits)
        if self.blind and not self.telling:
            return
        for commit in commits:
            opening = self._opening.get(commit.room)
            if opening is not None:
                for entry in commit.entries:
                    opening[0].handover.live(entry)
                opening[0].rewritten_early = (*opening[0].rewritten_early, *commit.rewritten)
            room = self._rooms.get(commit.room)
            if room is not None:
                self._follow(room, commit)
        self._bound_memory()
        if not self.telling:
            self._wake()

    def _noticed(self, notice: Notice) -> None:
        match notice:
            case Present() | WhoIsHere() | Types():
                self.around(notice)
            case Spent():
                self.spent(notice)
            case Revoked():
                self.revoked(notice.session, notice.until)
            case RecordsChanged():
                self.records_changed(notice)
            case LookAgain():
                self.look().addErrback(_log_failure)
            case _:
                room = self._rooms.get(notice.room)
                if room is not None:
                    self._noticed_of(room, notice)

    def _noticed_of(self, room: LiveRoom, notice: Ahead | RoomChanged) -> None:
        match notice:
            case Ahead():
                if notice.offset > room.stream.top.offset:
                    self._close_hole(room).addErrback(_log_failure)
            case RoomChanged():
                self._refresh(room).addErrback(_log_failure)

    def _ask(self, names: Sequence[str]) -> Deferred[_Answer]:
        before = {name: self._rooms[name].stream.top.offset for name in names if name in self._rooms}
        return self.store.tops(names).addCallback(lambda standings: (standings, before))

    def _compare(self, answer: _Answer) -> Deferred[None]:
        """Read again the rooms that stand elsewhere in the store; fires when they are read."""
        standings, before = answer
        reading: list[Deferred[None]] = []
        for name, offset in before.items():
            room = self._rooms.get(name)
            if room is not None:
                reading += self._compare_one(room, standings.get(name), before=offset)
        both = DeferredList(reading, fireOnOneErrback=True, consumeErrors=True)
        return both.addCallbacks(lambda _: None, lambda failure: failure.value.subFailure)

    def _compare_one(self, room: LiveRoom, standing: Standing | None, *, before: int) -> list[Deferred[None]]:
        """``before`` is where memory stood when the store was asked: had the store less, it has lost it."""
        if standing is None:
            return [self._reload(room)] if before and room.stream.top.offset == before else []
        place, top = standing.place, room.stream.top.offset
        if place.offset < before or not (room.stream.knows(place) or place.offset > top):
            return [self._reload(room)]
        if place.offset > top or room.handover.mode is Mode.READING:
            self.metrics.caught_up += 1
            return [self._close_hole(room)]
        return [] if standing.mark == room.mark else [self._refresh(room)]

    def _reload(self, room: LiveRoom) -> Deferred[None]:
        """Read a room anew that has another history in the store."""
        room.handover = Handover()
        return self._close_hole(room)

    def _follow(self, room: LiveRoom, commit: Commit) -> None:
        room.answers.clear()
        if any(_contradicts(room, entry) for entry in commit.entries):
            self._reload(room).addErrback(_log_failure)
            return
        for entry in commit.entries:
            for ready in room.handover.live(entry):
                self._append(room, ready)
        before = room.stream.size
        for entry in commit.rewritten:
            room.stream.rewrite(entry)
        self._tail_size += room.stream.size - before
        self._rooms.move_to_end(room.name)
        if room.handover.mode is Mode.READING:
            self._close_hole(room).addErrback(_log_failure)
        if not room.exists:
            room.exists = True
            self._refresh(room).addErrback(_log_failure)
        if room.readers:
            self._woken.append(room)

    def _close_hole(self, room: LiveRoom) -> Deferred[None]:
        """Read a room anew from the store, again until nothing that came live is ahead of it.

        One reading at a time; whoever asks during one waits for another that begins after it.
        """
        waiting: Deferred[None] = Deferred()
        room.rereading.append(waiting)
        if len(room.rereading) == 1:
            self._reread(room)
        return waiting

    def _reread(self, room: LiveRoom) -> None:
        waiting, asked = len(room.rereading), next(self._turns)
        reading = self.store.open(room.name, tail_bytes=TAIL_AT_OPEN)
        reading.addCallback(self._reread_done, room, asked).addBoth(self._reread_told, room, waiting)

    def _reread_done(self, found: RoomLog | None, room: LiveRoom, asked: int) -> bool:
        """Take what was read; return whether there is more to read."""
        if not room.followed:
            return False
        log = found or RoomLog(self.default_facts(room.name), 1, 0, (), (), "")
        if room.handover.offset is None or log.top > room.stream.top.offset:  # else it is older than memory
            self._tail_size -= room.stream.size
            self._load(room, log)
        for entry in room.handover.history((), top=log.top):
            self._append(room, entry)
        room.exists = found is not None
        room.answers.clear()
        self._settle(room, log.facts, log.mark, asked=asked)
        self._woken.append(room)
        self._wake()
        self._bound_memory()
        return room.handover.mode is Mode.READING

    def _reread_told(self, outcome: object, room: LiveRoom, waiting: int) -> None:
        told: list[Deferred[None]] = []
        if outcome is not True:
            told, room.rereading = room.rereading[:waiting], room.rereading[waiting:]
        if room.rereading:
            self._reread(room)
        for one in told:
            one.callback(outcome if isinstance(outcome, Failure) else None)

    def _refresh(self, room: LiveRoom) -> Deferred[None]:
        """Read a room's settings anew."""
        asked = next(self._turns)

        def read(log: RoomLog | None) -> None:
            if log is not None:
                room.exists = True
                self._settle(room, log.facts, log.mark, asked=asked)

        return self.store.open(room.name, tail_bytes=0).addCallback(read)

    def _settle(self, room: LiveRoom, facts: RoomFacts, mark: str, *, asked: int) -> None:
        """Take a room's settings; its readers are asked again whether they may read."""
        if asked < room.asked:
            return
        room.asked = asked
        known, room.facts, room.mark = room.facts, facts, mark
        if facts != known:
            self.changed(facts)
            room.ask_again()

    def _append(self, room: LiveRoom, entry: Entry) -> None:
        room.stream.append(entry)
        self._tail_size += len(entry.json)

    def _wake(self) -> None:
        woken, self._woken = self._woken, []
        for room in woken:
            readers, room.readers = room.readers, {}
            for reader in readers:
                reader.wake()

    def _bound_memory(self) -> None:
        if self._tail_size > self._tail_memory:
            target = self._tail_memory // 2
            for room in self._rooms.values():
                size = room.stream.size
                room.stream.trim(max(0, size - (self._tail_size - target)))
                self._tail_size += room.stream.size - size
                if self._tail_size <= target:
                    break
        if len(self._rooms) > ROOMS_FOLLOWED:
            self._drop_quiet_rooms()

    def _drop_quiet_rooms(self) -> None:
        quiet = [name for name, room in self._rooms.items() if not room.readers and not room.watchers]
        for name in quiet[: len(self._rooms) - ROOMS_FOLLOWED // 2]:
            room = self._rooms.pop(name)
            self._bus.unfollow(name)
            room.followed = False
            room.answers.clear()
            self._tail_size -= room.stream.size


_Answer = tuple[Mapping[str, Standing], Mapping[str, int]]  # where rooms stand, and where they stood here


def _contradicts(room: LiveRoom, entry: Entry) -> bool:
    """Return whether memory holds another event at the entry's place: the store has lost some."""
    stream = room.stream
    known = stream.first <= entry.offset <= stream.top.offset
    return known and not stream.knows(Position(entry.epoch, entry.offset))


def _nobody_minds(*_: object) -> None:
    """Let it go by: nobody has asked to hear of it."""


def _log_failure(failure: Failure) -> None:
    _log.failure("reading a room failed", failure)
