"""One HTTP/1.1 connection: bytes in, requests to the application, answers out, in order.

How its states follow each other is drawn in `kodama.http.states`.

A client that polls sends the same header block each time. The block that was accepted last is
remembered (never one with a body, an upgrade or an expectation), and when it comes again, byte
for byte, only the request line is looked at: at 1,000 waiting clients with browser-sized
headers this saves about a quarter of the server's time per delivery.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import TYPE_CHECKING, Any, Final

from twisted.internet.interfaces import IProtocol, IPushProducer, ISSLTransport, ITransport
from twisted.python.failure import Failure
from zope.interface import implementer

from kodama.http.fanout import NO_SEAT, NOT_ASKED, take_seat
from kodama.http.link import ChannelLink
from kodama.http.message import Answer, Fields, Headers, Holder, Line, Own, Refusal, Request, T, encode_head
from kodama.http.parser import Chunks, Head, Refused, Whole, unfinished
from kodama.http.states import State
from kodama.http.stream import Stream, nowhere, pause_early
from kodama.http.timers import TICK
from kodama.http.tunnel import Link, Tunnel

if TYPE_CHECKING:
    from kodama.http.factory import HttpFactory
    from kodama.http.lot import Lot

# Looking a member up in an Enum costs more than a global, and a poll does it four times.
_HEAD, _BODY, _BUSY, _PARKED, _LINGER, _TUNNEL = State


@implementer(IProtocol, IPushProducer)
class Channel:
    """The protocol of one connection. Slots, because thousands of them wait."""

    __slots__ = (
        "__weakref__", "_block", "_body", "_buffer", "_factory", "_headers", "_holder", "_in_turn", "_own",
        "_paused", "_request", "_scanned", "_seat", "_state", "_tunnel", "_write", "deadline", "factory",
        "peer", "slot", "transport",
    )  # fmt: skip

    unwrapped: Final = True  # a reactor that knows the word calls `dataReceived` without a frame between

    def __init__(self, factory: HttpFactory) -> None:
        self.factory = self._factory = factory
        self.transport: Any = None  # of TCP, TLS or a UNIX socket; no interface names all that is used
        self.peer = ""
        self.slot, self.deadline = 0.0, inf
        self._state = _HEAD
        self._block = b""  # ends no data
        self._headers: Headers | None = None
        self._own: Own | None = None
        self._buffer: bytearray | None = None
        self._body: tuple[Head, Chunks | Whole] | None = None
        self._request: Request | None = None
        self._holder: Holder | Lot | None = None
        self._tunnel: Tunnel | None = None
        self._paused = self._in_turn = False
        self._scanned = 0
        self._seat = NOT_ASKED

    def makeConnection(self, transport: ITransport) -> None:
        """Twisted: the connection is open."""
        self.transport = transport
        self._write: Callable[[bytes], None] = transport.write
        self.peer = getattr(transport.getPeer(), "host", "")
        self.transport.registerProducer(self, True)
        if self._factory.opened(self):
            self._factory.wheel.arm(self, self._factory.seconds() + self._factory.limits.idle)

    def connectionMade(self) -> None:
        """Twisted: part of `IProtocol`; all is done in `makeConnection`."""

    def connectionLost(self, reason: Failure) -> None:
        """Twisted: the connection is gone, and with it whatever was asked on it."""
        self._factory.closed(self)
        self._factory.wheel.drop(self)
        self._leave()
        self._state = _LINGER
        self._buffer = self._body = self.transport = None
        self._write = nowhere
        self._seat = NO_SEAT
        self._forget()

    def _leave(self) -> None:
        """Wait in no lot any more."""
        if self._state is _PARKED:
            lot: Any = self._holder
            self._holder = None
            lot.leave(self)

    def _forget(self) -> None:
        """Tell whoever waits to answer, or speaks here, that nobody listens any more."""
        request, tunnel = self._request, self._tunnel
        holder: Any = self._holder
        self._request = self._holder = self._tunnel = self._own = None
        if tunnel is not None:
            tunnel.lost()
        if isinstance(holder, Stream):
            holder.gone()
            return
        if request is None or request.channel is None:
            return
        request.channel = None
        request.gone = True
        if holder is not None:
            holder.gone(request)

    def logPrefix(self) -> str:
        """Twisted: how log lines of this connection begin."""
        return "http"

    def dataReceived(self, data: bytes) -> None:
        """Twisted: bytes have come. The first branch is the one that a poll takes."""
        block = self._block
        if self._state is _HEAD and self._buffer is None and (raw := data.removesuffix(block)) is not data:
            if self._own is not None and not self._paused and self._asks_again(raw):
                return
            factory = self._factory
            line = factory.lines.get(raw)
            if line is None and data.find(b"\r\n", 0, len(raw) + 2) == len(raw):
                line = self._new_line(raw)
            if line is not None and not self._paused:
                headers: Any = self._headers
                lot = line.lot
                if lot is not None and headers.cleared is lot.clearance and self._own is None:
                    lot.waiting[self] = None  # as `park`, whose call is 0.1 us of about 7 a delivery
                    self._holder = lot
                    self._state = _PARKED
                    seconds = lot.seconds
                    deadline = factory.seconds() + (lot.hold() if seconds is None else seconds)
                    if self.slot and self.slot * TICK <= deadline:
                        self.deadline = deadline
                    else:
                        factory.wheel.arm(self, deadline)
                else:
                    self._serve(Request(self, line, headers, own=self._own))
                return
        self._take(data)

    def _asks_again(self, raw: bytes) -> bool:
        """Serve a line with the same own part as the last one; False if it is not of that kind."""
        factory = self._factory
        own: Any = self._own
        shared = raw.replace(own.needle, own.instead, 1)
        line = factory.lines.get(shared)
        if len(shared) == len(raw) or (line is None and (line := factory.line(shared)) is None):
            self._own = None
            return False
        headers: Any = self._headers
        lot, note, now = line.lot, own.memo, factory.seconds()
        if lot is not None and note is not None and lot.keeper.welcome(note, self, headers, now):
            self._enter(lot, note, now=now)
        else:
            self._serve(Request(self, line, headers, own=own))
        return True

    def _enter(self, lot: Lot, note: object, *, now: float) -> None:
        lot.waiting[self] = note
        self._holder, self._state = lot, _PARKED
        self.deadline = deadline = now + (lot.hold() if lot.seconds is None else lot.seconds)
        if not self.slot or self.slot * TICK > deadline:
            self._factory.wheel.arm(self, deadline)

    def _new_line(self, raw: bytes) -> Line | None:
        """Return the shared line of one that this connection has not sent before, if it is a plain GET's."""
        shared, self._own = self._factory.split(raw)
        return self._factory.line(shared)

    def park(self, request: Request, lot: Lot, note: object) -> bool:
        """Let the request that is being served wait in ``lot``; False if it is not of its kind."""
        alike = request.line is lot.line and request.headers is self._headers
        if not alike or not request.keep or request.minor != 1:
            return False
        self._request = None
        self._enter(lot, note, now=self._factory.seconds())
        return True

    def recalled(self, lot: Lot) -> Request:
        """Return what waited in ``lot``, which has let it go, as a request that is being served."""
        assert self._headers is not None
        self._holder = None
        self._state = _BUSY
        self.deadline = inf
        self._request = Request(self, lot.line, self._headers, own=self._own)
        return self._request

    def hold(self, holder: Holder, seconds: float | None) -> None:
        """Park the request that is being served."""
        self._holder = holder
        if seconds is not None:
            factory = self._factory
            factory.wheel.arm(self, factory.seconds() + seconds)

    def answer(self, request: Request, answer: Answer) -> None:
        """Send the answer of the request that is being served, then look at the next one."""
        factory = self._factory
        self._request = self._holder = None
        if request.keep and not factory.draining:
            plain = request.minor == 1 and request.line.method != b"HEAD"
            self._write(answer.wire if plain else answer.kept(request))
            self._next()
            return
        self._write(answer.closing if request.line.method != b"HEAD" else answer.closing_head)
        self._end()

    def stream(self, request: Request, status: int, fields: Fields) -> Stream:
        """Begin an answer in pieces. Of the request nothing is kept but whether it may be followed
        by another, and the transport says at once when the client does not take what it is sent."""
        request.keep = request.keep and not self._factory.draining
        pause_early(self.transport)
        stream = Stream(self, request, status=status, fields=fields, send=self._write, seat=self.sit())
        stream.full = self._paused
        self._holder = stream
        self._request = self._headers = None
        self._block = b""
        self.deadline = inf
        return stream

    def switch(self, request: Request, fields: Fields, tunnel: Callable[[Link], T]) -> T:
        """Leave HTTP."""
        pause_early(self.transport)
        self._write(encode_head(101, fields) + b"\r\n")
        self._request = self._holder = self._headers = None
        self._block = b""
        self._state = _TUNNEL
        self._tunnel = switched = tunnel(ChannelLink(self))
        if self._buffer is not None and not self._in_turn:
            self._turn()
        return switched

    @property
    def write(self) -> Callable[[bytes], None]:
        """Return how bytes are written, without a frame between."""
        return self._write

    def sit(self) -> int:
        """Return the seat under which a `Fanout` reaches the client, or `NO_SEAT`."""
        if self._seat == NOT_ASKED:
            self._seat = take_seat(self.transport, self, self._factory.fanout)
        return self._seat

    def end(self) -> None:
        """End a tunnel once everything is written."""
        self._tunnel = None
        self._linger()

    @property
    def secure(self) -> bool:
        """Return whether TLS ends here."""
        return bool(ISSLTransport.providedBy(self.transport))

    @property
    def full(self) -> bool:
        """Return whether the client does not read what it is sent."""
        return self._paused

    def finished(self) -> None:
        """The stream has ended."""
        stream, self._holder = self._holder, None
        if isinstance(stream, Stream) and stream.keep and not self._factory.draining:
            self._next()
        else:
            self._end()

    def _next(self) -> None:
        factory = self._factory
        self._state = _HEAD
        factory.wheel.arm(self, factory.seconds() + factory.limits.idle)
        if self._buffer is not None and not self._in_turn:
            self._turn()

    def _end(self) -> None:
        if self._buffer:
            self._linger()
        else:
            self.close()

    def close(self) -> None:
        """Close the connection once everything is written."""
        self._leave()
        self._state = _LINGER
        self._buffer = self._body = None
        if self.transport is not None:
            self.transport.unregisterProducer()
            self._factory.wheel.arm(self, self._factory.seconds() + self._factory.limits.closing)
            self.transport.loseConnection()
        self._forget()

    def close_if_idle(self, *, for_seconds: float) -> None:
        """Close the connection if nothing was asked on it for so long."""
        if self._state is _HEAD and self._buffer is None:
            factory = self._factory
            if factory.seconds() + factory.limits.idle - self.deadline >= for_seconds:
                self.close()

    @property
    def asking(self) -> bool:
        """Return whether a request is arriving or being served; else the client only has to read and go."""
        return self._state is not _LINGER and self._state is not _TUNNEL

    def refuse_unless_whole(self) -> None:
        """Refuse a request that has begun but not arrived: the server goes down."""
        if self._state is _BODY or (self._state is _HEAD and self._buffer is not None):
            self._refuse(Refusal(503, "The server is going down; ask again."))

    def timed_out(self) -> None:
        """The wheel: the deadline has passed."""
        if self._state is _BUSY or self._state is _PARKED:
            self._run_out()
        elif self._tunnel is not None:
            self._tunnel.timed_out()
        elif self._state is _LINGER:
            if self.transport is not None:
                self.transport.abortConnection()
        elif self._state is _HEAD and self._buffer is None:
            self.close()
        else:
            self._refuse(Refusal(408, "The request took too long to arrive."))

    def _run_out(self) -> None:
        holder: Any = self._holder
        request = self._request
        try:
            if self._state is _PARKED:
                holder.run_out(self)
            elif holder is not None and request is not None:
                self._holder = None
                holder.expired(request)
        except Exception:  # noqa: BLE001 - as in `_serve`
            request = self._request
            if request is None:
                self.close()
            else:
                request.answer_and_close(self._factory.fault(request, Failure()))

    def pauseProducing(self) -> None:
        """Twisted: the client does not read its answers; serve it no further."""
        self._paused = True
        if isinstance(self._holder, Stream):
            self._holder.filled()
        if self._tunnel is not None:
            self._tunnel.filled()

    def resumeProducing(self) -> None:
        """Twisted: the client reads again."""
        self._paused = False
        if self._buffer is not None and not self._in_turn and self._state in (_HEAD, _BODY):
            self._turn()
        if isinstance(self._holder, Stream):
            self._holder.drained()
        elif self._tunnel is not None:
            self._tunnel.drained()

    def stopProducing(self) -> None:
        """Twisted: the connection is going; `connectionLost` follows."""

    def _take(self, data: bytes) -> None:
        if self._state is _LINGER:
            return
        if self._tunnel is not None and self._buffer is None:
            self._tunnel.received(data)
            return
        if self._buffer is None:
            self._buffer = bytearray(data)
        else:
            self._buffer += data
        if self._in_turn or self._paused or self._state is _BUSY or self._state is _PARKED:
            self._bound()
            return
        self._turn()

    def _bound(self) -> None:
        """Close on a client that sends too far ahead; an answer that is being made allows a body."""
        limits = self._factory.limits
        allowed = limits.held if self._holder is not None else limits.held + limits.body
        if self._buffer is not None and len(self._buffer) > allowed and not self._in_turn:
            self.close()

    def _turn(self) -> None:
        """Serve what has come, one request after the other, without recursion."""
        if self._in_turn or self._state is _LINGER:
            return
        self._in_turn = True
        left = self._factory.limits.turn
        try:
            while left and self._step():
                left -= self._state is not _BODY
            if not left:
                self._factory.clock.callLater(0, self._turn)
        except Refused as error:
            self._refuse(error.refusal)
        finally:
            self._in_turn = False
        if self._state is _BUSY or self._state is _PARKED:
            self._bound()

    def _step(self) -> bool:
        """Read a head or a body; False if nothing more can be done with what has come."""
        buffer = self._buffer
        if buffer is None or self._paused:
            return False
        if self._state is _HEAD:
            more = self._read_head(buffer)
        elif self._state is _BODY:
            more = self._read_body(buffer)
        elif self._tunnel is not None:
            self._buffer = None
            self._tunnel.received(bytes(buffer))
            return False
        else:
            return False
        if self._buffer is not None and not self._buffer:
            self._buffer = None
        return more

    def _read_head(self, buffer: bytearray) -> bool:
        limits = self._factory.limits
        while not self._scanned and buffer.startswith(b"\r\n"):  # RFC 9112 section 2.2
            del buffer[:2]
        if not buffer or buffer == b"\r":  # may yet be such an empty line, and so no request has begun
            return False
        end = buffer.find(b"\r\n\r\n", max(0, self._scanned - 3), limits.header_bytes + 4)
        if end < 0:
            unfinished(buffer, limits, start=max(0, self._scanned - 1))
            if not self._scanned:
                self._factory.wheel.arm(self, self._factory.seconds() + limits.header_time)
            self._scanned = len(buffer)
            return False
        self._scanned = 0
        raw = bytes(buffer[: end + 4])
        head = self._factory.head(raw, limits)
        del buffer[: end + 4]
        if head.length == 0:
            self._whole(head, b"")
            return True
        self._state = _BODY
        self._body = (head, Chunks(limits.body) if head.length is None else Whole(head.length))
        self._factory.wheel.arm(self, self._factory.seconds() + limits.body_time)
        if head.expects and len(buffer) < (head.length or 5):
            self._write(b"HTTP/1.1 100 Continue\r\n\r\n")
        return True

    def _read_body(self, buffer: bytearray) -> bool:
        assert self._body is not None
        head, coming = self._body
        body = coming.feed(buffer)
        if body is None:
            return False
        self._body = None
        self._whole(head, body)
        return True

    def _whole(self, head: Head, body: bytes) -> None:
        factory = self._factory
        headers = factory.headers(head.block)
        line = own = None
        if head.plain and len(head.block) <= factory.limits.remembered:
            self._headers, self._block = headers, headers.block
            line, own = self._new_line(head.line), self._own
        if line is None:
            line, own = Line(head.method, head.target), None
        self._serve(Request(self, line, headers, body=body, minor=head.minor, keep=head.keep, own=own))

    def _serve(self, request: Request) -> None:
        self._state = _BUSY
        self._request = request
        self.deadline = inf
        try:
            self._factory.respond(request)
        except Exception:  # noqa: BLE001 - nobody else's connection may suffer
            answer = self._factory.fault(request, Failure())
            if isinstance(self._holder, Stream):
                self.close()  # an answer has begun, and its end would look like a whole one
            else:
                request.answer_and_close(answer)

    def _refuse(self, refusal: Refusal) -> None:
        self._write(self._factory.refuse(refusal).closing)
        self._linger()

    def _linger(self) -> None:
        """End our side and let the other finish: a close with unread bytes would be a reset,
        which can destroy the answer on its way (RFC 9112 section 9.6)."""
        transport = self.transport
        half_close = getattr(transport, "loseWriteConnection", None)
        if half_close is None or ISSLTransport.providedBy(transport):
            self.close()
            return
        self._state = _LINGER
        self._buffer = self._body = None
        transport.unregisterProducer()
        self._factory.wheel.arm(self, self._factory.seconds() + self._factory.limits.linger)
        half_close()
