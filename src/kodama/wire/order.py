"""What is asked and answered about the people of a room: roles, bans, and keeping order.

Every wrong thing is one of `kodama.core.errors`, worded for the person who sent it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final, Literal

import msgspec

from kodama.core.errors import BadJson, BadRequest
from kodama.core.event import Author, timestamp
from kodama.core.names import display_name
from kodama.core.policy import Membership
from kodama.wire.answers import When

USER_LIMIT: Final = 64
_USER: Final = re.compile(r"[A-Za-z0-9._~-]{1,64}", re.ASCII)

RoleWord = Literal["member", "moderator", "owner"]


class MemberBody(msgspec.Struct, frozen=True):
    """``PUT …/members/{user}``: ``name`` is how somebody is called who is not known here yet."""

    role: RoleWord = "member"
    name: str | None = None


class OwnerBody(msgspec.Struct, frozen=True):
    """``POST /v1/owner``: the code of the link that was printed at the start."""

    code: str


class MemberShown(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody's role in a room."""

    user: Author
    role: str
    since: When


class MemberList(msgspec.Struct, frozen=True):
    """The members of a room, owners first; `role` is the asker's own."""

    members: list[MemberShown]
    role: str


class ServerOwner(msgspec.Struct, frozen=True):
    """Who owns the server, too, from now on."""

    user: Author


def user_id(given: str) -> str:
    """Return a person's id from a path; raises `BadRequest`."""
    if not _USER.fullmatch(given):
        raise BadRequest(f"A person's id is 1 to {USER_LIMIT} of A-Z a-z 0-9 . _ ~ -")
    return given


def member_body(body: bytes) -> MemberBody:
    """Read a role. Raises `BadJson`, `BadRequest`."""
    given: MemberBody = decode(body or b"{}", MemberBody)
    return given if given.name is None else MemberBody(given.role, display_name(given.name))


def owner_body(body: bytes) -> OwnerBody:
    """Read the code of an owner's link. Raises `BadJson`."""
    given: OwnerBody = decode(body, OwnerBody)
    return given


def member_shown(member: Membership) -> MemberShown:
    """Return a membership as clients see it."""
    return MemberShown(user=member.user, role=member.role, since=timestamp(member.since))


def member_list(members: Iterable[Membership], *, role: str) -> MemberList:
    """Return the members of a room as clients see them."""
    return MemberList([member_shown(one) for one in members], role)


def decode(body: bytes, shape: Any) -> Any:
    """Read JSON of a shape; raises `BadJson`."""
    try:
        return msgspec.json.decode(body, type=shape)
    except msgspec.ValidationError as error:
        raise BadJson(f"The JSON is not what is asked for here: {error}.") from None
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raise BadJson("The body is not JSON in UTF-8.") from None
