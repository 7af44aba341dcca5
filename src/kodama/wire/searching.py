"""A search as it is asked for: the words that people type, and the operators among them.

The one decision here: a query is read as a person meant it. Full-width signs and typographic quotes
count as the plain ones, a quote that is not closed yet ends with the text, and what only looks like
an operator (`12:30`, `https://…`) is text; but an operator with a value that cannot be meant is
refused by name.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from kodama.core.errors import BadRequest
from kodama.core.event import Entry, decode
from kodama.core.names import room_name
from kodama.core.search import Has, Place, Wanted
from kodama.core.words import Phrase, phrases, quoted
from kodama.wire.queries import offset, single

QUERY_LIMIT: Final = 200  # characters
FOUND_LIMIT: Final = 100
FOUND_DEFAULT: Final = 20

_PART: Final = re.compile(
    r'(?P<minus>-?)(?P<key>from|in|has|before|after):(?:"(?P<closed>[^"]*)"?|(?P<open>[^\s"]*))'
    r'|(?P<without>-?)"(?P<quoted>[^"]*)"?'
    r'|(?P<text>[^\s"]+)',
    re.IGNORECASE,
)
_QUOTES: Final = str.maketrans("“”„‟", '""""')
_MOMENT: Final = re.compile(
    r"\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{3})?)?(?:Z|[+-]\d\d:\d\d)?)?", re.ASCII
)
_PLACE: Final = re.compile(r"(\d{1,15})~(\d{1,16})~(.{1,64})", re.ASCII)
_LIMIT: Final = re.compile(r"[1-9]\d{0,2}", re.ASCII)
_1970: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for, None if nothing can be meant by it (signs alone), and how many at most."""

    wanted: Wanted | None
    limit: int


@dataclass(slots=True)
class _Query:
    """A query while it is read; ``signs`` tells of text that has no words."""

    words: list[Phrase] = field(default_factory=list)
    without: list[Phrase] = field(default_factory=list)
    signs: bool = False
    room: str | None = None
    author: str | None = None
    has: list[Has] = field(default_factory=list)
    since: int | None = None
    before: int | None = None

    def text(self, given: Iterable[Phrase], *, into: list[Phrase]) -> None:
        """Take what a piece of text is looked for by."""
        found = list(given)
        self.signs = self.signs or not found
        into += found

    def operator(self, key: str, value: str) -> None:
        """Take an operator. Raises `BadRequest`."""
        if not value.strip():
            raise BadRequest(f"{key}: is followed by a value, without a space.")
        match key:
            case "from":
                self.author = _only("from", self.author, value.strip())
            case "in":
                self.room = _only("in", self.room, room_name(value.strip()))
            case "has":
                self.has.append(_has(value.lower()))
            case "before":
                moment = _moment("before", value)
                self.before = moment if self.before is None else min(moment, self.before)
            case _:
                moment = _moment("after", value)
                self.since = moment if self.since is None else max(moment, self.since)


def search(found: Mapping[str, list[str]]) -> Search:
    """Read the parameters of a search. Raises `BadRequest`, `BadRoomName`."""
    query = _read(single(found, "q") or "")
    for name, key in (("room", "in"), ("from", "from")):
        value = single(found, name)
        if value is not None:
            query.operator(key, value)
    below, past = _bound(query, single(found, "before"))
    limit = _limit(single(found, "limit"))
    said = bool(query.words or query.without)
    if not (said or query.signs or query.has or query.room or query.author):
        raise BadRequest("q says what to look for: words, or from: in: has:.")
    if query.signs and not said:
        return Search(None, limit)
    wanted = Wanted(
        phrases=tuple(dict.fromkeys(query.words)), without=tuple(dict.fromkeys(query.without)),
        room=query.room, author=query.author, has=tuple(dict.fromkeys(query.has)),
        since=query.since, before=query.before, below=below, past=past,
    )  # fmt: skip
    return Search(wanted, limit)


def following(last: Entry) -> str:
    """Return ``before`` for what follows the message ``last`` in an answer."""
    return f"{last.time}~{last.offset}~{decode(last.json).room}"


def _read(text: str) -> _Query:
    if len(text) > QUERY_LIMIT or "\0" in text:
        raise BadRequest(f"q has at most {QUERY_LIMIT} characters, no null among them.")
    query = _Query()
    for part in _PART.finditer(unicodedata.normalize("NFKC", text).translate(_QUOTES)):
        key, phrase, word = part["key"], part["quoted"], part["text"]
        if key is not None:
            if part["minus"]:
                raise BadRequest(f"-{key}: cannot be left out; only words and phrases can.")
            closed = part["closed"]
            query.operator(key.lower(), part["open"] if closed is None else closed)
        elif phrase is not None:
            whole = quoted(phrase)
            into = query.without if part["without"] else query.words
            query.text(() if whole is None else (whole,), into=into)
        elif word.startswith("-"):
            query.text(phrases(word), into=query.without)
        else:
            query.text(phrases(word), into=query.words)
    return query


def _bound(query: _Query, given: str | None) -> tuple[int | None, Place | None]:
    """Read the parameter ``before``: an offset, a moment, or where an answer was cut."""
    if given is None:
        return None, None
    if place := _PLACE.fullmatch(given):
        return None, Place(int(place[1]), room_name(place[3]), int(place[2]))
    if given.isascii() and given.isdigit():
        if query.room is None:
            raise BadRequest("before is an offset only where a room is given.")
        return offset(given), None
    query.operator("before", given)
    return None, None


def _only(key: str, known: str | None, value: str) -> str:
    if known not in (None, value):
        raise BadRequest(f"{key} is given more than once.")
    return value


def _has(value: str) -> Has:
    try:
        return Has(value)
    except ValueError:
        raise BadRequest("has: is followed by link, file or code.") from None


def _moment(key: str, value: str) -> int:
    """Return a date or time in ms since 1970; in UTC where it names no zone (RFC 3339)."""
    try:
        moment = datetime.fromisoformat(value.upper() if _MOMENT.fullmatch(value.upper()) else "")
        return max(
            0,
            ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - _1970) // timedelta(milliseconds=1),
        )
    except ValueError:
        raise BadRequest(f"{key} is a date such as 2026-11-24 or a time such as 2026-11-24T09:30Z.") from None


def _limit(given: str | None) -> int:
    if given is None:
        return FOUND_DEFAULT
    if not _LIMIT.fullmatch(given) or int(given) > FOUND_LIMIT:
        raise BadRequest(f"limit is a whole number from 1 to {FOUND_LIMIT}.")
    return int(given)
