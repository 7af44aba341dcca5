"""What a message is found by besides its words, as words of an index: its room, its author, what it has.

The one decision here: a person stands in an index as a digest of the id, and of the name folded as a
search folds it, so that any spelling finds them and none can be mistaken for a word.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b

from kodama.core.search import Subject
from kodama.core.words import fold


def marks(room: int, about: Subject) -> tuple[str, ...]:
    """Return the marks of a message in the room with that number."""
    return (of_room(room), of_id(about.author.id), of_name(about.author.name), *about.has)


def of_room(number: int) -> str:
    """Return the mark of whatever is in a room."""
    return f"r{number}"


@lru_cache(maxsize=4096)
def of_id(given: str) -> str:
    """Return the mark of what a person with that id wrote."""
    return "i" + _digest(given)


@lru_cache(maxsize=4096)
def of_name(given: str) -> str:
    """Return the mark of what people of that name wrote."""
    return "n" + _digest(fold(given))


def _digest(text: str) -> str:
    return blake2b(text.encode(), digest_size=6).hexdigest()
