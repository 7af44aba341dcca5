"""What moderators do about people: ban, mute, put out, and take back what somebody said.

The one decision here: whatever is done goes the way everything goes. A ban is a record and an event
of the room, removing is the deletion of each message, so every cache, every reader that is away and
every other node learns of it as of any other change; and each deed is a line of the audit log.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from twisted.internet.defer import DeferredList
from twisted.python.failure import Failure

from kodama.core.change import Amendment, DeleteMessage, React, TellMember
from kodama.core.errors import BadRequest, Conflict, NotFound
from kodama.core.event import Author, Logged, Message, Reaction, decode
from kodama.core.policy import Ban, Deed, Mute
from kodama.core.who import Who
from kodama.node import LiveRoom
from kodama.order.houses import BAN, MEMBER, MUTE, Houses, drop, key, put
from kodama.order.members import kind_of_person

KICK_MS: Final = 60_000  # how long somebody who was put out stays out
MINUTE_MS: Final = 60_000
ANONYMOUS: Final = "guest"
STEP: Final = 200  # entries looked at, and changes made, at a time
STEP_BYTES: Final = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """How somebody is kept out or silent: for ``minutes``, None for ever."""

    minutes: int | None = None
    network: bool = False
    reason: str = ""
    name: str | None = None


class Moderation:
    """What is done about people in all rooms. Everything raises `Forbidden` and `NotFound`."""

    def __init__(self, houses: Houses) -> None:
        self._houses = houses
        self._policy = houses.policy

    async def bans(self, room: str, who: Who) -> Sequence[Ban]:
        """Return who is kept out of the room."""
        await self._moderated(room, who)
        return sorted(self._policy.look(room).bans.values(), key=lambda ban: ban.since)

    async def ban(self, room: str, who: Who, user: str, sentence: Sentence) -> Ban:
        """Keep ``user`` out, and cut off what they hold open."""
        live, by = await self._above(room, who, user)
        now = self._houses.now()
        before = self._policy.look(room).bans.get(user)
        ban = Ban(
            user=self._author(live, user, sentence.name), by=by, since=now, until=_until(now, sentence),
            reason=sentence.reason, network=sentence.network,
            networks=before.networks if before and sentence.network else (),
        )  # fmt: skip
        line = self._houses.audited(room, by, "ban", user=ban.user, until=ban.until, note=ban.reason)
        await self._houses.write(put(BAN, key(room, user), ban), line)
        await self._houses.append(TellMember(room=room, author=by, user=ban.user, op="ban"))
        return ban

    async def lift(self, room: str, who: Who, user: str) -> None:
        """Let ``user`` come back."""
        live = await self._moderated(room, who)
        by = self._policy.demand(live.facts, who, Deed.MODERATE)
        ban = self._policy.look(room).bans.get(user)
        if ban is None:
            raise NotFound("This person is not banned here.")
        line = self._houses.audited(room, by, "unban", user=ban.user)
        await self._houses.write(drop(BAN, key(room, user)), line)
        await self._houses.append(TellMember(room=room, author=by, user=ban.user, op="unban"))

    async def kick(self, room: str, who: Who, user: str, name: str | None) -> Ban:
        """Put ``user`` out: they are cut off, no member any more, and may come back in a minute."""
        live, by = await self._above(room, who, user)
        now = self._houses.now()
        author = self._author(live, user, name)
        ban = Ban(user=author, by=by, since=now, until=now + KICK_MS)
        line = self._houses.audited(room, by, "kick", user=author)
        await self._houses.write(put(BAN, key(room, user), ban), drop(MEMBER, key(room, user)), line)
        await self._houses.append(TellMember(room=room, author=by, user=author, op="remove"))
        return ban

    async def mutes(self, room: str, who: Who) -> Sequence[Mute]:
        """Return who may not write in the room, but read."""
        await self._moderated(room, who)
        now = self._houses.now()
        mutes = sorted(self._policy.look(room).mutes.values(), key=lambda mute: mute.since)
        over = [one for one in mutes if one.until is not None and one.until <= now]
        if over:
            await self._houses.write(*[drop(MUTE, key(room, one.user.id)) for one in over])
        return [one for one in mutes if one not in over]

    async def mute(self, room: str, who: Who, user: str, sentence: Sentence) -> Mute:
        """Let ``user`` read but not write."""
        live, by = await self._above(room, who, user)
        now = self._houses.now()
        author = self._author(live, user, sentence.name)
        mute = Mute(user=author, by=by, since=now, until=_until(now, sentence))
        line = self._houses.audited(room, by, "mute", user=author, until=mute.until)
        await self._houses.write(put(MUTE, key(room, user), mute), line)
        return mute

    async def unmute(self, room: str, who: Who, user: str) -> None:
        """Let ``user`` write again."""
        live = await self._moderated(room, who)
        by = self._policy.demand(live.facts, who, Deed.MODERATE)
        mute = self._policy.look(room).mutes.get(user)
        if mute is None:
            raise NotFound("This person is not muted here.")
        line = self._houses.audited(room, by, "unmute", user=mute.user)
        await self._houses.write(drop(MUTE, key(room, user)), line)

    async def purge(self, room: str, who: Who, user: str, minutes: int) -> int:
        """Take back what ``user`` said and put on messages in the last ``minutes``; returns how many
        messages that were. Those are deleted one by one, as if by hand."""
        live = await self._moderated(room, who)
        by = self._policy.demand(live.facts, who, Deed.MODERATE)
        if user != by.id:
            self._policy.check_rank(live.facts, who, user)
        store, removed, reactions = self._houses.node.store, 0, dict[tuple[int, str], Reaction]()
        about = Author(user, user, kind_of_person(user))
        place = await store.offset_at(room, time=self._houses.now() - minutes * MINUTE_MS)
        while (found := await store.read(room, after=place, limit=STEP, size=STEP_BYTES)).entries:
            place = found.entries[-1].offset
            theirs = [event for one in found.entries if (event := decode(one.json)).author.id == user]
            deletions = [_deletion(one, by) for one in theirs if _is_said(one)]
            removed += len(deletions)
            about = theirs[-1].author if theirs else about
            await self._append_all(deletions)
            reactions |= {(one.target, one.emoji): one for one in theirs if isinstance(one, Reaction)}
        await self._append_all([_taken_back(one) for one in reactions.values() if one.op == "add"])
        await self._houses.write(
            self._houses.audited(room, by, "purge", user=about, note=f"{removed} in {minutes} min")
        )
        return removed

    async def deleted(self, room: str, by: Author, target: int) -> None:
        """Note in the audit log that ``by`` has deleted the message at ``target``, if it was another's."""
        found = await self._houses.node.store.read(room, after=target - 1, limit=1, size=1)
        for one in found.entries:
            author = decode(one.json).author
            if one.offset == target and author.id != by.id:
                await self._houses.write(
                    self._houses.audited(room, by, "delete", user=author, offset=target)
                )

    async def _append_all(self, changes: Iterable[Amendment]) -> None:
        """Make ``changes``; what cannot be done any more was done by somebody else."""
        made = [self._houses.append(one).addErrback(_done_already) for one in changes]
        await DeferredList(made, fireOnOneErrback=True, consumeErrors=True)

    async def _moderated(self, room: str, who: Who) -> LiveRoom:
        live = await self._houses.room(room)
        self._policy.demand(live.facts, who, Deed.MODERATE)
        if not live.exists:
            raise NotFound("There is no such room.")
        return live

    async def _above(self, room: str, who: Who, user: str) -> tuple[LiveRoom, Author]:
        """Return the room and who acts there, if they stand above ``user``."""
        live = await self._moderated(room, who)
        if user == ANONYMOUS:
            raise BadRequest(
                "Guests without a session are not one person; lock the room, or let new guests wait."
            )
        self._policy.check_rank(live.facts, who, user)
        return live, self._policy.demand(live.facts, who, Deed.MODERATE)

    def _author(self, live: LiveRoom, user: str, name: str | None) -> Author:
        member = self._policy.look(live.name).members.get(user)
        return member.user if member else Author(user, name or user, kind_of_person(user))


def _done_already(failure: Failure) -> None:
    failure.trap(NotFound, Conflict)


def _until(now: int, sentence: Sentence) -> int | None:
    return None if sentence.minutes is None else now + sentence.minutes * MINUTE_MS


def _is_said(event: Logged) -> bool:
    return isinstance(event, Message) and event.deleted is not True


def _deletion(event: Logged, by: Author) -> DeleteMessage:
    return DeleteMessage(room=event.room, author=by, target=event.offset, moderator=by.id)


def _taken_back(event: Reaction) -> React:
    return React(
        room=event.room, author=event.author, target=event.target, emoji=event.emoji, op="remove"
    )
