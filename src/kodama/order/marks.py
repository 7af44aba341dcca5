"""How far each person has read, the same on all their devices, and what is new to them.

The one decision here: a mark only ever moves on, until its person forgets the room. Rooms in which
somebody has a mark, a role or a share of two are theirs; of others nothing is new to them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import msgspec

from kodama.core.errors import Conflict, Forbidden, NotFound
from kodama.core.record import RecordMoved
from kodama.core.who import Who
from kodama.order.houses import Houses, drop, key, put

READ: Final = "read"
TRIES: Final = 10


class Mark(msgspec.Struct, frozen=True):
    """All up to ``offset`` was read."""

    offset: int


@dataclass(frozen=True, slots=True)
class Mine:
    """A room of somebody's: how far it was read, None if never, and how many messages are new."""

    read: int | None
    unread: int


class Marks:
    """The marks of all people. Everything raises `Forbidden` without a session."""

    def __init__(self, houses: Houses) -> None:
        self._houses = houses

    async def read(self, room: str, who: Who) -> Mine:
        """Return how far somebody has read a room. Raises `NotFound`."""
        user = await self._reader(room, who)
        kept = await self._houses.node.store.record(READ, key(user, room))
        read = None if kept is None else _decode(kept.body).offset
        counted = await self._houses.node.store.unread({room: read or 0})
        return Mine(read, counted.get(room, 0))

    async def move(self, room: str, who: Who, offset: int) -> Mine:
        """Note that somebody has read a room up to ``offset``, if that is further than before."""
        user = await self._reader(room, who)
        live = await self._houses.room(room)
        if not live.exists:
            raise NotFound("There is no such room.")
        for _ in range(TRIES):
            kept = await self._houses.node.store.record(READ, key(user, room))
            before = -1 if kept is None else _decode(kept.body).offset
            further = min(offset, live.stream.top.offset)
            if further <= before:
                return await self.read(room, who)
            expected = 0 if kept is None else kept.revision
            try:
                await self._houses.write(put(READ, key(user, room), Mark(further), expected=expected))
            except RecordMoved:
                continue
            return await self.read(room, who)
        raise Conflict("This mark is being moved from too many places at once.")

    async def forget(self, room: str, who: Who) -> None:
        """Let a room be somebody's no longer for its mark, whether there is one or not."""
        if who.user is None:
            raise Forbidden("This needs a session; POST a name to /v1/session to open one.")
        await self._houses.write(drop(READ, key(who.user, room)))

    async def mine(self, who: Who) -> Mapping[str, Mine]:
        """Return the rooms of somebody that they may read."""
        if who.user is None:
            raise Forbidden("This needs a session; POST a name to /v1/session to open one.")
        found = await self._houses.node.store.records(READ, prefix=key(who.user, ""))
        marks: dict[str, int | None] = {
            one.key.partition("/")[2]: _decode(one.body).offset for one in found.records
        }
        inside = self._houses.policy.rooms_of(who.user)
        read = {room: marks.get(room) for room in {*marks, *inside}}
        facts = {row.facts.name: row.facts for row in await self._houses.node.store.rooms()}
        open_ = {
            room: offset for room, offset in read.items()
            if room in facts and self._houses.policy.admits(facts[room], who)
        }  # fmt: skip
        counted = await self._houses.node.store.unread({room: at or 0 for room, at in open_.items()})
        return {room: Mine(at, counted.get(room, 0)) for room, at in sorted(open_.items())}

    async def _reader(self, room: str, who: Who) -> str:
        live = await self._houses.room(room)
        self._houses.policy.admit(live.facts, who)
        if who.user is None:
            raise Forbidden("This needs a session; POST a name to /v1/session to open one.")
        return who.user


def _decode(body: bytes) -> Mark:
    return msgspec.json.decode(body, type=Mark)
