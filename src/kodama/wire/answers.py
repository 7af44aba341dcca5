"""The JSON that the API answers with, as types: what is encoded here is what the OpenAPI document says.

Events are encoded when they are stored and joined as bytes (`kodama.wire.events`); `Events` and
`HistoryPage` say what comes of that, and tests hold the one to the other.
"""

from __future__ import annotations

from typing import Annotated, Final

import msgspec
from msgspec import UNSET, Meta, UnsetType

from kodama.core.event import Author, Logged, Message
from kodama.core.tally import Tally
from kodama.wire.ephemeral import PresenceEvent, TypingEvent

Cursor = Annotated[str, Meta(description="Opaque: where to read on. Give it back as `since`.")]
Offset = Annotated[int, Meta(ge=0, le=2**53 - 1)]
When = Annotated[str, Meta(extra_json_schema={"format": "date-time"})]


class Published(msgspec.Struct, frozen=True, kw_only=True):
    """A message that is durable and has its offset."""

    id: str
    room: str
    offset: Offset
    epoch: str
    time: When


class Gap(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="gap"):
    """Events `from` to `to` are lost; reading goes on with the first that is kept."""

    room: str
    first: int | None = msgspec.field(name="from")
    last: int | None = msgspec.field(name="to")
    reason: str


class Events(msgspec.Struct, frozen=True, kw_only=True):
    """What is new, in order; `cursor` is where to go on."""

    cursor: Cursor
    events: list[Logged | Gap | PresenceEvent | TypingEvent]
    more: Annotated[bool, Meta(description="The answer was cut: ask again at once.")]
    started: Annotated[
        dict[str, int], Meta(description="Rooms that the cursor did not speak of, with where they begin.")
    ] | UnsetType = UNSET
    superseded: Annotated[
        bool, Meta(description="A newer poll of the same `client` took over; do not ask again.")
    ] | UnsetType = UNSET
    ticket: Annotated[
        str, Meta(description="A fresh ticket, where the poll was by one.")
    ] | UnsetType = UNSET
    after: Annotated[
        float, Meta(description="The server goes down: come back after so many seconds.")
    ] | UnsetType = UNSET


class HistoryPage(msgspec.Struct, frozen=True, kw_only=True):
    """Messages, oldest first, edits and deletes folded in, and the reactions to them counted."""

    messages: list[Message]
    more: Annotated[bool, Meta(description="Whether there is more in the direction asked for.")]
    reactions: Annotated[list[Tally], Meta(description="The reactions to these messages.")]
    cursor: Annotated[
        str, Meta(description="On the newest page only: read on from here, live.")
    ] | UnsetType = UNSET


class SearchPage(msgspec.Struct, frozen=True, kw_only=True):
    """Messages that were found, the newest first, as they are now."""

    messages: list[Message]
    more: Annotated[bool, Meta(description="Whether there are older ones.")]
    following: Annotated[
        str, Meta(description="With `more`: give it as `before` to get the older ones.")
    ] | UnsetType = msgspec.field(default=UNSET, name="next")


class Retention(msgspec.Struct, frozen=True):
    """How long events are kept: for `days`, or the newest `events`, whichever keeps more."""

    days: int
    events: int


class RoomSettings(msgspec.Struct, frozen=True, kw_only=True):
    """A room's settings as they are now."""

    room: str
    title: str
    topic: str
    access: str
    retention: Retention
    slow: Annotated[int, Meta(description="Seconds between two messages of one person.")]
    locked: Annotated[bool, Meta(description="Only moderators write.")]
    hold: Annotated[bool, Meta(description="Messages of new guests wait for a moderator.")]
    sites: Annotated[tuple[str, ...], Meta(description="Origins whose pages may show the room in a frame.")]
    role: Annotated[str, Meta(description="The asker's own: owner, moderator, member or guest.")]


class RoomRow(msgspec.Struct, frozen=True, kw_only=True):
    """One room in the list; `last` is the offset of its newest event."""

    room: str
    title: str
    topic: str
    access: str
    last: Offset
    role: Annotated[str, Meta(description="With a session: what the asker is there.")] | UnsetType = UNSET
    read: (
        Annotated[int | None, Meta(description="In one's own rooms: how far one has read.")] | UnsetType
    ) = UNSET
    unread: Annotated[int, Meta(description="In one's own rooms: new messages, to 1000.")] | UnsetType = UNSET
    direct: Author | UnsetType = UNSET


class RoomList(msgspec.Struct, frozen=True):
    """The rooms that the reader may know of."""

    rooms: list[RoomRow]


class SessionOpened(msgspec.Struct, frozen=True, kw_only=True):
    """A new session; send the token as `Authorization: Bearer …`."""

    token: str
    user: Author
    expires: When


class SessionShown(msgspec.Struct, frozen=True, kw_only=True):
    """Who the session is, and until when; an API key has no end."""

    user: Author
    expires: When | None
    server_owner: Annotated[bool, Meta(description="This one owns the server.")] | UnsetType = UNSET


class TicketIssued(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket for `?ticket=`, to read these rooms; it works repeatedly until it expires."""

    ticket: str
    rooms: list[str]
    expires: When


class Connection(msgspec.Struct, frozen=True, kw_only=True):
    """What the server sees of its client; `forwarded` if a proxy said for whom it asks."""

    address: str
    scheme: str
    forwarded: bool


class Condition(msgspec.Struct, frozen=True):
    """How the server is."""

    status: str


HEALTHY: Final = Condition("ok")
READY: Final = Condition("ready")
