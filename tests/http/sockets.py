"""WebSockets on in-memory transports: a client that may break every rule, and an echo to speak to."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from kodama.http.echo import Echoes
from kodama.http.handshake import NotWebSocket, handshake
from kodama.http.message import Answer, Request
from kodama.http.websocket import Listener, SocketLimits, WebSocket, open_socket
from tests.http.site import Browser, Site

KEY = b64encode(bytes(range(16)))
MASK = b"\x37\xfa\x21\x3d"


def head(*fields: bytes, line: bytes = b"GET /w HTTP/1.1") -> bytes:
    """Return a good upgrade with further fields."""
    usual = (
        b"Host: a", b"Upgrade: websocket", b"Connection: keep-alive, Upgrade", b"Sec-WebSocket-Version: 13",
        b"Sec-WebSocket-Key: " + KEY,
    )  # fmt: skip
    return b"\r\n".join((line, *usual, *fields, b"", b""))


def masked(payload: bytes, mask: bytes = MASK) -> bytes:
    return bytes(octet ^ mask[at % 4] for at, octet in enumerate(payload))


def frame(
    opcode: int, payload: bytes = b"", *, final: bool = True, rsv: int = 0, mask: bytes | None = MASK, size: int | None = None
) -> bytes:
    """Return a client's frame; ``size`` is what it claims in place of the truth."""
    first = (0x80 if final else 0) | rsv << 4 | opcode
    length = len(payload) if size is None else size
    bit = 0 if mask is None else 0x80
    if length <= 125:
        start = bytes((first, bit | length))
    elif length < 65536:
        start = bytes((first, bit | 126)) + length.to_bytes(2, "big")
    else:
        start = bytes((first, bit | 127)) + length.to_bytes(8, "big")
    return start + payload if mask is None else start + mask + masked(payload, mask)


def text(payload: str | bytes, **more: object) -> bytes:
    return frame(1, payload.encode() if isinstance(payload, str) else payload, **more)


def close(code: int | None = None, reason: bytes = b"") -> bytes:
    return frame(8, b"" if code is None else code.to_bytes(2, "big") + reason)


@dataclass(frozen=True)
class Frame:
    """What the server sent."""

    opcode: int
    payload: bytes
    rsv: int = 0


def frames(data: bytes) -> list[Frame]:
    """Take a server's frames apart, which are whole, final and unmasked."""
    found = []
    while data:
        assert data[0] & 0x80
        assert not data[1] & 0x80
        size, start = data[1], 2
        if size > 125:
            start = 4 if size == 126 else 10
            size = int.from_bytes(data[2:start], "big")
        assert len(data) >= start + size
        found.append(Frame(data[0] & 15, data[start : start + size], data[0] >> 4 & 7))
        data = data[start + size :]
    return found


class Socket(Browser):
    """One client that has upgraded."""

    def __init__(self, site: Site, *fields: bytes, early: bytes = b"") -> None:
        super().__init__(site.factory)
        self.paused = 0
        self.transport.pauseProducing = self._pause
        self.transport.resumeProducing = self._resume
        self.half_closed = False
        self.transport.loseWriteConnection = self._half
        self.send(head(*fields) + early)
        answer, _, self.rest = self.got.partition(b"\r\n\r\n")
        self.answer = answer.split(b"\r\n")
        self._seen = len(answer) + 4

    def _pause(self) -> None:
        self.paused += 1

    def _resume(self) -> None:
        self.paused -= 1

    def _half(self) -> None:
        self.half_closed = True

    @property
    def frames(self) -> list[Frame]:
        """Return all that the server sent since the handshake."""
        return frames(self.got[self._seen :])

    @property
    def code(self) -> int | None:
        """Return the close code that the server sent, 1005 if it sent none, None if no close."""
        for one in self.frames:
            if one.opcode == 8:
                return int.from_bytes(one.payload[:2], "big") if one.payload else 1005
        return None

    @property
    def texts(self) -> list[str]:
        return [one.payload.decode() for one in self.frames if one.opcode == 1]

    @property
    def ended(self) -> bool:
        """Return whether the server has ended its side."""
        return self.half_closed or not self.open

    def feed(self, pieces: Iterable[bytes]) -> None:
        for piece in pieces:
            self.send(piece)


class EchoSite(Site):
    """A site that echoes on every path, and answers what is no upgrade."""

    def __init__(self, limits: SocketLimits | None = None) -> None:
        super().__init__(self._open)
        self.echoes = Echoes(limits or SocketLimits())

    def _open(self, request: Request) -> None:
        try:
            self.echoes.serve(request, handshake(request))
        except NotWebSocket as error:
            request.answer(Answer(error.status, error.detail.encode()))

    def socket(self, *fields: bytes, early: bytes = b"") -> Socket:
        return Socket(self, *fields, early=early)


class HeardSite(Site):
    """A site whose sockets go to a listener that the test brings."""

    def __init__(self, listen: Callable[[WebSocket], Listener], limits: SocketLimits | None = None) -> None:
        super().__init__(self._open)
        self._listen = listen
        self._limits = limits or SocketLimits()

    def _open(self, request: Request) -> None:
        open_socket(request, handshake(request, protocol="kodama.v1"), limits=self._limits, listen=self._listen)
