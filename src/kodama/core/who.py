"""Who reads or writes, and which rooms that opens: one fact for every transport and every route.

Decided here: identity comes in many ways (a guest's token, an API key, a host site's JWT, a
ticket), but whatever the way, what the rest of the server sees of it is a `Who`; and whether a
room admits somebody is asked in one place.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from kodama.core.errors import Forbidden, NotFound
from kodama.core.event import Author
from kodama.core.room import Access, RoomFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class Who:
    """Somebody, as far as it is known.

    ``session`` is shared by all connections of one session, key or ticket and is what is revoked;
    None is somebody without any. ``rooms`` limits it to those rooms (None: no limit). ``invited``
    are rooms that are open to it whatever their access, ``barred`` those that are closed to it. A
    ``read_only`` one writes nothing.
    ``expires`` is in ms since 1970, None for never.
    """

    session: str | None = None
    author: Author | None = None
    rooms: frozenset[str] | None = None
    invited: frozenset[str] = frozenset()
    barred: frozenset[str] = frozenset()
    read_only: bool = False
    expires: int | None = None

    @property
    def user(self) -> str | None:
        """Return the user's id, None of somebody without a session."""
        return None if self.author is None else self.author.id


NOBODY: Final = Who()
STRANGER: Final = Who(rooms=frozenset())  # nobody, where guests are not taken


def admits(facts: RoomFacts, who: Who) -> bool:
    """Return whether ``who`` may read and write in the room."""
    if (who.rooms is not None and facts.name not in who.rooms) or facts.name in who.barred:
        return False
    if facts.access is Access.PUBLIC or facts.name in who.invited:
        return True
    return who.user is not None and who.user == facts.owner


def admit(facts: RoomFacts, who: Who) -> None:
    """Raise what somebody without access is told: `NotFound` of a secret room, else `Forbidden`."""
    if admits(facts, who):
        return
    if facts.access is Access.SECRET:
        raise NotFound("There is no such room.")
    raise Forbidden(f"The room {facts.name} is not open to you.")
