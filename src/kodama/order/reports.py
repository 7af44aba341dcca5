"""What readers report to moderators, and what moderators have done: the room's two lists.

The one decision here: both are records under keys that sort, so that a page of them is one read,
and neither is held in memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from kodama.core.errors import Forbidden, NotFound
from kodama.core.event import Author, Message, decode
from kodama.core.policy import Deed
from kodama.core.who import Who
from kodama.order.houses import AUDIT, Deeds, Houses, drop, key, put

REPORT: Final = "report"


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """A message of ``author`` that somebody thinks a moderator should see; ``time`` in ms."""

    offset: int
    author: Author
    by: Author
    time: int
    reason: str = ""


class Reports:
    """Reports and audit logs of all rooms. Everything raises `Forbidden` and `NotFound`."""

    def __init__(self, houses: Houses) -> None:
        self._houses = houses

    async def report(self, room: str, who: Who, offset: int, *, reason: str) -> tuple[str, Report]:
        """Report a message; again by the same person, it is the same report."""
        live = await self._houses.room(room)
        self._houses.policy.admit(live.facts, who)
        if who.author is None:
            raise Forbidden("This needs a session; POST a name to /v1/session to open one.")
        found = await self._houses.node.store.read(room, after=max(0, offset - 1), limit=1, size=1)
        told = decode(found.entries[0].json) if found.entries else None
        if not isinstance(told, Message) or told.offset != offset or told.deleted is True:
            raise NotFound("There is no such message in this room.")
        name = f"{offset}-{who.author.id}"
        made = Report(
            offset=offset, author=told.author, by=who.author, time=self._houses.now(), reason=reason
        )
        await self._houses.write(put(REPORT, key(room, name), made))
        return name, made

    async def listed(self, room: str, who: Who) -> Sequence[tuple[str, Report]]:
        """Return what was reported, oldest first."""
        await self._moderator(room, who)
        found = await self._houses.node.store.records(REPORT, prefix=key(room, ""))
        reports = [(_name(one.key), msgspec.json.decode(one.body, type=Report)) for one in found.records]
        return sorted(reports, key=lambda one: (one[1].time, one[0]))

    async def dismiss(self, room: str, who: Who, name: str) -> None:
        """Take a report from the list: it was seen to."""
        by = await self._moderator(room, who)
        kept = await self._houses.node.store.record(REPORT, key(room, name))
        if kept is None:
            raise NotFound("There is no such report.")
        report = msgspec.json.decode(kept.body, type=Report)
        line = self._houses.audited(room, by, "dismiss", user=report.author, offset=report.offset)
        await self._houses.write(drop(REPORT, key(room, name)), line)

    async def audit(
        self, room: str, who: Who, *, before: str, limit: int
    ) -> tuple[Sequence[tuple[str, Deeds]], bool]:
        """Return what was done below ``before`` ("" for the newest), newest first, and whether there
        is more."""
        await self._moderator(room, who)
        found = await self._houses.node.store.records(
            AUDIT, prefix=key(room, ""), after=key(room, before), limit=limit + 1
        )
        lines = [(_name(one.key), msgspec.json.decode(one.body, type=Deeds)) for one in found.records]
        return lines[:limit], len(lines) > limit

    async def _moderator(self, room: str, who: Who) -> Author:
        live = await self._houses.room(room)
        return self._houses.policy.demand(live.facts, who, Deed.MODERATE)


def _name(place: str) -> str:
    return place.partition("/")[2]
