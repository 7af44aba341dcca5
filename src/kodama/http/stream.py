"""An answer in pieces, for as long as the client listens.

Decided here: how a piece is framed (chunks in HTTP/1.1, bare bytes ended by the close in
HTTP/1.0 or by the length that the fields say), and that a slow reader is seen, not waited for:
`Stream.writable` turns false when the transport is full, of which `Stream.on_filled` tells, and
`Stream.on_drained` of the end of that.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Protocol

from kodama.http.fanout import NO_SEAT
from kodama.http.message import BODILESS, Fields, Request, encode_head

KEPT: Final = 2048  # bytes, by a transport that always keeps what it is given until the next turn


class Outlet(Protocol):
    """The connection that a stream ends on."""

    def finished(self) -> None:
        """The stream has ended; the connection may serve the next request if `Stream.keep`."""


def nothing() -> None:
    """Do nothing: nobody minds."""


def nowhere(data: bytes) -> None:
    """Drop what is written to a client that is gone."""


def pause_early(transport: Any) -> None:
    """Let ``transport`` say early that the client does not take what it is sent.

    Ours can say it at once. Twisted's own keep 64 KiB first, too much for each of thousands.
    """
    early = getattr(transport, "pauseEarly", None)
    if early is not None:
        early()
    elif hasattr(transport, "bufferSize"):
        transport.bufferSize = KEPT


def chunk(data: bytes) -> bytes:
    """Return ``data``, which is not empty, as a chunk (RFC 9112 section 7.1)."""
    return b"%x\r\n%b\r\n" % (len(data), data)


class Stream:
    """One streamed answer. A `Holder`, so that the connection tells it when the client goes.

    ``full`` is true while the client does not keep up. ``send`` writes bytes as they are: whoever
    streams the same to thousands makes one piece for all, with `chunk` where ``chunked``, and may
    have a `Fanout` write it to ``seat``.
    """

    __slots__ = ("_outlet", "chunked", "full", "keep", "on_drained", "on_filled", "on_gone", "seat", "send",
                 "silent")  # fmt: skip

    def __init__(
        self, outlet: Outlet, request: Request, *, status: int, fields: Fields,
        send: Callable[[bytes], None], seat: int = NO_SEAT,
    ) -> None:  # fmt: skip
        self.silent: bool
        self.chunked: bool
        self.keep: bool
        self._prepare(outlet, request, status=status, send=send, seat=seat)
        if request.minor == 0 and not self.silent:
            self.keep = False
        if any(name == "Content-Length" for name, _ in fields):
            self.chunked = False
        head = encode_head(status, fields)
        if not self.silent and self.chunked:
            head += b"Transfer-Encoding: chunked\r\n"
        if not self.keep:
            head += b"Connection: close\r\n"
        elif request.minor == 0:
            head += b"Connection: keep-alive\r\n"
        send(head + b"\r\n")

    def _prepare(
        self, outlet: Outlet, request: Request, *, status: int, send: Callable[[bytes], None], seat: int
    ) -> None:
        self._outlet: Outlet | None = outlet
        self.keep = request.keep
        self.chunked = request.minor == 1
        self.silent = request.line.method == b"HEAD" or status in BODILESS
        self.full = False
        self.send, self.seat = (nowhere, NO_SEAT) if self.silent else (send, seat)
        self.on_drained: Callable[[], None] = nothing
        self.on_filled: Callable[[], None] = nothing
        self.on_gone: Callable[[], None] = nothing

    @classmethod
    def framed_elsewhere(
        cls, outlet: Outlet, request: Request, *, status: int, send: Callable[[bytes], None]
    ) -> Stream:
        """Return a stream over a server that writes the head and frames the pieces itself."""
        stream = cls.__new__(cls)
        stream._prepare(outlet, request, status=status, send=send, seat=NO_SEAT)
        stream.chunked = False
        return stream

    @property
    def writable(self) -> bool:
        """Return whether the client is there and keeps up."""
        return self._outlet is not None and not self.full

    def write(self, data: bytes) -> None:
        """Send a piece; nothing happens when the client is gone or the stream has ended."""
        if data:
            self.send(chunk(data) if self.chunked else data)

    def finish(self) -> None:
        """End the answer."""
        outlet, self._outlet = self._outlet, None
        if outlet is not None:
            if self.chunked:
                self.send(b"0\r\n\r\n")
            self.send, self.seat = nowhere, NO_SEAT
            outlet.finished()

    def filled(self) -> None:
        """The connection: the client does not take what it is sent."""
        self.full = True
        self.on_filled()

    def drained(self) -> None:
        """The connection: there is room again."""
        self.full = False
        if self._outlet is not None:
            self.on_drained()

    def expired(self, request: Request) -> None:
        """Never called: a stream has no limit in time."""

    def gone(self, request: Request | None = None) -> None:
        """The connection: the client has gone."""
        self._outlet = None
        self.send, self.seat = nowhere, NO_SEAT
        self.on_gone()
