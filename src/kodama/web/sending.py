"""A file as an answer, read a piece at a time.

Decided here: of a file no more is in memory than one piece for each client, however many there are and
however slowly they take it; nor is it kept open meanwhile. One that goes while it is sent is cut.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThreadPool

from kodama.http.message import Answer, Fields, Request
from kodama.http.stream import Stream

PIECE: Final = 64 * 1024


async def send_file(request: Request, path: Path, fields: Fields, *, reactor: Any) -> None:
    """Answer ``request`` with the file at ``path``, which does not change. Raises FileNotFoundError."""
    size, piece = await _on_thread(reactor, _begun, path)
    if len(piece) == size and request.line.method != b"HEAD":
        request.answer(Answer(200, piece, fields))
        return
    if request.answered:  # its client has gone meanwhile
        return
    stream = request.stream(200, (*fields, ("Content-Length", str(size))))
    if not stream.silent:
        with suppress(OSError):
            stream.keep = await _Sending(stream, path, size, reactor).send(piece) and stream.keep
    stream.finish()


class _Sending:
    """One client that is sent a file."""

    def __init__(self, stream: Stream, path: Path, size: int, reactor: Any) -> None:
        self._stream = stream
        self._path = path
        self._size = size
        self._reactor = reactor
        self._waiting: Deferred[None] | None = None
        self._gone = False
        stream.on_drained = self._go_on
        stream.on_gone = self._leave

    async def send(self, piece: bytes) -> bool:
        """Send all of it, from its first piece on; return whether that was all."""
        sent = 0
        while piece and not self._gone:
            self._stream.write(piece)
            sent += len(piece)
            if self._stream.full:
                self._waiting = Deferred()
                await self._waiting
            if sent >= self._size or self._gone:
                break
            piece = await _on_thread(self._reactor, _piece, self._path, sent)
        return sent >= self._size

    def _go_on(self) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.callback(None)

    def _leave(self) -> None:
        self._gone = True
        self._go_on()


def _on_thread(reactor: Any, work: Any, *given: Any) -> Any:
    return deferToThreadPool(reactor, reactor.getThreadPool(), work, *given)


def _begun(path: Path) -> tuple[int, bytes]:
    return path.stat().st_size, _piece(path, 0)


def _piece(path: Path, offset: int) -> bytes:
    with path.open("rb") as file:
        file.seek(offset)
        return file.read(PIECE)
