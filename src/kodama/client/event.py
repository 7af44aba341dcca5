"""One event as the server worded it, with names for what the protocol promises.

Fields that this version does not know stay in ``raw``; nothing is dropped on the way.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple


class Author(NamedTuple):
    """Who said it; ``kind`` is guest, user, bot or host."""

    id: str
    name: str
    kind: str


@dataclass(frozen=True, slots=True)
class Event:
    """What happened in a room: ``raw`` is the decoded JSON, the properties read it."""

    raw: dict[str, Any]

    @property
    def type(self) -> str:
        """Return message, edit, delete, reaction, topic, member, gap, presence, typing or one unknown."""
        return str(self.raw.get("type", ""))

    @property
    def room(self) -> str:
        """Return the room's name."""
        return str(self.raw.get("room", ""))

    @property
    def offset(self) -> int | None:
        """Return its number in the room, or None for what is not logged."""
        found = self.raw.get("offset")
        return found if isinstance(found, int) else None

    @property
    def epoch(self) -> str:
        """Return the stretch of writing it was stored in."""
        return str(self.raw.get("epoch", ""))

    @property
    def id(self) -> str:
        """Return its id, unique over all rooms."""
        return str(self.raw.get("id", ""))

    @property
    def time(self) -> str:
        """Return when it was stored (RFC 3339, UTC), empty for what is not logged."""
        return str(self.raw.get("time", ""))

    @property
    def author(self) -> Author:
        """Return who did it."""
        found = self.raw.get("author") or {}
        return Author(str(found.get("id", "")), str(found.get("name", "")), str(found.get("kind", "")))

    @property
    def text(self) -> str | None:
        """Return what was typed; None if there was no text or it was deleted."""
        found = self.raw.get("text")
        return found if isinstance(found, str) else None

    @property
    def data(self) -> Any:
        """Return what an application sent."""
        return self.raw.get("data")

    @property
    def nonce(self) -> str | None:
        """Return the sender's own id for a message, if it gave one."""
        found = self.raw.get("nonce")
        return found if isinstance(found, str) else None

    @property
    def target(self) -> int | None:
        """Return the offset that an edit, delete or reaction is about."""
        found = self.raw.get("target")
        return found if isinstance(found, int) else None

    @property
    def deleted(self) -> bool:
        """Tell whether a message was deleted since."""
        return bool(self.raw.get("deleted"))

    @property
    def edited(self) -> bool:
        """Tell whether a message was changed since; ``text`` is the newest."""
        return bool(self.raw.get("edited"))

    @property
    def lost(self) -> tuple[int | None, int | None]:
        """Return the first and last offset that a gap stands for, None where not knowable."""
        return self.raw.get("from"), self.raw.get("to")

    @property
    def reason(self) -> str:
        """Return why there is a gap: retention, epoch, unknown_cursor or slow."""
        return str(self.raw.get("reason", ""))
