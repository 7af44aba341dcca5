"""Requests and answers: the few objects that stand between the channel and an application.

Decided here: an answer is encoded once and may be sent to thousands; a request keeps the bytes
that were accepted and reads them when asked, so that a held request costs bytes and not
dictionaries. ``Line`` and ``Headers`` are shared by all requests with the same bytes, and each
has one slot, ``memo``, for what the application derived from it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus
from time import time
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol, TypeVar

from kodama.http.tunnel import Link, Tunnel

if TYPE_CHECKING:
    from kodama.http.lot import Lot
    from kodama.http.stream import Stream

T = TypeVar("T", bound=Tunnel)


class Carrier(Protocol):
    """What brings requests and takes their answers: a connection, or a foreign web server."""

    peer: str

    @property
    def secure(self) -> bool:
        """Whether TLS ends here."""

    def answer(self, request: Request, answer: Answer) -> None:
        """Send the answer; close the connection after it unless ``request.keep``."""

    def hold(self, holder: Holder, seconds: float | None) -> None:
        """Park the request that is being served."""

    def park(self, request: Request, lot: Lot, note: object) -> bool:
        """Let the request that is being served wait in ``lot``; False if it must wait alone."""

    def stream(self, request: Request, status: int, fields: Fields) -> Stream:
        """Begin an answer whose end is not known yet."""

    def switch(self, request: Request, fields: Fields, tunnel: Callable[[Link], T]) -> T:
        """Answer 101 and hand the connection over; raises `NoTunnel` where that cannot be."""

    def close(self) -> None:
        """Close the connection."""


Fields = tuple[tuple[str, str], ...]

BODILESS: Final = (204, 304)

_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", re.ASCII)
_VALUE: Final = re.compile(r"[\t\x20-\x7e\x80-\xff]*")


class NoTunnel(Exception):
    """What brought the request cannot hand its connection over."""


class Refusal(NamedTuple):
    """What the channel refuses by itself: a 4xx status and a sentence."""

    status: int
    detail: str


class Holder(Protocol):
    """Whoever parked a request."""

    def expired(self, request: Request) -> None:
        """The hold has run out; the request is not parked any more."""

    def gone(self, request: Request) -> None:
        """The client has hung up; nothing can be answered any more."""


class Answer:
    """A complete response, encoded once and sent to as many as wait for it.

    Raises ValueError for names and values that RFC 9110 section 5 does not allow, and for a
    body where none may follow: the client would take it for the next answer.
    """

    __slots__ = ("_after", "_before", "_closing", "body", "fields", "status", "wire")

    def __init__(self, status: int, body: bytes = b"", fields: Fields = ()) -> None:
        if body and status in BODILESS:
            raise ValueError(f"a {status} has no body")
        self.status = status
        self.body = body
        self.fields = fields
        self._before = b"HTTP/1.1 %d %b\r\n" % (status, _phrase(status))
        lines = [encode_fields(fields), b"Date: ", date(), b"\r\n"]
        if status not in BODILESS:
            lines.append(b"Content-Length: %d\r\n" % len(body))
        self._after = b"".join(lines)
        self.wire = self._before + self._after + b"\r\n" + body
        self._closing: bytes | None = None

    @property
    def closing(self) -> bytes:
        """Return the bytes after which the connection is closed."""
        if self._closing is None:
            self._closing = self.closing_head + self.body
        return self._closing

    @property
    def head(self) -> bytes:
        """Return the answer to a HEAD request."""
        return self._before + self._after + b"\r\n"

    def kept(self, request: Request) -> bytes:
        """Return the bytes after which the connection goes on: without the body for a HEAD request,
        and said in so many words to an HTTP/1.0 client."""
        head = self.head if request.minor == 1 else self.head[:-2] + b"Connection: keep-alive\r\n\r\n"
        return head if request.line.method == b"HEAD" else head + self.body

    @property
    def closing_head(self) -> bytes:
        """Return the answer to a HEAD request after which the connection is closed."""
        return self._before + self._after + b"Connection: close\r\n\r\n"


class Headers:
    """The header fields of a request as the bytes that the parser accepted.

    ``block`` runs from the line break after the request line to the empty line. ``cleared`` is
    the application's word that it has nothing to check in a block of these bytes, as long as it
    is the `Lot.clearance` of today.
    """

    __slots__ = ("block", "cleared", "memo")

    def __init__(self, block: bytes) -> None:
        self.block = block
        self.cleared: object | None = None
        self.memo: object | None = None

    def all(self, name: bytes) -> list[bytes]:
        """Return every value of the field ``name`` (lower case), in order."""
        if name not in self.block.lower():  # most of what is looked for is not there
            return []
        found = []
        for line in self.block.split(b"\r\n"):
            key, colon, value = line.partition(b":")
            if colon and key.lower() == name:
                found.append(value.strip(b" \t"))
        return found

    def get(self, name: bytes) -> bytes | None:
        """Return the field's value, several joined by ``, `` (RFC 9110 section 5.3), or None."""
        values = self.all(name)
        return b", ".join(values) if values else None


class Line:
    """A request line that was accepted: ``target`` is in origin form, ``path`` still encoded.

    ``lot`` is where requests with this very line may wait together, while it is open.
    """

    __slots__ = ("lot", "memo", "method", "path", "query", "target")

    def __init__(self, method: bytes, target: bytes) -> None:
        self.method = method
        self.target = target
        self.path, _, self.query = target.partition(b"?")
        self.lot: Lot | None = None
        self.memo: object | None = None


class Own:
    """The parameter that was cut out of a connection's request line, because everybody else's is
    another: ``value``, without its name.

    The next line of the connection becomes the shared one by putting ``instead`` where ``needle``
    is. ``memo`` is what the application knows of who asks like this.
    """

    __slots__ = ("instead", "memo", "needle", "value")

    def __init__(self, needle: bytes, instead: bytes, value: bytes) -> None:
        self.needle = needle
        self.instead = instead
        self.value = value
        self.memo: Any = None


class Request:
    """One request, to be answered once; ``note`` is the application's own. ``own`` is what the
    request line lacks because it was cut out; only lines of a GET are cut."""

    __slots__ = ("body", "channel", "gone", "headers", "keep", "line", "minor", "note", "own")

    def __init__(
        self, channel: Carrier, line: Line, headers: Headers, *,
        body: bytes = b"", minor: int = 1, keep: bool = True, own: Own | None = None,
    ) -> None:  # fmt: skip
        self.channel: Carrier | None = channel
        self.own = own
        self.gone = False
        self.line = line
        self.headers = headers
        self.body = body
        self.minor = minor
        self.keep = keep
        self.note: object | None = None

    @property
    def peer(self) -> str:
        """Return the address of the other side, empty for a UNIX socket."""
        return self.channel.peer if self.channel else ""

    @property
    def secure(self) -> bool:
        """Return whether the other side speaks TLS with us."""
        return self.channel is not None and self.channel.secure

    @property
    def answered(self) -> bool:
        """Return whether it was answered, or cannot be any more."""
        return self.channel is None

    def answer(self, answer: Answer) -> None:
        """Send ``answer``; the second of two, or one that comes too late, is dropped."""
        channel = self.channel
        if channel is not None:
            self.channel = None
            channel.answer(self, answer)

    def answer_and_close(self, answer: Answer) -> None:
        """Send ``answer`` and close the connection after it."""
        self.keep = False
        self.answer(answer)

    def drop(self) -> None:
        """Close the connection without an answer."""
        channel = self.channel
        if channel is not None:
            self.channel = None
            channel.close()

    def hold(self, holder: Holder, seconds: float | None) -> None:
        """Park the request: ``holder`` hears when ``seconds`` are over or the client is gone."""
        if self.channel is not None:
            self.channel.hold(holder, seconds)

    def park(self, lot: Lot, note: object) -> bool:
        """Wait in ``lot``, with ``note`` to come back with; this object is spent if that is True."""
        channel = self.channel
        if channel is None or not channel.park(self, lot, note):
            return False
        self.channel = None
        return True

    def stream(self, status: int, fields: Fields = ()) -> Stream:
        """Begin an answer in pieces; raises ValueError if the request was answered or is gone."""
        channel = self.channel
        if channel is None:
            raise ValueError("the request cannot be answered any more")
        stream = channel.stream(self, status, fields)
        self.channel = None
        return stream

    def switch(self, fields: Fields, tunnel: Callable[[Link], T]) -> T:
        """Answer 101 and leave HTTP: what ``tunnel`` returns speaks on the connection from now on.

        Raises ValueError if the request was answered or is gone, `NoTunnel` if that cannot be here.
        """
        channel = self.channel
        if channel is None:
            raise ValueError("the request cannot be answered any more")
        switched = channel.switch(self, fields, tunnel)
        self.channel = None
        return switched


def encode_head(status: int, fields: Fields) -> bytes:
    """Return the status line, fields and date of an answer, without the empty line."""
    line = b"HTTP/1.1 %d %b\r\n" % (status, _phrase(status))
    return b"".join((line, encode_fields(fields), b"Date: ", date(), b"\r\n"))


@lru_cache(maxsize=128)  # few sets of fields are ever sent, and a message makes two answers
def encode_fields(fields: Fields) -> bytes:
    """Return header fields as bytes; raises ValueError where RFC 9110 forbids them."""
    for name, value in fields:
        if not _TOKEN.fullmatch(name) or not _VALUE.fullmatch(value):
            raise ValueError(f"not a header field: {name!r}")
    return "".join(f"{name}: {value}\r\n" for name, value in fields).encode("latin-1")


class _Date:
    second = 0
    text = b""


def date() -> bytes:
    """Return the current time as an IMF-fixdate (RFC 9110 section 5.6.7), made once a second."""
    now = int(time())
    if now != _Date.second:
        _Date.second = now
        _Date.text = formatdate(now, usegmt=True).encode()
    return _Date.text


@lru_cache
def _phrase(status: int) -> bytes:
    try:
        return HTTPStatus(status).phrase.encode()
    except ValueError:
        return b"Unknown"
