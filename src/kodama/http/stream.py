"""An answer in pieces, for as long as the client listens.

Decided here: how a piece is framed (chunks in HTTP/1.1, bare bytes ended by the close in
HTTP/1.0), and that a slow reader is seen, not waited for: `Stream.writable` turns false when
the transport is full, and `Stream.on_drained` tells when it has room again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from kodama.http.message import BODILESS, Fields, Request, encode_head


class Outlet(Protocol):
    """The connection that a stream writes to."""

    def send(self, data: bytes) -> None:
        """Write bytes."""

    def finished(self, request: Request) -> None:
        """The stream has ended; the connection may serve the next request."""

    @property
    def full(self) -> bool:
        """Whether the client does not keep up."""


def _nothing() -> None:
    return None


class Stream:
    """One streamed answer. A `Holder`, so that the connection tells it when the client goes."""

    __slots__ = ("_chunked", "_outlet", "_request", "on_drained", "on_gone", "silent")

    def __init__(self, outlet: Outlet, request: Request, *, status: int, fields: Fields) -> None:
        self._prepare(outlet, request, status=status)
        if request.minor == 0 and not self.silent:
            request.keep = False
        head = encode_head(status, fields)
        if not self.silent and self._chunked:
            head += b"Transfer-Encoding: chunked\r\n"
        if not request.keep:
            head += b"Connection: close\r\n"
        elif request.minor == 0:
            head += b"Connection: keep-alive\r\n"
        outlet.send(head + b"\r\n")

    def _prepare(self, outlet: Outlet, request: Request, *, status: int) -> None:
        self._outlet: Outlet | None = outlet
        self._request = request
        self._chunked = request.minor == 1
        self.silent = request.line.method == b"HEAD" or status in BODILESS
        self.on_drained: Callable[[], None] = _nothing
        self.on_gone: Callable[[], None] = _nothing

    @classmethod
    def framed_elsewhere(cls, outlet: Outlet, request: Request, *, status: int) -> Stream:
        """Return a stream over a server that writes the head and frames the pieces itself."""
        stream = cls.__new__(cls)
        stream._prepare(outlet, request, status=status)
        stream._chunked = False
        return stream

    @property
    def writable(self) -> bool:
        """Return whether the client is there and keeps up."""
        return self._outlet is not None and not self._outlet.full

    def write(self, data: bytes) -> None:
        """Send a piece; nothing happens when the client is gone or the stream has ended."""
        if self._outlet is None or not data or self.silent:
            return
        self._outlet.send(b"%x\r\n%b\r\n" % (len(data), data) if self._chunked else data)

    def finish(self) -> None:
        """End the answer."""
        outlet, self._outlet = self._outlet, None
        if outlet is not None:
            if self._chunked and not self.silent:
                outlet.send(b"0\r\n\r\n")
            outlet.finished(self._request)

    def drained(self) -> None:
        """The connection: there is room again."""
        if self._outlet is not None:
            self.on_drained()

    def expired(self, request: Request) -> None:
        """Never called: a stream has no limit in time."""

    def gone(self, request: Request) -> None:
        """The connection: the client has gone."""
        self._outlet = None
        self.on_gone()
