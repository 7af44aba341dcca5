"""How a message stands in the index: its number, its words and its marks.

The one decision here: whatever is asked besides words (the room, the author, a link) is a word of
its own in a second column, so that one question to one index answers everything, the newest first
and no further than the limit. A number begins with the message's time, so a moment is a bound.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from functools import lru_cache
from hashlib import blake2b
from typing import Final

from kodama.core.search import Subject, Wanted
from kodama.core.words import Phrase, fold, words

MOMENT_BITS: Final = 20  # a million messages a ms
LAST_MOMENT: Final = 2**43 - 1  # ms; in the year 2248, as far as 64 bits reach

_EVERY: Final = "m"


def first_number(time: int) -> int:
    """Return the lowest number of a message of ``time`` in ms."""
    return min(time, LAST_MOMENT) << MOMENT_BITS


def number_of(file: sqlite3.Connection, *, room: int, offset: int, time: int) -> int | None:
    """Return the number of a message, None if it is not in the index."""
    first = first_number(time)
    row = file.execute(
        "SELECT id FROM found WHERE id BETWEEN ? AND ? AND room_id = ? AND offset = ?",
        (first, first + 2**MOMENT_BITS - 1, room, offset),
    ).fetchone()
    return int(row[0]) if row else None


def terms(room: int, about: Subject) -> tuple[str, str]:
    """Return the words and the marks of a message."""
    marks = (_EVERY, _room(room), _id(about.author.id), _name(about.author.name), *about.has)
    return " ".join(words(about.text)), " ".join(marks)


def expression(wanted: Wanted, *, only: Iterable[int] = (), but: Iterable[int] = ()) -> str:
    """Return ``wanted`` as FTS5 is asked for it; in the rooms ``only`` if any, but not in others."""
    marks = [_EVERY, *wanted.has]
    if rooms := [_room(number) for number in only]:
        marks.append(f"({' OR '.join(rooms)})")
    if wanted.author is not None:
        marks.append(f"({_id(wanted.author)} OR {_name(wanted.author)})")
    asked = f"marks : ({' AND '.join(marks)})"
    if wanted.phrases:
        asked += f" AND words : ({' AND '.join(map(_phrase, wanted.phrases))})"
    if wanted.without:
        asked = f"({asked}) NOT words : ({' OR '.join(map(_phrase, wanted.without))})"
    if rooms := [_room(number) for number in but]:
        asked = f"({asked}) NOT marks : ({' OR '.join(rooms)})"
    return asked


def _phrase(phrase: Phrase) -> str:
    return f'"{" ".join(phrase.words)}"' + " *" * phrase.is_prefix


def _room(number: int) -> str:
    return f"r{number}"


@lru_cache(maxsize=4096)
def _id(given: str) -> str:
    return "i" + _digest(given)


@lru_cache(maxsize=4096)
def _name(given: str) -> str:
    return "n" + _digest(fold(given))


def _digest(text: str) -> str:
    return blake2b(text.encode(), digest_size=6).hexdigest()
