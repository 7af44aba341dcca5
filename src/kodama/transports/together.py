"""Polls that wait together: all who ask the same and are at the end of one public room.

Decided here: they wait in a `Lot`, and what they get is put together once. Who waits is either
nobody in particular or a `Regular`, who has a session, a ``client`` or a presence of its own: for
one who comes again on the same connection a few comparisons are enough. One look at the room
answers all. Whatever is not plain is handed back to be held alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from twisted.python.failure import Failure

from kodama.core.errors import Refused
from kodama.core.lease import Lease, lease_seconds
from kodama.core.returning import Returns
from kodama.core.room import Access
from kodama.core.who import NOBODY, Who
from kodama.http.channel import Channel
from kodama.http.lot import Lot
from kodama.http.message import Answer, Headers, Line, Request, date
from kodama.node import LiveRoom
from kodama.transports.clients import Regular
from kodama.transports.held import Held
from kodama.transports.reading import Batch, Plan, Verdict, cursor_of, take
from kodama.wire.events import batch

if TYPE_CHECKING:
    from kodama.transports.longpoll import LongPolls

_PUBLIC: Final = Access.PUBLIC  # a global is found faster than a member of an Enum


class Together:
    """Those who wait at one place under one request line."""

    __slots__ = (
        "_empty", "_empty_at", "_hold", "_holds", "_keep", "_lasts", "_lot", "_place", "_plan", "_policy",
        "_polls", "_present", "_room",
    )  # fmt: skip

    def __init__(self, polls: LongPolls, plan: Plan, line: Line) -> None:
        self._polls = polls
        self._policy = polls.node.policy
        self._plan = plan
        self._room = plan.rooms[0]
        self._place = plan.places[0]
        self._present = plan.poll.presence
        self._empty: Answer | None = None  # to those whose holds run out in one second
        self._empty_at = b""
        self._keep = polls.people.keep
        self._hold = polls.holds.longest(plan.poll)
        self._lasts = lease_seconds(self._hold)
        self._holds = polls.holds
        self._lot = Lot(
            line, self, clearance=polls.clearance, seconds=plan.poll.wait, hold=polls.holds.jittered
        )

    @property
    def size(self) -> int:
        """Return how many wait."""
        return len(self._lot.waiting)

    def join(self, request: Request, who: Who, client: str | None) -> bool:
        """Park ``request`` here; False if it cannot wait here now."""
        room = self._room
        if room.stream.top != self._place or room.facts.access is not _PUBLIC or not room.followed:
            return False
        if who.rooms is not None or self._polls.returns is not None or self._holds.outlasts(self._hold, who):
            return False
        if room.name in self._policy.banned and self._refused(who):
            return False
        note = self._regular(request, who, client) if client or self._present else who
        if note is None or not request.park(self._lot, note):
            return False
        if isinstance(note, Regular):
            note.place = self
        if len(self._lot.waiting) == 1:
            self._open()
        return True

    def welcome(self, note: Regular, channel: Channel, headers: Headers, now: float) -> bool:
        """The lot: return whether ``note`` may wait here again at once."""
        if note.channel is not channel or note.headers is not headers or now + self._hold >= note.until:
            return False
        if note.trust is not self._polls.trust:
            return False
        if self._present:
            lease = note.lease
            if lease is None or lease.room != self._room.name or not self._keep(lease, now + self._lasts):
                return False
        note.place = self
        return True

    def wake(self) -> None:
        """The room has something new, or has changed."""
        polls, plan, room, lot = self._polls, self._plan, self._room, self._lot
        public = room.facts.access is _PUBLIC
        if public and room.stream.top == self._place:
            room.readers[self] = None  # a change that gives nobody anything to read
            if room.name in self._policy.banned:
                self.review(self._refused)
            return
        self.emptied()
        owed = take(polls.node, plan) if public else None
        if not isinstance(owed, Batch):
            for request, who in lot.recall():
                self._alone(request, who)
            return
        body = batch(cursor_of(plan.rooms, owed.places), owed.events, more=owed.more)
        metrics, size = polls.node.metrics, len(lot.waiting)
        metrics.deliveries += size
        metrics.gaps += owed.gaps * size
        metrics.cursor_lag.observe(owed.lag, size)
        lot.answer(polls.replies.encode(plan.poll, body))

    def hear(self, room: LiveRoom, ephemeral: Sequence[bytes]) -> None:
        """Somebody came, went or types."""
        polls, lot = self._polls, self._lot
        for note in lot.waiting.values():
            if isinstance(note, Regular) and note.lease is not None:
                polls.people.told(note.lease)
        polls.node.metrics.whispered += len(lot.waiting)
        self.emptied()
        lot.answer(polls.replies.whispered(self._plan, ephemeral))

    def part(self, returns: Returns) -> None:
        """Send everybody away: the server is draining."""
        self.emptied()
        for request, note in self._lot.recall():
            self._polls.send_away(Held(self._polls, request, self._plan, *_whose(note)), returns)

    def review(self, verdict: Verdict) -> None:
        """End the polls of those whom ``verdict`` refuses."""
        for channel, note in tuple(self._lot.waiting.items()):
            refusal = verdict(_whose(note)[0])
            if refusal is not None:
                self._polls.fail(self._lot.recall_one(channel), Failure(refusal))

    def expired(self, request: Request) -> None:
        """One hold has run out."""
        second = date()
        if self._empty is None or self._empty_at is not second:  # its Date field is of this second
            self._empty, self._empty_at = self._polls.replies.empty(self._plan), second
        request.answer(self._empty)

    def supersede(self, regular: Regular) -> None:
        """End the poll of ``regular``, if it waits here: its newer poll has come."""
        channel = regular.channel
        if channel is not None and self._lot.waiting.get(channel) is regular:
            self._lot.recall_one(channel).answer(self._polls.replies.empty(self._plan, superseded=True))

    def emptied(self) -> None:
        """Nobody waits any more."""
        self._room.readers.pop(self, None)
        self._room.watchers.pop(self, None)
        self._polls.crowds.discard(self)

    def _open(self) -> None:
        self._room.readers[self] = None
        if self._present:
            self._room.watchers[self] = None
        self._polls.crowds.add(self)
        if self._plan.poll.callback is None:  # JSONP is for script elements only: a look at each
            self._lot.open()

    def _regular(self, request: Request, who: Who, client: str | None) -> Regular | None:
        """Return who asks, come anew; None if it has something to hear before it may wait."""
        polls = self._polls
        lease: Lease | None = None
        if self._present:
            lease = polls.attend(self._room, who, client, self._plan.poll)
            if not self._keep(lease, 0.0):
                return None
        regular = polls.clients.regular(request, who, client, trust=polls.trust)
        regular.lease = lease
        return regular

    def _refused(self, who: Who) -> Refused | None:
        try:
            self._policy.admit(self._room.facts, who)
        except Refused as refusal:
            return refusal
        return None

    def _alone(self, request: Request, note: object) -> None:
        try:
            self._polls.begin(Held(self._polls, request, self._plan, *_whose(note)))
        except Exception:  # noqa: BLE001 - one failing reader keeps no message from the others
            self._polls.fail(request, Failure())


def _whose(note: object | None) -> tuple[Who, str | None]:
    """Return who waits in a lot, and as which client; one who came of his own accord, and has nothing
    of his own, is nobody in particular."""
    if isinstance(note, Regular):
        return note.who, note.client
    return (note, None) if isinstance(note, Who) else (NOBODY, None)
