r"""Server-sent events (WHATWG HTML section 9.2): one record, and a comment.

Nothing here needs escaping: a type is a word of ours, a cursor is ASCII without spaces, and
JSON writes CR, LF and NUL as ``\r``, ``\n`` and ``\u0000``.
"""

from __future__ import annotations

from typing import Final

MEDIA_TYPE: Final = "text/event-stream; charset=utf-8"
COMMENT: Final = b":\n\n"


def record(kind: str, json: bytes, cursor: str) -> bytes:
    """Return an event after which the reader stands at ``cursor``."""
    return b"id: %b\nevent: %b\ndata: %b\n\n" % (cursor.encode(), kind.encode(), json)


def record_without_place(kind: str, json: bytes) -> bytes:
    """Return an event that leaves the reader where it is."""
    return b"event: %b\ndata: %b\n\n" % (kind.encode(), json)


def with_retry(record: bytes, *, ms: int) -> bytes:
    """Return ``record`` with the time after which to connect again in its block."""
    return b"retry: %d\n%b" % (ms, record)
