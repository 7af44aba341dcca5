"""What moderators ask and are answered: bans, mutes, removal, what waits, reports, the audit log.

Every wrong thing is one of `kodama.core.errors`, worded for the person who sent it.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from kodama.core.errors import BadRequest
from kodama.core.event import Author, timestamp
from kodama.core.names import display_name
from kodama.core.policy import Ban, Mute
from kodama.wire.answers import Offset, When
from kodama.wire.order import decode

MINUTES_LIMIT: Final = 527_040  # a year of 366 days
PURGE_LIMIT: Final = 10_080  # a week
REASON_LIMIT: Final = 500
_NAME: Final = re.compile(r"[A-Za-z0-9._~-]{1,100}", re.ASCII)

Minutes = Annotated[int, Meta(ge=1, le=MINUTES_LIMIT)]
Reason = Annotated[str, Meta(max_length=REASON_LIMIT)]


class BanBody(msgspec.Struct, frozen=True):
    """``PUT …/bans/{person}``: for ``minutes``, for ever without; with ``network``, guests from where
    they write are kept from writing, too, for a day at most."""

    minutes: Minutes | None = None
    network: bool = False
    reason: Reason = ""
    name: str | None = None


class MuteBody(msgspec.Struct, frozen=True):
    """``PUT …/mutes/{person}``: for ``minutes``, for ever without."""

    minutes: Minutes | None = None
    name: str | None = None


class KickBody(msgspec.Struct, frozen=True):
    """``POST …/kick``: ``user`` is a person's id."""

    user: str
    name: str | None = None


class PurgeBody(msgspec.Struct, frozen=True):
    """``POST …/purge``: what ``user`` said in the last ``minutes``, a week at most."""

    user: str
    minutes: Annotated[int, Meta(ge=1, le=PURGE_LIMIT)]


class HeldBody(msgspec.Struct, frozen=True):
    """``POST …/held/{id}``."""

    do: Literal["release", "refuse"]


class ReportBody(msgspec.Struct, frozen=True):
    """``POST …/messages/{offset}/report``."""

    reason: Reason = ""


class BanShown(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who is kept out; `until` is null for ever."""

    user: Author
    by: Author
    since: When
    until: When | None
    reason: str
    network: bool


class BanList(msgspec.Struct, frozen=True):
    """Who is kept out of a room."""

    bans: list[BanShown]


class MuteShown(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who reads and does not write; `until` is null for ever."""

    user: Author
    by: Author
    since: When
    until: When | None


class MuteList(msgspec.Struct, frozen=True):
    """Who is muted in a room."""

    mutes: list[MuteShown]


class Purged(msgspec.Struct, frozen=True):
    """How many messages were deleted, or were waiting and are forgotten."""

    removed: int


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """A message that waits for a moderator; it has no offset."""

    held: str
    room: str


class HeldShown(msgspec.Struct, frozen=True, kw_only=True):
    """A message that waits, as moderators see it."""

    held: str
    time: When
    author: Author
    text: str | None
    data: Any


class HeldList(msgspec.Struct, frozen=True):
    """The messages that wait, oldest first."""

    held: list[HeldShown]


class ReportShown(msgspec.Struct, frozen=True, kw_only=True):
    """A message that a reader reported."""

    report: str
    offset: Offset
    author: Author
    by: Author
    time: When
    reason: str


class ReportList(msgspec.Struct, frozen=True):
    """What was reported, oldest first."""

    reports: list[ReportShown]


class AuditLine(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody did to keep order, to `user`, about the message at `offset`, until when."""

    id: str
    time: When
    by: Author
    did: str
    user: Author | None
    offset: Offset | None
    until: When | None
    note: str


class AuditPage(msgspec.Struct, frozen=True):
    """What was done, newest first; go on with `before` as the last `id`."""

    entries: list[AuditLine]
    more: bool


def ban_body(body: bytes) -> BanBody:
    """Read how somebody is banned. Raises `BadJson`, `BadRequest`."""
    given: BanBody = _named(decode(body or b"{}", BanBody))
    return given


def mute_body(body: bytes) -> MuteBody:
    """Read how somebody is muted. Raises `BadJson`, `BadRequest`."""
    given: MuteBody = _named(decode(body or b"{}", MuteBody))
    return given


def kick_body(body: bytes) -> KickBody:
    """Read who is put out. Raises `BadJson`, `BadRequest`."""
    given: KickBody = _named(decode(body, KickBody))
    return given


def purge_body(body: bytes) -> PurgeBody:
    """Read whose words are taken back. Raises `BadJson`."""
    given: PurgeBody = decode(body, PurgeBody)
    return given


def held_body(body: bytes) -> HeldBody:
    """Read what becomes of a message that waits. Raises `BadJson`."""
    given: HeldBody = decode(body, HeldBody)
    return given


def report_body(body: bytes) -> ReportBody:
    """Read why a message is reported. Raises `BadJson`."""
    given: ReportBody = decode(body or b"{}", ReportBody)
    return given


def record_name(given: str) -> str:
    """Return the id of something from a path or query; raises `BadRequest`."""
    if not _NAME.fullmatch(given):
        raise BadRequest("An id is 1 to 100 of A-Z a-z 0-9 . _ ~ -")
    return given


def ban_shown(ban: Ban) -> BanShown:
    """Return a ban as moderators see it."""
    return BanShown(
        user=ban.user, by=ban.by, since=timestamp(ban.since), until=moment(ban.until),
        reason=ban.reason, network=ban.network,
    )  # fmt: skip


def mute_shown(mute: Mute) -> MuteShown:
    """Return a mute as moderators see it."""
    return MuteShown(user=mute.user, by=mute.by, since=timestamp(mute.since), until=moment(mute.until))


def moment(ms: int | None) -> str | None:
    """Return a time, or null for ever."""
    return None if ms is None else timestamp(ms)


def _named(given: Any) -> Any:
    """Return ``given`` with its name as names are."""
    if given.name is None:
        return given
    return msgspec.structs.replace(given, name=display_name(given.name))
