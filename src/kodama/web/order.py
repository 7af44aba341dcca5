"""Every route of keeping order on one page: members, bans, moderation, invitations."""

from __future__ import annotations

from kodama.core.errors import NotFound
from kodama.http.message import Request
from kodama.web.identity import Caller
from kodama.web.members import MembersApi
from kodama.web.routes import Methods
from kodama.wire.order import user_id


class OrderRoutes:
    """What the site does not route by itself."""

    def __init__(self, *, members: MembersApi) -> None:
        self._members = members

    def top(self, parts: list[str]) -> Methods:
        """Return the methods of a path that is not in a room; raises `NotFound`."""
        match parts:
            case ["v1", "owner"]:
                return {b"POST": self._members.own_server}
        raise NotFound("There is nothing at this address.")

    def in_room(self, room: str, rest: list[str]) -> Methods:
        """Return the methods of a path in a room; raises `NotFound`."""
        match rest:
            case ["members"]:
                return {b"GET": lambda request, caller: self._members.listed(request, caller, room)}
            case ["members", person]:
                return self._member(room, user_id(person))
        raise NotFound("There is nothing at this address.")

    def _member(self, room: str, user: str) -> Methods:
        def put(request: Request, caller: Caller) -> None:
            self._members.put(request, caller, room, user)

        def remove(request: Request, caller: Caller) -> None:
            self._members.remove(request, caller, room, user)

        return {b"PUT": put, b"DELETE": remove}
