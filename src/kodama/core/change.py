"""What can be written to a room, and what each writing does to what is already there.

A store gives the offset and keeps the bytes; *whether* something is appended, and which older
events must lose their words because of it, is decided here, once for all stores: the store
shows the message aimed at and the events that aim at it, and carries out the answer. So an
edit leaves no old text behind, and a deleted message none at all, in the same transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
from msgspec import UNSET

from kodama.core.errors import Conflict, Forbidden, NotFound
from kodama.core.event import Author, Delete, Edit, Logged, Member, Message, Reaction, Topic
from kodama.core.room import Retention, RoomFacts

NO_MARK: Final = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Nonce:
    """The sender's own id for a message; ``digest`` tells another body under the same nonce."""

    sender: str
    text: str
    digest: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Publish:
    """A new message. If it brings its room to life, ``owner`` becomes the owner, and the room keeps
    events as ``retention`` says."""

    room: str
    author: Author
    text: str | None
    data: Any
    nonce: Nonce | None = None
    owner: str | None = None
    retention: Retention = field(default_factory=Retention)

    @property
    def newborn(self) -> RoomFacts:
        """Return the settings of the room if this brings it to life."""
        return RoomFacts(name=self.room, owner=self.owner, retention=self.retention)


@dataclass(frozen=True, slots=True, kw_only=True)
class EditMessage:
    """New text for the author's own message at ``target``."""

    room: str
    author: Author
    target: int
    text: str
    mark: str = NO_MARK


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteMessage:
    """The message at ``target`` is taken back by its author or by the room's owner."""

    room: str
    author: Author
    target: int
    moderator: str | None = None
    mark: str = NO_MARK


@dataclass(frozen=True, slots=True, kw_only=True)
class React:
    """``op`` is ``add`` or ``remove``; ``mark`` singles out this person's use of this emoji."""

    room: str
    author: Author
    target: int
    emoji: str
    op: str

    @property
    def mark(self) -> str:
        """Return what an earlier reaction of the same person with the same emoji is found by."""
        return reaction_mark(self.author.id, self.emoji)


@dataclass(frozen=True, slots=True, kw_only=True)
class SetTopic:
    """The room's topic becomes ``topic``."""

    room: str
    author: Author
    topic: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TellMember:
    """Something became of ``user`` in the room, as `kodama.core.event.Member` says."""

    room: str
    author: Author
    user: Author
    op: str
    role: str | None = None


Amendment = EditMessage | DeleteMessage | React
Fact = Publish | SetTopic | TellMember
Change = Amendment | Fact


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """What the store gives an event: its place, its id and its time (RFC 3339)."""

    offset: int
    epoch: str
    id: str
    time: str


@dataclass(frozen=True, slots=True)
class Unchanged:
    """It is so already; ``event`` is the one that made it so."""

    event: Logged


@dataclass(frozen=True, slots=True)
class Append:
    """``event`` goes to the end of the log, ``rewritten`` replace what stands at their offsets."""

    event: Logged
    rewritten: tuple[Logged, ...] = ()


def reaction_mark(author: str, emoji: str) -> str:
    """Return the key of one person's use of one emoji on a message."""
    return f"{emoji}\n{author}"


def mark_of(event: Logged) -> str:
    """Return the mark under which the store files an event that aims at another."""
    return reaction_mark(event.author.id, event.emoji) if isinstance(event, Reaction) else NO_MARK


def target_of(event: Logged) -> int | None:
    """Return the offset the event aims at, or None."""
    return event.target if isinstance(event, Edit | Delete | Reaction) else None


def written(change: Fact, stamp: Stamp) -> Logged:
    """Return the event that ``change`` becomes at ``stamp``."""
    match change:
        case SetTopic():
            return Topic(
                room=change.room, offset=stamp.offset, epoch=stamp.epoch, id=stamp.id,
                time=stamp.time, author=change.author, topic=change.topic,
            )  # fmt: skip
        case TellMember():
            return Member(
                room=change.room, offset=stamp.offset, epoch=stamp.epoch, id=stamp.id,
                time=stamp.time, author=change.author, user=change.user, op=change.op,
                role=UNSET if change.role is None else change.role,
            )  # fmt: skip
        case _:
            return Message(
                room=change.room, offset=stamp.offset, epoch=stamp.epoch, id=stamp.id,
                time=stamp.time, author=change.author, text=change.text, data=change.data,
                nonce=change.nonce.text if change.nonce else UNSET,
            )  # fmt: skip


def amend(
    change: Amendment, target: Logged | None, *, related: Sequence[Logged], stamp: Stamp
) -> Append | Unchanged:
    """Decide what ``change`` does.

    ``target`` is the event at ``change.target`` or None; ``related`` are the events that aim
    at it under ``change.mark``, oldest first. ``stamp`` is used only if something is appended.
    Raises `NotFound`, `Forbidden` or `Conflict`.
    """
    if not isinstance(target, Message):
        raise NotFound("There is no such message in this room.")
    match change:
        case EditMessage():
            return _edit(change, target, related=related, stamp=stamp)
        case DeleteMessage():
            return _delete(change, target, related=related, stamp=stamp)
        case _:
            return _react(change, target, related=related, stamp=stamp)


def _edit(
    change: EditMessage, target: Message, *, related: Sequence[Logged], stamp: Stamp
) -> Append | Unchanged:
    if target.author.id != change.author.id:
        raise Forbidden("Only its author edits a message.")
    if target.deleted is True:
        raise Conflict("The message has been deleted.")
    edits = [event for event in related if isinstance(event, Edit)]
    if target.text == change.text:
        return Unchanged(edits[-1] if edits else target)
    edit = Edit(
        room=change.room, offset=stamp.offset, epoch=stamp.epoch, id=stamp.id, time=stamp.time,
        author=change.author, target=change.target, text=change.text,
    )  # fmt: skip
    stale = [
        msgspec.structs.replace(old, text=UNSET, edited=True) for old in edits if old.text is not UNSET
    ]
    return Append(edit, (msgspec.structs.replace(target, text=change.text, edited=True), *stale))


def _delete(
    change: DeleteMessage, target: Message, *, related: Sequence[Logged], stamp: Stamp
) -> Append | Unchanged:
    if change.author.id not in (target.author.id, change.moderator):
        raise Forbidden("Only its author or a moderator deletes a message.")
    if target.deleted is True:
        return Unchanged(next(event for event in reversed(related) if isinstance(event, Delete)))
    delete = Delete(
        room=change.room, offset=stamp.offset, epoch=stamp.epoch, id=stamp.id, time=stamp.time,
        author=change.author, target=change.target,
    )  # fmt: skip
    tombstone = msgspec.structs.replace(target, text=UNSET, data=UNSET, edited=UNSET, deleted=True)
    emptied = [
        msgspec.structs.replace(old, text=UNSET, data=UNSET, edited=UNSET, deleted=True)
        for old in related
        if isinstance(old, Edit)
    ]
    return Append(delete, (tombstone, *emptied))


def _react(
    change: React, target: Message, *, related: Sequence[Logged], stamp: Stamp
) -> Append | Unchanged:
    if target.deleted is True:
        raise Conflict("The message has been deleted.")
    last = related[-1] if related else None
    if isinstance(last, Reaction) and last.op == change.op:
        return Unchanged(last)
    if last is None and change.op == "remove":
        raise NotFound("There is no such reaction of yours on this message.")
    return Append(
        Reaction(
            room=change.room, offset=stamp.offset, epoch=stamp.epoch, id=stamp.id, time=stamp.time,
            author=change.author, target=change.target, emoji=change.emoji, op=change.op,
        )
    )  # fmt: skip
