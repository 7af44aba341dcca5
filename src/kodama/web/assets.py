"""The page and its files: read once at start, served from memory, by name from a table.

What is not in the table does not exist, so that no path can lead out of the folder.
"""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from hashlib import blake2b
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

from kodama.http.message import Answer, Fields, Request

_TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".png": "image/png",
    ".ico": "image/x-icon",
}
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'"
)
_SAFE: Final[Fields] = (
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Cache-Control", "no-cache"),
    ("Vary", "Accept, Accept-Encoding"),
)


@dataclass(frozen=True, slots=True)
class File:
    """One file: ``packed`` is its gzip form; ``tag`` its strong ETag."""

    body: bytes
    packed: bytes
    tag: str
    fields: Fields


class Assets:
    """All files below ``static``."""

    def __init__(self) -> None:
        self._files: dict[str, File] = {}
        self._load(files("kodama.web") / "static", "")

    def page(self, request: Request) -> Answer:
        """Return the chat page."""
        return self._serve(self._files["index.html"], request)

    def static(self, path: str, request: Request) -> Answer | None:
        """Return the file at ``path``, or None if there is none."""
        file = self._files.get(path)
        return None if file is None else self._serve(file, request)

    def _serve(self, file: File, request: Request) -> Answer:
        if (request.headers.get(b"if-none-match") or b"").decode("latin-1") == file.tag:
            return Answer(304, b"", (("ETag", file.tag), *_SAFE))
        if b"gzip" in (request.headers.get(b"accept-encoding") or b""):
            return Answer(200, file.packed, (*file.fields, ("Content-Encoding", "gzip")))
        return Answer(200, file.body, file.fields)

    def _load(self, folder: Traversable, prefix: str) -> None:
        for item in folder.iterdir():
            if item.is_dir():
                self._load(item, f"{prefix}{item.name}/")
                continue
            ending = item.name[item.name.rfind(".") :]
            if ending in _TYPES:
                self._files[prefix + item.name] = _file(item.read_bytes(), ending)


def _file(body: bytes, ending: str) -> File:
    tag = f'"{blake2b(body, digest_size=12).hexdigest()}"'
    policy: Fields = (("Content-Security-Policy", _POLICY),) if ending == ".html" else ()
    fields: Fields = (("Content-Type", _TYPES[ending]), ("ETag", tag), *_SAFE, *policy)
    return File(body, gzip.compress(body, 9, mtime=0), tag, fields)
