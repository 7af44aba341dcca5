"""What was said elsewhere, as it is taken into a room: the shape that every reader of an export gives."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from unicodedata import normalize

from kodama.core.errors import BadRequest, BadRoomName
from kodama.core.event import Author
from kodama.core.names import display_name, room_name

_NOT_IN_NAMES: Final = re.compile(r"[^\w.-]+")


class NoArchive(Exception):
    """The file is not an export that is known, or is damaged; the message says where."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One message: ``id`` is the other program's own, ``time`` in ms since 1970; ``reactions`` are
    an emoji or its name, and who gave it. ``answers`` is the id of the message it replies to."""

    id: str
    time: int
    author: Author
    text: str | None
    data: Any = None
    answers: str | None = None
    reactions: Sequence[tuple[str, Author]] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """One room and what was said in it, oldest first. ``access`` as in `kodama.core.room.Access`."""

    room: str
    title: str = ""
    topic: str = ""
    access: str = "public"
    said: Sequence[Said] = field(default_factory=tuple)


def as_room(given: str) -> str:
    """Return ``given`` as the name of a room, with - for what cannot be in one. Raises `NoArchive`."""
    name = _NOT_IN_NAMES.sub("-", normalize("NFKC", given)).strip("-.")[:64]
    try:
        return room_name(name)
    except BadRoomName:
        raise NoArchive(f"{given!r} cannot be the name of a room.") from None


def as_name(given: str) -> str:
    """Return ``given`` as a display name, shortened if it must be."""
    clean = " ".join("".join(char for char in given if char.isprintable()).split())[:40]
    try:
        return display_name(clean)
    except BadRequest:
        return "Unknown"


def oldest_first(said: Iterator[Said]) -> list[Said]:
    """Return messages by their time; those of one moment keep their order."""
    return sorted(said, key=lambda one: one.time)
