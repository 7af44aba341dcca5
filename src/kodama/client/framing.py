"""Bytes of a stream to records, in whatever pieces they come: SSE, NDJSON and JSONP.

Each reader is fed with `feed` and gives every record that is now complete; what is cut off
in the middle of one is not a record and stays unread.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

RECORD_LIMIT: Final = 4 * 1024 * 1024
_BOM: Final = b"\xef\xbb\xbf"


class TooLong(Exception):
    """A record grew beyond what any server of this protocol sends."""


class Block(NamedTuple):
    """One block of an event stream (WHATWG HTML, 9.2.6) that has data."""

    id: str
    event: str
    data: str


class SseReader:
    """Server-sent events. Comments and blocks without data give nothing, but count as life.

    Lines end with CR LF, LF or CR, also when the two are in different pieces. ``retry`` is the
    last reconnection time in milliseconds, None if there was none.
    """

    __slots__ = ("_after_cr", "_begun", "_data", "_event", "_id", "_rest", "retry")

    def __init__(self) -> None:
        self._rest = b""
        self._begun = False
        self._after_cr = False
        self._id = ""
        self._event = ""
        self._data: list[str] = []
        self.retry: int | None = None

    def feed(self, data: bytes) -> Iterator[Block]:
        """Take a piece and give the blocks that it completes; raises `TooLong`."""
        for line in self._lines(data):
            if line:
                self._field(line)
                continue
            if self._data:
                yield Block(self._id, self._event or "message", "\n".join(self._data))
            self._event, self._data = "", []
        if len(self._rest) > RECORD_LIMIT:
            raise TooLong

    def _lines(self, data: bytes) -> list[bytes]:
        if self._after_cr and data:
            self._after_cr = False
            data = data.removeprefix(b"\n")
        text = self._rest + data
        if not self._begun:
            if len(text) < 3 and _BOM.startswith(text):
                self._rest = text
                return []
            self._begun = True
            text = text.removeprefix(_BOM)
        if b"\r" in text:
            self._after_cr = text.endswith(b"\r")
            text = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        *lines, self._rest = text.split(b"\n")
        return lines

    def _field(self, line: bytes) -> None:
        name, _, value = line.partition(b":")
        text = value.removeprefix(b" ").decode("utf-8", "replace")
        if name == b"data":
            self._data.append(text)
        elif name == b"id":
            if "\0" not in text:
                self._id = text
        elif name == b"event":
            self._event = text
        elif name == b"retry" and text.isascii() and text.isdigit():
            self.retry = int(text)


class LineReader:
    """NDJSON: one record a line, blank lines are signs of life."""

    __slots__ = ("_rest",)

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Take a piece and give the lines that it completes; raises `TooLong`."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > RECORD_LIMIT:
            raise TooLong
        for line in lines:
            if line.strip():
                yield line


def unwrapped(body: bytes, *, callback: str) -> bytes | None:
    """Return the JSON inside ``/**/callback(…);``, or None if the body is not that call."""
    head, tail = f"/**/{callback}(".encode(), b");"
    if not body.startswith(head) or not body.endswith(tail):
        return None
    return body[len(head) : -len(tail)]
