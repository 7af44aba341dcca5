"""How each measured server is asked and how its cursor is read; the load client knows none of this."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace

CURSOR = re.compile(rb'"cursor":\s*"([^"]+)"')
MODIFIED = re.compile(rb"\r\nLast-Modified: ([^\r]+)", re.IGNORECASE)
ETAG = re.compile(rb"\r\nEtag: ([^\r]+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How one server is asked: its polls, its publishes and its cursor."""

    name: str
    poll: Callable[[bytes, bytes], bytes]  # (cursor or empty, extra headers) -> request
    publish: Callable[[str], bytes]
    cursor: Callable[[bytes], bytes]
    remembers: bool = True  # whether what is sent between two polls arrives with the next
    mode: str = "longpoll"
    greeting: bytes = b""  # sent once the answer's head has come
    own: Callable[[int], bytes] = lambda _number: b""  # what each client's request has before its fields


def _post(path: str, body: str) -> bytes:
    data = body.encode()
    kind = "application/json" if body.startswith("{") else "text/plain"
    length = len(data)
    lines = (f"POST {path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Type: {kind}", f"Content-Length: {length}")
    head = "\r\n".join(lines) + "\r\n\r\n"
    return head.encode() + data


def _get(target: bytes, extra: bytes) -> bytes:
    return b"GET " + target + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n" + extra + b"\r\n"


def _json_cursor(answer: bytes) -> bytes:
    found = CURSOR.search(answer)
    return found[1] if found else b""


def _said(path: str) -> Callable[[str], bytes]:
    return lambda text: _post(path, json.dumps({"text": text}))


def _since(path: bytes, always: bytes = b"") -> Callable[[bytes, bytes], bytes]:
    def poll(cursor: bytes, extra: bytes) -> bytes:
        query = b"&".join(part for part in (b"since=" + cursor if cursor else b"", always) if part)
        return _get(path + (b"?" + query if query else b""), extra)

    return poll


def _nchan_poll(cursor: bytes, extra: bytes) -> bytes:
    if cursor:
        modified, _, etag = cursor.partition(b"|")
        extra += b"If-Modified-Since: " + modified + b"\r\nIf-None-Match: " + etag + b"\r\n"
    return _get(b"/sub/lobby", extra)


def _nchan_cursor(answer: bytes) -> bytes:
    modified, etag = MODIFIED.search(answer), ETAG.search(answer)
    return modified[1] + b"|" + etag[1] if modified and etag else b""


KODAMA = Dialect(
    name="Kodama",
    poll=_since(b"/v1/rooms/lobby/events", b"wait=100"),
    publish=_said("/v1/rooms/lobby/messages"),
    cursor=_json_cursor,
)
NCHAN = Dialect(
    name="nginx + Nchan",
    poll=_nchan_poll,
    publish=lambda text: _post("/pub/lobby", text),
    cursor=_nchan_cursor,
)
AIOHTTP = Dialect(name="aiohttp", poll=_since(b"/events"), publish=_said("/messages"), cursor=_json_cursor)
TORNADO = Dialect(name="Tornado", poll=_since(b"/events"), publish=_said("/messages"), cursor=_json_cursor)
OLD = Dialect(
    name="2011 on Twisted",
    poll=lambda _cursor, extra: _get(b"/?callback=fn", extra),
    publish=_said("/"),
    cursor=lambda _answer: b"",
    remembers=False,
)


def _present(cursor: bytes, extra: bytes) -> bytes:
    """A poll of somebody who is present; ``extra`` begins with what ends the request line."""
    since = b"since=" + cursor + b"&" if cursor else b""
    return b"GET /v1/rooms/lobby/events?wait=100&" + since + b"presence=1&client=" + extra + b"\r\n"


def _named(number: int) -> bytes:
    return b"bench-%08d HTTP/1.1\r\nHost: 127.0.0.1\r\n" % number


POLLING = ("longpoll", "present")


def _stream(path: bytes, fields: bytes) -> Callable[[bytes, bytes], bytes]:
    return lambda _cursor, extra: _get(path, fields + extra)


def masked_text(text: bytes) -> bytes:
    """A short text frame as a client sends it (RFC 6455 section 5.2); the mask is all zeros."""
    assert len(text) < 126
    return bytes((0x81, 0x80 | len(text), 0, 0, 0, 0)) + text


SSE = b"Accept: text/event-stream\r\n"
UPGRADE = (
    b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)
SUBSCRIBE = masked_text(b'{"do":"subscribe","rooms":{"lobby":"now"},"ref":1}')
PAIRS: dict[str, tuple[Dialect, Dialect]] = {
    "longpoll": (KODAMA, NCHAN),
    "present": (
        replace(KODAMA, mode="present", poll=_present, own=_named),
        replace(NCHAN, mode="present"),
    ),
    "sse": (
        replace(KODAMA, mode="sse", poll=_stream(b"/v1/rooms/lobby/events", SSE)),
        replace(NCHAN, mode="sse", poll=_stream(b"/sub/lobby", SSE)),
    ),
    "ws": (
        replace(KODAMA, mode="ws", poll=_stream(b"/v1/ws", UPGRADE), greeting=SUBSCRIBE),
        replace(NCHAN, mode="ws", poll=_stream(b"/sub/lobby", UPGRADE)),
    ),
}
