"""Request lines and header blocks that many connections share, byte for byte.

Decided here: what may be remembered (a plain GET's line that is not too long) and that the
memory is bounded by forgetting all of it.
"""

from __future__ import annotations

import re
from typing import Final

from kodama.http.message import Headers, Line

_GET: Final = re.compile(rb"GET (/[!-\"$-~]*) HTTP/1\.1")
_SHARED_LIMIT: Final = 4096


class Remembered:
    """Lines of at most ``line_limit`` bytes, and blocks; both were accepted by the parser once."""

    __slots__ = ("_blocks", "_line_limit", "lines")

    def __init__(self, line_limit: int) -> None:
        self._line_limit = line_limit
        self.lines: dict[bytes, Line] = {}
        self._blocks: dict[bytes, Headers] = {}

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

    def headers(self, block: bytes) -> Headers:
        """Return the shared `Headers` of an accepted block."""
        headers = self._blocks.get(block)
        if headers is None:
            if len(self._blocks) >= _SHARED_LIMIT:
                self._blocks.clear()
            headers = self._blocks[block] = Headers(block)
        return headers
