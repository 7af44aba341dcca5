"""What the owner's console asks and is answered.

Every wrong thing is one of `kodama.core.errors`, worded for the person who sent it.
"""

from __future__ import annotations

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from kodama.core.errors import BadRequest
from kodama.core.event import Author
from kodama.core.names import display_name, room_name
from kodama.wire.answers import Offset, When
from kodama.wire.hooks import Hook
from kodama.wire.moderation import BanShown, record_name
from kodama.wire.order import MemberShown, decode

ROOMS_LIMIT: Final = 100  # that one key is bound to


class Spread(msgspec.Struct, frozen=True):
    """A histogram since the start: how many were at most each bound, above the one before; one count
    more for what was above all."""

    bounds: list[float]
    counts: list[int]


class Numbers(msgspec.Struct, frozen=True, kw_only=True):
    """What this node counts and measures; counters begin with its start, times are in seconds."""

    time: When
    waiting: Annotated[dict[str, int], Meta(description="Requests and streams that wait, by transport.")]
    connections: int
    here: Annotated[int, Meta(description="People who are present, once per room.")]
    guests: Annotated[int, Meta(description="Guests without a name who are present.")]
    memory: Annotated[int, Meta(description="Bytes of the process in memory; 0 if not known.")]
    deliveries: int
    published: int
    refused: int
    gaps: int
    slow_readers: int
    publish_seconds: Spread
    delivery_seconds: Spread
    loop_lag_seconds: Spread
    cursor_lag: Spread


class RoomSeen(msgspec.Struct, frozen=True, kw_only=True):
    """A room with its sizes: `last` is the offset of its newest event."""

    room: str
    title: str
    access: str
    last: Offset
    owner: str | None
    members: int
    bans: int


class RoomsSeen(msgspec.Struct, frozen=True, kw_only=True):
    """All rooms by name but those of two people, which are only counted; go on with `after` as the
    last `room`."""

    rooms: list[RoomSeen]
    more: bool
    count: int
    direct: int


class MemberSeen(msgspec.Struct, frozen=True):
    """Somebody's role in a room."""

    room: str
    member: MemberShown


class PeopleSeen(msgspec.Struct, frozen=True, kw_only=True):
    """The server's owners and who was given a role where; go on with `after` as the last
    `{room}/{person}`."""

    owners: list[Author]
    members: list[MemberSeen]
    more: bool


class BanSeen(msgspec.Struct, frozen=True):
    """Who is kept out of a room."""

    room: str
    ban: BanShown


class BansSeen(msgspec.Struct, frozen=True):
    """The bans of all rooms; go on with `after` as the last `{room}/{person}`."""

    bans: list[BanSeen]
    more: bool


class InviteSeen(msgspec.Struct, frozen=True, kw_only=True):
    """An invitation that is good."""

    code: str
    room: str
    role: str
    by: Author
    expires: When
    uses: int | None


class InvitesSeen(msgspec.Struct, frozen=True):
    """The invitations to all rooms; go on with `after` as the last `code`."""

    invites: list[InviteSeen]
    more: bool


class HooksSeen(msgspec.Struct, frozen=True):
    """The webhooks of all rooms; go on with `after` as the last `{room}/{id}`."""

    hooks: list[Hook]
    more: bool


class DeedSeen(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody did to keep order, in `room`, or null: to the whole server."""

    id: str
    room: str | None
    time: When
    by: Author
    did: str
    user: Author | None
    offset: Offset | None
    until: When | None
    note: str


class AuditSeen(msgspec.Struct, frozen=True):
    """What was done anywhere, newest first; go on with `before` as the last `id`."""

    entries: list[DeedSeen]
    more: bool


class KeyBody(msgspec.Struct, frozen=True):
    """``POST /v1/admin/keys``: ``rooms`` are all that it opens, null for what is open to everybody."""

    name: str
    rooms: Annotated[list[str], Meta(min_length=1, max_length=ROOMS_LIMIT)] | None = None
    read_only: bool = False


class KeySeen(msgspec.Struct, frozen=True, kw_only=True):
    """An API key as it is listed: not the key itself."""

    id: str
    name: str
    rooms: list[str] | None
    read_only: bool
    created: When


class KeysSeen(msgspec.Struct, frozen=True):
    """All API keys, oldest first."""

    keys: list[KeySeen]


class KeyMade(msgspec.Struct, frozen=True):
    """A new API key; the `token` is shown this once."""

    token: str
    key: KeySeen


class SettingSeen(msgspec.Struct, frozen=True, kw_only=True):
    """One setting: its variable in the environment, its value, and whether that is the default.
    What may hold a secret is shown as `***`."""

    name: str
    value: str
    default: bool
    help: str


class SettingsSeen(msgspec.Struct, frozen=True):
    """The settings that this node was started with."""

    settings: list[SettingSeen]


def key_body(body: bytes) -> KeyBody:
    """Read what key is wanted. Raises `BadJson`, `BadRequest`, `BadRoomName`."""
    given: KeyBody = decode(body, KeyBody)
    rooms = None if given.rooms is None else sorted({room_name(one) for one in given.rooms})
    return KeyBody(display_name(given.name), rooms, given.read_only)


def place_after(given: str | None) -> str:
    """Return where a list of what is in rooms goes on: "" for the beginning, else `{room}/{what}`.
    Raises `BadRequest`, `BadRoomName`."""
    if given is None:
        return ""
    room, slash, what = given.partition("/")
    if not slash:
        raise BadRequest("after is a room and an id with a slash between, as in the last line.")
    return f"{room_name(room)}/{record_name(what)}"
