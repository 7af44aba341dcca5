"""Who is here, over all rooms of a node: leases, and what the rooms have to tell.

Decided here: who counts as gone. A reader is present as long as a poll has renewed its lease, or
a connection holds it. After a start the node knows nobody whom its readers know; until every
lease of the time before would have lapsed, lists and diffs are ``partial`` (to be added to what
is known, never taken from it), nobody is said to have left who was not seen, and then each room
lets its version jump once. A look at what is due costs the rooms in which something is.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Final

from kodama.core.attendance import Attendance, Diff, Here, Typing
from kodama.core.event import Author
from kodama.core.lease import GRACE, LEASE_FLOOR, Deadlines, Lease, Seat, State, lease_seconds
from kodama.core.sharing import Sharing, Told
from kodama.core.who import Who

SETTLING: Final = LEASE_FLOOR + GRACE

Due = tuple[str, tuple[Diff | Typing, ...]]


class Presence:
    """The people of all rooms. Times are seconds of one clock that never goes back; ``epoch`` is
    higher than any version told before ``now``, by this process or an earlier one. ``sharing`` takes
    what other nodes should know; without it there are none."""

    __slots__ = ("_began", "_deadlines", "_epoch", "_open", "_rooms", "_sharing", "_unsettled")

    def __init__(self, *, now: float, epoch: int, sharing: Sharing | None = None) -> None:
        self._sharing = sharing
        self._began = now
        self._epoch = epoch
        self._rooms: dict[str, Attendance] = {}
        self._open: dict[str, Attendance] = {}  # those with something to tell, sooner or later
        self._unsettled: set[str] = set()
        self._deadlines = Deadlines()

    def renew(self, room: str, seat: Seat, who: Who, *, now: float, hold: float) -> Lease:
        """Note a poll that may be held for ``hold`` seconds; returns its lease."""
        attendance = self._rooms.get(room)
        lease = attendance.leases.get(seat) if attendance is not None else None
        if lease is None:
            lease = self._join(room, seat, who, now=now)
        if self._sharing is not None:
            self._share(lease, who, now=now)
        until = now + lease_seconds(hold)
        lease.own = max(lease.own, until)
        if until > lease.until:
            lease.until = until
        if not lease.slot and lease.until != inf:
            self._deadlines.extend(lease, until)
        return lease

    def keep(self, lease: Lease, until: float) -> bool:
        """Let ``lease`` last until ``until`` at least; False, with nothing done, if it has ended or its
        reader has something to hear first. Half of what a poll costs that is `renew`."""
        if not lease.lives or lease.told != self._rooms[lease.room].version:
            return False
        if until > lease.own:
            lease.own = until
            if until > lease.until:
                lease.until = until
        return True

    def enter(self, room: str, seat: Seat, who: Who, *, now: float) -> Lease:
        """Note an open connection, which keeps its reader present until it is let go."""
        attendance = self._rooms.get(room)
        lease = attendance.leases.get(seat) if attendance is not None else None
        if lease is None:
            lease = self._join(room, seat, who, now=now)
        if self._sharing is not None:
            self._share(lease, who, now=now)
        lease.held += 1
        lease.until = lease.own = inf
        return lease

    def let_go(self, lease: Lease, *, now: float) -> None:
        """Note that a connection has closed; its reader may come back as long as the lease lasts."""
        lease.held -= 1
        if lease.held == 0:
            lease.own = now + lease_seconds(0)
            lease.until = lease.elsewhere
            if lease.lives:
                self.take_as_told(lease)
                self._deadlines.extend(lease, lease.own)

    def heard(self, room: str, told: Told, *, now: float) -> None:
        """Take another node's word of a reader."""
        attendance = self._rooms.get(room)
        lease = attendance.leases.get(told.seat) if attendance is not None else None
        if told.seconds and lease is None:
            lease = self._join(room, told.seat, Who(author=told.author), now=now)
        if lease is None:
            return
        self._mark(lease, told.state, now=now)
        lease.elsewhere = max(lease.elsewhere, now + told.seconds)
        if told.seconds and lease.until != inf:
            self._deadlines.extend(lease, lease.elsewhere)

    def heard_gone(self, room: str, seat: Seat, *, now: float) -> None:
        """Take another node's word that a reader has left."""
        lease = self.reader(room, seat)
        if lease is not None:
            self._part(lease, now=now)

    def version(self, room: str) -> int:
        """Return the version that a room's readers hear next, 0 where nobody is known to be."""
        attendance = self._rooms.get(room)
        return 0 if attendance is None else attendance.told_next

    def heard_version(self, room: str, version: int) -> None:
        """Tell no less than another node next, so that who comes from there has not heard of more."""
        attendance = self._rooms.get(room)
        if attendance is not None:
            attendance.floor = max(attendance.floor, version)

    def tell_again(self, room: str) -> None:
        """Let the other nodes be told of all own readers of a room: one of them asks."""
        attendance = self._rooms.get(room)
        if attendance is not None and self._sharing is not None:
            for lease in attendance.leases.values():
                if lease.own:
                    self._sharing.changed(lease)

    def knows(self, room: str) -> bool:
        """Return whether anybody is known to be in a room, or was just now."""
        return room in self._rooms

    def end(self, lease: Lease, *, now: float) -> None:
        """Let a reader be gone at once, whoever holds its lease."""
        if self._sharing is not None and lease.lives:
            self._sharing.gone(lease)
        self._part(lease, now=now)

    def leave(self, room: str, user: str, *, now: float) -> None:
        """Let a person be gone from a room at once, with all their readers."""
        for lease in self.readers(room, user):
            self.end(lease, now=now)

    def forget(self, which: Callable[[Lease], bool], *, now: float) -> None:
        """End the leases that ``which`` picks; looks at every one there is but those that only other
        nodes know who they are of."""
        for attendance in tuple(self._rooms.values()):
            for lease in tuple(attendance.leases.values()):
                if lease.own and which(lease):
                    self.end(lease, now=now)

    def reader(self, room: str, seat: Seat) -> Lease | None:
        """Return the lease of one reader."""
        attendance = self._rooms.get(room)
        return None if attendance is None else attendance.leases.get(seat)

    def readers(self, room: str, user: str | None) -> tuple[Lease, ...]:
        """Return all of a person's readers in a room; nobody knows those of a guest without a name."""
        attendance = self._rooms.get(room)
        return () if user is None or attendance is None else attendance.readers_of(user)

    def mark(self, lease: Lease, state: State, *, now: float) -> None:
        """Note whether the person is at this reader."""
        if self._sharing is not None and lease.state is not state:
            self._sharing.changed(lease)
        self._mark(lease, state, now=now)

    def type(self, room: str, author: Author, *, now: float) -> None:
        """Note that ``author`` types in a room; where nobody is present, nobody is told."""
        attendance = self._rooms.get(room)
        if attendance is not None:
            attendance.type(author, now=now)
            self._open[room] = attendance

    def here(self, room: str, *, now: float, limit: int) -> Here:
        """Return who is in a room, at most ``limit`` of them by name."""
        attendance = self._rooms.get(room) or Attendance(self._version(now))
        return attendance.here(limit=limit, partial=self.partial(now))

    def missed(self, lease: Lease) -> Diff | None:
        """Return the last diff if this reader has not heard of it, and take it as told."""
        attendance = self._rooms.get(lease.room)
        return None if attendance is None else attendance.missed(lease)

    def take_as_told(self, lease: Lease) -> None:
        """Note that this reader knows how things stand."""
        attendance = self._rooms.get(lease.room)
        if attendance is not None:
            attendance.take_as_told(lease)

    def tell(self, room: str, *, now: float) -> tuple[Diff | Typing, ...]:
        """Return what a room has to tell now."""
        attendance = self._open.get(room)
        if attendance is None:
            return ()
        told = attendance.tell(now=now, partial=self.partial(now))
        if attendance.due == inf:
            del self._open[room]
            if attendance.over:
                del self._rooms[room]
        return told

    def sweep(self, now: float) -> list[Due]:
        """Let lapse what was not renewed; return what all rooms have to tell now."""
        for lease in self._deadlines.lapsed(now):
            self._part(lease, now=now)
        if self._unsettled and not self.partial(now):
            self._settle(now)
        return [(room, told) for room in tuple(self._open) if (told := self.tell(room, now=now))]

    def partial(self, now: float) -> bool:
        """Return whether somebody of the time before the start may not be back yet."""
        return now < self._began + SETTLING

    @property
    def quiet(self) -> bool:
        """Return whether nothing will come of a sweep, however late."""
        return not (self._open or self._unsettled or len(self._deadlines) or self._sharing)

    @property
    def numbers(self) -> tuple[int, int]:
        """Return how many people and how many guests are here, each once per room."""
        numbers = [attendance.numbers for attendance in self._rooms.values()]
        return sum(people for people, _ in numbers), sum(guests for _, guests in numbers)

    def _join(self, room: str, seat: Seat, who: Who, *, now: float) -> Lease:
        attendance = self._rooms.get(room)
        if attendance is None:
            attendance = self._rooms[room] = Attendance(self._version(now))
            if self.partial(now):
                self._unsettled.add(room)
        self._open[room] = attendance
        lease = attendance.join(room, seat, who, now=now)
        if room in self._unsettled:
            attendance.take_as_told(lease)  # the jump that ends the settling is enough
        return lease

    def _share(self, lease: Lease, who: Who, *, now: float) -> None:
        """Tell the others of a reader that has not spoken to this node before, or not for long."""
        if lease.own <= now:
            lease.who = who
            assert self._sharing is not None
            self._sharing.changed(lease)

    def _mark(self, lease: Lease, state: State, *, now: float) -> None:
        attendance = self._rooms.get(lease.room)
        if attendance is not None and lease.state is not state:
            attendance.mark(lease, state, now=now)
            self._open[lease.room] = attendance

    def _part(self, lease: Lease, *, now: float) -> None:
        if self._sharing is not None:
            self._sharing.ended(lease)
        attendance = self._rooms.get(lease.room)
        if attendance is not None:
            attendance.part(lease, now=now)
            self._open[lease.room] = attendance

    def _settle(self, now: float) -> None:
        for room in self._unsettled:
            attendance = self._rooms.get(room)
            if attendance is not None:
                attendance.jump(now)
                self._open[room] = attendance
        self._unsettled.clear()

    def _version(self, now: float) -> int:
        return self._epoch + int((now - self._began) * 1000)
