"""A room as JSON Lines: a line about the room, then each event as it is served, oldest first.

What retention has taken, what was deleted and what an edit replaced is not in it, as it is
nowhere else. A file of it can be read in again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import msgspec

from kodama.archive.past import NoArchive, Past, Said
from kodama.core.event import Author, Entry
from kodama.core.room import RoomFacts

VERSION: Final = 1


def lines_of(facts: RoomFacts, entries: Iterable[Entry]) -> Iterator[bytes]:
    """Yield the lines of a room, without line breaks."""
    kept = {"days": facts.retention.days, "events": facts.retention.events}
    yield msgspec.json.encode({
        "kodama": VERSION, "room": facts.name, "title": facts.title, "topic": facts.topic,
        "access": facts.access.value, "owner": facts.owner, "retention": kept,
    })  # fmt: skip
    for entry in entries:
        yield entry.json


def read_lines(place: Path) -> Iterator[Past]:
    """Yield the rooms of an export of ours: a file, or a folder of them. Raises `NoArchive`."""
    files = sorted(place.glob("*.jsonl")) if place.is_dir() else [place]
    if not files:
        raise NoArchive(f"{place} has no .jsonl file in it.")
    for file in files:
        yield _read(file)


def _read(file: Path) -> Past:
    said: dict[int, Said] = {}
    given: dict[int, list[tuple[str, Author]]] = {}
    try:
        with file.open("rb") as lines:
            about = msgspec.json.decode(next(lines, b""))
            if about["kodama"] != VERSION:
                raise NoArchive(f"{file} was written by another version.")
            for line in lines:
                _take(msgspec.json.decode(line), said, given)
        return Past(
            room=about["room"], title=about["title"], topic=about["topic"], access=about["access"],
            said=[_with(one, given.get(offset, ())) for offset, one in said.items()],
        )  # fmt: skip
    except (OSError, msgspec.DecodeError, KeyError, TypeError, UnicodeDecodeError) as error:
        raise NoArchive(f"{file} is not an export of a room: {error!r}.") from None


def _take(
    event: Mapping[str, Any], said: dict[int, Said], given: dict[int, list[tuple[str, Author]]]
) -> None:
    """Take one event: a message that is still there, or a reaction that stays."""
    author = msgspec.convert(event["author"], Author)
    if event["type"] == "message" and not event.get("deleted"):
        said[event["offset"]] = Said(
            id=event["id"], time=_ms(event["time"]), author=author, text=event.get("text"),
            data=event.get("data"),
        )  # fmt: skip
    elif event["type"] == "reaction":
        reactions = given.setdefault(event["target"], [])
        reaction = (event["emoji"], author)
        if event["op"] == "add":
            reactions.append(reaction)
        elif reaction in reactions:
            reactions.remove(reaction)


def _with(one: Said, reactions: Iterable[tuple[str, Author]]) -> Said:
    return Said(
        id=one.id, time=one.time, author=one.author, text=one.text, data=one.data, reactions=tuple(reactions)
    )


def _ms(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)
