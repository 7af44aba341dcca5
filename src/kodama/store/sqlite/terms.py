"""How a message stands in the index: its number, its words and its marks.

The one decision here: whatever is asked besides words (the room, the author, a link) is a word of
its own in a second column, so that one question to one index answers everything, the newest first
and no further than the limit. A number begins with the message's time, so a moment is a bound.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import Final

from kodama.core.search import Subject, Wanted
from kodama.core.words import Phrase, words
from kodama.store.marks import marks, of_id, of_name, of_room

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
    return " ".join(words(about.text)), " ".join((_EVERY, *marks(room, about)))


def expression(wanted: Wanted, *, only: Iterable[int] = (), but: Iterable[int] = ()) -> str:
    """Return ``wanted`` as FTS5 is asked for it; in the rooms ``only`` if any, but not in others."""
    marked = [_EVERY, *wanted.has]
    if rooms := [of_room(number) for number in only]:
        marked.append(f"({' OR '.join(rooms)})")
    if wanted.author is not None:
        marked.append(f"({of_id(wanted.author)} OR {of_name(wanted.author)})")
    asked = f"marks : ({' AND '.join(marked)})"
    if wanted.phrases:
        asked += f" AND words : ({' AND '.join(map(_phrase, wanted.phrases))})"
    if wanted.without:
        asked = f"({asked}) NOT words : ({' OR '.join(map(_phrase, wanted.without))})"
    if rooms := [of_room(number) for number in but]:
        asked = f"({asked}) NOT marks : ({' OR '.join(rooms)})"
    return asked


def _phrase(phrase: Phrase) -> str:
    return f'"{" ".join(phrase.words)}"' + " *" * phrase.is_prefix
