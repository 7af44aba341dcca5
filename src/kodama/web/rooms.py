"""``/v1/rooms`` and ``/v1/rooms/{room}``: which rooms there are, and their settings."""

from __future__ import annotations

import dataclasses
from typing import Final

import msgspec
from msgspec import UNSET
from twisted.internet.defer import DeferredLock

from kodama.core.change import SetTopic
from kodama.core.errors import Forbidden, NotFound, Overloaded
from kodama.core.policy import Deed, RoomOrder
from kodama.core.room import Access, Retention, RoomFacts
from kodama.core.who import Who
from kodama.http.message import Answer, Request
from kodama.order.directs import is_direct, other_of
from kodama.order.houses import ORDER, Houses, put
from kodama.order.marks import Marks, Mine
from kodama.order.members import Members
from kodama.people import People
from kodama.store.interface import NOTHING, Listed, RoomMoved
from kodama.web.acting import Acting
from kodama.web.answers import json_answer
from kodama.web.identity import Caller
from kodama.wire import answers, commands
from kodama.wire.commands import RoomBody

TRIES: Final = 5  # of a change that met another node's
_ORDER: Final = ("slow", "locked", "hold")  # what moderators set
_SETTINGS: Final = ("title", "topic", "access", "retention", "sites")  # what owners set


class RoomsApi:
    """The resources of rooms themselves."""

    def __init__(
        self, acting: Acting, houses: Houses, members: Members, people: People, marks: Marks
    ) -> None:
        self._acting = acting
        self._houses = houses
        self._members = members
        self._people = people
        self._marks = marks
        self._policy = houses.policy
        self._settling = DeferredLock()

    def listed(self, request: Request, caller: Caller) -> None:
        """``GET /v1/rooms``: the rooms this reader may know of."""
        who = caller.who

        async def answer() -> Answer:
            mine = await self._marks.mine(who) if who.user is not None else {}
            rows = [
                self._row(row, who, mine.get(row.facts.name))
                for row in await self._houses.node.store.rooms()
                if self._policy.admits(row.facts, who)
                or (row.facts.access is Access.MEMBERS and who.rooms is None)
            ]  # fmt: skip
            return json_answer(200, answers.RoomList(rows))

        self._acting.ask(request, caller, answer)

    def _row(self, listed: Listed, who: Who, mine: Mine | None) -> answers.RoomRow:
        facts = listed.facts
        row = answers.RoomRow(
            room=facts.name, title=facts.title, topic=facts.topic, access=facts.access.value, last=listed.last
        )
        if who.user is None:
            return row
        two = self._policy.look(facts.name).direct
        return msgspec.structs.replace(
            row, role=self._policy.role(facts, who.user).word,
            read=UNSET if mine is None else mine.read, unread=UNSET if mine is None else mine.unread,
            direct=UNSET if two is None else other_of(two, who.user),
        )  # fmt: skip

    def show(self, request: Request, caller: Caller, room: str) -> None:
        """``GET /v1/rooms/{room}``."""

        async def answer() -> Answer:
            live = await self._houses.room(room)
            self._policy.admit(live.facts, caller.who)
            if not live.exists:
                raise NotFound("There is no such room.")
            return json_answer(200, self._shown(live.facts, caller.who))

        self._acting.ask(request, caller, answer)

    def put(self, request: Request, caller: Caller, room: str) -> None:
        """``PUT /v1/rooms/{room}``: created by whoever is signed in, changed by who may."""
        body = commands.room_body(request.body)
        if caller.who.author is None:
            raise Forbidden("This needs a session; POST a name to /v1/session to open one.")

        async def answer() -> Answer:
            # One after the other: what is merged must not be changed by somebody else meanwhile.
            await self._settling.acquire()
            try:
                for _ in range(TRIES):
                    try:
                        return await self._put(request, caller, room, body)
                    except RoomMoved:
                        continue  # somebody was faster, on another node: look at what there is now
            finally:
                self._settling.release()
            raise Overloaded("Others change this room at the same time.", retry_after=1.0)

        self._acting.act(request, caller, answer)

    async def _put(self, request: Request, caller: Caller, room: str, body: RoomBody) -> Answer:
        who, author = caller.who, caller.who.author
        assert author is not None
        log = await self._houses.node.store.open(room, tail_bytes=0)
        known = self._houses.node.default_facts(room) if log is None else log.facts
        self._policy.admit(known, who)
        if log is None and is_direct(room):
            raise NotFound("There is no such room.")
        if log is None:
            self._acting.begin_room(request, caller)
            known = dataclasses.replace(known, owner=author.id)
        else:
            self._check(known, who, body)
        facts = _merged(known, body)
        if log is None or facts != known:
            await self._houses.node.put_room(facts, over=NOTHING if log is None else log.mark)
            self._people.changed(facts)
        if log is None:
            await self._members.founded(room, author)
        if facts.topic != known.topic:
            await self._houses.append(SetTopic(room=room, author=author, topic=facts.topic))
        await self._arrange(room, who, body)
        return json_answer(201 if log is None else 200, self._shown(facts, who))

    def _check(self, facts: RoomFacts, who: Who, body: RoomBody) -> None:
        """Raise `Forbidden` unless ``who`` may change what ``body`` names."""
        orders_only = any(_given(body, _ORDER)) and not any(_given(body, _SETTINGS))
        self._policy.demand(facts, who, Deed.MODERATE if orders_only else Deed.CONFIGURE)

    async def _arrange(self, room: str, who: Who, body: RoomBody) -> None:
        """Change how order is kept, if the body says so."""
        author = who.author
        assert author is not None
        before = self._policy.look(room).order
        order = RoomOrder(
            slow=before.slow if body.slow is None else body.slow,
            locked=before.locked if body.locked is None else body.locked,
            hold=before.hold if body.hold is None else body.hold,
            sites=before.sites if body.sites is None else body.sites,
        )
        if order != before:
            said = msgspec.json.encode(order).decode()
            line = self._houses.audited(room, author, "order", note=said)
            await self._houses.write(put(ORDER, room, order), line)

    def _shown(self, facts: RoomFacts, who: Who) -> answers.RoomSettings:
        kept = answers.Retention(days=facts.retention.days, events=facts.retention.events)
        order = self._policy.look(facts.name).order
        return answers.RoomSettings(
            room=facts.name, title=facts.title, topic=facts.topic, access=facts.access.value,
            retention=kept, slow=order.slow, locked=order.locked, hold=order.hold, sites=order.sites,
            role=self._policy.role(facts, who.user).word,
        )  # fmt: skip


def _given(body: RoomBody, names: tuple[str, ...]) -> list[bool]:
    return [getattr(body, name) is not None for name in names]


def _merged(facts: RoomFacts, body: RoomBody) -> RoomFacts:
    kept = facts.retention
    asked = body.retention
    if asked is not None:
        kept = Retention(
            days=kept.days if asked.days is None else asked.days,
            events=kept.events if asked.events is None else asked.events,
        )
    return dataclasses.replace(
        facts, retention=kept,
        title=facts.title if body.title is None else body.title,
        topic=facts.topic if body.topic is None else body.topic,
        access=facts.access if body.access is None else Access(body.access),
    )  # fmt: skip
