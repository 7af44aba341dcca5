"""The page and its files: what a browser gets that is not the API.

Decided here: every file is read, hashed and compressed once at start and found by its exact name in
a dictionary, so that no request touches the disk and no path can lead out of the package. The page
names its files below ``@`` and the hash of them all, where they never change: a browser that has been
here asks for the page alone, and one that has not learns at once of every module it will need. There
the modules come without their comments, line for line; below their plain names they are as written.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator, Mapping
from copy import copy
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

from kodama.http.message import Answer, Fields, Request
from kodama.web.modules import reached, without_comments

PAGE: Final = "index.html"
CONSOLE: Final = "admin.html"
MAIN: Final[Mapping[str, str]] = {PAGE: "js/main.js", CONSOLE: "admin/main.js"}

_TYPES: Final = {
    "css": "text/css; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "json": "application/json",
    "mjs": "text/javascript; charset=utf-8",
    "png": "image/png",
    "svg": "image/svg+xml",
    "txt": "text/plain; charset=utf-8",
    "webmanifest": "application/manifest+json",
}
_POLICY: Final = "; ".join((
    "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self'", "connect-src 'self'",
    "manifest-src 'self'", "base-uri 'none'", "form-action 'self'", "require-trusted-types-for 'script'",
    "frame-ancestors ",
))
_COMMON: Final[Fields] = (
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Vary", "Accept-Encoding"),
)
_FIELDS: Final[Fields] = (("Cache-Control", "no-cache"), *_COMMON)
_LASTING: Final[Fields] = (("Cache-Control", "public, max-age=31536000, immutable"), *_COMMON)
_SHARED: Final[Fields] = (  # the page stands at `/r/{room}`, whose answers all carry the first five
    ("Cache-Control", "no-store"),
    ("X-Accel-Buffering", "no"),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Vary", "Accept, Origin, Accept-Encoding"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
)
_WITHOUT_SCRIPT: Final = re.compile(rb"<noscript>.*?</noscript>", re.DOTALL)


def page_fields(ancestors: str) -> Fields:
    """Return the fields of the page where ``ancestors`` (CSP Level 3, section 6.4.2) may frame it."""
    return (*_SHARED, ("Content-Security-Policy", _POLICY + ancestors))


_PAGE_FIELDS: Final[Fields] = (*page_fields("'none'"), ("X-Frame-Options", "DENY"))


class Variant:
    """One encoding of one file: its content fields and its tag, told apart from the other's."""

    __slots__ = ("_content", "body", "fields", "tag")

    def __init__(self, body: bytes, content: Fields, fields: Fields) -> None:
        self.body = body
        self.tag = f'"{sha256(body).hexdigest()[:32]}"'
        self._content = content
        self.fields = (*content, *fields, ("ETag", self.tag))

    def with_fields(self, fields: Fields) -> Variant:
        """Return the same content with other fields."""
        return Variant(self.body, self._content, fields)


class Asset:
    """One file as it is sent, plain and, where that is shorter, compressed."""

    __slots__ = ("_packed", "_plain")

    def __init__(self, body: bytes, content_type: str, *, fields: Fields) -> None:
        packed = gzip.compress(body, mtime=0)
        content = (("Content-Type", content_type),)
        self._plain = Variant(body, content, fields)
        self._packed = None
        if len(packed) < len(body):
            self._packed = Variant(packed, (*content, ("Content-Encoding", "gzip")), fields)

    def with_fields(self, fields: Fields) -> Asset:
        """Return the same file with other fields than it was made with."""
        other = copy(self)
        other._plain = self._plain.with_fields(fields)
        other._packed = None if self._packed is None else self._packed.with_fields(fields)
        return other

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
        found = {name: file.read_bytes() for name, file in _walk(files("kodama.web") / "static", "")}
        pages = {name: found.pop(name) for name in MAIN}
        digest = sha256(b"".join(found[name] for name in sorted(found))).hexdigest()[:16]
        self._version = f"@{digest}"
        self._files = {name: Asset(body, _type(name), fields=_FIELDS) for name, body in found.items()}
        self._lasting = {
            name: Asset(without_comments(found[name]), _type(name), fields=_LASTING)
            if name.startswith(("js/", "admin/"))
            else asset.with_fields(_LASTING)
            for name, asset in self._files.items()
        }
        whole = {name: self._named(page, MAIN[name], found) for name, page in pages.items()}
        self._pages = {name: Asset(page, _type(name), fields=_PAGE_FIELDS) for name, page in whole.items()}
        self.framed = Asset(_in_frame(whole[PAGE]), _type(PAGE), fields=_PAGE_FIELDS)
        self._files["favicon.ico"] = self._files["icon.svg"]  # asked for by whoever shows bare JSON

    def page(self, request: Request) -> Answer:
        """Return the chat page; it reads the room from its own address."""
        return self._pages[PAGE].answer(request)

    def console(self, request: Request) -> Answer:
        """Return the page of the server's owner; what it shows it asks for."""
        return self._pages[CONSOLE].answer(request)

    def static(self, path: str, request: Request) -> Answer | None:
        """Return the file named ``path`` (below ``/static/``), or None if there is none.

        A page from before an upgrade names another version; it gets what there is now, for now.
        """
        kept = self._files
        if path.startswith("@"):
            version, _, path = path.partition("/")
            kept = self._lasting if version == self._version else self._files
        asset = kept.get(path)
        return None if asset is None else asset.answer(request)

    def _named(self, page: bytes, main: str, found: Mapping[str, bytes]) -> bytes:
        """Return the page with the names that last, and with all modules named in its head."""
        names = reached(main, found)
        hints = "".join(f'<link rel="modulepreload" href="/static/{name}">\n' for name in names)
        whole = page.replace(b"</head>", hints.encode() + b"</head>", 1)
        return whole.replace(b'"/static/', f'"/static/{self._version}/'.encode())


def _in_frame(page: bytes) -> bytes:
    """Return the page as it is told apart in a frame; what put it there needs scripts anyway."""
    return _WITHOUT_SCRIPT.sub(b"", page).replace(b"<html ", b'<html class="embed" ', 1)


def _type(name: str) -> str:
    return _TYPES.get(name.rpartition(".")[2], "text/plain; charset=utf-8")


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
