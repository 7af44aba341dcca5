"""All rooms at once, as the server's owner sees them.

The one decision here: lists are read page by page from the records, so that a large server answers
as quickly as a small one; only the audit log, which is kept room by room, is put together from the
newest lines of every room. Rooms of two people are theirs: they are counted and not shown.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from heapq import nsmallest
from typing import Final, NamedTuple, TypeVar

import msgspec

from kodama.core.event import Author
from kodama.core.policy import Ban, Membership
from kodama.core.record import Record
from kodama.order.houses import AUDIT, BAN, MEMBER, SERVER_OWNER, Deeds, Houses
from kodama.order.invites import INVITE, Invite
from kodama.store.interface import Listed

T = TypeVar("T")
_LAST: Final = "~"  # above every id of a line


class Placed(NamedTuple):
    """Something of a room, and its id there."""

    room: str
    id: str
    what: bytes

    def read(self, shape: type[T]) -> T:
        """Return what it is."""
        return msgspec.json.decode(self.what, type=shape)


class Survey:
    """What is kept of all rooms, for whoever may see it: that is asked elsewhere."""

    def __init__(self, houses: Houses) -> None:
        self._houses = houses
        self._store = houses.node.store
        self._policy = houses.policy

    async def rooms(self) -> tuple[Sequence[Listed], int]:
        """Return all rooms by name, and how many rooms of two there are besides."""
        found = await self._store.rooms()
        shown = [one for one in found if self._policy.look(one.facts.name).direct is None]
        return shown, len(found) - len(shown)

    async def owners(self) -> Sequence[Author]:
        """Return who owns the server."""
        found = await self._store.records(SERVER_OWNER)
        return [msgspec.json.decode(one.body, type=Author) for one in found.records]

    async def members(self, *, after: str, limit: int) -> tuple[list[tuple[str, Membership]], bool]:
        """Return (room, member) by room and person, above ``after``, and whether there are more."""
        found, more = await self._page(MEMBER, after=after, limit=limit)
        return [(one.room, one.read(Membership)) for one in map(_placed, found)], more

    async def bans(self, *, after: str, limit: int) -> tuple[list[tuple[str, Ban]], bool]:
        """Return (room, ban) by room and person, above ``after``, and whether there are more."""
        found, more = await self._page(BAN, after=after, limit=limit)
        bans = [(one.room, one.read(Ban)) for one in map(_placed, found)]
        return [(room, ban) for room, ban in bans if ban.holds(self._houses.now())], more

    async def invites(self, *, after: str, limit: int) -> tuple[list[tuple[str, Invite]], bool]:
        """Return (code, invitation) of those that have not run out, above ``after``, and whether
        there are more."""
        found, more = await self._page(INVITE, after=after, limit=limit)
        invites = [(one.key, msgspec.json.decode(one.body, type=Invite)) for one in found]
        now = self._houses.now()
        return [(code, one) for code, one in invites if one.expires > now and one.uses != 0], more

    async def audit(self, *, before: str, limit: int) -> tuple[list[tuple[Placed, Deeds]], bool]:
        """Return what was done below ``before`` ("" for the newest), newest first, whether there is more.

        What was done to the whole server stands in a room without a name.
        """
        lines = await self._newest(before=before, limit=limit + 1)
        chosen = nsmallest(limit + 1, lines, key=lambda line: line.id)
        return [(line, line.read(Deeds)) for line in chosen[:limit]], len(chosen) > limit

    async def _newest(self, *, before: str, limit: int) -> list[Placed]:
        """Return the first ``limit`` lines of every room; their ids rise into the past."""
        lines: list[Placed] = []
        taken = Counter[str]()
        after = ""
        while True:
            found = (await self._store.records(AUDIT, after=after, limit=limit)).records
            for one in map(_placed, found):
                if one.id > before and taken[one.room] < limit:
                    lines.append(one)
                    taken[one.room] += 1
            if len(found) < limit:
                return lines
            last = _placed(found[-1])
            if taken[last.room] >= limit:
                after = f"{last.room}/{_LAST}"
            elif last.id <= before:
                after = f"{last.room}/{before}"
            else:
                after = found[-1].key

    async def _page(self, kind: str, *, after: str, limit: int) -> tuple[Sequence[Record], bool]:
        found = (await self._store.records(kind, after=after, limit=limit + 1)).records
        return found[:limit], len(found) > limit


def _placed(record: Record) -> Placed:
    room, _, id_ = record.key.partition("/")
    return Placed(room, id_, record.body)
