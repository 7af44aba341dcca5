"""Direct messages: a secret room of two people, whose name follows from who they are.

The one decision here: whoever of the two speaks first, and however often, it is the same room;
nobody else can make a room of such a name.
"""

from __future__ import annotations

from base64 import b32encode
from collections.abc import Callable
from dataclasses import replace
from hashlib import blake2b
from typing import Final

from kodama.core.errors import BadRequest, Forbidden
from kodama.core.event import Author
from kodama.core.policy import Direct
from kodama.core.record import RecordMoved
from kodama.core.room import Access
from kodama.core.who import Who
from kodama.order.houses import DIRECT, Houses, put
from kodama.order.members import kind_of_person

PREFIX: Final = "dm."
ANONYMOUS: Final = "guest"


class Directs:
    """The rooms of two people."""

    def __init__(self, houses: Houses) -> None:
        self._houses = houses

    async def open(
        self, who: Who, user: str, name: str | None, *, begin: Callable[[], None]
    ) -> tuple[str, Author, bool]:
        """Return the room of ``who`` and ``user``, the other of the two, and whether it is new.

        Raises `BadRequest`, `Forbidden`, and what ``begin`` does, which counts new rooms.
        """
        if who.author is None or who.rooms is not None:
            raise Forbidden("This needs a session of your own; POST a name to /v1/session to open one.")
        if user in (who.author.id, ANONYMOUS):
            raise BadRequest("Two people have a room: this is not another one.")
        room = direct_name(who.author.id, user)
        known = self._houses.policy.look(room).direct
        if known is not None:
            return room, other_of(known, who.author.id), False
        begin()
        other = Author(user, name or user, kind_of_person(user))
        facts = replace(self._houses.node.default_facts(room), access=Access.SECRET)
        await self._houses.node.put_room(facts)
        try:
            await self._houses.write(put(DIRECT, room, Direct((who.author, other)), expected=0))
        except RecordMoved:
            return room, other, False
        return room, other, True


def direct_name(one: str, other: str) -> str:
    """Return the name of the room of two people."""
    digest = blake2b("\n".join(sorted((one, other))).encode(), digest_size=20).digest()
    return PREFIX + b32encode(digest).decode().lower()


def is_direct(room: str) -> bool:
    """Return whether a room of this name can only be one of two people."""
    return room.startswith(PREFIX)


def other_of(direct: Direct, user: str) -> Author:
    """Return who of the two is not ``user``."""
    first, second = direct.people
    return second if first.id == user else first
