"""The opening handshake of a WebSocket (RFC 6455 section 4.2): what is asked, and the answer.

Decided here: which requests become a WebSocket. The application decides whether it lets them.
"""

from __future__ import annotations

from base64 import b64encode
from binascii import Error, a2b_base64
from dataclasses import dataclass
from hashlib import sha1
from typing import Final

from kodama.http.deflate import Deflate, agree
from kodama.http.message import Fields, Headers, Request

VERSION: Final = b"13"
_GUID: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

REQUIRED: Final[Fields] = (
    ("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Version", VERSION.decode()),
)  # fmt: skip


class NotWebSocket(Exception):
    """The request cannot become a WebSocket: 426 if it asks for none or another version, else 400."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Handshake:
    """A request that may become a WebSocket: ``fields`` of the 101, and what is agreed to."""

    fields: Fields
    agreed: Deflate | None


def handshake(request: Request, *, protocol: str | None = None) -> Handshake:
    """Return the answer to an upgrade. Raises `NotWebSocket`.

    ``protocol`` is the subprotocol that is spoken; it is named if the client named it.
    """
    headers = request.headers
    asked = b"upgrade" in _tokens(headers, b"connection") and b"websocket" in _tokens(headers, b"upgrade")
    if request.line.method != b"GET" or request.minor == 0 or not asked:
        said = "This address speaks WebSocket: ask with Upgrade: websocket, by GET and in HTTP/1.1."
        raise NotWebSocket(426, said)
    if headers.all(b"sec-websocket-version") != [VERSION]:
        raise NotWebSocket(426, "The version of WebSocket that is spoken here is 13.")
    fields = [
        ("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Accept", _accept(headers)),
    ]  # fmt: skip
    if protocol is not None and protocol.encode() in _items(headers, b"sec-websocket-protocol"):
        fields.append(("Sec-WebSocket-Protocol", protocol))
    offers = headers.get(b"sec-websocket-extensions")
    agreed = None if offers is None else agree(offers)
    if agreed is not None:
        fields.append(("Sec-WebSocket-Extensions", agreed.answer))
    return Handshake(tuple(fields), agreed)


def _accept(headers: Headers) -> str:
    keys = headers.all(b"sec-websocket-key")
    try:
        good = len(keys) == 1 and len(a2b_base64(keys[0], strict_mode=True)) == 16
    except Error:
        good = False
    if not good:
        raise NotWebSocket(400, "Sec-WebSocket-Key is 16 bytes in Base64.")
    return b64encode(sha1(keys[0] + _GUID, usedforsecurity=False).digest()).decode()


def _items(headers: Headers, name: bytes) -> list[bytes]:
    return [item.strip(b" \t") for value in headers.all(name) for item in value.split(b",")]


def _tokens(headers: Headers, name: bytes) -> set[bytes]:
    return {item.lower() for item in _items(headers, name)}
