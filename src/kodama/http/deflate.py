"""``permessage-deflate`` (RFC 7692): what is agreed to, and messages packed and unpacked.

Decided here: neither side ever keeps a window from one message to the next. A server may ask
for both in its answer, whatever was offered (sections 7.1.1.1 and 7.1.1.2); so a message is
compressed once for everybody, and a connection at rest holds no zlib object.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from kodama.http.violation import Code, Violation

NAME: Final = "permessage-deflate"
LEAST: Final = 96  # below this compression gains nothing worth a receiver's inflation
LEVEL: Final = 6

_BITS: Final = re.compile(r"8|9|1[0-5]", re.ASCII)
_PARAMETER: Final = re.compile(r'([a-z_]+)(?:[ \t]*=[ \t]*(?:"([^"\\]*)"|([^"\s;,]+)))?', re.ASCII)
_FLAGS: Final = frozenset(("server_no_context_takeover", "client_no_context_takeover"))
_TAIL: Final = b"\x00\x00\xff\xff"
_END: Final = b"\x01\x00\x00\xff\xff"
_STREAMS: Final = 16


@dataclass(frozen=True, slots=True)
class Deflate:
    """What was agreed: our window is ``bits`` (9 to 15), ``answer`` the extension header's value.

    A message below ``least`` bytes is sent as it is.
    """

    bits: int
    answer: str
    least: int = LEAST

    def window(self, size: int) -> int:
        """Return the window to pack ``size`` bytes with: one that everybody can share, if they
        are too few to reach back further than this receiver can."""
        return 15 if size <= 1 << self.bits else self.bits


@lru_cache(maxsize=64)
def agree(offers: bytes) -> Deflate | None:
    """Return what to agree to of a ``Sec-WebSocket-Extensions`` field: the first offer that can
    be kept, None if there is none (section 5.1)."""
    for offer in offers.decode("latin-1").split(","):
        name, *parameters = (part.strip(" \t") for part in offer.split(";"))
        if name.lower() == NAME:
            found = _offer(parameters)
            if found is not None:
                return found
    return None


def _offer(parameters: list[str]) -> Deflate | None:
    seen: set[str] = set()
    answer = f"{NAME}; server_no_context_takeover; client_no_context_takeover"
    bits = 15
    for parameter in parameters:
        match = _PARAMETER.fullmatch(parameter)
        if match is None or match[1] in seen:
            return None
        name, value = match[1], match[2] if match[2] is not None else match[3]
        seen.add(name)
        if not _is_known(name, value):
            return None
        if name == "server_max_window_bits":
            bits = int(value)
            answer += f"; {name}={value}"
    # zlib has no raw window of 256 octets.
    return None if bits == 8 else Deflate(bits, answer)


def _is_known(name: str, value: str | None) -> bool:
    if name in _FLAGS:
        return value is None
    if name == "client_max_window_bits" and value is None:
        return True
    return name in ("client_max_window_bits", "server_max_window_bits") and bool(_BITS.fullmatch(value or ""))


def deflated(payload: bytes, *, bits: int) -> bytes:
    """Return ``payload`` packed by itself with a window of ``2**bits`` octets (section 7.2.1)."""
    pack = zlib.compressobj(LEVEL, zlib.DEFLATED, -bits)
    return (pack.compress(payload) + pack.flush(zlib.Z_SYNC_FLUSH))[:-4] or b"\0"


class Inflation:
    """One message being unpacked (section 7.2.2), never to more than ``limit`` bytes and one."""

    __slots__ = ("_begun", "_limit", "_size", "_streams", "_unpack")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._size = 0
        self._streams = 0
        self._begun = False
        self._unpack = zlib.decompressobj(-15)

    def more(self, part: bytes) -> bytes:
        """Return what ``part`` adds. Raises `Violation`."""
        self._begun = self._begun or bool(part)
        found = b""
        while part:
            if self._unpack.eof:  # a final block: the next octet begins another stream (section 7.2.3.4)
                self._streams += 1
                if self._streams > _STREAMS:
                    raise Violation(Code.DATA, "The message is compressed in too many pieces.")
                self._unpack = zlib.decompressobj(-15)
            try:
                piece = self._unpack.decompress(part, self._limit - self._size + 1)
            except zlib.error:
                raise Violation(Code.DATA, "The message is not compressed as was agreed.") from None
            self._size += len(piece)
            if self._size > self._limit:
                raise Violation(Code.TOO_LARGE, f"A message has at most {self._limit} bytes.")
            found += piece
            part = self._unpack.unused_data
        return found

    def end(self) -> bytes:
        """Return the rest, at the end of the message. Raises `Violation`."""
        if not self._begun:
            return b""
        found = self.more(_TAIL + _END)
        if not self._unpack.eof:
            raise Violation(Code.DATA, "The message ends within a compressed block.")
        return found
