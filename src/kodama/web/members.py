"""``…/members`` and ``/v1/owner``: who is what in a room, and on this server."""

from __future__ import annotations

from kodama.http.message import Answer, Request
from kodama.order.members import Members
from kodama.web.acting import DONE, Acting
from kodama.web.answers import json_answer
from kodama.web.identity import Caller
from kodama.wire import order


class MembersApi:
    """The resources that give and take roles."""

    def __init__(self, acting: Acting, members: Members) -> None:
        self._acting = acting
        self._members = members

    def listed(self, request: Request, caller: Caller, room: str) -> None:
        """``GET /v1/rooms/{room}/members``."""

        async def answer() -> Answer:
            members, role = await self._members.listed(room, caller.who)
            return json_answer(200, order.member_list(members, role=role.word))

        self._acting.ask(request, caller, answer)

    def put(self, request: Request, caller: Caller, room: str, user: str) -> None:
        """``PUT /v1/rooms/{room}/members/{user}``."""
        body = order.member_body(request.body)

        async def answer() -> Answer:
            member = await self._members.set_role(room, caller.who, user, role=body.role, name=body.name)
            return json_answer(200, order.member_shown(member))

        self._acting.act(request, caller, answer)

    def remove(self, request: Request, caller: Caller, room: str, user: str) -> None:
        """``DELETE /v1/rooms/{room}/members/{user}``."""

        async def answer() -> Answer:
            await self._members.remove(room, caller.who, user)
            return DONE

        self._acting.act(request, caller, answer)

    def own_server(self, request: Request, caller: Caller) -> None:
        """``POST /v1/owner``."""
        code = order.owner_body(request.body).code

        async def answer() -> Answer:
            user = await self._members.own_server(caller.who, code)
            return json_answer(200, order.ServerOwner(user))

        self._acting.act(request, caller, answer)
