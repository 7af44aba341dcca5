"""Stands before an honest server and forges what it streams: records of SSE and NDJSON, frames of WebSocket."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from enum import Enum

READ = 65536


class Forgery(Enum):
    """What becomes of two pieces that follow each other; each piece is one or more events."""

    NONE = "nothing"
    DROPPED = "the first is dropped"
    DOUBLED = "the first is sent twice"
    SWAPPED = "they are sent in the other order"


class Forger:
    """Passes everything on, and spoils ``times`` streams at their fourth piece that is not a keep-alive."""

    def __init__(self, port: int, forgery: Forgery, *, times: int = 3) -> None:
        self._port = port
        self._forgery = forgery
        self.left = times
        self._server: asyncio.Server | None = None
        self._serving: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Forger:
        """Listen."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *reason: object) -> None:
        """Close everything."""
        assert self._server is not None
        self._server.close()
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)

    @property
    def url(self) -> str:
        """Return where it pretends to be a server."""
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        try:
            below, above = await asyncio.open_connection("127.0.0.1", self._port)
        except OSError:
            writer.close()
            return
        both = [
            asyncio.create_task(self._pass(reader, above)), asyncio.create_task(self._down(below, writer))
        ]  # fmt: skip
        try:
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in both:
                one.cancel()
            await asyncio.gather(*both, return_exceptions=True)
            above.transport.abort()
            writer.close()

    async def _pass(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while data := await source.read(READ):
            _send(sink, data)

    async def _down(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        head = await source.readuntil(b"\r\n\r\n")
        _send(sink, head)
        if head.startswith(b"HTTP/1.1 101"):
            await self._stream(source, sink, _frame)
        elif b"\r\nTransfer-Encoding: chunked\r\n" in head:
            await self._stream(source, sink, _chunk)
        else:
            await self._pass(source, sink)

    async def _stream(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter,
        piece: Callable[[asyncio.StreamReader], Coroutine[None, None, bytes]],
    ) -> None:  # fmt: skip
        passed = 0
        while True:
            first = await piece(source)
            passed += len(first) > 100
            if passed == 4 and len(first) > 100 and self.left:
                self.left -= 1
                for one in self._forged(first, await piece(source)):
                    _send(sink, one)
            else:
                _send(sink, first)

    def _forged(self, first: bytes, second: bytes) -> Iterator[bytes]:
        match self._forgery:
            case Forgery.NONE:
                yield first + second
            case Forgery.DROPPED:
                yield second
            case Forgery.DOUBLED:
                yield first + first + second
            case Forgery.SWAPPED:
                yield second + first


def _send(sink: asyncio.StreamWriter, data: bytes) -> None:
    if sink.is_closing():
        raise ConnectionResetError
    sink.write(data)


async def _chunk(source: asyncio.StreamReader) -> bytes:
    """Read a chunk of RFC 9112, section 7.1."""
    size = await source.readuntil(b"\r\n")
    return size + await source.readexactly(int(size, 16) + 2)


async def _frame(source: asyncio.StreamReader) -> bytes:
    """Read a frame of RFC 6455, section 5.2, as a server sends it."""
    head = await source.readexactly(2)
    length = head[1]
    if length >= 126:
        more = await source.readexactly(2 if length == 126 else 8)
        head, length = head + more, int.from_bytes(more)
    return head + await source.readexactly(length)
