"""Sends every message back: what a WebSocket test suite speaks to, and the smallest listener."""

from __future__ import annotations

from kodama.http.frames import BINARY, TEXT, Message
from kodama.http.handshake import Handshake
from kodama.http.message import Request
from kodama.http.violation import Code, Violation
from kodama.http.websocket import SocketLimits, WebSocket, open_socket


class Echoes:
    """All sockets that echo."""

    def __init__(self, limits: SocketLimits) -> None:
        self._limits = limits
        self.sockets: set[WebSocket] = set()

    def serve(self, request: Request, asked: Handshake) -> None:
        """Open a socket that echoes. Raises `NoTunnel`."""
        open_socket(request, asked, limits=self._limits, listen=self._listen)

    def _listen(self, socket: WebSocket) -> _Echo:
        self.sockets.add(socket)
        return _Echo(self.sockets, socket)

    def drain(self) -> None:
        """Say goodbye to all."""
        for socket in tuple(self.sockets):
            socket.close(Code.GOING_AWAY, "The server is going down.")


class _Echo:
    """One echoing socket."""

    __slots__ = ("_socket", "_sockets")

    def __init__(self, sockets: set[WebSocket], socket: WebSocket) -> None:
        self._sockets = sockets
        self._socket = socket

    def received(self, message: str | bytes) -> None:
        """Send it back as it came."""
        if isinstance(message, str):
            self._socket.send(Message(message.encode(), opcode=TEXT))
        else:
            self._socket.send(Message(message, opcode=BINARY))

    def filled(self) -> None:
        """Reading stops by itself."""

    def drained(self) -> None:
        """Reading goes on by itself."""

    def violated(self, violation: Violation) -> None:
        """Nothing is to be said but the close."""

    def closed(self) -> None:
        """Forget the socket."""
        self._sockets.discard(self._socket)
