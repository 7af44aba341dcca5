"""Slack's export: a zip or folder with ``users.json``, ``channels.json`` and a folder a channel, in
which each day is a list of messages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile, is_zipfile

import msgspec

from kodama.archive.past import NoArchive, Past, Said, as_name, as_room, oldest_first
from kodama.core.event import Author
from kodama.wire.slack import slack_text

_KINDS = (("channels.json", "public"), ("groups.json", "secret"))
_NOTHING_SAID = frozenset((
    "channel_join", "channel_leave", "channel_name", "channel_purpose", "channel_topic", "channel_archive",
    "channel_unarchive", "group_join", "group_leave", "tombstone",
))  # fmt: skip


class Files:
    """The files of an export, in a zip or a folder, by their names below its root."""

    def __init__(self, place: Path) -> None:
        self._folder = None if is_zipfile(place) else place
        try:
            self._zip = ZipFile(place) if self._folder is None else None
        except (OSError, BadZipFile) as error:
            raise NoArchive(f"{place} cannot be read: {error}.") from None
        if self._folder is not None and not self._folder.is_dir():
            raise NoArchive(f"{place} is neither a zip nor a folder.")

    def json(self, name: str) -> Any:
        """Return a file's JSON, None if it is not there. Raises `NoArchive`."""
        try:
            return msgspec.json.decode(self._bytes(name))
        except (KeyError, FileNotFoundError):
            return None
        except (OSError, BadZipFile, msgspec.DecodeError, UnicodeDecodeError) as error:
            raise NoArchive(f"{name} cannot be read: {error}.") from None

    def below(self, folder: str) -> list[str]:
        """Return the names of the JSON files in ``folder``, in order."""
        if self._zip is not None:
            found = [name for name in self._zip.namelist() if name.startswith(f"{folder}/")]
        else:
            assert self._folder is not None
            found = [f"{folder}/{one.name}" for one in (self._folder / folder).glob("*.json")]
        return sorted(name for name in found if name.endswith(".json"))

    def _bytes(self, name: str) -> bytes:
        if self._zip is not None:
            return self._zip.read(name)
        assert self._folder is not None
        return (self._folder / name).read_bytes()


def slack(place: Path) -> Iterator[Past]:
    """Yield the rooms of an export, with what was said in them. Raises `NoArchive`."""
    files = Files(place)
    users = {one["id"]: _author(one) for one in files.json("users.json") or () if "id" in one}
    known = [(channel, access) for name, access in _KINDS for channel in files.json(name) or ()]
    if not known:
        raise NoArchive(f"{place} has no channels.json: it is not an export of Slack.")
    for channel, access in known:
        folder = str(channel.get("name") or channel.get("id"))
        said = [
            one
            for day in files.below(folder)
            for message in files.json(day) or ()
            if isinstance(message, dict)
            for one in _said(message, users)
        ]
        yield Past(
            room=as_room(folder), title=folder, access=access, said=oldest_first(iter(said)),
            topic=str((channel.get("topic") or {}).get("value") or ""),
        )  # fmt: skip


def _author(user: Mapping[str, Any]) -> Author:
    profile = user.get("profile") or {}
    name = profile.get("display_name") or profile.get("real_name") or user.get("name") or user["id"]
    return Author(f"slack.{user['id']}", as_name(str(name)), "bot" if user.get("is_bot") else "user")


def _said(message: Mapping[str, Any], users: Mapping[str, Author]) -> Iterator[Said]:
    """Yield the message, if something is said in it."""
    if message.get("type") != "message" or message.get("subtype") in _NOTHING_SAID:
        return
    text = _named(slack_text(message), users)
    files = [one for one in message.get("files") or () if isinstance(one, dict)]
    links = [str(one.get("permalink") or one.get("name") or "") for one in files]
    words = "\n".join(part for part in (text, *links) if part)
    moment = str(message.get("ts", ""))
    if not words or not moment:
        return
    thread = message.get("thread_ts")
    yield Said(
        id=moment, time=int(float(moment) * 1000), author=_speaker(message, users), text=words,
        answers=str(thread) if thread and thread != moment else None,
        reactions=[
            (str(one.get("name")), users[user])
            for one in message.get("reactions") or ()
            for user in one.get("users") or ()
            if user in users
        ],
    )  # fmt: skip


def _speaker(message: Mapping[str, Any], users: Mapping[str, Author]) -> Author:
    user = str(message.get("user") or "")
    if user in users:
        return users[user]
    bot = str(message.get("bot_id") or user or "unknown")
    name = message.get("username") or (message.get("bot_profile") or {}).get("name") or bot
    return Author(f"slack.{bot}", as_name(str(name)), "bot" if message.get("bot_id") else "user")


def _named(text: str, users: Mapping[str, Author]) -> str:
    """Return ``text`` with people's names in the place of their ids."""
    for id, author in users.items():  # noqa: A001 - a user's id
        if f"@{id}" in text:
            text = text.replace(f"@{id}", f"@{author.name}")
    return text
