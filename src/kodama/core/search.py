"""What is looked for in messages, and what of a message it is looked for in.

Decided here, once for all stores: what a message is found by (its `Subject`, taken from the bytes
that are kept), and when it is what was `Wanted`. `fits` is the meaning; an index only gets there
faster.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

import msgspec
from msgspec import Raw

from kodama.core.event import Author, Entry
from kodama.core.words import Phrase, contains, fold

_LINK: Final = re.compile(r"https?://[^\s/]", re.IGNORECASE)
_CODE: Final = re.compile(r"```|`[^`\n]+`")


class Has(StrEnum):
    """What a message may have besides words: a link to http(s), a file, CommonMark code."""

    LINK = "link"
    FILE = "file"
    CODE = "code"


class Place(NamedTuple):
    """A message's place among all of a server, by ``time`` in ms first."""

    time: int
    room: str
    offset: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is looked for; all of it must hold.

    ``author`` is a user's id or name. ``since`` and ``before`` are in ms, the first included, the
    second not; ``below`` is an offset not included; ``past`` is the message at which an earlier
    answer was cut.
    """

    phrases: tuple[Phrase, ...] = ()
    without: tuple[Phrase, ...] = ()
    room: str | None = None
    author: str | None = None
    has: tuple[Has, ...] = ()
    since: int | None = None
    before: int | None = None
    below: int | None = None
    past: Place | None = None


class Subject(NamedTuple):
    """What a message is found by."""

    author: Author
    text: str
    has: tuple[Has, ...]


class _Kept(msgspec.Struct):
    author: Author
    text: str | None = None
    data: Raw = Raw(b"null")
    deleted: bool = False


class _Filed(msgspec.Struct):
    files: list[Raw] = []


_kept: Final = msgspec.json.Decoder(_Kept)
_filed: Final = msgspec.json.Decoder(_Filed)


def subject(json: bytes) -> Subject | None:
    """Return what the message that is kept as ``json`` is found by; None of a deleted one."""
    kept = _kept.decode(json)
    if kept.deleted:
        return None
    text = kept.text or ""
    return Subject(kept.author, text, tuple(has for has in Has if _has(has, text, kept.data)))


def fits(entry: Entry, wanted: Wanted, *, room: str) -> bool:
    """Tell whether the message kept as ``entry`` of ``room`` is what is ``wanted``."""
    if wanted.room not in (None, room) or not _in_time(Place(entry.time, room, entry.offset), wanted):
        return False
    kept = _kept.decode(entry.json)
    if kept.deleted or not (wanted.author is None or _is_by(kept.author, wanted.author)):
        return False
    text = kept.text or ""
    return (
        contains(text, wanted.phrases)
        and all(_has(has, text, kept.data) for has in wanted.has)
        and not any(contains(text, (phrase,)) for phrase in wanted.without)
    )


def _in_time(place: Place, wanted: Wanted) -> bool:
    return (
        (wanted.since is None or place.time >= wanted.since)
        and (wanted.before is None or place.time < wanted.before)
        and (wanted.below is None or place.offset < wanted.below)
        and (wanted.past is None or place < wanted.past)
    )


def _is_by(author: Author, wanted: str) -> bool:
    return author.id == wanted or fold(author.name) == fold(wanted)


def _has(has: Has, text: str, data: Raw) -> bool:
    match has:
        case Has.LINK:
            return _LINK.search(text) is not None
        case Has.CODE:
            return _CODE.search(text) is not None
        case _:
            return _has_files(bytes(data))


def _has_files(data: bytes) -> bool:
    if not data.startswith(b"{") or b'"files"' not in data:
        return False
    try:
        return bool(_filed.decode(data).files)
    except msgspec.ValidationError:
        return False
