"""All readers of one framing who stand at the end of the same rooms, in the same places.

Decided here: what they get is looked up once and encoded once. Then it is one write of the same
bytes for each of them and nothing else, and the place of all moves on as a whole. A crowd keeps
the bound writes of its readers, and who is full is not in it, so nothing else of a reader is
touched for a delivery. Where the reactor has a fan-out, a piece is one call for all of them.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final, NamedTuple

from twisted.logger import Logger

from kodama.core.position import Position
from kodama.core.stream import Reason
from kodama.http.fanout import spread
from kodama.node import LiveRoom
from kodama.transports.reading import Batch, Bounds, at_end, owed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kodama.transports.followers import Followers
    from kodama.transports.following import Following, Watching
    from kodama.transports.framing import Framing

_log: Final = Logger()


class Standing(NamedTuple):
    """What those of one crowd have in common."""

    framing: Framing
    limit: int
    watching: Watching
    rooms: tuple[LiveRoom, ...]
    places: tuple[Position, ...]


class Outlets(NamedTuple):
    """The ways to write to some readers."""

    sends: tuple[Callable[[bytes], None], ...]
    seats: array[int]

    @classmethod
    def of(cls, readers: Iterable[Following]) -> Outlets:
        """Return the outlets of ``readers``."""
        outlets = [following.outlet for following in readers]
        return cls(tuple([one.send for one in outlets]), array("i", [one.seat for one in outlets]))


class Crowd:
    """Those who wait at one standing. Exists as long as anybody does."""

    __slots__ = (
        "_facts", "_followers", "_outlets", "_standing", "framing", "places", "readers", "rooms", "spoken",
    )  # fmt: skip

    def __init__(self, followers: Followers, standing: Standing) -> None:
        self._followers = followers
        self._standing = standing
        self.framing = standing.framing
        self.rooms = standing.rooms
        self.places = standing.places
        self.readers: dict[Following, None] = {}
        self._outlets: Outlets | None = None  # of all of them, since the last one came or left
        self.spoken = followers.clock.seconds()
        self._facts = [(room.facts, room.people) for room in self.rooms]
        followers.crowds[standing] = self
        for room in self.rooms:
            room.readers[self] = None
            if standing.watching.value:
                room.watchers[self] = None

    def join(self, following: Following) -> None:
        """Let one more wait here."""
        following.crowd = self
        self.readers[following] = None
        self._outlets = None

    def leave(self, following: Following) -> None:
        """Let one wait here no longer."""
        self.readers.pop(following, None)
        self._outlets = None
        if not self.readers:
            self._dissolve()

    def wake(self) -> None:
        """A room has something new, or has changed."""
        for room in self.rooms:
            room.readers[self] = None
        if self._facts != [(room.facts, room.people) for room in self.rooms]:
            self._review()
        while self.readers and self._behind():
            found = owed(
                self._followers.node, self.rooms, self.places, lost=(),
                bounds=Bounds(self._standing.limit, too_old=Reason.SLOW),
            )  # fmt: skip
            if not isinstance(found, Batch):
                self._scatter()
                return
            self._tell(found)
        if self.readers:
            self._move()

    def hear(self, room: LiveRoom, ephemeral: Sequence[bytes]) -> None:
        """Pass on what has no offset; who does not keep up goes without."""
        piece = self.framing.ephemeral(ephemeral)
        if piece:
            self._write(piece)

    def say(self, piece: bytes) -> None:
        """Write ``piece`` to all; who does not keep up leaves, as one who has got it."""
        self.spoken = self._followers.clock.seconds()
        self._write(piece)

    def _write(self, piece: bytes) -> None:
        outlets = self._outlets
        if outlets is None:
            outlets = self._outlets = Outlets.of(self.readers)
        for index, took in spread(self._followers.fanout, outlets.seats, piece):
            try:
                outlets.sends[index](piece[took:])
            except Exception:  # noqa: BLE001 - one failing reader keeps no message from the others
                _log.failure("writing to a reader failed")

    def _tell(self, found: Batch) -> None:
        """Whoever leaves while this is written leaves with the places after it."""
        piece = self.framing.batch(self.rooms, self.places, found) if found.events else b""
        self.places = found.places
        if piece:
            self._followers.count(found, readers=len(self.readers))
            self.say(piece)

    def _behind(self) -> bool:
        return not at_end(self.rooms, self.places)

    def _move(self) -> None:
        """Stand under the new places; if others stand there already, join them."""
        crowds = self._followers.crowds
        crowds.pop(self._standing, None)
        self._standing = self._standing._replace(places=self.places)
        there = crowds.setdefault(self._standing, self)
        if there is not self:
            readers, self.readers = self.readers, {}
            self._outlets = None
            for following in readers:
                there.join(following)
            self._dissolve()

    def _review(self) -> None:
        self._facts = [(room.facts, room.people) for room in self.rooms]
        for following in tuple(self.readers):
            following.review()

    def _scatter(self) -> None:
        """Let each go on alone: the store must be asked."""
        for following in tuple(self.readers):
            following.go_alone()

    def _dissolve(self) -> None:
        if self._followers.crowds.get(self._standing) is self:
            del self._followers.crowds[self._standing]
        for room in self.rooms:
            room.readers.pop(self, None)
            room.watchers.pop(self, None)
