"""Query strings and the values in them: each name once, in UTF-8, within its limits.

Every wrong thing is one of `kodama.core.errors`, worded for the person who sent it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import unquote_to_bytes

from kodama.core.errors import BadRequest
from kodama.core.position import OFFSET_LIMIT

EVENTS_LIMIT: Final = 1000
PAGE_DEFAULT: Final = 50
NAMES_DEFAULT: Final = 200

CLIENT_PART: Final = rb"client=[A-Za-z0-9._~-]{8,64}"  # of a query: what each reader has for itself
_CLIENT: Final = re.compile(r"[A-Za-z0-9._~-]{8,64}", re.ASCII)
_FOREIGN_BYTE: Final = re.compile("[\ud800-\udfff]")
_OFFSET: Final = re.compile(r"0|[1-9][0-9]{0,15}", re.ASCII)


def parameters(query: bytes) -> dict[str, list[str]]:
    """Split a query string (WHATWG URL, form decoding).

    What is not UTF-8 in it hinders nobody who does not ask for it: it stays as lone surrogates,
    which no name and no number has and `single` refuses.
    """
    found: dict[str, list[str]] = {}
    for pair in query.split(b"&") if query else ():
        name, _, value = pair.partition(b"=")
        found.setdefault(_decoded(name), []).append(_decoded(value))
    return found


def single(found: Mapping[str, list[str]], name: str) -> str | None:
    """Return the one value of ``name``, None if absent; raises `BadRequest` if repeated or not UTF-8."""
    values = found.get(name)
    if values is None:
        return None
    if len(values) > 1:
        raise BadRequest(f"{name} is given more than once.")
    if _FOREIGN_BYTE.search(values[0]):
        raise BadRequest(f"{name} is not UTF-8.")
    return values[0]


def offset(given: str) -> int:
    """Return an offset from a path or query; raises `BadRequest`."""
    found = whole(given)
    if found is None:
        raise BadRequest("An offset is a whole number.")
    return found


def whole(given: str) -> int | None:
    """Return the whole number that is written here, None if none is or it is no offset's size."""
    return int(given) if _OFFSET.fullmatch(given) and int(given) <= OFFSET_LIMIT else None


def client(found: Mapping[str, list[str]]) -> str | None:
    """Return ``client``, by which a reader tells itself from others; raises `BadRequest`."""
    given = single(found, "client")
    if given is not None and not _CLIENT.fullmatch(given):
        raise BadRequest("client is 8 to 64 of A-Z a-z 0-9 . _ ~ -")
    return given


def page_limit(found: Mapping[str, list[str]]) -> int:
    """Return ``limit`` of a history page, 1 to 1000, default 50."""
    return limit(single(found, "limit"), PAGE_DEFAULT)


def names_limit(found: Mapping[str, list[str]]) -> int:
    """Return ``limit`` of a list of people, 1 to 1000, default 200."""
    return limit(single(found, "limit"), NAMES_DEFAULT)


def limit(given: str | None, default: int) -> int:
    """Return how many are asked for at most, from 1 to 1000; raises `BadRequest`."""
    if given is None:
        return default
    if not _OFFSET.fullmatch(given) or not 1 <= int(given) <= EVENTS_LIMIT:
        raise BadRequest(f"limit is a whole number from 1 to {EVENTS_LIMIT}.")
    return int(given)


def flag(found: Mapping[str, list[str]], name: str) -> bool:
    """Return whether ``name`` is 1, where absence is 0; raises `BadRequest`."""
    given = single(found, name)
    if given not in (None, "0", "1"):
        raise BadRequest(f"{name} is 0 or 1.")
    return given == "1"


def given_once(found: Mapping[str, list[str]], name: str, error: type[BadRequest]) -> str | None:
    """Return the one value of ``name``, None if absent; raises ``error`` if it is empty."""
    values = found.get(name)
    if values is not None and len(values) > 1:
        raise BadRequest(f"{name} is given more than once.")
    if values is not None and not values[0]:
        raise error(f"{name} is empty.")
    return values[0] if values else None


def _decoded(raw: bytes) -> str:
    return unquote_to_bytes(raw.replace(b"+", b" ")).decode(errors="surrogateescape")
