"""Who may do what in a room: roles, bans, mutes, and how a room is kept in order.

Decided here, and nowhere else: what each role may do, who may act on whom, and what becomes of a
message somebody wants to say. All of it is held in memory and answered at once; time comes in as
an argument. Reading costs a room without bans nothing: `Policy.banned` says which have some.

    role           read           write      delete others', moderate, invite   settings, roles
    server owner   all but others' direct rooms: as an owner
    owner          yes            yes        yes                                yes
    moderator      yes            yes        yes                                no
    member         yes            if open    no                                 no
    guest          public rooms   if open    no                                 no

*If open*: not muted, the room not locked, not sooner than its slow mode lets; a new guest's message
waits for a moderator where the room holds them. A banned person does nothing at all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import Enum, IntEnum
from typing import Final, Literal

import msgspec

from kodama.core.errors import Forbidden, NotFound, RateLimited
from kodama.core.event import Author
from kodama.core.room import Access, RoomFacts
from kodama.core.who import Who, admits

NETWORK_BAN_MS: Final = 86_400_000  # a network is many people: they are let in again after a day

SPEAKERS: Final = 1_000  # whose turn is remembered before it is looked who may speak again


class Role(IntEnum):
    """What somebody is in a room; a higher one may all that a lower one may."""

    GUEST = 0
    MEMBER = 1
    MODERATOR = 2
    OWNER = 3
    SERVER_OWNER = 4

    @property
    def word(self) -> str:
        """Return the role as clients spell it; the server's owner is an owner everywhere."""
        return min(self, Role.OWNER).name.lower()


class Deed(Enum):
    """What can be done in a room beyond reading and writing, and the least role that may."""

    DELETE_OTHERS = Role.MODERATOR, "Only its author or a moderator deletes a message."
    MODERATE = Role.MODERATOR, "Only a moderator keeps order in this room."
    INVITE = Role.MODERATOR, "Only a moderator lets people in."
    APPOINT = Role.OWNER, "Only an owner gives roles."
    CONFIGURE = Role.OWNER, "Only its owner changes a room."

    @property
    def least(self) -> Role:
        """Return the least role that may."""
        return self.value[0]

    @property
    def refusal(self) -> str:
        """Return what others are told."""
        return self.value[1]


class Membership(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody's role in a room; ``since`` in ms since 1970."""

    user: Author
    role: Literal["member", "moderator", "owner"]
    since: int


class Ban(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who is kept out; times in ms since 1970, ``until`` None for ever.

    With ``network``, so are guests from the networks this person was seen in, ``networks`` (salted
    digests), for a day at most.
    """

    user: Author
    by: Author
    since: int
    until: int | None = None
    reason: str = ""
    network: bool = False
    networks: tuple[str, ...] = ()

    def holds(self, now: int) -> bool:
        """Return whether it has not run out."""
        return self.until is None or now < self.until

    def covers(self, now: int) -> bool:
        """Return whether guests from its networks are kept from writing, too."""
        return self.holds(now) and now < self.since + NETWORK_BAN_MS


class Mute(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who may read but not write; times in ms since 1970, ``until`` None for ever."""

    user: Author
    by: Author
    since: int
    until: int | None = None


class RoomOrder(msgspec.Struct, frozen=True, kw_only=True):
    """How a room is kept in order. ``slow``: seconds between two messages of one person; ``locked``:
    only moderators write; ``hold``: messages of new guests wait for a moderator. ``sites``: origins
    whose pages may show the room in a frame, which only owners say."""

    slow: int = 0
    locked: bool = False
    hold: bool = False
    sites: tuple[str, ...] = ()


class Direct(msgspec.Struct, frozen=True):
    """Two people with a room of their own, which nobody else enters."""

    people: tuple[Author, Author]


OPEN: Final = RoomOrder()


@dataclass(slots=True)
class House:
    """What is known of the people of one room. ``networks`` are those of banned people, ``known``
    guests of whom a message was let
    through; ``spoke`` is when each person last did, in ms, while slow mode asks for it."""

    members: dict[str, Membership] = field(default_factory=dict)
    bans: dict[str, Ban] = field(default_factory=dict)
    networks: dict[str, list[Ban]] = field(default_factory=dict)
    mutes: dict[str, Mute] = field(default_factory=dict)
    known: set[str] = field(default_factory=set)
    spoke: dict[str, int] = field(default_factory=dict)
    order: RoomOrder = OPEN
    direct: Direct | None = None

    def is_of(self, user: str | None) -> bool:
        """Return whether it is a room of two people, and ``user`` one of them."""
        return self.direct is not None and any(one.id == user for one in self.direct.people)


class Verdict(Enum):
    """What becomes of a message: it is said, or waits for a moderator."""

    SAID = "said"
    HELD = "held"


class Policy:
    """The people of all rooms. ``banned`` are the bans of each room that has some."""

    __slots__ = ("_houses", "_nobody_home", "banned", "server_owners", "turn_taken")

    def __init__(self) -> None:
        self._houses: dict[str, House] = {}
        self._nobody_home = House()
        self.banned: dict[str, dict[str, Ban]] = {}
        self.server_owners: set[str] = set()
        self.turn_taken: Callable[[str, str], None] = _nobody_is_told

    def house(self, room: str) -> House:
        """Return what is known of ``room``, to be added to."""
        return self._houses.setdefault(room, House())

    def look(self, room: str) -> House:
        """Return what is known of ``room``, not to be changed."""
        return self._houses.get(room, self._nobody_home)

    def rooms_of(self, user: str) -> frozenset[str]:
        """Return the rooms in which somebody was given a role or is one of two."""
        return frozenset(
            room for room, house in self._houses.items() if user in house.members or house.is_of(user)
        )

    def set_ban(self, room: str, user: str, ban: Ban | None) -> None:
        """Keep somebody out, or with None no longer."""
        bans = self.house(room).bans
        if ban is None:
            bans.pop(user, None)
        else:
            bans[user] = ban
        networks: dict[str, list[Ban]] = {}
        for one in bans.values():
            for network in one.networks:
                networks.setdefault(network, []).append(one)
        self.house(room).networks = networks
        if bans:
            self.banned[room] = bans
        else:
            self.banned.pop(room, None)

    def expired(self, now: int) -> list[tuple[str, str]]:
        """Return (room, user) of the bans that have run out."""
        return [
            (room, user)
            for room, bans in self.banned.items() for user, ban in bans.items() if not ban.holds(now)
        ]  # fmt: skip

    def role(self, facts: RoomFacts, user: str | None) -> Role:
        """Return what somebody is in a room."""
        house = self.look(facts.name)
        if house.direct is not None:
            return Role.MEMBER if house.is_of(user) else Role.GUEST
        if user is None:
            return Role.GUEST
        if user in self.server_owners:
            return Role.SERVER_OWNER
        if user == facts.owner:
            return Role.OWNER
        member = house.members.get(user)
        return Role.GUEST if member is None else Role[member.role.upper()]

    def admits(self, facts: RoomFacts, who: Who) -> bool:
        """Return whether ``who`` may read in the room."""
        bans = self.banned.get(facts.name)
        if bans is not None and who.user in bans:
            return False
        inside = self.role(facts, who.user) > Role.GUEST
        limited = who.rooms is not None and facts.name not in who.rooms
        if inside or self.look(facts.name).direct is not None:
            return inside and not limited
        return admits(facts, who)

    def admit(self, facts: RoomFacts, who: Who) -> None:
        """Raise what somebody without access is told: `NotFound` of a secret room, else `Forbidden`."""
        if self.admits(facts, who):
            return
        if facts.access is Access.SECRET:
            raise NotFound("There is no such room.")
        ban = None if who.user is None else self.look(facts.name).bans.get(who.user)
        if ban is not None:
            said = f"You have been removed from the room {facts.name}."
            raise Forbidden(said, why="banned", until=ban.until)
        raise Forbidden(f"The room {facts.name} is not open to you.")

    def may(self, facts: RoomFacts, who: Who, deed: Deed) -> bool:
        """Return whether ``who`` may do this in the room."""
        return self.admits(facts, who) and self.role(facts, who.user) >= deed.least

    def demand(self, facts: RoomFacts, who: Who, deed: Deed) -> Author:
        """Return who does it, or raise `Forbidden` or `NotFound`. What only reads, as a ticket in an
        address does, keeps no order and sees nothing that is for those who do."""
        self.admit(facts, who)
        if who.author is None or who.read_only or not self.may(facts, who, deed):
            raise Forbidden(deed.refusal)
        return who.author

    def scope(self, who: Who) -> Who:
        """Return ``who`` as `kodama.core.who.admits` judges them as this policy does, but for rooms
        of the server's owner: for a store, which knows no people."""
        inside = frozenset[str]() if who.user is None else self.rooms_of(who.user)
        barred = frozenset(room for room, bans in self.banned.items() if who.user in bans)
        return replace(who, invited=who.invited | inside, barred=barred)

    def check_rank(self, facts: RoomFacts, who: Who, user: str) -> None:
        """Raise `Forbidden` unless ``who`` stands above ``user``: nobody acts on an equal."""
        if self.role(facts, who.user) <= self.role(facts, user):
            raise Forbidden("This person has a role here that you do not stand above.")

    def check_write(self, facts: RoomFacts, who: Who, *, network: str, now: int) -> None:
        """Raise `Forbidden` or `NotFound` if ``who`` may not change or say anything. ``now`` in ms."""
        self.admit(facts, who)
        house = self.look(facts.name)
        role = self.role(facts, who.user)
        if role >= Role.MODERATOR:
            return
        mute = None if who.user is None else house.mutes.get(who.user)
        if mute is not None and (mute.until is None or now < mute.until):
            raise Forbidden("You have been muted in this room.", why="muted", until=mute.until)
        if house.order.locked:
            raise Forbidden("The room is locked: only moderators write.", why="locked")
        bans = house.networks.get(network, ())
        if any(ban.covers(now) for ban in bans) and role is Role.GUEST and _is_guest(who):
            raise Forbidden("Guests from this network cannot write in this room now.", why="network")

    def weigh(self, facts: RoomFacts, who: Who, *, network: str, now: int) -> Verdict:
        """Return what becomes of a message that ``who`` wants to say now (ms), and count it.

        Raises `Forbidden`, `NotFound`, `RateLimited`.
        """
        if facts.name not in self._houses and facts.access is Access.PUBLIC and who.rooms is None:
            return Verdict.SAID  # nothing is known of its people: most rooms
        self.check_write(facts, who, network=network, now=now)
        house = self.look(facts.name)
        order, role = house.order, self.role(facts, who.user)
        if order is OPEN or role >= Role.MODERATOR:
            return Verdict.SAID
        if order.slow:
            sender = who.user or network
            _check_turn(house, sender, slow=order.slow * 1000, now=now)
            self.spoke(facts.name, sender, now=now)
            self.turn_taken(facts.name, sender)
        return Verdict.HELD if self.holds(facts, who) else Verdict.SAID

    def holds(self, facts: RoomFacts, who: Who) -> bool:
        """Return whether what ``who`` says in the room waits for a moderator: a new guest's does."""
        house = self.look(facts.name)
        if not house.order.hold or not _is_guest(who) or self.role(facts, who.user) is not Role.GUEST:
            return False
        return who.user is None or who.user not in house.known

    def spoke(self, room: str, sender: str, *, now: int) -> None:
        """Note that ``sender`` speaks now (ms) in a room that may be in slow mode, on whichever node."""
        house = self.look(room)
        slow = house.order.slow * 1000
        if not slow:
            return
        house.spoke[sender] = now
        if len(house.spoke) > SPEAKERS:
            house.spoke = {one: at for one, at in house.spoke.items() if at + slow > now}


def _nobody_is_told(room: str, sender: str) -> None:
    """Let a turn be known here alone."""


def _is_guest(who: Who) -> bool:
    """Return whether nobody vouches for ``who``: neither an account, nor a site, nor a key."""
    return who.author is None or who.author.kind == "guest"


def _check_turn(house: House, sender: str, *, slow: int, now: int) -> None:
    """Raise `RateLimited` if it is too soon for ``sender`` to speak again; times in ms."""
    wait = house.spoke.get(sender, now - slow) + slow - now
    if wait > 0:
        raise RateLimited("The room is in slow mode.", retry_after=wait / 1000, why="slow")
