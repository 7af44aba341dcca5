"""Invitations: a link that lets people in, for a time, so many of them, in a role.

The one decision here: an invitation is as good as whoever made it is now, so somebody who is no
moderator any more lets nobody in.
"""

from __future__ import annotations

from collections.abc import Sequence
from secrets import token_urlsafe
from typing import Final, Literal

import msgspec

from kodama.core.change import TellMember
from kodama.core.errors import Conflict, Forbidden, NotFound
from kodama.core.event import Author
from kodama.core.policy import Deed, Membership, Role
from kodama.core.record import RecordChange, RecordMoved
from kodama.core.room import RoomFacts
from kodama.core.who import Who
from kodama.order.houses import MEMBER, Houses, drop, key, put

INVITE: Final = "invite"
CODE_BYTES: Final = 12
TRIES: Final = 10  # of people who come at the same moment
RoleWord = Literal["member", "moderator"]


class Invite(msgspec.Struct, frozen=True, kw_only=True):
    """``expires`` in ms since 1970; ``uses`` are left, None for any number."""

    room: str
    role: RoleWord
    by: Author
    made: int
    expires: int
    uses: int | None


class Invites:
    """The invitations to all rooms."""

    def __init__(self, houses: Houses) -> None:
        self._houses = houses
        self._policy = houses.policy

    async def make(
        self, room: str, who: Who, *, role: RoleWord, seconds: int, uses: int | None
    ) -> tuple[str, Invite]:
        """Return a new invitation and its code. Raises `Forbidden`, `NotFound`."""
        live = await self._houses.room(room)
        by = self._policy.demand(live.facts, who, _deed(role))
        if not live.exists:
            raise NotFound("There is no such room.")
        now = self._houses.now()
        invite = Invite(room=room, role=role, by=by, made=now, expires=now + seconds * 1000, uses=uses)
        code = token_urlsafe(CODE_BYTES)
        line = self._houses.audited(room, by, "invite", until=invite.expires, note=role)
        await self._houses.write(put(INVITE, code, invite), line)
        return code, invite

    async def listed(self, room: str, who: Who) -> Sequence[tuple[str, Invite]]:
        """Return the room's invitations that are good, oldest first. Raises `Forbidden`, `NotFound`."""
        live = await self._houses.room(room)
        self._policy.demand(live.facts, who, Deed.INVITE)
        found = await self._houses.node.store.records(INVITE)
        invites = [(one.key, _decode(one.body)) for one in found.records]
        over = [code for code, one in invites if one.expires <= self._houses.now() or one.uses == 0]
        if over:
            await self._houses.write(*[drop(INVITE, code) for code in over])
        good = [one for one in invites if one[1].room == room and one[0] not in over]
        return sorted(good, key=lambda one: (one[1].made, one[0]))

    async def revoke(self, room: str, who: Who, code: str) -> None:
        """Let an invitation let nobody in any more. Raises `Forbidden`, `NotFound`."""
        live = await self._houses.room(room)
        by = self._policy.demand(live.facts, who, Deed.INVITE)
        kept = await self._houses.node.store.record(INVITE, code)
        if kept is None or _decode(kept.body).room != room:
            raise NotFound("There is no such invitation.")
        await self._houses.write(drop(INVITE, code), self._houses.audited(room, by, "uninvite"))

    async def show(self, code: str) -> tuple[Invite, RoomFacts]:
        """Return a good invitation and its room. Raises `NotFound`."""
        invite, facts, _ = await self._good(code)
        return invite, facts

    async def accept(self, who: Who, code: str) -> tuple[str, Membership]:
        """Come in; who is inside already uses nothing up. Raises `Forbidden`, `NotFound`, `Conflict`."""
        if who.author is None:
            raise Forbidden("This needs a session; POST a name to /v1/session to open one.")
        for _ in range(TRIES):
            try:
                return await self._accept(who.author, code)
            except RecordMoved:
                continue
        raise Conflict("Too many come at the same moment; try again.")

    async def _accept(self, author: Author, code: str) -> tuple[str, Membership]:
        invite, facts, revision = await self._good(code)
        room = invite.room
        if author.id in self._policy.look(room).bans:
            raise Forbidden(f"You have been removed from the room {room}.")
        before = self._policy.look(room).members.get(author.id)
        role = Role[invite.role.upper()]
        if before is not None and Role[before.role.upper()] >= role:
            return room, before
        if self._policy.role(facts, author.id) >= role:
            return room, Membership(user=author, role="owner", since=0)
        member = Membership(user=author, role=invite.role, since=self._houses.now())
        changes: list[RecordChange] = [put(MEMBER, key(room, author.id), member)]
        if invite.uses is not None:
            left = msgspec.structs.replace(invite, uses=invite.uses - 1)
            changes.append(put(INVITE, code, left, expected=revision))
        changes.append(self._houses.audited(room, author, "join", user=invite.by, note=invite.role))
        await self._houses.write(*changes)
        op = "add" if before is None else "role"
        told = TellMember(room=room, author=author, user=author, op=op, role=member.role)
        await self._houses.append(told)
        return room, member

    async def _good(self, code: str) -> tuple[Invite, RoomFacts, int]:
        """Return an invitation that lets people in, its room, and its revision."""
        kept = await self._houses.node.store.record(INVITE, code)
        if kept is None:
            raise NotFound("This invitation is not valid.")
        invite = _decode(kept.body)
        live = await self._houses.room(invite.room)
        banned = invite.by.id in self._policy.look(invite.room).bans
        trusted = self._policy.role(live.facts, invite.by.id) >= _deed(invite.role).least and not banned
        if not trusted or invite.expires <= self._houses.now() or invite.uses == 0 or not live.exists:
            raise NotFound("This invitation is not valid any more.")
        return invite, live.facts, kept.revision


def _deed(role: RoleWord) -> Deed:
    return Deed.APPOINT if role == "moderator" else Deed.INVITE


def _decode(body: bytes) -> Invite:
    return msgspec.json.decode(body, type=Invite)
