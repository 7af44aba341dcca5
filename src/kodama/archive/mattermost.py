"""Mattermost's bulk export: a JSONL file, or a zip with one in it, whose every line has a ``type``."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from io import TextIOWrapper
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile, is_zipfile

import msgspec

from kodama.archive.past import NoArchive, Past, Said, as_name, as_room, oldest_first
from kodama.core.event import Author

_OPEN = "O"


@dataclass(slots=True)
class _Export:
    """What the lines have said so far."""

    channels: dict[tuple[str, str], Mapping[str, Any]] = field(default_factory=dict)
    people: dict[str, Author] = field(default_factory=dict)
    said: dict[tuple[str, str], list[Said]] = field(default_factory=lambda: defaultdict(list))

    def take(self, line: str) -> None:
        """Take one line; what is neither of channels, users nor posts says nothing to us."""
        entry = msgspec.json.decode(line)
        match entry["type"]:
            case "channel":
                channel = entry["channel"]
                self.channels[channel["team"], channel["name"]] = channel
            case "user":
                self.people[entry["user"]["username"]] = _author(entry["user"])
            case "post":
                post = entry["post"]
                self.said[post["team"], post["channel"]] += _thread(post, self.people)


def mattermost(place: Path) -> Iterator[Past]:
    """Yield the rooms of an export, with what was said in them. Raises `NoArchive`."""
    export = _Export()
    for number, line in enumerate(_lines(place), start=1):
        try:
            if line.strip():
                export.take(line)
        except (msgspec.DecodeError, KeyError, TypeError) as error:
            raise NoArchive(f"Line {number} of {place} is not of a bulk export: {error!r}.") from None
    if not export.channels:
        raise NoArchive(f"{place} has no channels: it is not a bulk export of Mattermost.")
    teams = {team for team, _ in export.channels}
    for (team, name), channel in export.channels.items():
        yield Past(
            room=as_room(name if len(teams) == 1 else f"{team}-{name}"),
            title=str(channel.get("display_name") or name), topic=str(channel.get("header") or ""),
            access="public" if channel.get("type") == _OPEN else "secret",
            said=oldest_first(iter(export.said[team, name])),
        )  # fmt: skip


def _lines(place: Path) -> Iterator[str]:
    try:
        if is_zipfile(place):
            with ZipFile(place) as archive:
                inside = next((name for name in archive.namelist() if name.endswith(".jsonl")), None)
                if inside is None:
                    raise NoArchive(f"{place} has no .jsonl file in it.")
                with archive.open(inside) as raw:
                    yield from TextIOWrapper(raw, "utf-8")
        else:
            with place.open(encoding="utf-8") as file:
                yield from file
    except (OSError, BadZipFile, UnicodeDecodeError) as error:
        raise NoArchive(f"{place} cannot be read: {error}.") from None


def _author(user: Mapping[str, Any]) -> Author:
    full = " ".join(filter(None, (user.get("first_name"), user.get("last_name"))))
    name = str(user.get("nickname") or full or user["username"])
    return Author(f"mattermost.{user['username']}", as_name(name), "user")


def _thread(post: Mapping[str, Any], people: Mapping[str, Author]) -> Iterable[Said]:
    """Return a post and its replies."""
    first = _post(post, people, answers=None)
    replies = [_post(reply, people, answers=first.id) for reply in post.get("replies") or ()]
    return [one for one in (first, *replies) if one.text]


def _post(post: Mapping[str, Any], people: Mapping[str, Author], *, answers: str | None) -> Said:
    time = int(post["create_at"])
    author = _person(str(post["user"]), people)
    return Said(
        id=f"{time}.{post['user']}", time=time, author=author, text=str(post.get("message") or ""),
        answers=answers,
        reactions=[
            (str(one["emoji_name"]), _person(str(one["user"]), people)) for one in post.get("reactions") or ()
        ],
    )  # fmt: skip


def _person(name: str, people: Mapping[str, Author]) -> Author:
    return people.get(name) or Author(f"mattermost.{name}", as_name(name), "user")
