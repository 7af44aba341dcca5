"""Members and roles: who joins, leaves, is let in, raised and lowered, and who owns the server.

The one decision here: a room always keeps an owner once it has one, and every change is an event
in the room's log, so that everybody sees who keeps order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from secrets import token_urlsafe
from typing import Final, Literal

import msgspec
from msgspec.structs import replace as replaced
from twisted.internet.defer import Deferred, succeed

from kodama.core.change import TellMember
from kodama.core.errors import Conflict, Forbidden, NotFound
from kodama.core.event import Author
from kodama.core.policy import Deed, Membership, Role
from kodama.core.record import PutRecord, RecordChange, RecordMoved
from kodama.core.room import Access, RoomFacts
from kodama.core.who import Who
from kodama.node import LiveRoom
from kodama.order.houses import MEMBER, SERVER, SERVER_OWNER, Houses, drop, key, put

OWNER_LINK: Final = "owner-link"
LINK_KEY: Final = "link"
CODE_BYTES: Final = 15
TRIES: Final = 5  # to leave, while others leave, too
RoleWord = Literal["member", "moderator", "owner"]


class OwnerLink(msgspec.Struct, frozen=True):
    """The link that makes somebody the server's owner, once: its digest, in hex."""

    digest: str


class Members:
    """The members of all rooms."""

    def __init__(self, houses: Houses) -> None:
        self._houses = houses
        self._policy = houses.policy

    async def listed(self, room: str, who: Who) -> tuple[Sequence[Membership], Role]:
        """Return the room's members, highest first, and the asker's own role."""
        live = await self._houses.room(room)
        self._policy.admit(live.facts, who)
        members = dict(self._policy.look(room).members)
        two, owner = self._policy.look(room).direct, live.facts.owner
        for one in two.people if two is not None else ():
            members[one.id] = Membership(user=one, role="member", since=0)
        if owner is not None and owner not in members:
            members[owner] = Membership(user=Author(owner, owner, "guest"), role="owner", since=0)
        ranked = sorted(members.values(), key=lambda one: (-_rank(one), one.since, one.user.id))
        return ranked, self._policy.role(live.facts, who.user)

    async def set_role(
        self, room: str, who: Who, user: str, *, role: RoleWord, name: str | None
    ) -> Membership:
        """Give ``user`` a role; anybody may become a member of a public room by themselves.

        Raises `Forbidden`, `NotFound`, `Conflict`.
        """
        live = await self._existing(room, who)
        by = self._checked(live.facts, who, user, role=role)
        before = self._policy.look(room).members.get(user)
        if before is not None and before.role == role and (live.facts.owner != user or role == "owner"):
            return before
        called = name or (before.user.name if before else user)
        author = by if user == by.id else Author(user, called, kind_of_person(user))
        member = Membership(user=author, role=role, since=before.since if before else self._houses.now())
        change = self.new_member(room, member)
        line = self._houses.audited(room, by, "add" if before is None else "role", user=author, note=role)
        if role == "owner":
            await self._houses.write(change, line)
        else:
            await self._own_no_longer(live, user, change, line, by=by)
        await self._tell(room, by, member, op="add" if before is None else "role")
        return member

    async def remove(self, room: str, who: Who, user: str) -> None:
        """Take ``user`` out of the members: oneself, or whoever stands below. Raises `Forbidden`,
        `NotFound`, `Conflict`."""
        live = await self._existing(room, who)
        by = _signed_in(who)
        if user != by.id:
            self._policy.demand(live.facts, who, Deed.INVITE)
            self._policy.check_rank(live.facts, who, user)
        member = self._policy.look(room).members.get(user)
        if member is None and live.facts.owner != user:
            raise NotFound("This person is not a member of the room.")
        known = member.user if member else Author(user, user, kind_of_person(user))
        line = self._houses.audited(room, by, "remove", user=known)
        await self._own_no_longer(live, user, drop(MEMBER, key(room, user)), line, by=by)
        await self._houses.append(TellMember(room=room, author=by, user=known, op="remove"))

    async def founded(self, room: str, owner: Author) -> None:
        """Note by name who brought a room to life."""
        member = Membership(user=owner, role="owner", since=self._houses.now())
        try:
            await self._houses.write(put(MEMBER, key(room, owner.id), member, expected=0))
        except RecordMoved:
            return

    def owner_code(self) -> Deferred[str | None]:
        """Return a new code that makes somebody the server's owner, once; None if it has one."""
        if self._policy.server_owners:
            return succeed(None)
        code = token_urlsafe(CODE_BYTES)
        return self._houses.write(owner_link(code)).addCallback(lambda _: code)

    async def own_server(self, who: Who, code: str) -> Author:
        """Make ``who`` an owner of the server, if the code is the one that was printed. Raises
        `Forbidden`, `NotFound`."""
        author = _signed_in(who)
        kept = await self._houses.node.store.record(OWNER_LINK, LINK_KEY)
        if kept is None or msgspec.json.decode(kept.body, type=OwnerLink).digest != _digest(code):
            raise NotFound("This link is not valid, or was used already.")
        used = put(OWNER_LINK, LINK_KEY, OwnerLink(""), expected=kept.revision)
        try:
            line = self._houses.audited(SERVER, author, "own")
            await self._houses.write(used, put(SERVER_OWNER, author.id, author), line)
        except RecordMoved:
            raise NotFound("This link is not valid, or was used already.") from None
        return author

    async def disown_server(self, by: Author, user: str) -> None:
        """Let ``user`` own the server no longer; ``by`` does. Raises `NotFound`, `Conflict`."""
        kept = await self._houses.node.store.record(SERVER_OWNER, user)
        if kept is None:
            raise NotFound("This person does not own the server.")
        if self._policy.server_owners <= {user}:
            raise Conflict("The server would have no owner; `kodama owner` makes another first.")
        known = msgspec.json.decode(kept.body, type=Author)
        line = self._houses.audited(SERVER, by, "disown", user=known)
        await self._houses.write(drop(SERVER_OWNER, user), line)

    def new_member(self, room: str, member: Membership) -> PutRecord:
        """Return the record of a membership."""
        return put(MEMBER, key(room, member.user.id), member)

    def _checked(self, facts: RoomFacts, who: Who, user: str, *, role: RoleWord) -> Author:
        """Return who gives the role, if they may."""
        by = _signed_in(who)
        joining = user == by.id and role == "member" and facts.access is Access.PUBLIC
        if joining and self._policy.role(facts, user) is Role.GUEST:
            self._policy.admit(facts, who)
            return by
        if role == "member" and self._policy.role(facts, user) is Role.GUEST:
            return self._policy.demand(facts, who, Deed.INVITE)
        self._policy.demand(facts, who, Deed.APPOINT)
        if user != by.id:
            self._policy.check_rank(facts, who, user)
        return by

    async def _own_no_longer(
        self, live: LiveRoom, user: str, change: RecordChange, line: PutRecord, *, by: Author
    ) -> None:
        """Write ``change``, after which ``user`` does not own the room; raises `Conflict` if nobody
        else does then.

        An owner goes only as this node has seen them, and another who stays is written anew as seen,
        too: of two who leave at once, on whichever nodes, one finds records moved and looks again.
        """
        for _ in range(TRIES):
            owners = self._owners(live.facts)
            others = sorted(owners - {user})
            if user not in owners:
                await self._houses.write(change, line)
                return
            if not others and by.id not in self._policy.server_owners:
                raise Conflict("The room would have no owner; make somebody else its owner first.")
            going = replace(change, expected=self._seen(live.name, user))
            try:
                await self._houses.write(going, line, *self._staying(live.name, others[:1]))
            except RecordMoved:
                await self._houses.registry.look()
                await self._houses.node.current([live.name])
                continue
            if live.facts.owner == user:
                heir = others[0] if others else None
                await self._houses.node.put_room(replace(live.facts, owner=heir))
            return
        raise Conflict("The owners were changed by somebody else at this moment; try again.")

    def _owners(self, facts: RoomFacts) -> set[str]:
        members = self._policy.look(facts.name).members
        owners = {one.user.id for one in members.values() if one.role == "owner"}
        return owners | (set() if facts.owner is None else {facts.owner})

    def _staying(self, room: str, owners: Sequence[str]) -> list[PutRecord]:
        """Return owners' records as they were seen; who is owner by the room's settings alone gets one."""
        members = self._policy.look(room).members
        since = self._houses.now()
        return [
            put(
                MEMBER, key(room, one),
                replaced(members[one], role="owner") if one in members
                else Membership(user=Author(one, one, kind_of_person(one)), role="owner", since=since),
                expected=self._seen(room, one),
            )
            for one in owners
        ]  # fmt: skip

    def _seen(self, room: str, user: str) -> int:
        """Return at which revision this node knows somebody's membership, 0 if it knows none."""
        return self._houses.registry.revision(MEMBER, key(room, user))

    async def _existing(self, room: str, who: Who) -> LiveRoom:
        live = await self._houses.room(room)
        self._policy.admit(live.facts, who)
        if not live.exists:
            raise NotFound("There is no such room.")
        if self._policy.look(room).direct is not None:
            raise Forbidden("A room of two people has no other members.")
        return live

    async def _tell(self, room: str, by: Author, member: Membership, *, op: str) -> None:
        told = TellMember(room=room, author=by, user=member.user, op=op, role=member.role)
        await self._houses.append(told)


def owner_link(code: str) -> PutRecord:
    """Return the record that lets ``code`` make somebody the server's owner, once."""
    return put(OWNER_LINK, LINK_KEY, OwnerLink(_digest(code)))


def _digest(code: str) -> str:
    return sha256(code.encode("utf-8", "surrogateescape")).hexdigest()


def _rank(member: Membership) -> Role:
    return Role[member.role.upper()]


def _signed_in(who: Who) -> Author:
    if who.author is None:
        raise Forbidden("This needs a session; POST a name to /v1/session to open one.")
    return who.author


def kind_of_person(user: str) -> str:
    """Return what kind of person an id belongs to, as this server gives them out."""
    return {"h_": "host", "b_": "bot", "u_": "user", "p_": "user"}.get(user[:2], "guest")
