"""Files on the wire: what is announced, and what is said of one (tus 1.0, "Creation")."""

from __future__ import annotations

import re
from base64 import b64decode
from typing import Annotated, Final

import msgspec
from msgspec import UNSET, Meta, UnsetType

from kodama.core.errors import BadRequest
from kodama.core.file import FileFacts, file_id, file_name

SHOWN_LIMIT: Final = 50  # files of one message
_NUMBER: Final = re.compile(r"0|[1-9][0-9]{0,14}", re.ASCII)


class File(msgspec.Struct, frozen=True, kw_only=True):
    """A file in a room. `url` is where it is, once it is `whole`."""

    file: str
    room: str
    name: str
    size: Annotated[int, Meta(description="Bytes; as long as it is not whole, as announced.")]
    whole: bool
    type: str
    url: str | UnsetType = UNSET
    width: int | UnsetType = UNSET
    height: int | UnsetType = UNSET


def shown(id: str, facts: FileFacts, *, url: str) -> File:  # noqa: A002 - a file's id
    """Return what is said of a file."""
    picture = facts.width is not None and facts.height is not None
    return File(
        file=id, room=facts.room, name=facts.name, size=facts.size, whole=facts.whole, type=facts.media,
        url=url if facts.whole else UNSET, width=facts.width if picture and facts.width else UNSET,
        height=facts.height if picture and facts.height else UNSET,
    )  # fmt: skip


def number(given: bytes | None, field: str) -> int:
    """Return the number in a header field. Raises `BadRequest`."""
    text = (given or b"").decode("latin-1").strip()
    if not _NUMBER.fullmatch(text):
        raise BadRequest(f"{field} is a number of bytes.")
    return int(text)


def announced_name(metadata: bytes | None) -> str:
    """Return the ``filename`` in an Upload-Metadata field: pairs of a key and base64, with commas
    between. Raises `BadRequest`."""
    for pair in (metadata or b"").split(b","):
        key, _, value = pair.strip().partition(b" ")
        if key == b"filename":
            try:
                return file_name(b64decode(value, validate=True).decode())
            except ValueError:
                raise BadRequest("Upload-Metadata has its values in base64 of UTF-8.") from None
    raise BadRequest("Upload-Metadata gives a filename.")


def files_in(data: object) -> list[str]:
    """Return the ids of the files that a message's ``data`` shows: ``{"files":[{"file":id}]}``; each is
    looked for, so only the first `SHOWN_LIMIT` count."""
    listed = data.get("files") if isinstance(data, dict) else None
    some = listed[:SHOWN_LIMIT] if isinstance(listed, list) else []
    found = [one.get("file") for one in some if isinstance(one, dict)]
    return list(dict.fromkeys(one for one in found if isinstance(one, str) and file_id(one)))
