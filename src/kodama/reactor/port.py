"""A listening TCP port whose connections are uvloop's own.

Decides that binding stays Twisted's (its errors, its options, its adopted sockets) and accepting
becomes uvloop's. With a socket given, ``create_server`` finishes in its first step, so listening
is synchronous as Twisted promises.
"""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, Any, cast

from twisted.internet import tcp
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.logger import Logger

from kodama.reactor.transport import Connection

if TYPE_CHECKING:
    from kodama.reactor.uvloop import UvloopReactor


class Accepting(asyncio.Protocol):
    """Stands in until a connection is open, then puts a `Connection` in its own place."""

    _log = Logger()

    def __init__(self, port: Port) -> None:
        self._port = port

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The loop: a peer has connected."""
        raw = cast(asyncio.Transport, transport)
        try:
            self._open(raw)
        except Exception:  # noqa: BLE001  # a factory's fault ends this connection, not the port
            self._log.failure("A connection could not be set up")
            raw.abort()

    def _open(self, raw: asyncio.Transport) -> None:
        port = self._port
        peer = port.address_of(raw.get_extra_info("peername"))
        protocol = port.factory.buildProtocol(peer)
        if protocol is None:
            raw.abort()
            return
        host = port.address_of(raw.get_extra_info("sockname"))
        connection = Connection(raw, protocol, peer, host, port.reactor)
        port.reactor.connections.add(connection)
        protocol.makeConnection(connection)


class Port(tcp.Port):
    """Twisted's port, listening through uvloop."""

    reactor: UvloopReactor
    factory: Any
    _server: asyncio.Server | None = None

    def startReading(self) -> None:
        """Let uvloop accept from now on."""
        if self._server is not None:
            return
        accepting = Accepting(self)
        opening = self.reactor.loop.create_server(
            lambda: accepting, sock=self.socket, backlog=self.backlog or 50
        )
        try:
            opening.send(None)
        except StopIteration as done:
            self._server = done.value
        else:
            opening.close()
            raise RuntimeError("uvloop did not listen at once on an open socket")

    def stopReading(self) -> None:
        """Accept no more; uvloop closes the socket with it."""
        server, self._server = self._server, None
        if server is not None:
            server.close()

    def address_of(self, name: tuple[Any, ...]) -> IPv4Address | IPv6Address:
        """Twisted's address for what the kernel calls ``name``, with the scope of a link-local one."""
        if len(name) == 4:
            numeric = socket.getnameinfo(name, socket.NI_NUMERICHOST | socket.NI_NUMERICSERV)
            return IPv6Address("TCP", numeric[0], *name[1:])
        return IPv4Address("TCP", *name)
