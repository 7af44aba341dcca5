"""A file that was put into a room: what is kept of it beside its bytes.

Decided here: what a file is, is found in its bytes and never believed of its name; only pictures
of a few kinds are ever shown, all else is to be saved. A name is for people and no path.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

import msgspec

from kodama.core.errors import BadRequest

FILE: Final = "file"  # the kind of records
NAME_LIMIT: Final = 120
SAVED: Final = "application/octet-stream"

_ID: Final = re.compile(r"[A-Za-z0-9_-]{22}", re.ASCII)
_UNSEEN: Final = ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")  # what turns or breaks a name, or is not there
_UNFIT: Final = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*]+')


class FileFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A file in ``room``, put there by the user ``by`` at ``created`` (ms since 1970).

    ``size`` is in bytes; as long as ``whole`` is False it is what was announced. ``width`` and
    ``height`` are a picture's as it is shown. As long as it is ``held`` nobody but its sender and
    moderators may have it: no message that was let in shows it yet.
    """

    room: str
    by: str
    name: str
    size: int
    created: int
    whole: bool = False
    media: str = SAVED
    width: int | None = None
    height: int | None = None
    held: bool = False

    @property
    def shown(self) -> bool:
        """Return whether a browser may show it in place."""
        return self.media != SAVED


def file_id(given: str) -> str | None:
    """Return ``given`` if it can be a file's id: 22 characters of base64url, 128 bits by chance."""
    return given if _ID.fullmatch(given) else None


def file_name(given: str) -> str:
    """Return the name under which a file is saved: NFC, without what file systems do not take.

    Raises `BadRequest`.
    """
    name = unicodedata.normalize("NFC", given.replace("\\", "/").rpartition("/")[2])
    fit = _UNFIT.sub("_", name)
    name = "".join(char for char in fit if unicodedata.category(char) not in _UNSEEN).strip(" .")
    if not name:
        raise BadRequest("The file has no name.")
    if len(name) > NAME_LIMIT:
        stem, dot, ending = name.rpartition(".")
        keep = f".{ending}" if dot and len(ending) <= 10 else ""
        name = ((stem if keep else name)[: NAME_LIMIT - len(keep)] + keep).rstrip(" .")
    return name
