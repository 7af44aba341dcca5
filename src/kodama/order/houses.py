"""The people of all rooms as the store keeps them, on every node: records in, policy out.

The one decision here: a record is the truth, `kodama.core.policy` is what is made of it in memory,
and every change of it, made here or on another node, asks the room's readers again whether they
may read. So a ban, or the end of a membership, reaches an open connection at once.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from hashlib import blake2b
from secrets import token_hex
from typing import Any, Final

import msgspec
from twisted.internet.defer import Deferred, succeed
from twisted.logger import Logger
from twisted.python.failure import Failure

from kodama.bus.interface import Spent
from kodama.core.change import Change
from kodama.core.event import Author
from kodama.core.limits import network_of
from kodama.core.policy import OPEN, Ban, Direct, Membership, Mute, Policy, RoomOrder
from kodama.core.record import DropRecord, PutRecord, RecordChange, RecordMoved
from kodama.core.who import Who
from kodama.node import LiveRoom, Node
from kodama.people import People
from kodama.registry import Registry
from kodama.store.interface import Stored

MEMBER: Final = "member"
BAN: Final = "ban"
MUTE: Final = "mute"
ORDER: Final = "order"
KNOWN: Final = "known"
DIRECT: Final = "direct"
SERVER_OWNER: Final = "server-owner"
SLOW: Final = "slow "  # and the room, among what senders took on other nodes
AUDIT: Final = "audit"
SERVER: Final = ""  # instead of a room, in the audit log: the whole server
SEEN: Final = 50_000  # (room, person) whose network is remembered
ADDRESSES: Final = 10_000  # whose networks are remembered
NETWORKS: Final = 8  # of one banned person
_FOREVER: Final = 2**63 - 1
_MOMENT: Final = 0xFFFF  # deeds in one ms that are told apart
_log: Final = Logger()


class Deeds(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A line of a room's audit log: ``by`` whom it was done, ``time`` in ms since 1970, and what
    the deed is about."""

    time: int
    by: Author
    did: str
    user: Author | None = None
    offset: int | None = None
    until: int | None = None
    note: str = ""


class Houses:
    """All rooms' people. ``now`` gives ms since 1970; ``barred`` lets everybody be looked at again when
    they ask next, though they were good a moment ago."""

    def __init__(
        self, node: Node, registry: Registry, people: People, *, now: Callable[[], int],
        barred: Callable[[], None],
    ) -> None:  # fmt: skip
        self.node = node
        self._barred = barred
        self.registry = registry
        self.now = now
        self._people = people
        self._salt = b""
        self._deeds = (0, 0)  # the moment of the last deed, and how many came before it then
        # What stands for the network of an address, which cannot be found again from it.
        self.network = lru_cache(maxsize=ADDRESSES)(self._network)
        self._seen: OrderedDict[tuple[str, str], str] = OrderedDict()
        if node.shared:
            self.policy.turn_taken = self._turn_taken
            node.spent.append(self._turns_elsewhere)
        registry.follow(MEMBER, Membership, self._member)
        registry.follow(BAN, Ban, self._ban)
        registry.follow(MUTE, Mute, self._mute)
        registry.follow(ORDER, RoomOrder, self._order)
        registry.follow(KNOWN, bool, self._known)
        registry.follow(DIRECT, Direct, self._direct)
        registry.follow(SERVER_OWNER, Author, self._server_owner)

    @property
    def policy(self) -> Policy:
        """Return who may do what."""
        return self.node.policy

    def start(self) -> None:
        """Read what the store keeps; call after the store has started, before the registry does."""
        self._salt = self.node.store.secret("networks")

    def tick(self) -> Deferred[None]:
        """Let back in whose time is over; call twice a second."""
        for room, user in self.policy.expired(self.now()):
            self.policy.set_ban(room, user, None)
            Deferred.fromCoroutine(self._forget_ban(room, user)).addErrback(_log_failure)
        return succeed(None)

    async def room(self, name: str) -> LiveRoom:
        """Return the room, which may not exist."""
        return self.node.followed(name) or await self.node.room(name)

    async def _forget_ban(self, room: str, user: str) -> None:
        """Drop a ban that has run out, unless somebody has made it longer meanwhile."""
        kept = await self.node.store.record(BAN, key(room, user))
        if kept is not None and not msgspec.json.decode(kept.body, type=Ban).holds(self.now()):
            with suppress(RecordMoved):
                await self.registry.drop(BAN, key(room, user), expected=kept.revision)

    def _network(self, address: str) -> str:
        return blake2b(network_of(address).encode(), key=self._salt, digest_size=8).hexdigest()

    def check_write(self, live: LiveRoom, who: Who, address: str) -> None:
        """Raise `Forbidden` or `NotFound` if ``who`` at ``address`` may not write in the room now."""
        self.policy.check_write(live.facts, who, network=self.network(address), now=self.now())

    def seen(self, room: str, user: str, network: str) -> None:
        """Remember from which network somebody writes, in memory and for the last who did."""
        place = (room, user)
        self._seen.pop(place, None)
        self._seen[place] = network
        if len(self._seen) > SEEN:
            self._seen.popitem(last=False)
        ban = self.policy.banned.get(room, {}).get(user)
        if ban is not None:
            self._learn(room, ban)

    def append(self, change: Change) -> Deferred[Stored]:
        """Write to a room's log and fire when it is durable."""
        waiting: Deferred[Stored] = Deferred()

        def settle(outcome: Stored | Exception) -> None:
            if isinstance(outcome, Exception):
                waiting.errback(Failure(outcome))
            else:
                waiting.callback(outcome)

        self.node.append(change, settle)
        return waiting

    def write(self, *changes: RecordChange) -> Deferred[Any]:
        """Write records, all or none."""
        return self.registry.write(changes)

    def audited(self, room: str, by: Author, did: str, **about: Any) -> PutRecord:
        """Return the record that says in the audit log what was done; the newest comes first."""
        now = self.now()
        line = Deeds(time=now, by=by, did=did, **about)
        self._deeds = (now, self._deeds[1] + 1) if self._deeds[0] == now else (now, 0)
        order = f"{moment_key(now)}{_MOMENT - self._deeds[1]:04x}"  # of one moment, the newest first, too
        return put(AUDIT, key(room, f"{order}{token_hex(4)}"), line)

    def _turn_taken(self, room: str, sender: str) -> None:
        """Let the other nodes know who has spoken in a room in slow mode."""
        self.node.tell(Spent([(SLOW + room, sender, 1)]))

    def _turns_elsewhere(self, spent: Spent) -> None:
        for what, sender, _ in spent.taken:
            if what.startswith(SLOW):
                self.policy.spoke(what.removeprefix(SLOW), sender, now=self.now())

    def _member(self, place: str, member: Membership | None) -> None:
        room, user = _parts(place)
        members = self.policy.house(room).members
        if member is None:
            members.pop(user, None)
            self._touched(room)  # a role that is given takes nothing away
        else:
            members[user] = member

    def _ban(self, place: str, ban: Ban | None) -> None:
        room, user = _parts(place)
        over = ban is None or not ban.holds(self.now())
        self.policy.set_ban(room, user, None if over else ban)
        self._barred()
        self._touched(room)
        if ban is not None and not over:
            self._learn(room, ban)

    def _mute(self, place: str, mute: Mute | None) -> None:
        room, user = _parts(place)
        mutes = self.policy.house(room).mutes
        if mute is None:
            mutes.pop(user, None)
        else:
            mutes[user] = mute

    def _order(self, room: str, order: RoomOrder | None) -> None:
        self.policy.house(room).order = OPEN if order is None else order

    def _known(self, place: str, known: bool | None) -> None:  # noqa: FBT001 - what the record holds
        room, user = _parts(place)
        if known:
            self.policy.house(room).known.add(user)
        else:
            self.policy.house(room).known.discard(user)

    def _direct(self, room: str, direct: Direct | None) -> None:
        self.policy.house(room).direct = direct
        self._touched(room)

    def _server_owner(self, user: str, author: Author | None) -> None:
        if author is None:
            self.policy.server_owners.discard(user)
            self._barred()
            for live in self.node.waiting_rooms():
                self._touched(live.name)
        else:
            self.policy.server_owners.add(user)

    def _touched(self, room: str) -> None:
        live = self.node.people_changed(room)
        if live is not None:
            self._people.changed(live.facts)

    def _learn(self, room: str, ban: Ban) -> None:
        """Add the network that this node has seen a banned person in, if the ban asks for it."""
        network = self._seen.get((room, ban.user.id))
        if not ban.network or network is None or network in ban.networks or len(ban.networks) >= NETWORKS:
            return
        Deferred.fromCoroutine(self._add_network(room, ban.user.id, network)).addErrback(_log_failure)

    async def _add_network(self, room: str, user: str, network: str) -> None:
        kept = await self.node.store.record(BAN, key(room, user))
        if kept is None:
            return
        ban = msgspec.json.decode(kept.body, type=Ban)
        if network not in ban.networks:
            more = msgspec.structs.replace(ban, networks=(*ban.networks, network))
            with suppress(RecordMoved):  # it is learned again when they try again
                await self.write(put(BAN, key(room, user), more, expected=kept.revision))


def key(room: str, what: str) -> str:
    """Return the key of a record about ``what`` in ``room``; no room's name has a slash."""
    return f"{room}/{what}"


def moment_key(ms: int) -> str:
    """Return what the key of a deed at ``ms`` begins with: the later, the smaller."""
    return f"{_FOREVER - ms:016x}"


def put(kind: str, place: str, value: object, *, expected: int | None = None) -> PutRecord:
    """Return ``value`` as a record to be written."""
    return PutRecord(kind=kind, key=place, body=msgspec.json.encode(value), expected=expected)


def drop(kind: str, place: str) -> DropRecord:
    """Return the order to forget a record."""
    return DropRecord(kind=kind, key=place)


def _parts(place: str) -> tuple[str, str]:
    room, _, what = place.partition("/")
    return room, what


def _log_failure(failure: Failure) -> None:
    _log.failure("keeping order failed", failure)
