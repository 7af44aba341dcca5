"""Commands of a WebSocket that are served as if they had been asked over HTTP: one set of checks.

Decided here: a command becomes a request without a connection, whose answer is told to whoever
asked. So rates, nonces, guests, rooms and tokens mean the same on both ways.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from kodama.core.errors import Refused
from kodama.core.names import room_name
from kodama.core.who import Who
from kodama.http.lot import Lot
from kodama.http.message import Answer, Fields, Headers, Holder, Line, NoTunnel, Request, T
from kodama.http.stream import Stream
from kodama.http.tunnel import Link
from kodama.transports.websocket import Told
from kodama.web.answers import problem_answer
from kodama.web.api import Api
from kodama.web.identity import Caller, Identity
from kodama.web.presence import PresenceApi
from kodama.wire.commands import MessageBody

_LINE: Final = Line(b"POST", b"/v1/ws")
_HEADERS: Final = Headers(b"\r\n\r\n")


class Desks:
    """What the desks of all connections share. ``now`` is in ms since 1970."""

    def __init__(
        self, api: Api, presence: PresenceApi, identity: Identity, *, now: Callable[[], int]
    ) -> None:
        self.api = api
        self.presence = presence
        self.identity = identity
        self.now = now

    def open(self, request: Request, caller: Caller) -> ConnectionDesk:
        """Return the desk of a connection that was opened by ``caller``."""
        return ConnectionDesk(self, peer=request.peer, caller=replace(caller, accept=""))


class ConnectionDesk:
    """The desk of one connection."""

    __slots__ = ("_caller", "_desks", "_peer")

    def __init__(self, desks: Desks, *, peer: str, caller: Caller) -> None:
        self._desks = desks
        self._peer = peer
        self._caller = caller

    @property
    def who(self) -> Who:
        """Return who is speaking."""
        return self._caller.who

    def hello(self, token: str) -> None:
        """Speak as whom ``token`` proves from now on. Raises `Unauthorized`."""
        desks = self._desks
        caller = desks.identity.by_token(self._caller, token, peer=self._peer, now=desks.now())
        desks.identity.check_session(caller, now=desks.now())
        self._caller = caller

    def reading(self) -> None:
        """Count that a reading begins. Raises `RateLimited`."""
        self._desks.identity.check_read(self._peer, self._caller)

    def publish(self, room: str, body: MessageBody, told: Told) -> None:
        """Publish a message."""
        api = self._desks.api
        self._ask(told, lambda request: api.publish_read(request, self._caller, room_name(room), body))

    def typing(self, room: str, told: Told) -> None:
        """Pass on that somebody is typing."""
        presence = self._desks.presence
        self._ask(told, lambda request: presence.type(request, self._caller, room_name(room)))

    def _ask(self, told: Told, serve: Callable[[Request], None]) -> None:
        desks = self._desks
        request = Request(_Spoken(self._peer, told), _LINE, _HEADERS)
        try:
            desks.identity.check_session(self._caller, now=desks.now())
            serve(request)
        except Refused as error:
            request.answer(problem_answer(error))


class _Spoken:
    """What brings a request that was a message: it takes one whole answer and nothing else."""

    __slots__ = ("_told", "peer")

    secure = False

    def __init__(self, peer: str, told: Told) -> None:
        self.peer = peer
        self._told = told

    def answer(self, request: Request, answer: Answer) -> None:
        """Tell the answer."""
        self._told(answer)

    def hold(self, holder: Holder, seconds: float | None) -> None:
        """Hold nothing: a write is answered when it is done."""

    def park(self, request: Request, lot: Lot, note: object) -> bool:
        """Wait nowhere."""
        return False

    def stream(self, request: Request, status: int, fields: Fields) -> Stream:
        """Refuse."""
        raise NoTunnel

    def switch(self, request: Request, fields: Fields, tunnel: Callable[[Link], T]) -> T:
        """Refuse."""
        raise NoTunnel

    def close(self) -> None:
        """Close nothing: the connection is another's."""
