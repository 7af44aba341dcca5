"""Which messages somebody is called for, and how often.

Decided here: a room calls for every message, for mentions, or for none; who has not chosen is called
for mentions, and in a room of two for every message. A mention is an id in ``data.mentions``, or the
name after its sign, compared as people read it. Whoever was called is left in peace for a while, and
what came meanwhile is then one call.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, Final, NamedTuple
from unicodedata import category, name, normalize

import msgspec

SIGNS: Final = "@＠"  # noqa: RUF001 - both are on keyboards
MENTIONS_READ: Final = 50
NAME_LIMIT: Final = 160  # characters that are looked at after a sign
SNIPPET: Final = 200  # characters of a message that a call shows


class Level(StrEnum):
    """What of a room somebody is called for."""

    ALL = "all"
    MENTIONS = "mentions"
    NONE = "none"


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody is told: the message at ``offset``, and how many there were."""

    room: str
    offset: int
    author: str
    text: str
    count: int = 1
    mention: bool = False

    def after(self, older: Call) -> Call:
        """Return one call for both; a mention is what is shown, if one of them is."""
        shown = older if older.mention and not self.mention else self
        return msgspec.structs.replace(shown, count=self.count + older.count)


def usual(*, two: bool) -> Level:
    """Return the level of somebody who has not chosen, in a room of two or not."""
    return Level.ALL if two else Level.MENTIONS


def calls(level: Level, *, mentioned: bool) -> bool:
    """Return whether a message calls somebody who has chosen ``level``."""
    return level is Level.ALL or (mentioned and level is Level.MENTIONS)


def folded(text: str) -> str:
    """Return ``text`` as names are compared: NFKC and without case."""
    return normalize("NFKC", text).lower()


class Mentions:
    """Whom a message mentions. ``ids`` are those that its data names."""

    __slots__ = ("_tails", "ids")

    def __init__(self, text: str | None, data: Any) -> None:
        self.ids = _ids(data)
        self._tails = tuple(_tails(text or ""))

    def of(self, id: str, name: str) -> bool:  # noqa: A002 - a person's id
        """Return whether somebody is mentioned; ``name`` is `folded`."""
        return id in self.ids or any(_stands(tail, name) for tail in self._tails)


def snippet(text: str | None) -> str:
    """Return the beginning of a message, on one line."""
    line = " ".join((text or "")[: SNIPPET * 4].split())
    return line if len(line) <= SNIPPET else f"{line[: SNIPPET - 1]}…"


class Quiet:
    """Who is left in peace in which room. ``seconds`` is for how long after a call; beyond ``most``
    of them the oldest are forgotten, with what waits for them."""

    def __init__(self, *, seconds: float, most: int) -> None:
        self._seconds = seconds
        self._most = most
        self._until: OrderedDict[tuple[str, str], _Peace] = OrderedDict()

    def __len__(self) -> int:
        """Return how many are left in peace."""
        return len(self._until)

    def call(self, user: str, call: Call, *, now: float) -> Call | None:
        """Return what to tell now; None if it waits. Times are in seconds."""
        key = (user, call.room)
        peace = self._until.get(key)
        if peace is not None and now < peace.until:
            waiting = call if peace.waiting is None else call.after(peace.waiting)
            self._until[key] = _Peace(peace.until, waiting)
            return None
        self._begin(key, now)
        return call if peace is None or peace.waiting is None else call.after(peace.waiting)

    def due(self, now: float) -> Sequence[tuple[str, Call]]:
        """Return whom to tell what has waited long enough; they are left in peace again."""
        told = []
        while self._until and next(iter(self._until.values())).until <= now:
            key, peace = self._until.popitem(last=False)
            if peace.waiting is not None:
                told.append((key[0], peace.waiting))
                self._begin(key, now)
        return told

    def _begin(self, key: tuple[str, str], now: float) -> None:
        self._until.pop(key, None)
        self._until[key] = _Peace(now + self._seconds, None)
        if len(self._until) > self._most:
            self._until.popitem(last=False)


class _Peace(NamedTuple):
    until: float
    waiting: Call | None


def _ids(data: Any) -> frozenset[str]:
    given = data.get("mentions") if isinstance(data, Mapping) else None
    if not isinstance(given, list):
        return frozenset()
    ids = (one.get("id") for one in given[:MENTIONS_READ] if isinstance(one, Mapping))
    return frozenset(id for id in ids if isinstance(id, str))  # noqa: A001 - a person's id


def _tails(text: str) -> Sequence[str]:
    """Return what follows each sign that does not stand inside a word, folded."""
    found: list[str] = []
    for at, letter in enumerate(text):
        if letter in SIGNS and not (at and _in_word(text[at - 1])):
            found.append(folded(text[at + 1 : at + 1 + NAME_LIMIT]))
            if len(found) == MENTIONS_READ:
                break
    return found


def _stands(tail: str, name: str) -> bool:
    if not name or not tail.startswith(name):
        return False
    return not (_in_word(name[-1]) and len(tail) > len(name) and _in_word(tail[len(name)]))


def _in_word(letter: str) -> bool:
    """Return whether a letter is one of Latin script, a number or a low line."""
    return letter == "_" or category(letter)[0] == "N" or "LATIN " in name(letter, "")
