"""What is known of a room besides its events: who may read it, and how long it keeps them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import blake2b
from typing import Final

DAY_MS: Final = 86_400_000


class Access(StrEnum):
    """Who may read and write: everybody, members, or members while others are told 404."""

    PUBLIC = "public"
    MEMBERS = "members"
    SECRET = "secret"


@dataclass(frozen=True, slots=True)
class Retention:
    """Keep events for ``days`` or the last ``events`` of them, whichever keeps more."""

    days: int = 30
    events: int = 10_000

    def first_kept(self, *, top: int, first_recent: int) -> int:
        """Return the lowest offset to keep.

        ``top`` is the newest offset, ``first_recent`` the lowest that is not older than
        ``days`` (top + 1 if all are).
        """
        return max(1, min(first_recent, top - self.events + 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomFacts:
    """The settings of a room. ``owner`` is a user id, or None for a room nobody owns."""

    name: str
    title: str = ""
    topic: str = ""
    access: Access = Access.PUBLIC
    owner: str | None = None
    retention: Retention = field(default_factory=Retention)

    @property
    def mark(self) -> str:
        """Return what tells these settings from others: a digest."""
        return blake2b(repr(self).encode(), digest_size=8).hexdigest()
