"""``…/invites``, ``/v1/direct``, ``…/read``, ``/v1/unread``: how people come in and keep their place."""

from __future__ import annotations

from urllib.parse import quote

from kodama.core.event import timestamp
from kodama.http.message import Answer, Request
from kodama.order.directs import Directs
from kodama.order.invites import Invite, Invites
from kodama.order.marks import Marks, Mine
from kodama.web.acting import DONE, Acting
from kodama.web.answers import json_answer
from kodama.web.identity import Caller
from kodama.wire import belonging as wire


class BelongingApi:
    """The resources of invitations, rooms of two, and marks."""

    def __init__(self, acting: Acting, invites: Invites, directs: Directs, marks: Marks) -> None:
        self._acting = acting
        self._invites = invites
        self._directs = directs
        self._marks = marks

    def invite(self, request: Request, caller: Caller, room: str) -> None:
        """``POST /v1/rooms/{room}/invites``."""
        body = wire.invite_body(request.body)

        async def answer() -> Answer:
            code, invite = await self._invites.make(
                room, caller.who, role=body.role, seconds=body.expires, uses=body.uses
            )
            return json_answer(201, _shown(code, invite))

        self._acting.act(request, caller, answer)

    def invites(self, request: Request, caller: Caller, room: str) -> None:
        """``GET /v1/rooms/{room}/invites``."""

        async def answer() -> Answer:
            invites = await self._invites.listed(room, caller.who)
            return json_answer(200, wire.InviteList([_shown(code, one) for code, one in invites]))

        self._acting.ask(request, caller, answer)

    def revoke(self, request: Request, caller: Caller, room: str, code: str) -> None:
        """``DELETE /v1/rooms/{room}/invites/{code}``."""

        async def answer() -> Answer:
            await self._invites.revoke(room, caller.who, code)
            return DONE

        self._acting.act(request, caller, answer)

    def show(self, request: Request, caller: Caller, code: str) -> None:
        """``GET /v1/invites/{code}``."""

        async def answer() -> Answer:
            invite, facts = await self._invites.show(code)
            value = wire.InvitedTo(
                room=invite.room, title=facts.title, role=invite.role, by=invite.by,
                expires=timestamp(invite.expires),
            )  # fmt: skip
            return json_answer(200, value)

        self._acting.ask(request, caller, answer)

    def accept(self, request: Request, caller: Caller, code: str) -> None:
        """``POST /v1/invites/{code}``."""

        async def answer() -> Answer:
            room, member = await self._invites.accept(caller.who, code)
            return json_answer(200, wire.Joined(room=room, role=member.role))

        self._acting.act(request, caller, answer)

    def direct(self, request: Request, caller: Caller) -> None:
        """``POST /v1/direct``."""
        body = wire.direct_body(request.body)

        async def answer() -> Answer:
            room, other, new = await self._directs.open(
                caller.who, body.user, body.name, begin=lambda: self._acting.begin_room(request, caller)
            )
            return json_answer(201 if new else 200, wire.DirectRoom(room=room, user=other))

        self._acting.act(request, caller, answer)

    def mark(self, request: Request, caller: Caller, room: str) -> None:
        """``GET /v1/rooms/{room}/read``."""

        async def answer() -> Answer:
            return json_answer(200, _mark(room, await self._marks.read(room, caller.who)))

        self._acting.ask(request, caller, answer)

    def move(self, request: Request, caller: Caller, room: str) -> None:
        """``PUT /v1/rooms/{room}/read``."""
        offset = wire.read_body(request.body).offset

        async def answer() -> Answer:
            return json_answer(200, _mark(room, await self._marks.move(room, caller.who, offset)))

        self._acting.act(request, caller, answer)

    def forget(self, request: Request, caller: Caller, room: str) -> None:
        """``DELETE /v1/rooms/{room}/read``."""

        async def answer() -> Answer:
            await self._marks.forget(room, caller.who)
            return DONE

        self._acting.act(request, caller, answer)

    def unread(self, request: Request, caller: Caller) -> None:
        """``GET /v1/unread``."""

        async def answer() -> Answer:
            mine = await self._marks.mine(caller.who)
            return json_answer(200, wire.Unread([_mark(room, one) for room, one in mine.items()]))

        self._acting.ask(request, caller, answer)


def _shown(code: str, invite: Invite) -> wire.InviteShown:
    return wire.InviteShown(
        code=code, url=f"/r/{quote(invite.room, safe='')}#invite={code}", room=invite.room, role=invite.role,
        by=invite.by, expires=timestamp(invite.expires), uses=invite.uses,
    )  # fmt: skip


def _mark(room: str, mine: Mine) -> wire.ReadMark:
    return wire.ReadMark(room=room, offset=mine.read, unread=mine.unread)
