"""Request lines and header blocks that many connections share, byte for byte.

Decided here: what may be remembered (a plain GET's line that is not too long; header blocks, with
what the application made of them; whole heads of requests with a body), that one parameter by which
clients that ask the same differ is cut out first and kept with the connection, so that a thousand of
them share one line, and that the memory is bounded by forgetting all of it.
"""

from __future__ import annotations

import re
from typing import Final

from kodama.http.limits import Limits
from kodama.http.message import Headers, Line, Own
from kodama.http.parser import Head, read_head

_GET: Final = re.compile(rb"GET (/[!-\"$-~]*) HTTP/1\.1")
_SHARED_LIMIT: Final = 4096
_HEADS_LIMIT: Final = 1024
_HEAD_BYTES: Final = 1024


class Remembered:
    """Lines of at most ``line_limit`` bytes, and blocks of at most ``block_limit``; both were accepted
    by the parser once.

    ``own`` is a regular expression for the parameter, ``name=value``, that is a client's own; of
    a line with two of it nothing is cut out.
    """

    __slots__ = ("_block_limit", "_blocks", "_heads", "_line_limit", "_own", "lines")

    def __init__(self, line_limit: int, *, block_limit: int, own: bytes | None = None) -> None:
        self._line_limit = line_limit
        self._block_limit = block_limit
        self._own = None if own is None else re.compile(rb"(?:^\?|&)(" + own + rb")(?=[& ])")
        self.lines: dict[bytes, Line] = {}
        self._blocks: dict[bytes, Headers] = {}
        self._heads: dict[bytes, Head] = {}

    def head(self, raw: bytes, limits: Limits) -> Head:
        """Return the head of a request; raises `Refused`.

        One with a body that was accepted is not read again: who publishes sends the same bytes
        each time, but for a length of few values. This took 3.7 us of the loop while warm, and takes 0.06.
        """
        head = self._heads.get(raw)
        if head is None:
            head = read_head(raw, limits)
            if head.repeats and len(raw) <= _HEAD_BYTES:
                if len(self._heads) >= _HEADS_LIMIT:
                    self._heads.clear()
                self._heads[raw] = head
        return head

    def line(self, raw: bytes) -> Line | None:
        """Return the shared `Line` of a plain GET's request line, or None if it is not one."""
        line = self.lines.get(raw)
        if line is None:
            match = _GET.fullmatch(raw)
            if match is None or len(raw) > self._line_limit:
                return None
            if len(self.lines) >= _SHARED_LIMIT:
                self.lines.clear()
            line = self.lines[raw] = Line(b"GET", match[1])
        return line

    def split(self, raw: bytes) -> tuple[bytes, Own | None]:
        """Return a request line without what is the client's own in it, and that."""
        query = raw.find(b"?")
        if self._own is None or query < 0:
            return raw, None
        found = list(self._own.finditer(raw[query:]))
        if len(found) != 1:
            return raw, None
        start, end = query + found[0].start(), query + found[0].end()
        value = found[0][1].partition(b"=")[2]
        begin = 0 if start == query else start  # with all before it, a first parameter is found only there
        if raw[end : end + 1] == b"&":
            own = Own(raw[begin : end + 1], raw[begin : start + 1], value)
            return raw[:begin] + own.instead + raw[end + 1 :], own
        own = Own(raw[begin:], raw[begin:start] + raw[end:], value)
        return raw[:begin] + own.instead, own

    def headers(self, block: bytes) -> Headers:
        """Return the `Headers` of an accepted block: shared, whatever the line was, unless it is long."""
        headers = self._blocks.get(block)
        if headers is None:
            if len(block) > self._block_limit:
                return Headers(block)
            if len(self._blocks) >= _SHARED_LIMIT:
                self._blocks.clear()
            headers = self._blocks[block] = Headers(block)
        return headers
