"""One node: joins rooms in memory, the store and the bus.

Owns which rooms are followed and how much of them is kept in memory. A room is followed from
the first request for it: registered for commits first, read from the store second, and the
handover lets offsets decide. Tells publishers first and wakes readers after, in one turn of
the loop, so that a write is answered before the crowd is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from twisted.internet.defer import Deferred, succeed
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
from kodama.catchup import TAIL_AT_OPEN, Asking, CatchingUp, contradicts, note_failure
from kodama.core.change import Change
from kodama.core.handover import Mode
from kodama.core.policy import Policy
from kodama.core.remembered import Budget
from kodama.core.room import Access, Retention, RoomFacts
from kodama.live import Company, LiveRoom, Reader, Watcher
from kodama.metrics import Metrics
from kodama.store.interface import (
    ANYTHING,
    Commit,
    Group,
    RoomLog,
    Settle,
    Slice,
    Store,
    Stored,
)
from kodama.tails import Tails

BLIND_SECONDS: Final = 6.0  # of a shared store that does not answer; what the bus says is not passed on then
ANSWERS_BYTES: Final = 32 * 1024 * 1024
_log: Final = Logger()

__all__ = ["Company", "LiveRoom", "Node", "Reader", "Watcher"]


class Node:
    """The rooms of one process. ``tail_memory`` bytes of entries are kept in memory in all.

    Where others write, too, whoever answers a reader asks `current` first: ``shared`` says so.
    ``revoked`` and ``changed`` are called when a session has ended, or a room has other settings,
    ``around`` when a node says something of a room's readers, ``spent`` what senders took. ``unborn``
    says who may wait for a room that does not exist.
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
        self._tails = Tails(tail_memory, bus.unfollow)
        self._budget = Budget(ANSWERS_BYTES)
        self.retention = retention
        self._rooms = self._tails.rooms
        self._opening: dict[str, tuple[LiveRoom, list[Deferred[LiveRoom]]]] = {}
        self._reads: dict[tuple[str, int, int, int, int], list[Deferred[Slice]]] = {}
        self._woken: list[LiveRoom] = []
        self.telling = False
        self._catching = CatchingUp(
            store, self._tails, clock=clock, metrics=metrics, renewed=self._renewed,
            changed=lambda facts: self.changed(facts), default=self.unborn_facts,
        )  # fmt: skip
        self.revoked: Callable[[str, int], None] = _nobody_minds
        self.records_changed: Callable[[RecordsChanged], None] = _nobody_minds
        self.changed: Callable[[RoomFacts], None] = _nobody_minds
        self.spent: list[Callable[[Spent], None]] = []
        self.around: Callable[[Around], None] = _nobody_minds
        self.unborn: Callable[[str], Access] = _open_to_all
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
        self._opening[name] = (LiveRoom(name, self.unborn_facts(name), self._budget), [waiting])
        following = self._bus.follow(name)
        following.addCallback(lambda _: self.store.open(name, tail_bytes=TAIL_AT_OPEN)).addCallbacks(
            self._opened, self._not_opened, callbackArgs=(name,), errbackArgs=(name,)
        )
        return waiting

    def default_facts(self, name: str) -> RoomFacts:
        """Return the settings of a room that nobody has set up."""
        return RoomFacts(name=name, retention=self.retention)

    def unborn_facts(self, name: str) -> RoomFacts:
        """Return the settings of a room that does not exist, as far as readers are concerned."""
        return replace(self.default_facts(name), access=self.unborn(name))

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
                self._catching.settled(room, facts)
            self._bus.notice(RoomChanged(facts.name))

        return self.store.put_room(facts, over=over).addCallback(put)

    def people_changed(self, name: str) -> LiveRoom | None:
        """Ask a room's readers again whether they may read; returns the room if it is followed."""
        room = self._rooms.get(name)
        if room is not None:
            room.people += 1
            room.ask_again()
        return room

    def look(self, ask: Asking | None = None) -> Deferred[None]:
        """Ask the store, by one question (or by ``ask``), where all rooms in memory stand, and catch up.

        What a bus lost is found here; where there is no other node nothing can be lost.
        """
        return self._catching.look(ask)

    @property
    def blind(self) -> bool:
        """Return whether a store that others write to has not been looked at for too long.

        Rooms may have been closed to their readers meanwhile, so nothing is passed on from the bus:
        it will be found in the store.
        """
        return self.shared and self._catching.unseen > BLIND_SECONDS

    def current(self, names: Sequence[str]) -> Deferred[None]:
        """Make sure that memory has all that any node committed to ``names``, or settled about them,
        before now. Whoever asks meanwhile shares one question."""
        return self._catching.current(names)

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
                self._tails.forget(name, first)

        return self.store.sweep().addCallback(swept)

    def waiting_rooms(self) -> list[LiveRoom]:
        """Return the rooms that somebody waits for."""
        return [room for room in self._rooms.values() if room.readers]

    def _opened(self, log: RoomLog | None, name: str) -> None:
        room, waiting = self._opening.pop(name)
        if log is not None:
            room.facts, room.mark = log.facts, log.mark
            room.exists = True
            self._tails.load(room, log)
        self._rooms[name] = room
        for entry in room.handover.history((), top=room.stream.top.offset):
            self._tails.append(room, entry)
        self._tails.rewrite(room, room.rewritten_early)
        room.rewritten_early = ()
        if room.handover.mode is Mode.READING:
            self._catching.read_anew(room).addErrback(note_failure)
        self._tails.bound()
        for one in waiting:
            one.callback(room)

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
        self._tails.bound()
        if not self.telling:
            self._wake()

    def _noticed(self, notice: Notice) -> None:
        match notice:
            case Present() | WhoIsHere() | Types():
                self.around(notice)
            case Spent():
                for told in self.spent:
                    told(notice)
            case Revoked():
                self.revoked(notice.session, notice.until)
            case RecordsChanged():
                self.records_changed(notice)
            case LookAgain():
                self.look().addErrback(note_failure)
            case _:
                room = self._rooms.get(notice.room)
                if room is not None:
                    self._noticed_of(room, notice)

    def _noticed_of(self, room: LiveRoom, notice: Ahead | RoomChanged) -> None:
        match notice:
            case Ahead():
                if notice.offset > room.stream.top.offset:
                    self._catching.read_anew(room).addErrback(note_failure)
            case RoomChanged():
                self._catching.refresh(room).addErrback(note_failure)

    def _follow(self, room: LiveRoom, commit: Commit) -> None:
        room.answers.clear()
        if any(contradicts(room, entry) for entry in commit.entries):
            self._catching.start_over(room).addErrback(note_failure)
            return
        for entry in commit.entries:
            for ready in room.handover.live(entry):
                self._tails.append(room, ready)
        if commit.rewritten:
            self._tails.rewrite(room, commit.rewritten)
        self._rooms.move_to_end(room.name)
        if room.handover.mode is Mode.READING:
            self._catching.read_anew(room).addErrback(note_failure)
        if not room.exists:
            room.exists = True
            self._catching.refresh(room).addErrback(note_failure)
        if room.readers:
            self._woken.append(room)

    def _renewed(self, room: LiveRoom) -> None:
        self._woken.append(room)
        self._wake()
        self._tails.bound()

    def _wake(self) -> None:
        woken, self._woken = self._woken, []
        for room in woken:
            readers, room.readers = room.readers, {}
            for reader in readers:
                reader.wake()

def _open_to_all(_: str) -> Access:
    """Let everybody wait for a room that does not exist."""
    return Access.PUBLIC


def _nobody_minds(*_: object) -> None:
    """Let it go by: nobody has asked to hear of it."""

