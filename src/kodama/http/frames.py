"""WebSocket frames (RFC 6455 section 5): bytes in, messages and control frames out, and back.

Knows no connection. Decided here: what of a client's bytes is a violation and with which close
code it ends, at the first octet that shows it; and that nothing is kept but the message that
is being put together, which is never longer than the limit.
"""

from __future__ import annotations

from codecs import IncrementalDecoder, getincrementaldecoder
from dataclasses import dataclass
from typing import Final

from kodama.http.deflate import Deflate, Inflation, deflated
from kodama.http.violation import Code, Violation

CONTINUATION: Final = 0x0
TEXT: Final = 0x1
BINARY: Final = 0x2
CLOSE: Final = 0x8
PING: Final = 0x9
PONG: Final = 0xA

CONTROL_LIMIT: Final = 125
_FIN: Final = 0x80
_RSV: Final = 0x70
_RSV1: Final = 0x40
_OPCODES: Final = frozenset((CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG))
_WHOLE_TEXT: Final = _FIN | TEXT
_UTF8: Final = getincrementaldecoder("utf-8")
# Of 1000 to 2999 only these may be sent (section 7.4); those above are for libraries and applications.
_CODES: Final = frozenset((1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011))


@dataclass(frozen=True, slots=True)
class Ping:
    """Asks for a pong with the same payload."""

    payload: bytes


@dataclass(frozen=True, slots=True)
class Pong:
    """Answers a ping, or says by itself that its sender lives."""

    payload: bytes


@dataclass(frozen=True, slots=True)
class Close:
    """The other side says goodbye; without a code it is None (1005 is never on the wire)."""

    code: int | None
    reason: str


Event = str | bytes | Ping | Pong | Close


class Message:
    """One message, framed once for all who get it, and compressed once for each window size."""

    __slots__ = ("_packed", "opcode", "payload", "plain")

    def __init__(self, payload: bytes, *, opcode: int = TEXT) -> None:
        self.payload = payload
        self.opcode = opcode
        self.plain = frame(opcode, payload)
        self._packed: dict[int, bytes] | None = None

    def framed(self, agreed: Deflate | None) -> bytes:
        """Return the frame for a receiver with which ``agreed`` was negotiated."""
        if agreed is None or len(self.payload) < agreed.least:
            return self.plain
        bits = agreed.window(len(self.payload))
        if self._packed is None:
            self._packed = {}
        packed = self._packed.get(bits)
        if packed is None:
            packed = self._packed[bits] = frame(self.opcode | _RSV1, deflated(self.payload, bits=bits))
        return packed


def frame(opcode: int, payload: bytes) -> bytes:
    """Return an unmasked, final frame; ``opcode`` may have the first reserved bit."""
    size = len(payload)
    if size <= CONTROL_LIMIT:
        return bytes((_FIN | opcode, size)) + payload
    if size < 1 << 16:
        return bytes((_FIN | opcode, 126)) + size.to_bytes(2, "big") + payload
    return bytes((_FIN | opcode, 127)) + size.to_bytes(8, "big") + payload


def close_frame(code: int | None, reason: str = "") -> bytes:
    """Return a close frame; a reason that does not fit is cut between characters."""
    if code is None:
        return frame(CLOSE, b"")
    text = reason.encode()[: CONTROL_LIMIT - 2].decode(errors="ignore")
    return frame(CLOSE, code.to_bytes(2, "big") + text.encode())


def unmasked(payload: bytes | bytearray, mask: bytes) -> bytes:
    """Return ``payload`` without its mask (section 5.3)."""
    size = len(payload)
    key = mask * (size // 4 + 1)
    return (int.from_bytes(payload, "little") ^ int.from_bytes(key[:size], "little")).to_bytes(size, "little")


def whole_text(data: bytes, *, limit: int) -> bytes | None:
    """Return the payload if ``data`` is exactly one plain text frame, as nearly all reads are;
    None leaves the judgement to a `Reader`."""
    if len(data) < 6 or data[0] != _WHOLE_TEXT:
        return None
    size, start = data[1] & 0x7F, 6
    if size == 126:
        size, start = int.from_bytes(data[2:4], "big"), 8
        if size <= CONTROL_LIMIT:
            return None
    if data[1] < 0x80 or len(data) != start + size or size > limit or size == 127:
        return None
    return unmasked(data[start:], data[start - 4 : start])


@dataclass(slots=True)
class _Frame:
    """A frame whose head was accepted; ``left`` octets of its payload are still to come."""

    opcode: int
    final: bool
    left: int
    mask: bytes


class Reader:
    """Takes a client's frames apart. Raises `Violation`, after which it must not be used.

    ``limit`` is the largest message in bytes, after inflation; ``agreed`` what was negotiated.
    """

    __slots__ = (
        "_agreed", "_buffer", "_frame", "_inflation", "_limit", "_message", "_opcode", "_taken", "_utf8",
    )  # fmt: skip

    def __init__(self, *, limit: int, agreed: Deflate | None) -> None:
        self._limit = limit
        self._agreed = agreed
        self._buffer = bytearray()
        self._frame: _Frame | None = None
        self._opcode: int | None = None  # of the message that has begun
        self._message = bytearray()
        self._taken = 0
        self._utf8: IncrementalDecoder | None = None
        self._inflation: Inflation | None = None

    @property
    def idle(self) -> bool:
        """Return whether nothing is kept: no octet, no part of a message."""
        return not self._buffer and self._opcode is None and self._frame is None

    @property
    def kept(self) -> int:
        """Return how many bytes are kept."""
        return len(self._buffer) + len(self._message)

    def feed(self, data: bytes) -> None:
        """Add bytes; `read` takes them apart."""
        self._buffer += data

    def read(self) -> Event | None:
        """Return the next message (str or bytes) or control frame, None if it is not all here."""
        while True:
            current = self._frame
            if current is None:
                current = self._frame = self._head()
                if current is None:
                    return None
            if current.opcode >= CLOSE:
                if len(self._buffer) < current.left:
                    return None
                return self._control(current)
            if not self._payload(current):
                return None
            self._frame = None
            if current.final:
                return self._whole()

    def _head(self) -> _Frame | None:
        buffer = self._buffer
        if not buffer:
            return None
        opcode = self._first(buffer[0])
        size, start = self._length(opcode) if len(buffer) > 1 else (None, 2)
        if size is None or len(buffer) < start + 4:
            return None
        found = _Frame(opcode, bool(buffer[0] & _FIN), size, bytes(buffer[start : start + 4]))
        if opcode < CLOSE:
            self._begin(found, packed=buffer[0] & _RSV1)
        del buffer[: start + 4]
        return found

    def _length(self, opcode: int) -> tuple[int | None, int]:
        """Return the length of the payload, None if it is not all here, and where the mask begins."""
        buffer = self._buffer
        if not buffer[1] & 0x80:
            raise Violation(Code.PROTOCOL, "A client masks its frames.")
        size, start = buffer[1] & 0x7F, 2
        if opcode >= CLOSE and size > CONTROL_LIMIT:
            raise Violation(Code.PROTOCOL, "A control frame has at most 125 octets.")
        if size > CONTROL_LIMIT:
            start = 4 if size == 126 else 10
            if len(buffer) < start:
                return None, start
            size = _long(buffer[2:start])
        if opcode < CLOSE:
            self._room_for(size)
        return size, start

    def _first(self, octet: int) -> int:
        """Return the opcode of a frame's first octet, if such a frame may come now."""
        opcode = octet & 0x0F
        if opcode not in _OPCODES:
            raise Violation(Code.PROTOCOL, "The opcode is reserved.")
        allowed = _RSV1 if self._agreed is not None and opcode in (TEXT, BINARY) else 0
        if octet & _RSV & ~allowed:
            raise Violation(Code.PROTOCOL, "A reserved bit is set.")
        if opcode >= CLOSE:
            if not octet & _FIN:
                raise Violation(Code.PROTOCOL, "A control frame is not fragmented.")
        elif (opcode == CONTINUATION) != (self._opcode is not None):
            raise Violation(Code.PROTOCOL, "A fragment does not follow its message's beginning.")
        return opcode

    def _room_for(self, size: int) -> None:
        # What is compressed may come to a little more than it was; inflated it is counted again.
        spare = 0 if self._agreed is None else 1024 + (self._limit >> 3)
        if self._taken + size > self._limit + spare:
            raise Violation(Code.TOO_LARGE, f"A message has at most {self._limit} bytes.")

    def _begin(self, found: _Frame, *, packed: int) -> None:
        self._taken += found.left
        if found.opcode != CONTINUATION:
            self._opcode = found.opcode
            self._utf8 = _UTF8() if found.opcode == TEXT else None
            self._inflation = Inflation(self._limit) if packed else None

    def _payload(self, current: _Frame) -> bool:
        """Take what has come of a data frame; False if some is missing."""
        size = min(current.left, len(self._buffer))
        if size:
            part = unmasked(self._buffer[:size], current.mask)
            del self._buffer[:size]
            current.left -= size
            turn = size % 4
            current.mask = current.mask[turn:] + current.mask[:turn]
            self._add(part if self._inflation is None else self._inflation.more(part))
        return not current.left

    def _add(self, part: bytes) -> None:
        self._message += part
        if len(self._message) > self._limit:
            raise Violation(Code.TOO_LARGE, f"A message has at most {self._limit} bytes.")
        if self._utf8 is not None and not _goes_on(self._utf8, part):
            raise Violation(Code.DATA, "The text is not UTF-8.")

    def _whole(self) -> str | bytes:
        if self._inflation is not None:
            self._add(self._inflation.end())
        message, text = self._message, self._utf8
        if text is not None and text.getstate()[0]:
            raise Violation(Code.DATA, "The text ends within a character.")
        self._message = bytearray()
        self._opcode = self._utf8 = self._inflation = None
        self._taken = 0
        return bytes(message) if text is None else message.decode()

    def _control(self, current: _Frame) -> Event:
        payload = unmasked(self._buffer[: current.left], current.mask)
        del self._buffer[: current.left]
        self._frame = None
        if current.opcode == PING:
            return Ping(payload)
        return Pong(payload) if current.opcode == PONG else _close(payload)


def _goes_on(utf8: IncrementalDecoder, part: bytes) -> bool:
    """Return whether ``part`` may follow what ``utf8`` has seen."""
    try:
        utf8.decode(part)
    except UnicodeDecodeError:
        return False
    # Python waits for the third octet of a surrogate, for those who want to let it pass.
    begun = utf8.getstate()[0]
    return not (len(begun) == 2 and begun[0] == 0xED and begun[1] >= 0xA0)


def _long(octets: bytearray) -> int:
    size = int.from_bytes(octets, "big")
    if size >> 63 or size < (126 if len(octets) == 2 else 1 << 16):
        raise Violation(Code.PROTOCOL, "A length is not in its shortest form.")
    return size


def _close(payload: bytes) -> Close:
    """Read a close frame (section 5.5.1)."""
    if not payload:
        return Close(None, "")
    code = int.from_bytes(payload[:2], "big")
    if len(payload) == 1 or not (code in _CODES or 3000 <= code <= 4999):
        raise Violation(Code.PROTOCOL, "This is not a close code.")
    try:
        return Close(code, payload[2:].decode())
    except UnicodeDecodeError:
        raise Violation(Code.DATA, "The reason is not UTF-8.") from None
