"""Rooms in memory made as new as the store: asked where they stand, and read anew where they are behind.

Decided here: a store that others write to is right and memory is not. A room is read anew, one reading
at a time, whenever the store holds something else or the bus brought entries that do not join on; and an
answer about its settings that was asked for earlier never replaces one that was asked for later.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import count
from typing import Final

from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from kodama.core.event import Entry
from kodama.core.handover import Handover, Mode
from kodama.core.position import Position
from kodama.core.room import RoomFacts
from kodama.live import LiveRoom
from kodama.metrics import Metrics
from kodama.store.interface import RoomLog, Standing, Store
from kodama.store.together import Together
from kodama.tails import Tails

TAIL_AT_OPEN: Final = 1024 * 1024
_log: Final = Logger()


class CatchingUp:
    """``renewed`` is told of a room that was read anew, ``changed`` of settings that are others now,
    ``default`` knows those of a room that nobody has set up."""

    def __init__(
        self, store: Store, tails: Tails, *, clock: IReactorTime, metrics: Metrics,
        renewed: Callable[[LiveRoom], None], changed: Callable[[RoomFacts], None],
        default: Callable[[str], RoomFacts],
    ) -> None:  # fmt: skip
        self._store = store
        self._tails = tails
        self._clock = clock
        self._metrics = metrics
        self._renewed = renewed
        self._changed = changed
        self._default = default
        self._turns = count(1)
        self._looked = clock.seconds()
        self._standings = Together(lambda names: self._ask(names, store.tops), self._compare)

    @property
    def unseen(self) -> float:
        """Return for how many seconds the store has not said where all rooms stand."""
        return self._clock.seconds() - self._looked

    def look(self, ask: Asking | None = None) -> Deferred[None]:
        """Ask the store, by one question (or by ``ask``), where all rooms in memory stand, and catch up."""
        began = self._clock.seconds()

        def looked(_: None) -> None:
            self._looked = began

        asking = self._ask(tuple(self._tails.rooms), ask or self._store.tops)
        return asking.addCallback(self._compare).addCallback(looked)

    def current(self, names: Sequence[str]) -> Deferred[None]:
        """Make sure that memory has all that any node committed to ``names``, or settled about them,
        before now. Whoever asks meanwhile shares one question."""
        return self._standings.about(names)

    def read_anew(self, room: LiveRoom) -> Deferred[None]:
        """Read a room anew from the store, again until nothing that came live is ahead of it.

        One reading at a time; whoever asks during one waits for another that begins after it.
        """
        waiting: Deferred[None] = Deferred()
        room.rereading.append(waiting)
        if len(room.rereading) == 1:
            self._read(room)
        return waiting

    def start_over(self, room: LiveRoom) -> Deferred[None]:
        """Read a room anew that has another history in the store."""
        room.handover = Handover()
        return self.read_anew(room)

    def refresh(self, room: LiveRoom) -> Deferred[None]:
        """Read a room's settings anew."""
        asked = next(self._turns)

        def read(log: RoomLog | None) -> None:
            if log is not None:
                room.exists = True
                self._settle(room, log.facts, log.mark, asked=asked)

        return self._store.open(room.name, tail_bytes=0).addCallback(read)

    def settled(self, room: LiveRoom, facts: RoomFacts) -> None:
        """Take settings that were put from here just now."""
        self._settle(room, facts, "", asked=next(self._turns))

    def _ask(self, names: Sequence[str], ask: Asking) -> Deferred[_Answer]:
        rooms = self._tails.rooms
        before = {name: rooms[name].stream.top.offset for name in names if name in rooms}
        return ask(names).addCallback(lambda standings: (standings, before))

    def _compare(self, answer: _Answer) -> Deferred[None]:
        """Read again the rooms that stand elsewhere in the store; fires when they are read."""
        standings, before = answer
        reading: list[Deferred[None]] = []
        for name, offset in before.items():
            room = self._tails.rooms.get(name)
            if room is not None:
                reading += self._compare_one(room, standings.get(name), before=offset)
        both = DeferredList(reading, fireOnOneErrback=True, consumeErrors=True)
        return both.addCallbacks(lambda _: None, lambda failure: failure.value.subFailure)

    def _compare_one(self, room: LiveRoom, standing: Standing | None, *, before: int) -> list[Deferred[None]]:
        """``before`` is where memory stood when the store was asked: had the store less, it has lost it."""
        if standing is None:
            return [self.start_over(room)] if before and room.stream.top.offset == before else []
        place, top = standing.place, room.stream.top.offset
        if place.offset < before or not (room.stream.knows(place) or place.offset > top):
            return [self.start_over(room)]
        if place.offset > top or room.handover.mode is Mode.READING:
            self._metrics.caught_up += 1
            return [self.read_anew(room)]
        return [] if standing.mark == room.mark else [self.refresh(room)]

    def _read(self, room: LiveRoom) -> None:
        waiting, asked = len(room.rereading), next(self._turns)
        reading = self._store.open(room.name, tail_bytes=TAIL_AT_OPEN)
        reading.addCallback(self._was_read, room, asked).addBoth(self._tell, room, waiting)

    def _was_read(self, found: RoomLog | None, room: LiveRoom, asked: int) -> bool:
        """Take what was read; return whether there is more to read."""
        if not room.followed:
            return False
        log = found or RoomLog(self._default(room.name), 1, 0, (), (), "")
        if room.handover.offset is None or log.top > room.stream.top.offset:  # else it is older than memory
            self._tails.load(room, log)
        for entry in room.handover.history((), top=log.top):
            self._tails.append(room, entry)
        room.exists = found is not None
        room.answers.clear()
        self._settle(room, log.facts, log.mark, asked=asked)
        self._renewed(room)
        return room.handover.mode is Mode.READING

    def _tell(self, outcome: object, room: LiveRoom, waiting: int) -> None:
        told: list[Deferred[None]] = []
        if outcome is not True:
            told, room.rereading = room.rereading[:waiting], room.rereading[waiting:]
        if room.rereading:
            self._read(room)
        for one in told:
            one.callback(outcome if isinstance(outcome, Failure) else None)

    def _settle(self, room: LiveRoom, facts: RoomFacts, mark: str, *, asked: int) -> None:
        """Take a room's settings; its readers are asked again whether they may read."""
        if asked < room.asked:
            return
        room.asked = asked
        known, room.facts, room.mark = room.facts, facts, mark
        if facts != known:
            self._changed(facts)
            room.ask_again()


Asking = Callable[[Sequence[str]], Deferred[Mapping[str, Standing]]]
_Answer = tuple[Mapping[str, Standing], Mapping[str, int]]  # where rooms stand, and where they stood here


def contradicts(room: LiveRoom, entry: Entry) -> bool:
    """Return whether memory holds another event at the entry's place: the store has lost some."""
    stream = room.stream
    known = stream.first <= entry.offset <= stream.top.offset
    return known and not stream.knows(Position(entry.epoch, entry.offset))


def note_failure(failure: Failure) -> None:
    """Log the failure of a reading that nobody waits for."""
    _log.failure("reading a room failed", failure)
