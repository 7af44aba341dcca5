"""Where a reader stands: a position in one room, and the cursor over many.

A position (epoch, offset) is *known* if the event stored at that offset carries that epoch,
as with a Raft term and index; offset 0 is known always. `Epochs` decides that from a short
list of ranges. A `Cursor` is the positions of up to 100 rooms as text for a URL:

    k1.lobby~q3Zx9~42~HbK2…~q3Zx9~7

A room stands under its name if that is plain ASCII of at most 12 characters, else under
``H`` and 64 bits of its BLAKE2b digest: a folded name has no capitals, so the two never
meet, and 100 rooms fit in 4 KiB whatever their names.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64encode
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from functools import lru_cache
from hashlib import blake2b
from typing import Final, NamedTuple

from kodama.core.errors import BadCursor

CURSOR_LIMIT: Final = 4096
CURSOR_ROOMS: Final = 100
OFFSET_LIMIT: Final = 2**53 - 1  # the largest integer every JSON reader keeps exact


class Position(NamedTuple):
    """Everything up to ``offset`` has been seen, the last of it written in ``epoch``."""

    epoch: str
    offset: int


START: Final = Position("", 0)


class Epochs:
    """The epochs of one room's log, oldest first, each with the offset of its first event."""

    __slots__ = ("_firsts", "_names")

    def __init__(self, starts: Iterable[tuple[int, str]] = ()) -> None:
        self._firsts: list[int] = []
        self._names: list[str] = []
        for first, epoch in starts:
            self.extend(first, epoch)

    def extend(self, offset: int, epoch: str) -> None:
        """Note that the event at ``offset``, the newest, was written in ``epoch``."""
        if not self._names or self._names[-1] != epoch:
            self._firsts.append(offset)
            self._names.append(epoch)

    def at(self, offset: int) -> Position:
        """Return the position just after the event at ``offset``, which is in the log or 0."""
        index = bisect_right(self._firsts, offset) - 1
        return Position(self._names[index], offset) if offset and index >= 0 else START

    def last_of(self, epoch: str) -> int | None:
        """Return the last offset of a *finished* epoch, or None for another."""
        if epoch not in self._names[:-1]:
            return None
        return self._firsts[self._names.index(epoch) + 1] - 1

    def starts(self) -> tuple[tuple[int, str], ...]:
        """Return (first offset, epoch) of each, oldest first."""
        return tuple(zip(self._firsts, self._names, strict=True))


class Cursor:
    """The positions of several rooms, looked up by room name."""

    __slots__ = ("_places",)

    def __init__(self, places: Mapping[str, Position]) -> None:
        self._places = places

    def get(self, room: str) -> Position | None:
        """Return the position in ``room``, or None if the cursor does not speak of it."""
        return self._places.get(_key(room))


def encode_cursor(positions: Mapping[str, Position]) -> str:
    """Return the cursor of ``positions`` (room name → position, at most 100) as text."""
    return "k1." + "~".join(
        f"{_key(room)}~{position.epoch}~{position.offset}" for room, position in positions.items()
    )


def parse_cursor(text: str) -> Cursor:
    """Read what `encode_cursor` wrote; anything else raises `BadCursor`."""
    if len(text) > CURSOR_LIMIT or not _CURSOR.fullmatch(text):
        raise BadCursor("This is not a cursor.")
    fields = text[3:].split("~")
    places: dict[str, Position] = {}
    for key, epoch, digits in zip(fields[::3], fields[1::3], fields[2::3], strict=True):
        offset = int(digits)
        if offset > OFFSET_LIMIT or key in places or (offset > 0) != bool(epoch):
            raise BadCursor("This is not a cursor.")
        places[key] = Position(epoch, offset)
    if len(places) > CURSOR_ROOMS:
        raise BadCursor(f"A cursor has at most {CURSOR_ROOMS} rooms.")
    return Cursor(places)


_PLACE: Final = r"(?:[a-z0-9_-][a-z0-9._-]{0,11}|H[A-Za-z0-9_-]{11})~[A-Za-z0-9]{0,8}~(?:0|[1-9][0-9]{0,15})"
_CURSOR: Final = re.compile(rf"k1\.{_PLACE}(?:~{_PLACE})*", re.ASCII)
_PLAIN: Final = re.compile(r"[a-z0-9_-][a-z0-9._-]{0,11}", re.ASCII)


@lru_cache(maxsize=4096)
def _key(room: str) -> str:
    if _PLAIN.fullmatch(room):
        return room
    digest = blake2b(room.encode(), digest_size=8).digest()
    return "H" + urlsafe_b64encode(digest).rstrip(b"=").decode()
