"""Who is in one room, and what is told of it.

Decided here: what presence may cost a room. Changes are gathered for a `WINDOW`, and one that was
taken back within it never was. A room tells something at most once in its ``pause`` (one second,
and for more than a thousand readers as many as there are thousands), with at most `NAMES_LIMIT`
names in a diff and `TYPING_LIMIT` people who type. Beyond that a diff has the numbers only and
its version jumps, so that whoever shows the list fetches it. So a room costs at most a thousand
deliveries a second and one encoding each second, however many people come and go.

    a change ──▶ open (the version is one higher) ── WINDOW and pause over ──▶ told, or nothing after all
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from math import inf
from typing import Final

from kodama.core.event import Author
from kodama.core.lease import Lease, Seat, State
from kodama.core.who import Who

WINDOW: Final = 1.0
DELIVERIES_PER_SECOND: Final = 1000
NAMES_LIMIT: Final = 50
JUMP: Final = 3  # who fetched the list while a change was open is already one ahead of what was told
READERS_PER_PERSON: Final = 16
GUESTS_PER_ROOM: Final = 20_000
TYPING_LIMIT: Final = 8
TYPING_SECONDS: Final = 6.0
TYPING_AGAIN: Final = 2.5


@dataclass(frozen=True, slots=True)
class Present:
    """A person who is here; idle if away from every reader."""

    author: Author
    state: State


@dataclass(frozen=True, slots=True, kw_only=True)
class Diff:
    """What changed since the last diff. ``count`` has ``guests``, who are not named, in it.
    While it is ``partial``, not everybody is back after a start."""

    joined: tuple[Present, ...]
    left: tuple[Author, ...]
    changed: tuple[Present, ...]
    count: int
    guests: int
    version: int
    partial: bool


@dataclass(frozen=True, slots=True)
class Typing:
    """``author`` is writing; the reader takes it back at ``until`` (seconds) by itself."""

    author: Author
    until: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Here:
    """A room's list, in the order in which people came."""

    people: tuple[Present, ...]
    count: int
    guests: int
    version: int
    partial: bool


class _Person:
    __slots__ = ("author", "leases")

    def __init__(self, author: Author) -> None:
        self.author = author
        self.leases: dict[Lease, None] = {}

    @property
    def shown(self) -> Present:
        active = any(lease.state is State.ACTIVE for lease in self.leases)
        return Present(self.author, State.ACTIVE if active else State.IDLE)


class Attendance:
    """The readers of one room. ``version`` is what was told last, higher by ``opened`` while there
    is more to tell; ``leases`` are all readers by seat. ``floor`` is the least that may be told next:
    other nodes tell as much."""

    __slots__ = (
        "_before", "_changed_at", "_guests", "_guests_before", "_jump", "_last", "_last_diff", "_opened",
        "_people", "_typed", "_typing", "floor", "leases", "version",
    )  # fmt: skip

    def __init__(self, version: int) -> None:
        self.version = version
        self.floor = 0
        self.leases: dict[Seat, Lease] = {}
        self._opened = 0
        self._people: dict[str, _Person] = {}
        self._guests = self._guests_before = 0
        self._before: dict[str, Present | None] = {}  # how each whom something happened to stood before
        self._changed_at = inf
        self._jump = 0
        self._last = -inf
        self._last_diff: Diff | None = None
        self._typing: dict[str, Typing] = {}
        self._typed: dict[str, float] = {}

    @property
    def pause(self) -> float:
        """Return the seconds that pass at least between two things told."""
        return max(WINDOW, len(self.leases) / DELIVERIES_PER_SECOND)

    @property
    def due(self) -> float:
        """Return when there will be something to tell, infinity for never."""
        wanted = -inf if self._typing else self._changed_at + WINDOW
        return max(wanted, self._last + self.pause)

    @property
    def told_next(self) -> int:
        """Return the version that readers hear next, or heard last if there is nothing to tell."""
        return self._base + (self._jump or self._opened)

    @property
    def _base(self) -> int:
        return max(self.version, self.floor - 1)

    @property
    def over(self) -> bool:
        """Return whether nobody is here and there is nothing to tell."""
        return not self.leases and self._changed_at == inf

    @property
    def numbers(self) -> tuple[int, int]:
        """Return how many people are here, and how many guests without a name."""
        return len(self._people), self._guests

    def join(self, room: str, seat: Seat, who: Who, *, now: float) -> Lease:
        """Return a new lease; one reader too many of a person, or of guests, shares the common one."""
        seat = self._within_bounds(seat)
        known = self.leases.get(seat)
        if known is not None:
            return known
        lease = self.leases[seat] = Lease(room, seat, who)
        if who.author is None:
            self._guests += 1
            self._change(now)
        else:
            self._touch(who.author.id, now=now)
            person = self._people.setdefault(who.author.id, _Person(who.author))
            person.author = who.author
            person.leases[lease] = None
        return lease

    def part(self, lease: Lease, *, now: float) -> None:
        """End a lease; one that has ended stays so."""
        if self.leases.get(lease.seat) is not lease:
            return
        del self.leases[lease.seat]
        lease.lives = False
        if lease.who.author is None:
            self._guests -= 1
            self._change(now)
            return
        user = lease.who.author.id
        self._touch(user, now=now)
        person = self._people[user]
        del person.leases[lease]
        if not person.leases:
            del self._people[user]

    def readers_of(self, user: str) -> tuple[Lease, ...]:
        """Return the leases of one person."""
        person = self._people.get(user)
        return () if person is None else tuple(person.leases)

    def mark(self, lease: Lease, state: State, *, now: float) -> None:
        """Note whether the person is at this reader."""
        if lease.state is state:
            return
        if lease.who.author is not None and self.leases.get(lease.seat) is lease:
            self._touch(lease.who.author.id, now=now)
        lease.state = state

    def type(self, author: Author, *, now: float) -> None:
        """Note that ``author`` types; what comes again within `TYPING_AGAIN` seconds is dropped."""
        if now - self._typed.get(author.id, -inf) < TYPING_AGAIN:
            return
        self._typed[author.id] = now
        self._typing[author.id] = Typing(author, now + TYPING_SECONDS)

    def jump(self, now: float) -> None:
        """Let everybody fetch the list, whether something changed or not."""
        self._jump = JUMP
        self._change(now)

    def here(self, *, limit: int, partial: bool) -> Here:
        """Return the list, with at most ``limit`` names."""
        people = tuple([person.shown for person in islice(self._people.values(), limit)])
        return Here(
            people=people, count=len(self._people) + self._guests, guests=self._guests,
            version=self._base + self._opened, partial=partial,
        )  # fmt: skip

    def missed(self, lease: Lease) -> Diff | None:
        """Return the last diff if this reader has not heard of it, and take it as told.

        If it missed more than that one, its version is a jump for the reader, and shows it.
        """
        if lease.told == self.version:
            return None
        lease.told = self.version
        return self._last_diff

    def take_as_told(self, lease: Lease) -> None:
        """Note that this reader knows, or will find out by itself, how things stand."""
        lease.told = self.version

    def tell(self, *, now: float, partial: bool) -> tuple[Diff | Typing, ...]:
        """Return what is due, if anything is."""
        if now < self.due:
            return ()
        told: list[Diff | Typing] = []
        if self._changed_at + WINDOW <= now:
            diff = self._diff(partial=partial)
            if diff is not None:
                told.append(diff)
        typing = [one for one in self._typing.values() if one.until > now]
        told += typing[-TYPING_LIMIT:]
        self._typing.clear()
        self._typed = {user: at for user, at in self._typed.items() if now - at < TYPING_AGAIN}
        if told:
            self._last = now
        return tuple(told)

    def _diff(self, *, partial: bool) -> Diff | None:
        before, jump = self._before, self._jump
        guests_changed = self._guests != self._guests_before
        self._before, self._jump, self._changed_at = {}, 0, inf
        self._guests_before = self._guests
        joined, left, changed = self._compared(before)
        names = len(joined) + len(left) + len(changed)
        if not names and not guests_changed and not jump:
            return None
        if names > NAMES_LIMIT:
            joined, left, changed, jump = (), (), (), JUMP
        self.version = self._base + (jump or 1)
        self._opened = 0
        self._last_diff = Diff(
            joined=joined, left=left, changed=changed, count=len(self._people) + self._guests,
            guests=self._guests, version=self.version, partial=partial,
        )  # fmt: skip
        return self._last_diff

    def _compared(
        self, before: Mapping[str, Present | None]
    ) -> tuple[tuple[Present, ...], tuple[Author, ...], tuple[Present, ...]]:
        joined: list[Present] = []
        left: list[Author] = []
        changed: list[Present] = []
        for user, old in before.items():
            person = self._people.get(user)
            if person is None:
                left += () if old is None else (old.author,)
            elif old is None:
                joined.append(person.shown)
            elif old != person.shown:
                changed.append(person.shown)
        return tuple(joined), tuple(left), tuple(changed)

    def _within_bounds(self, seat: Seat) -> Seat:
        if seat.user is None:
            full = self._guests >= GUESTS_PER_ROOM
        else:
            full = len(self.readers_of(seat.user)) >= READERS_PER_PERSON
        return Seat(seat.user, "") if full else seat

    def _touch(self, user: str, *, now: float) -> None:
        if user not in self._before:
            person = self._people.get(user)
            self._before[user] = None if person is None else person.shown
        self._change(now)

    def _change(self, now: float) -> None:
        self._changed_at = min(self._changed_at, now)
        self._opened = 1
