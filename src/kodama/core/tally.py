"""How the reactions to a message are counted for those who read history.

The one decision here: a count says up to which event it counts, so that a reader who hears the
same reactions live counts none of them twice; and it names a few people, the asker first, however
many there are.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec

from kodama.core.event import Author, Entry, Reaction, decode

NAMED: Final = 30


class Tally(msgspec.Struct, frozen=True):
    """``count`` people put ``emoji`` on ``target``; ``by`` are some, ``offset`` the newest event counted."""

    target: int
    emoji: str
    count: int
    by: list[Author]
    offset: int


def tally(newest: Iterable[Entry], *, asker: str | None) -> list[Tally]:
    """Count reactions in the order of their use, given each person's newest event for each emoji."""
    counted: dict[tuple[int, str], list[Reaction]] = {}
    for entry in sorted(newest):
        event = decode(entry.json)
        if isinstance(event, Reaction):
            counted.setdefault((event.target, event.emoji), []).append(event)
    found = []
    for (target, emoji), events in counted.items():
        by = [event.author for event in events if event.op == "add"]
        if by:
            by.sort(key=lambda author: author.id != asker)
            found.append(Tally(target, emoji, len(by), by[:NAMED], events[-1].offset))
    return found
