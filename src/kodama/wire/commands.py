"""What clients send, read strictly: bodies into typed structs.

Every wrong thing is one of `kodama.core.errors`, worded for the person who sent it.
"""

from __future__ import annotations

import re
from hashlib import blake2b
from typing import Any, Final

import msgspec

from kodama.core.errors import BadJson, BadRequest
from kodama.core.lease import State
from kodama.core.names import display_name, room_name
from kodama.core.origins import site_origin
from kodama.wire.passkeys import ShownPasskey
from kodama.wire.strict import check_depth, decoded

NONCE_LIMIT: Final = 64
GUEST_NONCE_MINIMUM: Final = 16
ROOMS_LIMIT: Final = 100
EMOJI_LIMIT: Final = 64
SLOW_LIMIT: Final = 3600
SITES_LIMIT: Final = 20  # so that the field which names them passes every proxy

_NONCE: Final = re.compile(r"[A-Za-z0-9._~-]{1,64}", re.ASCII)


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


def presence_body(body: bytes) -> PresenceBody:
    """Read whether somebody is active. Raises `BadJson`."""
    given: PresenceBody = decoded(body, PresenceBody)
    return given
