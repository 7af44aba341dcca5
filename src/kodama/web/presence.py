"""Who is here and who is typing, asked and said over HTTP. For a room's readers only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from kodama.core.errors import Forbidden
from kodama.core.event import Author
from kodama.core.names import GUEST_NAME
from kodama.http.message import Answer, Request
from kodama.node import LiveRoom
from kodama.order.houses import Houses
from kodama.people import People
from kodama.web.answers import FIELDS, raw_json_answer
from kodama.web.api import ANONYMOUS
from kodama.web.identity import Caller, Identity
from kodama.wire import commands, queries

NOBODY_BY_NAME: Final = Author(ANONYMOUS, GUEST_NAME, "guest")
_DONE: Final = Answer(204, b"", FIELDS)


class PresenceApi:
    """The resources ``presence`` and ``typing`` of a room. ``fail`` answers a failure."""

    def __init__(
        self, houses: Houses, people: People, identity: Identity, *, seconds: Callable[[], float],
        fail: Callable[[Request, Failure], None], guests: bool,
    ) -> None:  # fmt: skip
        self._houses = houses
        self._node = houses.node
        self._people = people
        self._identity = identity
        self._seconds = seconds
        self._fail = fail
        self._guests_may = guests

    def show(self, request: Request, caller: Caller, room: str) -> None:
        """``GET /v1/rooms/{room}/presence``."""
        limit = queries.names_limit(queries.parameters(request.line.query))

        def go(live: LiveRoom) -> None:
            self._node.policy.admit(live.facts, caller.who)
            request.answer(raw_json_answer(200, self._people.listing(room, limit=limit)))

        async def look() -> None:
            live = self._node.followed(room) or await self._node.room(room)
            self._node.policy.admit(live.facts, caller.who)
            waiting = self._people.known(room)
            if waiting is not None:
                await waiting
            go(live)

        Deferred.fromCoroutine(look()).addErrback(lambda failure: self._fail(request, failure))

    def mark(self, request: Request, caller: Caller, room: str) -> None:
        """``PUT /v1/rooms/{room}/presence``."""
        client = queries.client(queries.parameters(request.line.query))
        state = commands.presence_body(request.body).state
        self._check(request, caller)
        self._in(request, caller, room, lambda _: self._people.mark(room, caller.who, client, state))

    def depart(self, request: Request, caller: Caller, room: str) -> None:
        """``DELETE /v1/rooms/{room}/presence``."""
        client = queries.client(queries.parameters(request.line.query))
        self._check(request, caller)
        self._in(request, caller, room, lambda _: self._people.depart(room, caller.who, client))

    def type(self, request: Request, caller: Caller, room: str) -> None:
        """``PUT /v1/rooms/{room}/typing``."""
        self._check(request, caller)
        if caller.who.author is None and not self._guests_may:
            raise Forbidden("This server takes no guests.")
        author = caller.who.author or NOBODY_BY_NAME
        address = self._identity.address(request, caller)

        def type_(live: LiveRoom) -> None:
            self._houses.check_write(live, caller.who, address)
            self._people.type(room, author)

        self._in(request, caller, room, type_)

    def _check(self, request: Request, caller: Caller) -> None:
        self._identity.check_write(request, caller, now=self._seconds())

    def _in(
        self, request: Request, caller: Caller, room: str, what: Callable[[LiveRoom], Answer | None]
    ) -> None:
        """Do ``what`` and answer, if the caller may read ``room``."""

        def go(live: LiveRoom) -> None:
            self._node.policy.admit(live.facts, caller.who)
            request.answer(what(live) or _DONE)

        live = self._node.followed(room)
        if live is not None:
            go(live)
            return
        opening: Deferred[None] = self._node.room(room).addCallback(go)
        opening.addErrback(lambda failure: self._fail(request, failure))
