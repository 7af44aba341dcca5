"""Who is here, kept up by the clock: between the transports, which know who listens, and the rooms.

Decided here: one timer for all. It runs while anybody is present, looks four times a second at
what has lapsed and what is due, and passes it to the rooms' watchers, encoded once.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Final

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from kodama.core.attendance import Diff, Typing
from kodama.core.event import Author
from kodama.core.lease import UNTOLD, Lease, Seat, State
from kodama.core.position import Cursor
from kodama.core.presence import Presence
from kodama.core.room import RoomFacts
from kodama.core.who import Who, admits
from kodama.node import Node
from kodama.wire.commands import Since
from kodama.wire.ephemeral import presence_event, presence_list, typing_event

TICK: Final = 0.25
_OWN: Final = "#"  # begins the seats of connections that gave no ``client``; no ``client`` can


class People:
    """The people of a node's rooms. ``now`` is the time in ms since 1970."""

    def __init__(self, node: Node, *, clock: IReactorTime, now: Callable[[], int]) -> None:
        self._node = node
        self._clock = clock
        self._seconds = clock.seconds
        self._now = now
        self._presence = Presence(now=clock.seconds(), epoch=now())
        self.keep = self._presence.keep  # for a poll that comes again; a frame between would cost as much
        self._numbers = count(1)
        self._call: IDelayedCall | None = None
        self._last: tuple[Diff, bytes] | None = None

    def polled(self, room: str, who: Who, client: str | None, *, hold: float) -> Lease:
        """Note a poll that may be held for ``hold`` seconds; returns what keeps its reader present.

        Guests without a session are told apart by ``client``; those without one count as one.
        """
        seat = Seat(who.user, client or "")
        lease = self._presence.renew(room, seat, who, now=self._seconds(), hold=hold)
        if self._call is None:
            self._wind()
        return lease

    def entered(self, room: str, who: Who, client: str | None) -> Lease:
        """Note an open connection; `left` must follow. Each one without ``client`` is a reader."""
        seat = Seat(who.user, client or f"{_OWN}{next(self._numbers)}")
        lease = self._presence.enter(room, seat, who, now=self._seconds())
        self._wind()
        return lease

    def left(self, lease: Lease) -> None:
        """Note that a connection has closed. A guest that nothing tells apart does not come back."""
        now = self._seconds()
        self._presence.let_go(lease, now=now)
        if lease.who.author is None and lease.seat.client.startswith(_OWN):
            self._presence.end(lease, now=now)
        self._wind()

    def missed(self, lease: Lease, since: Since) -> bytes | None:
        """Return the event that this reader has not heard of, if there is one, as told from now on.

        A reader that comes anew, without a cursor, has heard of nothing and missed nothing.
        """
        if lease.told == UNTOLD and not isinstance(since, Cursor):
            self._presence.take_as_told(lease)
        diff = self._presence.missed(lease)
        return None if diff is None else self._encoded(lease.room, diff)

    def told(self, lease: Lease) -> None:
        """Note that this reader has heard what was whispered last."""
        self._presence.take_as_told(lease)

    def mark(self, room: str, who: Who, client: str | None, state: State) -> None:
        """Note whether a person is at a reader, or at all of theirs; it counts as a poll."""
        now = self._seconds()
        leases = self._presence.readers(room, who.user) if client is None else ()
        for lease in leases or (self.polled(room, who, client, hold=0),):
            self._presence.mark(lease, state, now=now)
        self._wind()

    def depart(self, room: str, who: Who, client: str | None) -> None:
        """Let a reader be gone at once; without ``client`` all of the person's."""
        now = self._seconds()
        lease = self._presence.reader(room, Seat(who.user, client or ""))
        if lease is not None:
            self._presence.end(lease, now=now)
        if client is None and who.user is not None:
            self._presence.leave(room, who.user, now=now)
        self._wind()

    def type(self, room: str, author: Author) -> None:
        """Note that ``author`` is typing, and say so at once if the room has been quiet."""
        now = self._seconds()
        self._presence.type(room, author, now=now)
        self._tell(room, self._presence.tell(room, now=now), now=now)
        self._wind()

    def listing(self, room: str, *, limit: int) -> bytes:
        """Return who is here, as JSON, with at most ``limit`` names."""
        return presence_list(self._presence.here(room, now=self._seconds(), limit=limit))

    def changed(self, facts: RoomFacts) -> None:
        """Let those be gone whom a room, which has changed, does not admit any more."""
        self._forget(lambda lease: lease.room == facts.name and not admits(facts, lease.who))

    def review(self, refused: Callable[[Who], object | None]) -> None:
        """Let those be gone whom ``refused`` gives something for: a session was revoked, say."""
        self._forget(lambda lease: refused(lease.who) is not None)

    @property
    def numbers(self) -> tuple[int, int]:
        """Return how many people and how many guests without a name are here."""
        return self._presence.numbers

    def _forget(self, which: Callable[[Lease], bool]) -> None:
        self._presence.forget(which, now=self._seconds())
        self._wind()

    def _wind(self) -> None:
        if self._call is None and not self._presence.quiet:
            self._call = self._clock.callLater(TICK, self._sweep)

    def _sweep(self) -> None:
        self._call = None
        now = self._seconds()
        try:
            for room, told in self._presence.sweep(now):
                self._tell(room, told, now=now)
        finally:
            self._wind()

    def _tell(self, room: str, told: tuple[Diff | Typing, ...], *, now: float) -> None:
        live = self._node.followed(room)
        if not told or live is None or not live.watchers:
            return
        self._node.metrics.ephemeral += len(told)
        self._node.whisper(live, [self._event(room, one, now=now) for one in told])

    def _event(self, room: str, told: Diff | Typing, *, now: float) -> bytes:
        match told:
            case Diff():
                return self._encoded(room, told)
            case Typing():
                return typing_event(room, told, wall=self._now(), now=now)

    def _encoded(self, room: str, diff: Diff) -> bytes:
        """Return a diff as JSON; many readers ask for the same one in a row."""
        if self._last is None or self._last[0] is not diff:
            self._last = (diff, presence_event(room, diff))
        return self._last[1]
