"""Room names and display names: which are allowed, and which spelling is the same name."""

from __future__ import annotations

import unicodedata
from typing import Final

from kodama.core.errors import BadRequest, BadRoomName

ROOM_NAME_LIMIT: Final = 64
DISPLAY_NAME_LIMIT: Final = 40
GUEST_NAME: Final = "Guest"

_PUNCTUATION: Final = frozenset("._-")
_CATEGORIES: Final = frozenset("LMN")


def room_name(given: str) -> str:
    """Return the one spelling under which ``given`` is stored and served.

    It is NFKC(casefold(NFKC(given))) and has 1 to 64 characters of the Unicode categories
    L*, M* and N* or ``.``, ``_``, ``-``, the first not ``.`` (UAX #15, UAX #31).
    Applying it twice changes nothing. Raises `BadRoomName`.
    """
    name = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", given).casefold())
    if not 1 <= len(name) <= ROOM_NAME_LIMIT:
        raise BadRoomName(f"A room name has 1 to {ROOM_NAME_LIMIT} characters.")
    if name[0] == ".":
        raise BadRoomName("A room name does not start with a dot.")
    for char in name:
        if char not in _PUNCTUATION and unicodedata.category(char)[0] not in _CATEGORIES:
            raise BadRoomName("A room name has only letters, digits, '.', '_' and '-'.")
    return name


def display_name(given: str) -> str:
    """Return ``given`` as it is shown: NFC, outer and repeated white space folded.

    Has 1 to 40 characters, none of them a control, format, surrogate or private-use
    character (category C*; zero-width joiners inside emoji are kept). Raises `BadRequest`.
    """
    name = " ".join(unicodedata.normalize("NFC", given).split())
    if not 1 <= len(name) <= DISPLAY_NAME_LIMIT:
        raise BadRequest(f"A name has 1 to {DISPLAY_NAME_LIMIT} characters.")
    if any(unicodedata.category(char)[0] == "C" and char != "\u200d" for char in name):
        raise BadRequest("A name has no control characters.")
    return name
