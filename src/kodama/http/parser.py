"""Reading requests: llhttp judges heads, and what it lets through is refused here.

llhttp cannot be paused, so it is fed exactly one head at a time; bodies are counted here
(a length) or taken apart by the strict `Chunks`, so that no byte of a following request is
ever mistaken for this one's, or the other way round (RFC 9112 section 11).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser

from kodama.http.limits import Limits
from kodama.http.message import Refusal

METHODS: Final = frozenset((b"GET", b"HEAD", b"POST", b"PUT", b"PATCH", b"DELETE", b"OPTIONS"))

_LINE: Final = re.compile(
    rb"([A-Z]+) (/[!-\"$-~]*|(?i:https?)://[!-\"$-.0-~]+(?:/[!-\"$-~]*)?|\*) HTTP/1\.([01])"
)
_HOST: Final = re.compile(rb"(?:[A-Za-z0-9._~-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{0,5})?")
_BARE_LF: Final = re.compile(rb"(?<!\r)\n")
_CHUNK: Final = re.compile(rb"([0-9A-Fa-f]{1,8})((?:[ \t]*;[\t -~\x80-\xff]{0,256})?)\r\n")
_CHUNK_LINE_LIMIT: Final = 300
_EXTENSIONS_LIMIT: Final = 1024


class Refused(Exception):
    """The request is refused and the connection closed."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.refusal = Refusal(status, detail)


@dataclass(slots=True)
class Head:
    """An accepted head: ``line`` and ``block`` as sent, ``length`` of the body, None if chunked."""

    line: bytes
    block: bytes
    method: bytes
    target: bytes
    minor: int
    keep: bool
    length: int | None
    expects: bool
    upgrade: bool

    @property
    def plain(self) -> bool:
        """Return whether the same block may be taken as accepted when it comes again."""
        return (
            self.method == b"GET" and self.minor == 1 and self.keep
            and self.length == 0 and not self.expects and not self.upgrade
        )  # fmt: skip

    @property
    def repeats(self) -> bool:
        """Return whether the very same head, of a request with a body, may be taken as accepted."""
        return bool(self.length) and self.minor == 1 and not self.expects


def unfinished(data: bytearray, limits: Limits, *, start: int) -> None:
    """Refuse a head that has not ended yet and can never become a good one.

    What comes before ``start`` was looked at already.
    """
    if len(data) > limits.header_bytes:
        raise Refused(431, "The request's head is too large.")
    if not data[:1].isupper():  # as TLS, which would wait for an answer for as long as we for a line
        raise Refused(400, "The request line is not understood.")
    if _BARE_LF.search(data, start):
        raise Refused(400, "A line of the head ends without a carriage return.")


def read_head(raw: bytes, limits: Limits) -> Head:
    """Accept a whole head, from the request line to the empty line; raises `Refused`."""
    if len(raw) > limits.header_bytes:
        raise Refused(431, "The request's head is too large.")
    end = raw.index(b"\r\n")
    if raw.count(b"\r\n") - 2 > limits.fields:
        raise Refused(431, "The request has too many header fields.")
    line = raw[:end]
    method, target, minor = _request_line(line)
    fields = _fields(raw)
    target = _origin_form(target, host=_host(fields, minor=minor))
    expect = fields.get(b"expect")
    if expect is not None and expect[0].lower() != b"100-continue":
        raise Refused(417, "Only 100-continue can be expected.")
    length = _length(fields, minor=minor, limits=limits)
    upgrade = b"upgrade" in fields
    if upgrade and length != 0:
        raise Refused(400, "A request to upgrade has no body.")
    tokens = {token.strip().lower() for value in fields.get(b"connection", ()) for token in value.split(b",")}
    return Head(
        line=line, block=raw[end:], method=method, target=target, minor=minor,
        keep=b"close" not in tokens and (minor == 1 or b"keep-alive" in tokens), length=length,
        expects=expect is not None and minor == 1, upgrade=upgrade,
    )  # fmt: skip


def _request_line(line: bytes) -> tuple[bytes, bytes, int]:
    match = _LINE.fullmatch(line)
    if match is None:
        raise Refused(405 if line.startswith(b"CONNECT ") else 400, "The request line is not understood.")
    method, target = match[1], match[2]
    if method not in METHODS:
        raise Refused(405, "The method is not known here.")
    if target == b"*" and method != b"OPTIONS":
        raise Refused(400, "Only OPTIONS asks about the server as a whole.")
    return method, target, int(match[3])


def _origin_form(target: bytes, *, host: bytes) -> bytes:
    if target[:1] in (b"/", b"*"):
        return target
    authority, slash, path = target.partition(b"://")[2].partition(b"/")
    if authority.lower() != host.lower():
        raise Refused(400, "The target names another host than the Host field.")
    return slash + path if slash else b"/"


class _Fields:
    __slots__ = ("found",)

    def __init__(self) -> None:
        self.found: dict[bytes, list[bytes]] = {}

    def on_header(self, name: bytes, value: bytes) -> None:
        self.found.setdefault(name.lower(), []).append(value)


def _fields(raw: bytes) -> dict[bytes, list[bytes]]:
    sink = _Fields()
    try:
        HttpRequestParser(sink).feed_data(raw)
    except HttpParserUpgrade:
        pass
    except HttpParserError:
        raise Refused(400, "The request's head is malformed.") from None
    return sink.found


def _host(fields: dict[bytes, list[bytes]], *, minor: int) -> bytes:
    hosts = fields.get(b"host", [])
    if len(hosts) > 1 or (minor == 1 and not hosts) or (hosts and not _HOST.fullmatch(hosts[0])):
        raise Refused(400, "A request has exactly one well-formed Host field.")
    return hosts[0] if hosts else b""


def _length(fields: dict[bytes, list[bytes]], *, minor: int, limits: Limits) -> int | None:
    codings = fields.get(b"transfer-encoding")
    if codings is not None:
        if minor == 0 or len(codings) > 1 or codings[0].lower() != b"chunked":
            raise Refused(400, "The only transfer coding is chunked, in HTTP/1.1.")
        return None
    length = int(fields.get(b"content-length", [b"0"])[0])
    if length > limits.body:
        raise Refused(413, f"The body is larger than {limits.body} bytes.")
    return length


class Whole:
    """A body whose ``length`` was said beforehand."""

    __slots__ = ("_length",)

    def __init__(self, length: int) -> None:
        self._length = length

    def feed(self, buffer: bytearray) -> bytes | None:
        """Take the body from the front of ``buffer`` and return it once all of it is there."""
        if len(buffer) < self._length:
            return None
        body = bytes(buffer[: self._length])
        del buffer[: self._length]
        return body


class Chunks:
    """A chunked body as it comes in (RFC 9112 section 7.1); trailers are refused."""

    __slots__ = ("_body", "_extensions", "_limit", "_wanted")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._body = bytearray()
        self._extensions = 0
        self._wanted = 0

    def feed(self, buffer: bytearray) -> bytes | None:
        """Take what belongs to the body from the front of ``buffer``; return it all when whole.

        Raises `Refused`.
        """
        while self._take(buffer):
            end = buffer.find(b"\n", 0, _CHUNK_LINE_LIMIT)
            if end < 0:
                if len(buffer) >= _CHUNK_LINE_LIMIT:
                    raise Refused(400, "A chunk's size is malformed.")
                return None
            match = _CHUNK.fullmatch(buffer, 0, end + 1)
            if match is None:
                raise Refused(400, "A chunk's size is malformed.")
            size = int(match[1], 16)
            if not size:
                return self._end(buffer, end + 1)
            self._extensions += len(match[2])
            if self._extensions > _EXTENSIONS_LIMIT:
                raise Refused(400, "The chunk extensions are too long.")
            if len(self._body) + size > self._limit:
                raise Refused(413, f"The body is larger than {self._limit} bytes.")
            self._wanted = size + 2
            del buffer[: end + 1]
        return None

    def _take(self, buffer: bytearray) -> bool:
        wanted = self._wanted
        if len(buffer) < wanted:
            return False
        if wanted:
            if buffer[wanted - 2 : wanted] != b"\r\n":
                raise Refused(400, "A chunk does not end where it said.")
            self._body += buffer[: wanted - 2]
            del buffer[:wanted]
            self._wanted = 0
        return True

    def _end(self, buffer: bytearray, start: int) -> bytes | None:
        rest = bytes(buffer[start : start + 2])
        if not b"\r\n".startswith(rest):
            raise Refused(400, "Trailers are not taken.")
        if len(rest) < 2:
            return None
        del buffer[: start + 2]
        return bytes(self._body)
