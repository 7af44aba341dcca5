"""Reads: which framing one gets, and who it is served as.

What is asked in a request line is remembered with the line; whoever polls again with the same
line shares it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from kodama.core.errors import BadRequest, Forbidden, NotAcceptable
from kodama.core.names import room_name
from kodama.core.position import parse_cursor
from kodama.http.message import Request
from kodama.transports.longpoll import LongPolls
from kodama.transports.reading import Asked
from kodama.transports.streaming import Streams
from kodama.web.accept import Framing
from kodama.web.identity import Caller, Identity
from kodama.web.routes import Route
from kodama.wire import commands, polls, queries

_DOCUMENTS: Final = frozenset((b"document", b"iframe", b"frame", b"object", b"embed"))


class Reads:
    """The events resource of one room and of many."""

    def __init__(
        self, identity: Identity, polls: LongPolls, streams: Mapping[Framing, Streams], *,
        now: Callable[[], int], jsonp: bool,
    ) -> None:  # fmt: skip
        self._identity = identity
        self._polls = polls
        self._streams = streams
        self._now = now
        self._jsonp = jsonp

    def of_rooms(self, request: Request, caller: Caller, rooms: tuple[str, ...]) -> None:
        """Read rooms that the path names."""
        route = request.line.memo
        assert isinstance(route, Route)
        asked = route.asked
        if asked is None:
            poll = polls.poll(queries.parameters(request.line.query), rooms=rooms, default="now")
            asked = route.asked = Asked(poll)
        self.poll(request, caller, asked)

    def poll(self, request: Request, caller: Caller, asked: Asked, framing: Framing | None = None) -> None:
        """Serve what was asked in the framing that the caller takes. Raises `Forbidden`, `NotAcceptable`."""
        who = caller.who
        framing = framing or caller.framing
        if caller.plain and framing is Framing.JSON:
            request.headers.cleared = self._polls.clearance
        if asked.poll.callback is not None:
            if not self._jsonp:
                raise Forbidden("JSONP is switched off here.")
            if in_document(request):
                raise Forbidden("JSONP is for script elements.")
            if asked.poll.ticket is None:
                who = self._identity.nobody  # a cookie would let any page read what its owner may
        elif framing is not Framing.JSON:
            streams = self._streams.get(framing)
            if streams is None:
                raise NotAcceptable(
                    "Events come as application/json, text/event-stream, application/x-ndjson, text/plain."
                )
            self._identity.check_read(request.peer, caller)
            streams.serve(request, _resumed(request, asked) if framing is Framing.SSE else asked, who)
            return
        self._polls.serve(request, asked, who)

    def of_many(self, request: Request, caller: Caller) -> None:
        """Read the rooms that the query names."""
        route = request.line.memo
        assert isinstance(route, Route)
        if route.asked is None:
            route.asked = _asked_many(queries.parameters(request.line.query))
        self.poll(request, caller, route.asked)

    def of_many_by_post(self, request: Request, caller: Caller) -> None:
        """Read the rooms that the body names."""
        asked = _asked_many(polls.events_body(request.body))
        if asked.poll.ticket is not None:
            caller = self._identity.by_ticket(
                caller, asked.poll.ticket, peer=request.peer, now=self._now()
            )
        self.poll(request, caller, asked)

    def shared(self, request: Request, caller: Caller, room: str, framing: Framing) -> None:
        """Read the room at the address that people share."""
        # Not remembered with the line: what it leads to depends on the header fields too.
        poll = polls.poll(queries.parameters(request.line.query), rooms=(room,), default="last:20")
        self.poll(request, caller, Asked(poll), framing)


def _asked_many(found: dict[str, list[str]]) -> Asked:
    rooms = tuple(dict.fromkeys(room_name(name) for name in found.get("room", ())))
    if not 1 <= len(rooms) <= commands.ROOMS_LIMIT:
        raise BadRequest(f"room names 1 to {commands.ROOMS_LIMIT} rooms.")
    return Asked(polls.poll(found, rooms=rooms, default="now"))


def _resumed(request: Request, asked: Asked) -> Asked:
    """Return what a browser asks that connects again: ``Last-Event-ID`` says where it was."""
    given = request.headers.get(b"last-event-id")
    if not given:
        return asked
    text = given.decode("latin-1")
    return Asked(replace(asked.poll, since=parse_cursor(text), text=text))


def in_document(request: Request) -> bool:
    """Return whether a browser asks in order to show the answer as a page, framed or not."""
    return request.headers.get(b"sec-fetch-dest") in _DOCUMENTS
