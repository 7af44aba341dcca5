"""The page and its files: what a browser gets that is not the API.

Decided here: every file is read, hashed and compressed once at start and found by its exact name in
a dictionary, so that no request touches the disk and no path can lead out of the package.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

from kodama.http.message import Answer, Fields, Request

PAGE: Final = "index.html"

_TYPES: Final = {
    "css": "text/css; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "json": "application/json",
    "mjs": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
    "txt": "text/plain; charset=utf-8",
}
_POLICY: Final = "; ".join((
    "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self'", "connect-src 'self'",
    "base-uri 'none'", "form-action 'self'", "frame-ancestors 'none'", "require-trusted-types-for 'script'",
))
_FIELDS: Final[Fields] = (
    ("Cache-Control", "no-cache"),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Vary", "Accept-Encoding"),
)
_PAGE_FIELDS: Final[Fields] = (  # the page stands at `/r/{room}`, whose answers all carry the first five
    ("Cache-Control", "no-store"),
    ("X-Accel-Buffering", "no"),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Vary", "Accept, Origin, Accept-Encoding"),
    ("Content-Security-Policy", _POLICY),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("X-Frame-Options", "DENY"),
)


class Variant:
    """One encoding of one file: its content fields and its tag, told apart from the other's."""

    __slots__ = ("body", "fields", "tag")

    def __init__(self, body: bytes, fields: Fields) -> None:
        self.body = body
        self.tag = f'"{sha256(body).hexdigest()[:32]}"'
        self.fields = (*fields, ("ETag", self.tag))


class Asset:
    """One file as it is sent, plain and, where that is shorter, compressed."""

    __slots__ = ("_packed", "_plain")

    def __init__(self, body: bytes, content_type: str, *, fields: Fields) -> None:
        content = (("Content-Type", content_type), *fields)
        packed = gzip.compress(body, mtime=0)
        self._plain = Variant(body, content)
        self._packed = None
        if len(packed) < len(body):
            self._packed = Variant(packed, (*content, ("Content-Encoding", "gzip")))

    def answer(self, request: Request) -> Answer:
        """Return the file, or 304 if the browser has it."""
        chosen = self._plain
        if self._packed is not None and takes_gzip(request.headers.get(b"accept-encoding")):
            chosen = self._packed
        if _matches(request.headers.get(b"if-none-match"), chosen.tag):
            kept = tuple(field for field in chosen.fields if not field[0].startswith("Content-"))
            return Answer(304, b"", kept)
        return Answer(200, chosen.body, chosen.fields)


class Assets:
    """All files of the page, found by their names below ``static``."""

    def __init__(self) -> None:
        self._files: dict[str, Asset] = {}
        for name, file in _walk(files("kodama.web") / "static", ""):
            content_type = _TYPES.get(name.rpartition(".")[2], "text/plain; charset=utf-8")
            page = name == PAGE
            fields = _PAGE_FIELDS if page else _FIELDS
            self._files[name] = Asset(file.read_bytes(), content_type, fields=fields)
        self._page = self._files.pop(PAGE)
        self._files["favicon.ico"] = self._files["icon.svg"]  # asked for by whoever shows bare JSON

    def page(self, request: Request) -> Answer:
        """Return the chat page; it reads the room from its own address."""
        return self._page.answer(request)

    def static(self, path: str, request: Request) -> Answer | None:
        """Return the file named ``path`` (below ``/static/``), or None if there is none."""
        asset = self._files.get(path)
        return None if asset is None else asset.answer(request)


def takes_gzip(accepted: bytes | None) -> bool:
    """Return whether Accept-Encoding (RFC 9110 section 12.5.3) allows gzip."""
    found = {}
    for part in (accepted or b"").lower().split(b","):
        coding, _, weight = part.partition(b";")
        refused = weight.replace(b" ", b"").rstrip(b"0").rstrip(b".") in (b"q=", b"q")
        found[coding.strip()] = not refused
    return found.get(b"gzip", found.get(b"*", False))


def _matches(asked: bytes | None, tag: str) -> bool:
    if asked is None:
        return False
    tags = {part.strip().removeprefix(b"W/") for part in asked.split(b",")}
    return b"*" in tags or tag.encode() in tags


def _walk(folder: Traversable, prefix: str) -> Iterator[tuple[str, Traversable]]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _walk(entry, f"{prefix}{entry.name}/")
        elif entry.is_file():
            yield prefix + entry.name, entry
