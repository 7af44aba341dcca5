"""Who is here, kept up by the clock: between the transports, which know who listens, and the rooms.

Decided here: one timer for all. It runs while anybody is present, looks four times a second at
what has lapsed and what is due, and passes it to the rooms' watchers, encoded once.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from itertools import count
from math import inf
from typing import Final

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from kodama.bus.interface import Around, Person, Present, Seated, Types, WhoIsHere
from kodama.core.attendance import Diff, Typing
from kodama.core.event import Author
from kodama.core.lease import UNTOLD, Lease, Seat, State
from kodama.core.position import Cursor
from kodama.core.presence import Presence
from kodama.core.room import RoomFacts
from kodama.core.sharing import News, Sharing, Told
from kodama.core.who import Who
from kodama.node import Node
from kodama.wire.ephemeral import presence_event, presence_list, typing_event
from kodama.wire.polls import Since

TICK: Final = 0.25
PIECE: Final = 3_500  # bytes of readers in one notice: a notification of PostgreSQL has room for 6,000
READER_BYTES: Final = 90  # of one, without its name and client
SEATS: Final = 25
ANSWERED: Final = 0.3  # seconds in which other nodes say who is with them
ASKED_AGAIN: Final = 5.0
ASKED_ROOMS: Final = 10_000
_OWN: Final = "#"  # begins the seats of connections that gave no ``client``; no ``client`` can


class People:
    """The people of a node's rooms, and of other nodes' where they share a store. ``now`` is the time in
    ms since 1970, ``name`` the node's own, by which its connections are told from others'."""

    def __init__(
        self, node: Node, *, clock: IReactorTime, now: Callable[[], int], name: str = ""
    ) -> None:
        self._node = node
        self._clock = clock
        self._seconds = clock.seconds
        self._now = now
        self._sharing = Sharing() if node.shared else None
        self._presence = Presence(now=clock.seconds(), epoch=now(), sharing=self._sharing)
        self.keep = self._presence.keep  # for a poll that comes again; a frame between would cost as much
        self._numbers = count(1)
        self._own = f"{_OWN}{name}{_OWN}"
        self._speaking = False
        self._asked: OrderedDict[str, float] = OrderedDict()
        node.around = self._heard
        self._call: IDelayedCall | None = None
        self._last: tuple[Diff, bytes] | None = None

    def polled(self, room: str, who: Who, client: str | None, *, hold: float) -> Lease:
        """Note a poll that may be held for ``hold`` seconds; returns what keeps its reader present.

        Guests without a session are told apart by ``client``; those without one count as one.
        """
        seat = Seat(who.user, client or "")
        if self._sharing is not None:
            self._ask_around(room)
        lease = self._presence.renew(room, seat, who, now=self._seconds(), hold=hold)
        if self._call is None:
            self._wind()
        return lease

    def entered(self, room: str, who: Who, client: str | None) -> Lease:
        """Note an open connection; `left` must follow. Each one without ``client`` is a reader."""
        if self._sharing is not None:
            self._ask_around(room)
        seat = Seat(who.user, client or f"{self._own}{next(self._numbers)}")
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
        if not leases or self._presence.reader(room, Seat(who.user, "")) is not None:
            leases = (*leases, self.polled(room, who, client, hold=0))
        for lease in leases:
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
        self._node.tell(Types(room, Person(author.id, author.name, author.kind)))

    def known(self, room: str) -> Deferred[None] | None:
        """Return None if it is known who is in ``room``, else what fires when the others were asked."""
        if self._sharing is None or not self._ask_around(room):
            return None
        waiting: Deferred[None] = Deferred()
        self._clock.callLater(ANSWERED, waiting.callback, None)
        return waiting

    def listing(self, room: str, *, limit: int) -> bytes:
        """Return who is here, as JSON, with at most ``limit`` names."""
        return presence_list(self._presence.here(room, now=self._seconds(), limit=limit))

    def changed(self, facts: RoomFacts) -> None:
        """Let those be gone whom a room, which has changed, does not admit any more."""
        policy = self._node.policy
        self._forget(lambda lease: lease.room == facts.name and not policy.admits(facts, lease.who))

    def review(self, refused: Callable[[Who], object | None]) -> None:
        """Let those be gone whom ``refused`` gives something for: a session was revoked, say."""
        self._forget(lambda lease: refused(lease.who) is not None)

    def at(self, room: str, user: str) -> bool:
        """Return whether somebody is at one of their readers of a room."""
        return any(one.state is State.ACTIVE for one in self._presence.readers(room, user))

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
            for news in self._sharing.due(now) if self._sharing is not None else ():
                self._share(news)
        finally:
            self._wind()

    def _ask_around(self, room: str) -> bool:
        """Ask the other nodes who is in a room that nobody is known to be in; return whether that was due."""
        now = self._seconds()
        if self._presence.knows(room) or self._asked.get(room, -inf) + ASKED_AGAIN > now:
            return False
        self._asked[room] = now
        self._asked.move_to_end(room)
        if len(self._asked) > ASKED_ROOMS:
            self._asked.popitem(last=False)
        self._say(WhoIsHere(room))
        return True

    def _share(self, news: News) -> None:
        """Let the other nodes know, in pieces that every broker takes."""
        readers: list[Seated] = []
        version, size = self._presence.version(news.room), 0
        for told in news.readers:
            readers.append(_seated(told))
            name = b"" if told.author is None else told.author.name.encode()
            size += READER_BYTES + len(told.seat.client) + len(name)
            if size > PIECE:
                self._say(Present(news.room, readers, [], version))
                readers, size = [], 0
        for at in range(0, len(news.gone), SEATS):
            seats = [(seat.user, seat.client) for seat in news.gone[at : at + SEATS]]
            self._say(Present(news.room, [], seats, version))
        if readers:
            self._say(Present(news.room, readers, [], version))

    def _say(self, notice: Around) -> None:
        self._speaking = True  # what it says itself is no news here
        self._node.tell(notice)
        self._speaking = False

    def _heard(self, notice: Around) -> None:
        now = self._seconds()
        match notice:
            case Types():
                person = notice.person
                self._presence.type(notice.room, Author(person.id, person.name, person.kind), now=now)
                self._tell(notice.room, self._presence.tell(notice.room, now=now), now=now)
            case WhoIsHere() if not self._speaking:
                self._presence.tell_again(notice.room)
            case Present() if not self._speaking:
                for reader in notice.readers:
                    self._presence.heard(notice.room, _told(reader), now=now)
                for user, client in notice.left:
                    self._presence.heard_gone(notice.room, Seat(user, client), now=now)
                self._presence.heard_version(notice.room, notice.version)
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


def _seated(told: Told) -> Seated:
    author = told.author
    person = None if author is None else Person(author.id, author.name, author.kind)
    return Seated(told.seat.user, told.seat.client, person, told.state, told.seconds)


def _told(reader: Seated) -> Told:
    person = reader.person
    author = None if person is None else Author(person.id, person.name, person.kind)
    return Told(Seat(reader.user, reader.client), author, reader.state, reader.seconds)
