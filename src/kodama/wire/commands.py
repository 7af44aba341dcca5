"""What clients ask, read strictly: bodies into typed structs, query strings into a `Poll`.

Every wrong thing is one of `kodama.core.errors`, worded for the person who sent it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Final
from urllib.parse import unquote_to_bytes

import msgspec

from kodama.core.errors import BadCallback, BadCursor, BadJson, BadRequest
from kodama.core.lease import State
from kodama.core.names import display_name, room_name
from kodama.core.origins import site_origin
from kodama.core.position import CURSOR_LIMIT, OFFSET_LIMIT, Cursor, parse_cursor
from kodama.wire.jsonp import callback_name
from kodama.wire.passkeys import ShownPasskey

DEPTH_LIMIT: Final = 64
NONCE_LIMIT: Final = 64
GUEST_NONCE_MINIMUM: Final = 16
WAIT_LIMIT: Final = 120.0
EVENTS_LIMIT: Final = 1000
EVENTS_DEFAULT: Final = 100
PAGE_DEFAULT: Final = 50
NAMES_DEFAULT: Final = 200
ROOMS_LIMIT: Final = 100
EMOJI_LIMIT: Final = 64
SLOW_LIMIT: Final = 3600
SITES_LIMIT: Final = 20  # so that the field which names them passes every proxy

_NONCE: Final = re.compile(r"[A-Za-z0-9._~-]{1,64}", re.ASCII)
CLIENT_PART: Final = rb"client=[A-Za-z0-9._~-]{8,64}"  # of a query: what each reader has for itself
_CLIENT: Final = re.compile(r"[A-Za-z0-9._~-]{8,64}", re.ASCII)
_DURATION: Final = re.compile(r"([1-9][0-9]{0,8})([smhd])", re.ASCII)
_UNITS: Final = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_OFFSET: Final = re.compile(r"0|[1-9][0-9]{0,15}", re.ASCII)
_NUMBER: Final = re.compile(r"[0-9]{1,6}(?:\.[0-9]{1,9})?", re.ASCII)
# A string that never ends is taken to the end at once: looking for each quote's partner again
# would cost the square of the body's length.
_DEEP: Final = re.compile(rb'"(?:[^"\\]|\\.)*+"?|[\[{]|[\]}]', re.DOTALL)


class MessageBody(msgspec.Struct, frozen=True):
    """``POST …/messages``: at least one of ``text`` and ``data`` is not null."""

    text: str | None = None
    data: Any = None
    nonce: str | None = None
    name: str | None = None


class EditBody(msgspec.Struct, frozen=True):
    """``PATCH …/messages/{offset}``."""

    text: str


class SessionBody(msgspec.Struct, frozen=True):
    """``POST /v1/session``: a guest's ``name``, with a ``phrase`` that makes it the same guest
    everywhere if wanted, or what proves somebody."""

    name: str | None = None
    phrase: str | None = None
    jwt: str | None = None
    login: str | None = None
    password: str | None = None
    passkey: ShownPasskey | None = None


class TicketBody(msgspec.Struct, frozen=True):
    """``POST /v1/tickets``."""

    rooms: list[str]


class RetentionBody(msgspec.Struct, frozen=True):
    """How long a room keeps its events; a missing field keeps its value."""

    days: int | None = None
    events: int | None = None


class RoomBody(msgspec.Struct, frozen=True):
    """``PUT /v1/rooms/{room}``; a missing field keeps its value."""

    title: str | None = None
    topic: str | None = None
    access: str | None = None
    retention: RetentionBody | None = None
    slow: int | None = None
    locked: bool | None = None
    hold: bool | None = None
    sites: tuple[str, ...] | None = None


class PresenceBody(msgspec.Struct, frozen=True):
    """``PUT …/presence``."""

    state: State


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


def message_body(body: bytes) -> MessageBody:
    """Read a message. Raises `BadJson`, `BadRequest`."""
    check_depth(body)
    given = decoded(body, MessageBody)
    if given.text is None and given.data is None:
        raise BadRequest("A message has text or data.")
    return checked(given)


def text_body(body: bytes) -> MessageBody:
    """Read a message sent as plain UTF-8 text. Raises `BadRequest`."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise BadRequest("The text is not UTF-8.") from None
    return checked(MessageBody(text=text.removesuffix("\n").removesuffix("\r")))


def checked(given: MessageBody) -> MessageBody:
    """Return ``given`` if text, nonce and name are as the contract wants them."""
    if given.text is not None:
        message_text(given.text)
    if given.nonce is not None:
        nonce(given.nonce)
    if given.name is not None:
        given = msgspec.structs.replace(given, name=display_name(given.name))
    return given


def message_text(text: str) -> str:
    """Return ``text`` if it is not empty and has no U+0000; raises `BadRequest`."""
    if "\0" in text:
        raise BadRequest("The text has a null character.")
    if not text:
        raise BadRequest("The text is empty.")
    return text


def nonce(given: str) -> str:
    """Return ``given`` if it is a nonce; raises `BadRequest`."""
    if not _NONCE.fullmatch(given):
        raise BadRequest(f"A nonce is 1 to {NONCE_LIMIT} of A-Z a-z 0-9 . _ ~ -")
    return given


def any_json(body: bytes) -> Any:
    """Read any JSON value of at most 64 levels; raises `BadJson`."""
    _check_depth(body, DEPTH_LIMIT)
    return decoded(body, Any)


def edit_body(body: bytes) -> EditBody:
    """Read an edit. Raises `BadJson`, `BadRequest`."""
    given: EditBody = decoded(body, EditBody)
    message_text(given.text)
    return given


def session_body(body: bytes) -> SessionBody:
    """Read who wants a session. Raises `BadJson`, `BadRequest`."""
    given: SessionBody = decoded(body, SessionBody)
    if sum(one is not None for one in (given.name, given.jwt, given.login, given.passkey)) != 1:
        raise BadJson("A session is opened with a name, a jwt, a passkey, or login and password.")
    if (given.login is None) != (given.password is None):
        raise BadJson("login and password go together.")
    if given.name is None and given.phrase is not None:
        raise BadJson("A phrase goes with a name.")
    if given.name is None:
        return given
    return SessionBody(name=display_name(given.name), phrase=given.phrase)


def ticket_body(body: bytes) -> tuple[str, ...]:
    """Read which rooms a ticket is for. Raises `BadJson`, `BadRequest`, `BadRoomName`."""
    given: TicketBody = decoded(body, TicketBody)
    rooms = tuple(dict.fromkeys(room_name(name) for name in given.rooms))
    if not 1 <= len(rooms) <= ROOMS_LIMIT:
        raise BadRequest(f"A ticket is for 1 to {ROOMS_LIMIT} rooms.")
    return rooms


def room_body(body: bytes) -> RoomBody:
    """Read a room's settings. Raises `BadJson`, `BadRequest`."""
    given: RoomBody = decoded(body, RoomBody)
    for field, limit in ((given.title, 100), (given.topic, 500)):
        if field is not None and (len(field) > limit or "\0" in field):
            raise BadRequest("A title has at most 100, a topic at most 500 characters, no null among them.")
    if given.access not in (None, "public", "members", "secret"):
        raise BadRequest("access is public, members or secret.")
    if given.slow is not None and not 0 <= given.slow <= SLOW_LIMIT:
        raise BadRequest(f"slow is whole seconds from 0 to {SLOW_LIMIT}.")
    if given.retention is not None:
        for number in (given.retention.days, given.retention.events):
            if number is not None and not 0 <= number <= 10**9:
                raise BadRequest("retention has whole numbers from 0.")
    return given if given.sites is None else msgspec.structs.replace(given, sites=_sites(given.sites))


def _sites(given: tuple[str, ...]) -> tuple[str, ...]:
    if len(given) > SITES_LIMIT:
        raise BadRequest(f"A room is shown on at most {SITES_LIMIT} sites.")
    return tuple(dict.fromkeys(site_origin(one) for one in given))


def body_digest(given: MessageBody) -> bytes:
    """Return 16 bytes that tell two bodies under one nonce apart."""
    return blake2b(msgspec.json.encode([given.text, given.data]), digest_size=16).digest()


def emoji(given: str) -> str:
    """Return a reaction's emoji or short name; raises `BadRequest`."""
    if not given or len(given.encode()) > EMOJI_LIMIT or any(char <= " " or char == "\x7f" for char in given):
        raise BadRequest(f"A reaction is one emoji or short name, at most {EMOJI_LIMIT} bytes.")
    return given


def offset(given: str) -> int:
    """Return an offset from a path or query; raises `BadRequest`."""
    if not _OFFSET.fullmatch(given) or int(given) > OFFSET_LIMIT:
        raise BadRequest("An offset is a whole number.")
    return int(given)


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


def parameters(query: bytes) -> dict[str, list[str]]:
    """Split a query string; raises `BadRequest` if it is not UTF-8 (WHATWG URL, form decoding)."""
    found: dict[str, list[str]] = {}
    for pair in query.split(b"&") if query else ():
        name, _, value = pair.partition(b"=")
        try:
            found.setdefault(_decoded(name), []).append(_decoded(value))
        except UnicodeDecodeError:
            raise BadRequest("The query is not UTF-8.") from None
    return found


def single(found: Mapping[str, list[str]], name: str) -> str | None:
    """Return the one value of ``name``, None if absent; raises `BadRequest` if repeated."""
    values = found.get(name)
    if values is None:
        return None
    if len(values) > 1:
        raise BadRequest(f"{name} is given more than once.")
    return values[0]


def poll(found: Mapping[str, list[str]], *, rooms: tuple[str, ...], default: str) -> Poll:
    """Read the parameters of the events resource; ``default`` stands for an absent ``since``.

    Raises `BadCallback`, `BadCursor`, `BadRequest`.
    """
    name = _once(found, "callback", BadCallback)
    callback = None if name is None else callback_name(name)
    text = _once(found, "since", BadCursor)
    read = since(default if text is None else text)
    wait = single(found, "wait")
    if isinstance(read, AfterOffset) and len(rooms) > 1:
        raise BadCursor("after: is for one room.")
    return Poll(
        rooms=rooms, since=read, text=default if text is None else text,
        wait=None if wait is None else _wait(wait),
        limit=_limit(single(found, "limit"), EVENTS_DEFAULT), callback=callback, client=client(found),
        presence=_flag(found, "presence"), ticket=single(found, "ticket"),
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


def page_limit(found: Mapping[str, list[str]]) -> int:
    """Return ``limit`` of a history page, 1 to 1000, default 50."""
    return _limit(single(found, "limit"), PAGE_DEFAULT)


def client(found: Mapping[str, list[str]]) -> str | None:
    """Return ``client``, by which a reader tells itself from others; raises `BadRequest`."""
    given = single(found, "client")
    if given is not None and not _CLIENT.fullmatch(given):
        raise BadRequest("client is 8 to 64 of A-Z a-z 0-9 . _ ~ -")
    return given


def names_limit(found: Mapping[str, list[str]]) -> int:
    """Return ``limit`` of a list of people, 1 to 1000, default 200."""
    return _limit(single(found, "limit"), NAMES_DEFAULT)


def presence_body(body: bytes) -> PresenceBody:
    """Read whether somebody is active. Raises `BadJson`."""
    given: PresenceBody = decoded(body, PresenceBody)
    return given


def _as_parameter(value: str | float) -> str:
    if isinstance(value, bool):
        return str(int(value))
    return f"{value:f}" if isinstance(value, float) else str(value)


def _counted(given: str) -> Last | AfterOffset | Ago | None:
    if duration := _DURATION.fullmatch(given):
        return Ago(int(duration[1]) * _UNITS[duration[2]])
    word, colon, number = given.partition(":")
    if not colon or not _OFFSET.fullmatch(number) or int(number) > OFFSET_LIMIT:
        return None
    if word == "last":
        return Last(int(number))
    return AfterOffset(int(number)) if word == "after" else None


def _once(found: Mapping[str, list[str]], name: str, error: type[BadRequest]) -> str | None:
    values = found.get(name)
    if values is not None and len(values) > 1:
        raise BadRequest(f"{name} is given more than once.")
    if values is not None and not values[0]:
        raise error(f"{name} is empty.")
    return values[0] if values else None


def _flag(found: Mapping[str, list[str]], name: str) -> bool:
    given = single(found, name)
    if given not in (None, "0", "1"):
        raise BadRequest(f"{name} is 0 or 1.")
    return given == "1"


def _wait(given: str) -> float:
    if not _NUMBER.fullmatch(given) or float(given) > WAIT_LIMIT:
        raise BadRequest(f"wait is a number from 0 to {WAIT_LIMIT:g}.")
    return float(given)


def _limit(given: str | None, default: int) -> int:
    if given is None:
        return default
    if not _OFFSET.fullmatch(given) or not 1 <= int(given) <= EVENTS_LIMIT:
        raise BadRequest(f"limit is a whole number from 1 to {EVENTS_LIMIT}.")
    return int(given)


def _decoded(raw: bytes) -> str:
    return unquote_to_bytes(raw.replace(b"+", b" ")).decode()


def decoded(body: bytes, shape: Any) -> Any:
    """Return ``body`` as a ``shape``. Raises `BadJson`."""
    try:
        return msgspec.json.decode(body, type=shape)
    except msgspec.ValidationError as error:
        raise BadJson(f"The JSON is not what is asked for here: {error}.") from None
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raise BadJson("The body is not JSON in UTF-8.") from None


def check_depth(body: bytes) -> None:
    """Raise `BadJson` if ``body``, an object around what was sent, is nested too deep."""
    _check_depth(body, DEPTH_LIMIT + 1)


def _check_depth(body: bytes, limit: int) -> None:
    depth = 0
    for token in _DEEP.findall(body):
        if token in b"[{":
            depth += 1
            if depth > limit:
                raise BadJson(f"The JSON is nested more than {DEPTH_LIMIT} deep.")
        elif token in b"]}":
            depth -= 1
