"""What is asked and answered about belonging: invitations, rooms of two, how far one has read.

Every wrong thing is one of `kodama.core.errors`, worded for the person who sent it.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from kodama.core.event import Author
from kodama.core.names import display_name
from kodama.core.position import OFFSET_LIMIT
from kodama.wire.answers import Offset, When
from kodama.wire.order import decode, user_id

DAY: Final = 86_400
EXPIRES_LIMIT: Final = 366 * DAY
USES_LIMIT: Final = 1_000_000


class InviteBody(msgspec.Struct, frozen=True):
    """``POST …/invites``: good for ``expires`` seconds, for ``uses`` people, any number if null."""

    expires: Annotated[int, Meta(ge=1, le=EXPIRES_LIMIT)] = 7 * DAY
    uses: Annotated[int, Meta(ge=1, le=USES_LIMIT)] | None = None
    role: Literal["member", "moderator"] = "member"


class DirectBody(msgspec.Struct, frozen=True):
    """``POST /v1/direct``: ``user`` is a person's id, ``name`` how they are called."""

    user: str
    name: str | None = None


class ReadBody(msgspec.Struct, frozen=True):
    """``PUT …/read``: all up to ``offset`` was read."""

    offset: Annotated[int, Meta(ge=0, le=OFFSET_LIMIT)]


class InviteShown(msgspec.Struct, frozen=True, kw_only=True):
    """An invitation; `uses` are left, null for any number. `url` is the address to hand on."""

    code: str
    url: str
    room: str
    role: str
    by: Author
    expires: When
    uses: int | None


class InviteList(msgspec.Struct, frozen=True):
    """The room's invitations that are good."""

    invites: list[InviteShown]


class InvitedTo(msgspec.Struct, frozen=True, kw_only=True):
    """What an invitation is to, for whoever has its code."""

    room: str
    title: str
    role: str
    by: Author
    expires: When


class Joined(msgspec.Struct, frozen=True, kw_only=True):
    """Inside."""

    room: str
    role: str


class DirectRoom(msgspec.Struct, frozen=True, kw_only=True):
    """The room of two people; `user` is the other one."""

    room: str
    user: Author


class ReadMark(msgspec.Struct, frozen=True, kw_only=True):
    """How far a room was read, null if never; `unread` counts messages, to 1000."""

    room: str
    offset: Offset | None
    unread: int


class Unread(msgspec.Struct, frozen=True):
    """One's own rooms."""

    rooms: list[ReadMark]


def invite_body(body: bytes) -> InviteBody:
    """Read an invitation. Raises `BadJson`."""
    given: InviteBody = decode(body or b"{}", InviteBody)
    return given


def direct_body(body: bytes) -> DirectBody:
    """Read whom somebody wants to talk to. Raises `BadJson`, `BadRequest`."""
    given: DirectBody = decode(body, DirectBody)
    name = None if given.name is None else display_name(given.name)
    return DirectBody(user_id(given.user), name)


def read_body(body: bytes) -> ReadBody:
    """Read how far somebody has read. Raises `BadJson`."""
    given: ReadBody = decode(body, ReadBody)
    return given
