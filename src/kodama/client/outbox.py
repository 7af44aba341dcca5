"""What must outlive the program: messages not yet acknowledged, and the place in a room.

The outbox is a file of JSON lines. A message is written before it is sent for the first time and
struck out after the server has it, so that a crash in between sends it again under its nonce.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import msgspec

FORGOTTEN: Final = 24 * 3600.0  # a nonce is remembered at least this long
ASKEW: Final = 3600.0  # how far this clock may be from the server's


class Waiting(msgspec.Struct, frozen=True, omit_defaults=True):
    """A message on its way; ``at`` is when it was first written down, seconds since 1970."""

    room: str
    nonce: str
    at: float
    text: str | None = None
    data: Any = None
    name: str | None = None

    def is_old(self, *, now: float) -> bool:
        """Tell whether the server may have forgotten the nonce: look in its history before sending again."""
        return now - self.at >= FORGOTTEN

    def is_later_than(self, time: str) -> bool:
        """Tell whether it was written down well after the server's ``time`` (RFC 3339)."""
        return datetime.fromisoformat(time).timestamp() < self.at - ASKEW


class _Struck(msgspec.Struct, frozen=True):
    done: str


@dataclass(slots=True)
class _Lines:
    """What a file says: ``cut`` if a crash has left its last line without an end."""

    entries: dict[str, Waiting]
    struck: int
    cut: bool


class Outbox:
    """The messages of one program that wait to be acknowledged; without ``path`` they are in memory only."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._lines = _read(path) if path is not None and path.exists() else _Lines({}, 0, cut=False)
        if path is not None and (self._lines.struck or self._lines.cut):
            self._rewrite(path)

    def __len__(self) -> int:
        """Return how many wait."""
        return len(self._lines.entries)

    def waiting(self) -> list[Waiting]:
        """Return all that wait, oldest first."""
        return list(self._lines.entries.values())

    def add(self, message: Waiting) -> None:
        """Keep a message before it is sent."""
        self._lines.entries[message.nonce] = message
        self._append(message)

    def done(self, nonce: str) -> None:
        """Strike a message out: the server has it, or will never take it."""
        if self._lines.entries.pop(nonce, None) is None:
            return
        self._append(_Struck(nonce))
        self._lines.struck += 1
        if self._path is not None and not self._lines.entries and self._lines.struck > 100:
            self._rewrite(self._path)

    def _append(self, line: msgspec.Struct) -> None:
        if self._path is None:
            return
        with self._path.open("ab") as file:
            file.write(msgspec.json.encode(line) + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def _rewrite(self, path: Path) -> None:
        _replace(path, b"".join(msgspec.json.encode(one) + b"\n" for one in self._lines.entries.values()))
        self._lines.struck, self._lines.cut = 0, False


class CursorFile:
    """A file that keeps a reader's place between runs; it is replaced whole, never half."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> str | None:
        """Return the cursor, None if there is none yet."""
        try:
            return self._path.read_text("ascii").strip() or None
        except FileNotFoundError:
            return None

    def keep(self, cursor: str) -> None:
        """Write the cursor."""
        _replace(self._path, f"{cursor}\n".encode("ascii"))


def _read(path: Path) -> _Lines:
    """Return what the file says; a last line that a crash cut off was never sent and counts for nothing."""
    content = path.read_bytes()
    found = _Lines({}, 0, cut=not content.endswith(b"\n"))
    for line in content.splitlines():
        try:
            raw = msgspec.json.decode(line)
            if "done" in raw:
                found.entries.pop(raw["done"], None)
                found.struck += 1
            else:
                message = msgspec.convert(raw, Waiting)
                found.entries[message.nonce] = message
        except (msgspec.DecodeError, msgspec.ValidationError, TypeError):
            found.struck += 1
    return found


def _replace(path: Path, content: bytes) -> None:
    draft = path.with_name(path.name + ".new")
    with draft.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
