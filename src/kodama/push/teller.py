"""Calls people who are not looking: from this node's commits to the browsers of those concerned.

Decided here: the node that has committed a message calls for it, a second later and once for all
that came in that second, so that no publish waits and a crowd's talk is looked at once. Nobody is
called who is at the room, who may not read it, or who was just called.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from kodama.core.errors import RateLimited
from kodama.core.event import Author
from kodama.core.notify import Call, Level, Mentions, Quiet, calls, snippet, usual
from kodama.core.who import Who
from kodama.node import LiveRoom, Node
from kodama.order.houses import key
from kodama.order.marks import READ
from kodama.people import People
from kodama.push.sender import Outcome, Sender, topic_of
from kodama.push.subscriptions import Subscription, Subscriptions
from kodama.registry import Registry
from kodama.store.interface import Commit

NOTIFY: Final = "notify"
LOOK_SECONDS: Final = 1.0
PEACE: Final = 30.0  # seconds between two calls of one person to one room
MOST_IN_PEACE: Final = 100_000
MOST_READ: Final = 200  # messages of a room in one second
TEST_SECONDS: Final = 10.0  # between two tests of one person: each is a request to all their browsers
PRUNE_SECONDS: Final = 3600.0
_log: Final = Logger()


class Heard(msgspec.Struct, frozen=True):
    """What must be known of a message to call for it."""

    author: Author
    offset: int
    text: str | None = None
    data: Any = None
    deleted: bool = False


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """What the service worker gets."""

    room: str
    title: str
    offset: int
    author: str
    text: str
    count: int
    mention: bool


class Teller:
    """Calls people to their rooms."""

    def __init__(
        self, node: Node, registry: Registry, people: People, subscriptions: Subscriptions, sender: Sender, *,
        clock: IReactorTime,
    ) -> None:  # fmt: skip
        self._node = node
        self._registry = registry
        self._people = people
        self._subscriptions = subscriptions
        self._sender = sender
        self._seconds = clock.seconds
        self._levels: dict[str, dict[str, Level]] = {}
        self._fresh: dict[str, dict[int, bytes]] = {}
        self._quiet = Quiet(seconds=PEACE, most=MOST_IN_PEACE)
        self._tests = Quiet(seconds=TEST_SECONDS, most=MOST_IN_PEACE)
        self._loops = [self._loop(clock, self._look), self._loop(clock, self._prune)]
        registry.follow(NOTIFY, Level, self._taken)
        node.committed.append(self._heard)

    def start(self) -> None:
        """Begin; when the registry has started."""
        for loop, seconds in zip(self._loops, (LOOK_SECONDS, PRUNE_SECONDS), strict=True):
            loop.start(seconds, now=False).addErrback(_failed)

    def drain(self) -> None:
        """Call nobody any more."""
        for loop in self._loops:
            if loop.running:
                loop.stop()

    @property
    def key(self) -> str:
        """Return the server's key as browsers want it."""
        return self._sender.key

    def level(self, room: str, user: str) -> Level:
        """Return what of a room somebody is called for."""
        chosen = self._levels.get(room, {}).get(user)
        return usual(two=self._node.policy.look(room).direct is not None) if chosen is None else chosen

    async def choose(self, room: str, user: str, level: Level) -> None:
        """Keep what of a room somebody wants to be called for."""
        await self._registry.put(NOTIFY, key(room, user), level)

    async def test(self, who: Who, call: Call) -> Sequence[Outcome]:
        """Call somebody on all their browsers, whatever they have chosen. Raises `RateLimited`."""
        assert who.user is not None
        if self._tests.call(who.user, call, now=self._seconds()) is None:
            raise RateLimited("You have just been called.", retry_after=TEST_SECONDS)
        return [await self._send(place, one, call, call.room) for place, one in self._good(who.user)]

    def _taken(self, place: str, level: Level | None) -> None:
        room, _, user = place.partition("/")
        chosen = self._levels.setdefault(room, {})
        if level is not None:
            chosen[user] = level
            return
        chosen.pop(user, None)
        if not chosen:
            del self._levels[room]

    def _heard(self, commits: Sequence[Commit]) -> None:
        """Remember what this node has committed; it is looked at in a second."""
        if not self._node.telling or not len(self._subscriptions):
            return
        for commit in commits:
            said = [entry for entry in commit.entries if entry.kind == "message"]
            if said:
                fresh = self._fresh.setdefault(commit.room, {})
                fresh.update((entry.offset, entry.json) for entry in said[:MOST_READ])
            fresh = self._fresh.get(commit.room, {})
            for entry in commit.rewritten:
                if entry.offset in fresh:
                    fresh[entry.offset] = entry.json

    def _look(self) -> None:
        fresh, self._fresh = self._fresh, {}
        for room, said in fresh.items():
            Deferred.fromCoroutine(self._tell(room, said.values())).addErrback(_failed)
        for user, call in self._quiet.due(self._seconds()):
            Deferred.fromCoroutine(self._call(user, call)).addErrback(_failed)

    def _prune(self) -> Deferred[None]:
        return Deferred.fromCoroutine(self._subscriptions.prune()).addErrback(_failed)

    async def _tell(self, name: str, said: Iterable[bytes]) -> None:
        messages = [msgspec.json.decode(one, type=Heard) for one in list(said)[-MOST_READ:]]
        read = [(one, Mentions(one.text, one.data)) for one in messages if not one.deleted]
        inside = self._inside(name)
        strangers = {id for _, mentions in read for id in mentions.ids} - inside  # noqa: A001
        known = {user for user in strangers & self._subscribed(strangers) if await self._has_read(name, user)}
        for user in inside | known:
            call = self._call_of(name, user, read)
            if call is not None and not self._people.at(name, user):
                now = self._quiet.call(user, call, now=self._seconds())
                if now is not None:
                    await self._call(user, now)

    def _inside(self, room: str) -> set[str]:
        """Return those with a subscription who have chosen, or have a role or a share in the room."""
        house = self._node.policy.look(room)
        two = () if house.direct is None else (one.id for one in house.direct.people)
        return self._subscribed((*self._levels.get(room, ()), *house.members, *two))

    def _subscribed(self, users: Iterable[str]) -> set[str]:
        return {user for user in users if user in self._subscriptions}

    async def _has_read(self, room: str, user: str) -> bool:
        return await self._node.store.record(READ, key(user, room)) is not None

    def _call_of(self, room: str, user: str, read: Sequence[tuple[Heard, Mentions]]) -> Call | None:
        """Return what of all that was said somebody is called for."""
        level, name = self.level(room, user), self._subscriptions.name(user)
        found: Call | None = None
        for one, mentions in read if level is not Level.NONE else ():
            mentioned = mentions.of(user, name)
            if one.author.id != user and calls(level, mentioned=mentioned):
                call = Call(
                    room=room, offset=one.offset, author=one.author.name, text=snippet(one.text),
                    mention=mentioned,
                )  # fmt: skip
                found = call if found is None else call.after(found)
        return found

    async def _call(self, user: str, call: Call) -> None:
        """Send a call to all browsers of somebody who may read the room and is not there."""
        room = self._node.followed(call.room) or await self._node.room(call.room)
        if self._people.at(call.room, user):
            return
        for place, one in self._good(user):
            if self._node.policy.admits(room.facts, one.who):
                sending = Deferred.fromCoroutine(self._send(place, one, call, _title(room)))
                sending.addErrback(_failed)

    def _good(self, user: str) -> list[tuple[str, Subscription]]:
        mine: Mapping[str, Subscription] = self._subscriptions.of(user)
        return [(place, one) for place, one in mine.items() if self._subscriptions.good(one)]

    async def _send(self, place: str, one: Subscription, call: Call, title: str) -> Outcome:
        shown = Shown(
            room=call.room, title=title, offset=call.offset, author=call.author, text=call.text,
            count=call.count, mention=call.mention,
        )  # fmt: skip
        outcome = await self._sender.send(
            one, msgspec.json.encode(shown), topic=topic_of(call.room),
            urgency="high" if call.mention else "normal",
        )  # fmt: skip
        if outcome is Outcome.GONE:
            await self._subscriptions.drop(place)
        return outcome

    @staticmethod
    def _loop(clock: IReactorTime, look: Callable[[], Any]) -> LoopingCall:
        loop = LoopingCall(look)
        loop.clock = clock
        return loop


def _title(room: LiveRoom) -> str:
    return room.facts.title or room.name


def _failed(failure: Failure) -> None:
    _log.failure("calling people failed", failure)
