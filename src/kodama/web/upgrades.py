"""Which requests may become a WebSocket, and what the others are told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from kodama.core.errors import BadRequest, Forbidden, UpgradeRequired
from kodama.http.handshake import Handshake, NotWebSocket, handshake
from kodama.http.message import NoTunnel, Request
from kodama.http.websocket import SocketLimits, open_socket
from kodama.transports.websocket import WebSockets
from kodama.web.desk import Desks
from kodama.web.identity import Caller

PROTOCOL: Final = "kodama.v1"

Accept = Callable[[Request, Handshake, Caller], None]
Serve = Callable[[Request, Caller], None]


def opening(sockets: WebSockets, desks: Desks, *, message: int) -> Accept:
    """Return how an upgrade to the chat is answered; ``message`` is the size of the largest in bytes."""
    limits = SocketLimits(message=message)

    def accept(request: Request, asked: Handshake, caller: Caller) -> None:
        desk = desks.open(request, caller)
        open_socket(request, asked, limits=limits, listen=lambda socket: sockets.listen(socket, desk))

    return accept


def upgrading(
    accept: Accept, *, allow: Callable[[str, Caller], None], foreign: Callable[[Request, Caller], bool]
) -> Serve:  # fmt: skip
    """Return how to serve an address that speaks WebSocket only: ``accept`` gets who may. ``allow``
    raises what somebody is told, by address, who comes too often; ``foreign`` says whether a page of
    another site asks."""

    def serve(request: Request, caller: Caller) -> None:
        try:
            asked = handshake(request, protocol=PROTOCOL)
        except NotWebSocket as error:
            refused = UpgradeRequired if error.status == 426 else BadRequest
            raise refused(error.detail) from None
        if foreign(request, caller):
            raise Forbidden("Pages of another site may not connect; KODAMA_ORIGINS names those that may.")
        allow(request.peer, caller)
        try:
            accept(request, asked, caller)
        except NoTunnel:
            said = "This site cannot hand its connections to WebSocket; use another transport."
            raise UpgradeRequired(said) from None

    return serve
