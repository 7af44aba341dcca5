"""One accepted connection: uvloop's transport, offered to a Twisted protocol as `ITCPTransport`.

Decides that nothing of ours needs to stand between the two: ``write`` is uvloop's bound
``write``, and for a protocol with a true attribute ``unwrapped`` its own bound ``dataReceived``
is what uvloop calls. Any other protocol gets what Twisted gives: its log prefix around each piece
of data, and ``dataReceived`` looked up anew each time. uvloop remembers ``data_received`` when it
is given a protocol, so giving a connection a new one goes through ``protocol``, which tells uvloop
again. Slots, because every waiting client holds one of these.

``startTLS`` turns the connection into a `Secured`, a face of Twisted's TLS protocol, which
itself sits on a new, bare `Connection` over the same uvloop transport.
"""

from __future__ import annotations

import socket
import struct
from asyncio import Transport
from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.error import ConnectionAborted, ConnectionDone, ConnectionLost
from twisted.internet.interfaces import (
    IConsumer,
    IHalfCloseableProtocol,
    ILoggingContext,
    IPushProducer,
    ISSLTransport,
    ITCPTransport,
    ITLSTransport,
)
from twisted.logger import Logger
from twisted.protocols.tls import TLSMemoryBIOFactory
from twisted.python import log
from twisted.python.failure import Failure
from zope.interface import implementer

from kodama.reactor.fanout import NO_SEAT
from kodama.reactor.pull import Pull

if TYPE_CHECKING:
    from kodama.reactor.uvloop import UvloopReactor

_RESET_ON_CLOSE: Final = struct.pack("ii", 1, 0)
_log: Final = Logger()


def _drop(data: bytes) -> None:
    """Write to nobody: the connection is gone."""


def _pass_on(protocol: Any, context: dict[str, object], data: bytes) -> None:
    """Give data to a protocol under its name in the log."""
    log.callWithContext(context, protocol.dataReceived, data)


@implementer(ITLSTransport, ITCPTransport, IConsumer, IPushProducer)
class Connection:
    """The adapter: an asyncio protocol on one side, a Twisted transport on the other."""

    __slots__ = (
        "__weakref__", "_full", "_host", "_peer", "_protocol", "_raw", "_reactor", "_reason", "_seat",
        "connected", "data_received", "disconnecting", "producer", "streamingProducer", "write",
    )  # fmt: skip

    TLS = False
    disconnected = property(lambda self: not self.connected)

    def __init__(
        self,
        raw: Transport,
        protocol: Any,
        peer: IPv4Address | IPv6Address,
        host: IPv4Address | IPv6Address,
        reactor: UvloopReactor,
    ) -> None:
        self._raw = raw
        self._peer, self._host, self._reactor = peer, host, reactor
        self._reason: BaseException | None = None
        self._full = False
        self._seat = NO_SEAT
        self.connected = True
        self.disconnecting = False
        self.producer: Any = None
        self.streamingProducer = False
        self.write: Callable[[bytes], None] = raw.write
        self.protocol = protocol

    @property
    def protocol(self) -> Any:
        """The Twisted protocol that receives the data."""
        return self._protocol

    @protocol.setter
    def protocol(self, protocol: Any) -> None:
        self._protocol = protocol
        self.data_received: Callable[[bytes], None]
        if getattr(protocol, "unwrapped", False):
            self.data_received = protocol.dataReceived
        else:
            self.data_received = partial(_pass_on, protocol, {"system": self.logPrefix(), "isError": 0})
        self._raw.set_protocol(self)  # type: ignore[arg-type]  # uvloop asks for the methods, not the class

    def eof_received(self) -> bool:
        """The loop: the peer has ended its side; a protocol that can half-close goes on writing."""
        half = IHalfCloseableProtocol(self._protocol, None)
        if half is None:
            return False
        try:
            half.readConnectionLost()
        except Exception as problem:  # noqa: BLE001  # whatever the protocol raises ends only this connection
            _log.failure("A protocol failed at the end of its input")
            self._reason = problem
            return False
        return True

    def connection_lost(self, problem: BaseException | None) -> None:
        """The loop: the connection is gone."""
        if self._reason is None and problem is None:
            reason: BaseException = ConnectionDone()
        elif self._reason is not None:
            reason = self._reason
        elif isinstance(problem, OSError):
            reason = ConnectionLost(str(problem))
        else:
            assert problem is not None
            reason = problem
        self.connectionLost(Failure(reason))

    def connectionLost(self, reason: Failure) -> None:
        """Tell producer and protocol once that the connection is gone."""
        if not self.connected:
            return
        self.connected = False
        self.write = _drop  # uvloop refuses to write on a closed transport, Twisted is silent
        self._reactor.connections.discard(self)
        self._raw.abort()
        producer, self.producer = self.producer, None
        try:
            if producer is not None:
                producer.stopProducing()
        finally:
            protocol = self._protocol
            try:
                protocol.connectionLost(reason)
            finally:
                self._leaveSeat()

    def pause_writing(self) -> None:
        """The loop: its buffer is full."""
        self._full = True
        if self.producer is not None:
            self.producer.pauseProducing()

    def resume_writing(self) -> None:
        """The loop: its buffer has room again."""
        self._full = False
        if self.producer is not None and self.connected:
            self.producer.resumeProducing()
            self._close_if_told()

    def pauseEarly(self) -> None:
        """From now on pause the producer as soon as the kernel does not take everything.

        Usually 64 KiB are kept for the peer first, which is too much for each of thousands.
        """
        self._raw.set_write_buffer_limits(0)

    def takeSeat(self, protocol: Any) -> int:
        """Let `Fanout.write` reach this connection, too, as ``protocol``, whose own it must be: what
        stands between the two, such as TLS, would be passed by. Returns the seat, or `NO_SEAT`.

        The producer is paused early from now on, so that who is not paused has nothing unwritten, which
        what is written that way would overtake.
        """
        if protocol is not self._protocol or not self.connected or self.disconnecting:
            return NO_SEAT
        if self._seat == NO_SEAT and not self._raw.get_write_buffer_size():
            self._seat = self._reactor.fanout.seat(self.fileno())
            if self._seat != NO_SEAT:
                self.pauseEarly()
        return self._seat

    def _leaveSeat(self) -> None:
        seat, self._seat = self._seat, NO_SEAT
        if seat != NO_SEAT:
            self._reactor.fanout.leave(seat)

    def writeSequence(self, iovec: Iterable[bytes]) -> None:
        """Write the pieces in one go; raises TypeError if one is not bytes."""
        pieces = list(iovec)
        if any(isinstance(piece, str) for piece in pieces):
            raise TypeError("Data must be bytes")
        self.write(b"".join(pieces))

    def loseConnection(self, reason: object = None) -> None:
        """Close when all is written, and a producer that waits for its turn has had it.

        As with Twisted's own transports a push producer that has room, and so could have written,
        is not waited for: TLS ends a failed handshake with the producer of what it protects in place.
        """
        self.disconnecting = True
        self._close_if_told()

    def abortConnection(self) -> None:
        """Close at once, with a reset; what is unwritten is dropped."""
        if not self.connected or isinstance(self._reason, ConnectionAborted):
            return
        self.disconnecting = True
        self._reason = ConnectionAborted()
        self._option(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self._raw.abort()

    def loseWriteConnection(self) -> None:
        """End our side when all is written; the peer may go on."""
        if self.connected and not self._raw.is_closing():
            self._raw.write_eof()
            half = IHalfCloseableProtocol(self._protocol, None)
            if half is not None:
                self._reactor.loop.call_soon(half.writeConnectionLost)

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """Let a push or pull producer write as fast as the peer reads."""
        if self.producer is not None:
            raise RuntimeError(f"{self.producer!r} is not unregistered, so {producer!r} cannot be registered")
        if not self.connected:
            producer.stopProducing()
            return
        self.streamingProducer = streaming
        if streaming:
            self.producer = producer
            return
        self.producer = Pull(producer, self._reactor)
        self.producer.resumeProducing()

    def unregisterProducer(self) -> None:
        """Forget the producer; a close that waited for it happens now."""
        if isinstance(self.producer, Pull):
            self.producer.pauseProducing()
        self.producer = None
        self._close_if_told()

    def _close_if_told(self) -> None:
        if self.disconnecting and (self.producer is None or (self.streamingProducer and not self._full)):
            self._raw.close()

    def pauseProducing(self) -> None:
        """Read no more until `resumeProducing`; meanwhile the peer's close is not noticed either."""
        if self.connected and not self._raw.is_closing():
            self._raw.pause_reading()

    def resumeProducing(self) -> None:
        """Read again."""
        if self.connected and not self._raw.is_closing():
            self._raw.resume_reading()

    @property
    def reading(self) -> bool:
        """Whether the peer is listened to at the moment."""
        return self.connected and self._raw.is_reading()

    startReading = resumeProducing
    stopReading = pauseProducing

    def stopProducing(self) -> None:
        """Close the connection."""
        self.loseConnection()

    def getPeer(self) -> IPv4Address | IPv6Address:
        """The address of the other end, as it was at connect."""
        return self._peer

    def getHost(self) -> IPv4Address | IPv6Address:
        """The address of our end, as it was at connect."""
        return self._host

    def getHandle(self) -> Any:
        """The socket as uvloop shows it; None when closed."""
        return self._raw.get_extra_info("socket")

    def fileno(self) -> int:
        """The socket's number, -1 when closed."""
        handle = self.getHandle()
        return -1 if handle is None else int(handle.fileno())

    def logPrefix(self) -> str:
        """The protocol's name in the log."""
        named = ILoggingContext(self._protocol, None)
        prefix = type(self._protocol).__name__ if named is None else named.logPrefix()
        return f"{prefix},{getattr(self._peer, 'host', '')}"

    def getTcpNoDelay(self) -> bool:
        """Whether small writes are sent at once."""
        return self._is_set(socket.IPPROTO_TCP, socket.TCP_NODELAY)

    def setTcpNoDelay(self, enabled: bool) -> None:
        """Send small writes at once, or gather them."""
        self._option(socket.IPPROTO_TCP, socket.TCP_NODELAY, int(enabled))

    def getTcpKeepAlive(self) -> bool:
        """Whether the kernel probes a silent peer."""
        return self._is_set(socket.SOL_SOCKET, socket.SO_KEEPALIVE)

    def setTcpKeepAlive(self, enabled: bool) -> None:
        """Let the kernel probe a silent peer, or not."""
        self._option(socket.SOL_SOCKET, socket.SO_KEEPALIVE, int(enabled))

    def startTLS(self, contextFactory: Any, normal: bool = True) -> None:
        """Go on in TLS: as its server, or as its client where ``normal`` is false."""
        producer, streaming = self.producer, self.streamingProducer
        if producer is not None:
            self.unregisterProducer()
        self._leaveSeat()
        factory = TLSMemoryBIOFactory(contextFactory, not normal, None)  # type: ignore[arg-type]  # what Twisted's startTLS passes
        secret = factory.protocol(factory, self._protocol, False)
        bare = Connection(self._raw, secret, self._peer, self._host, self._reactor)
        self._reactor.connections.discard(self)
        self._reactor.connections.add(bare)
        self._protocol = secret
        self.write = secret.write
        self.__class__ = Secured
        secret.makeConnection(bare)
        if producer is not None:
            self.registerProducer(producer.producer if isinstance(producer, Pull) else producer, streaming)

    def _option(self, level: int, option: int, value: int | bytes) -> None:
        handle = self.getHandle()
        if handle is not None:
            handle.setsockopt(level, option, value)

    def _is_set(self, level: int, option: int) -> bool:
        handle = self.getHandle()
        return handle is not None and bool(handle.getsockopt(level, option))


@implementer(ISSLTransport)
class Secured(Connection):
    """What a `Connection` is after ``startTLS``: writing and closing go through TLS."""

    __slots__ = ()

    TLS = True

    def writeSequence(self, iovec: Iterable[bytes]) -> None:
        """Encrypt and write the pieces."""
        self._protocol.writeSequence(list(iovec))

    def loseConnection(self, reason: object = None) -> None:
        """Say goodbye in TLS, then close."""
        self.disconnecting = True
        self._protocol.loseConnection()

    def abortConnection(self) -> None:
        """Close at once, without a goodbye."""
        self._protocol.abortConnection()

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """Let the producer write as fast as TLS takes it."""
        self._protocol.registerProducer(producer, streaming)

    def unregisterProducer(self) -> None:
        """Forget the producer."""
        self._protocol.unregisterProducer()

    def getPeerCertificate(self) -> Any:
        """The certificate of the peer, if it showed one."""
        return self._protocol.getPeerCertificate()

    def getHandle(self) -> Any:
        """The connection of OpenSSL."""
        return self._protocol.getHandle()
