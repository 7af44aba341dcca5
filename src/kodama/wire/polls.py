"""What a read asks for: the rooms, since when, how long it may wait, and how much it takes.

Decided here: the ways to say `Since`, and that a POST of the events resource is its GET in JSON.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import msgspec

from kodama.core.errors import BadCallback, BadCursor, BadRequest
from kodama.core.position import CURSOR_LIMIT, Cursor, parse_cursor
from kodama.wire.jsonp import callback_name
from kodama.wire.queries import client, flag, given_once, limit, single, whole
from kodama.wire.strict import decoded

WAIT_LIMIT: Final = 120.0
EVENTS_DEFAULT: Final = 100

_DURATION: Final = re.compile(r"([1-9][0-9]{0,8})([smhd])", re.ASCII)
_UNITS: Final = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_NUMBER: Final = re.compile(r"[0-9]{1,6}(?:\.[0-9]{1,9})?", re.ASCII)


class EventsBody(msgspec.Struct, frozen=True):
    """``POST /v1/events``: the parameters of the GET as JSON."""

    rooms: list[str]
    since: str | None = None
    wait: float | None = None
    limit: int | None = None
    client: str | None = None
    presence: bool | None = None
    ticket: str | None = None


@dataclass(frozen=True, slots=True)
class Now:
    """Only what comes from now on."""


@dataclass(frozen=True, slots=True)
class All:
    """Everything that is kept."""


@dataclass(frozen=True, slots=True)
class Last:
    """The last ``count`` events."""

    count: int


@dataclass(frozen=True, slots=True)
class Ago:
    """From the lowest event not older than ``ms``."""

    ms: int


@dataclass(frozen=True, slots=True)
class AfterOffset:
    """Everything above ``offset``; one room only."""

    offset: int


Since = Cursor | Now | All | Last | Ago | AfterOffset


@dataclass(frozen=True, slots=True, kw_only=True)
class Poll:
    """The parameters of a read. ``wait`` in seconds is None where the client left it to us;
    ``text`` is ``since`` as it was sent; ``presence`` asks for ephemeral events, too."""

    rooms: tuple[str, ...]
    since: Since
    text: str
    wait: float | None
    limit: int
    callback: str | None
    client: str | None
    presence: bool = False
    ticket: str | None = None


def since(given: str) -> Since:
    """Read ``since``; raises `BadCursor`."""
    if given.startswith("k1."):
        return parse_cursor(given)
    if given == "now":
        return Now()
    if given == "all":
        return All()
    found = _counted(given) if len(given) <= CURSOR_LIMIT else None
    if found is not None:
        return found
    raise BadCursor("since is a cursor, now, all, last:N, after:N or a duration such as 10m, 2h, 3d.")


def poll(found: Mapping[str, list[str]], *, rooms: tuple[str, ...], default: str) -> Poll:
    """Read the parameters of the events resource; ``default`` stands for an absent ``since``.

    Raises `BadCallback`, `BadCursor`, `BadRequest`.
    """
    name = given_once(found, "callback", BadCallback)
    callback = None if name is None else callback_name(name)
    text = given_once(found, "since", BadCursor)
    read = since(default if text is None else text)
    wait = single(found, "wait")
    if isinstance(read, AfterOffset) and len(rooms) > 1:
        raise BadCursor("after: is for one room.")
    return Poll(
        rooms=rooms, since=read, text=default if text is None else text,
        wait=None if wait is None else _wait(wait),
        limit=limit(single(found, "limit"), EVENTS_DEFAULT), callback=callback, client=client(found),
        presence=flag(found, "presence"), ticket=single(found, "ticket"),
    )  # fmt: skip


def events_body(body: bytes) -> dict[str, list[str]]:
    """Read ``POST /v1/events`` as the parameters of its GET. Raises `BadJson`."""
    given: EventsBody = decoded(body, EventsBody)
    found: dict[str, list[str]] = {"room": given.rooms}
    for name in ("since", "wait", "limit", "client", "presence", "ticket"):
        value = getattr(given, name)
        if value is not None:
            found[name] = [_as_parameter(value)]
    return found


def _as_parameter(value: str | float) -> str:
    if isinstance(value, bool):
        return str(int(value))
    return f"{value:f}" if isinstance(value, float) else str(value)


def _counted(given: str) -> Last | AfterOffset | Ago | None:
    if duration := _DURATION.fullmatch(given):
        return Ago(int(duration[1]) * _UNITS[duration[2]])
    word, _, number = given.partition(":")
    count = whole(number)
    if count is None:
        return None
    if word == "last":
        return Last(count)
    return AfterOffset(count) if word == "after" else None


def _wait(given: str) -> float:
    if not _NUMBER.fullmatch(given) or float(given) > WAIT_LIMIT:
        raise BadRequest(f"wait is a number from 0 to {WAIT_LIMIT:g}.")
    return float(given)
