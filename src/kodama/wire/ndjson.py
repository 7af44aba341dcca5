"""NDJSON: one JSON object a line, each with the cursor after it."""

from __future__ import annotations

from typing import Final

MEDIA_TYPE: Final = "application/x-ndjson"
BLANK: Final = b"\n"


def line(json: bytes, cursor: str) -> bytes:
    """Return an object as a line, with ``cursor`` as its last field."""
    return b'%b,"cursor":"%b"}\n' % (json[:-1], cursor.encode())


def line_without_place(json: bytes) -> bytes:
    """Return an object as a line."""
    return json + b"\n"
