"""What clients say over WebSocket, read strictly, and what they are told: one JSON object a message."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from kodama.core.errors import BadCursor, BadJson, BadRequest
from kodama.core.names import room_name
from kodama.core.position import encode_cursor
from kodama.wire.commands import ROOMS_LIMIT, MessageBody, checked
from kodama.wire.polls import AfterOffset, Since, since
from kodama.wire.problem import Problem
from kodama.wire.strict import check_depth

REF_LIMIT: Final = 64
Ref = int | str | None


class Hello(msgspec.Struct, frozen=True, tag_field="do", tag="hello"):
    """Speak as whom ``token`` proves, from now on."""

    token: str
    ref: Ref = None


class Subscribe(msgspec.Struct, frozen=True, tag_field="do", tag="subscribe"):
    """Read rooms, each from its ``since`` (null: ``now``)."""

    rooms: dict[str, str | None]
    presence: bool = False
    ref: Ref = None


class Unsubscribe(msgspec.Struct, frozen=True, tag_field="do", tag="unsubscribe"):
    """Read these rooms no longer."""

    rooms: list[str]
    ref: Ref = None


class Publish(msgspec.Struct, frozen=True, tag_field="do", tag="publish"):
    """Publish a message, as ``POST …/messages``."""

    room: str
    text: str | None = None
    data: Any = None
    nonce: str | None = None
    name: str | None = None
    ref: Ref = None


class Typing(msgspec.Struct, frozen=True, tag_field="do", tag="typing"):
    """Say that I am typing."""

    room: str
    ref: Ref = None


class Pinged(msgspec.Struct, frozen=True, tag_field="do", tag="ping"):
    """Ask for a pong."""

    ref: Ref = None


Command = Hello | Subscribe | Unsubscribe | Publish | Typing | Pinged

_commands: Final = msgspec.json.Decoder(Command)
_encode: Final = msgspec.json.encode
NO_ROOMS: Final = encode_cursor({})
PONG: Final = b'{"do":"pong"}'


class _Referred(msgspec.Struct):
    ref: Any = None


def command(text: str) -> Command:
    """Read one message. Raises `BadJson`, `BadRequest`."""
    check_depth(text.encode())
    try:
        given: Command = _commands.decode(text)
    except msgspec.ValidationError as error:
        raise BadRequest(f"This is not a command: {error}.") from None
    except (msgspec.DecodeError, RecursionError):
        raise BadJson("The message is not JSON.") from None
    if isinstance(given.ref, str) and len(given.ref) > REF_LIMIT:
        raise BadRequest(f"ref has at most {REF_LIMIT} characters.")
    return given


def ref_of(text: str) -> Ref:
    """Return ``ref`` of a message that is no command; raises `BadJson` if it is no JSON at all."""
    try:
        ref = msgspec.json.decode(text, type=_Referred).ref
    except msgspec.ValidationError:
        return None
    except (msgspec.DecodeError, RecursionError):
        raise BadJson("The message is not JSON.") from None
    if isinstance(ref, str):
        return ref if len(ref) <= REF_LIMIT else None
    return ref if isinstance(ref, int) and not isinstance(ref, bool) else None


def places_asked(given: Subscribe) -> dict[str, Since]:
    """Return where to begin in which room. Raises `BadCursor`, `BadRequest`, `BadRoomName`."""
    if not 1 <= len(given.rooms) <= ROOMS_LIMIT:
        raise BadRequest(f"rooms names 1 to {ROOMS_LIMIT} rooms.")
    asked = {room_name(name): since("now" if text is None else text) for name, text in given.rooms.items()}
    if len(asked) < len(given.rooms):
        raise BadRequest("A room is named more than once.")
    if len(asked) > 1 and any(isinstance(one, AfterOffset) for one in asked.values()):
        raise BadCursor("after: is for one room.")
    return asked


def message_of(given: Publish) -> MessageBody:
    """Return the message as its POST would have it. Raises `BadRequest`."""
    if given.text is None and given.data is None:
        raise BadRequest("A message has text or data.")
    return checked(MessageBody(text=given.text, data=given.data, nonce=given.nonce, name=given.name))


def done(ref: Ref, value: Mapping[str, object]) -> bytes:
    """Return that the command ``ref`` was carried out."""
    return _encode({"ref": ref, "ok": value})


def answered(ref: Ref, value: bytes) -> bytes:
    """Return the same with a value that is JSON already; an empty one stands for an empty object."""
    return b'{"ref":%b,"ok":%b}' % (_encode(ref), value or b"{}")


def failed(ref: Ref, problem: bytes) -> bytes:
    """Return that it was not carried out, with a problem that is JSON already."""
    return b'{"ref":%b,"error":%b}' % (_encode(ref), problem)


def refused(ref: Ref, problem: Problem) -> bytes:
    """Return that it was not."""
    return _encode({"ref": ref, "error": problem})


def left(ref: Ref, cursor: str) -> bytes:
    """Return that rooms are read no longer; ``cursor`` speaks of those that are."""
    return done(ref, {"cursor": _known(cursor)})


def ended(problem: Problem, cursor: str) -> bytes:
    """Return why the reading ends; ``cursor`` is where to go on."""
    return _encode({"ref": None, "error": problem, "cursor": _known(cursor)})


def come_back(cursor: str, after: float) -> bytes:
    """Return when (in seconds) and where to come back."""
    return _encode({"do": "come-back", "after": after, "cursor": _known(cursor)})


def _known(cursor: str) -> str | None:
    """Return null for the cursor of no room, which could not be read again."""
    return None if cursor == NO_ROOMS else cursor


def events(cursor: str, given: Iterable[bytes]) -> bytes:
    """Return events, which are JSON already, and the cursor after them."""
    return b'{"cursor":"%b","events":[%b]}' % (cursor.encode(), b",".join(given))


def ephemeral(given: Iterable[bytes]) -> bytes:
    """Return events that have no offset and move no cursor."""
    return b'{"events":[%b]}' % b",".join(given)
