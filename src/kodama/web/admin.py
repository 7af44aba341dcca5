"""``/v1/admin``: the whole server, for its owner's console.

Decided here: who gets in is a person with a session of their own who owns the server, asking from
this server's own page or from no page at all; nothing that was handed on (a ticket, an API key)
opens it, and no page of another site, whatever it may do elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from secrets import token_bytes

from kodama.core.apikey import KEY_BYTES, ApiKey, digest_of, write_key
from kodama.core.errors import Forbidden, NotFound
from kodama.core.event import Author, timestamp
from kodama.core.names import room_name
from kodama.http.message import Answer, Request
from kodama.order.houses import SERVER, Houses
from kodama.order.members import Members
from kodama.order.survey import Survey
from kodama.store.interface import Listed
from kodama.web.acting import DONE, Acting
from kodama.web.answers import json_answer
from kodama.web.hooks import HookApi
from kodama.web.identity import Caller
from kodama.web.operations import Operations
from kodama.web.routes import Methods
from kodama.web.tokens import Tokens
from kodama.wire import admin as wire
from kodama.wire import queries
from kodama.wire.moderation import ban_shown, moment, record_name
from kodama.wire.order import member_shown, user_id


class Page:
    """Which part of a list is asked for: at most ``limit`` lines beyond ``given``."""

    def __init__(self, request: Request, name: str) -> None:
        found = queries.parameters(request.line.query)
        self.limit = queries.page_limit(found)
        self.given = queries.single(found, name)


class AdminApi:
    """The resources of the owner's console. ``settings`` are what may be shown of them."""

    def __init__(
        self, acting: Acting, houses: Houses, members: Members, hooks: HookApi, operations: Operations,
        tokens: Tokens, *, settings: Sequence[wire.SettingSeen],
    ) -> None:  # fmt: skip
        self._acting = acting
        self._houses = houses
        self._members = members
        self._survey = Survey(houses)
        self._hooks = hooks
        self._operations = operations
        self._tokens = tokens
        self._settings = wire.SettingsSeen(list(settings))

    def routes(self, rest: list[str]) -> Methods:
        """Return the methods of a path below ``/v1/admin``; raises `NotFound`."""
        match rest:
            case ["metrics"]:
                return {b"GET": self.metrics}
            case ["settings"]:
                return {b"GET": self.settings}
            case ["keys"]:
                return {b"GET": self.keys, b"POST": self.make_key}
            case ["keys", id]:
                name = record_name(id)
                return {b"DELETE": lambda request, caller: self.revoke_key(request, caller, name)}
            case ["owners", person]:
                user = user_id(person)
                return {b"DELETE": lambda request, caller: self.disown(request, caller, user)}
        return self._lists(rest)

    def _lists(self, rest: list[str]) -> Methods:
        """Return the methods of what is listed of all rooms; raises `NotFound`."""
        match rest:
            case ["rooms"]:
                return {b"GET": self.rooms}
            case ["people"]:
                return {b"GET": self.people}
            case ["bans"]:
                return {b"GET": self.bans}
            case ["invites"]:
                return {b"GET": self.invites}
            case ["hooks"]:
                return {b"GET": self.hooks}
            case ["audit"]:
                return {b"GET": self.audit}
        raise NotFound("There is nothing at this address.")

    def metrics(self, request: Request, caller: Caller) -> None:
        """``GET /v1/admin/metrics``: this node's numbers."""
        self._owner(caller)

        async def answer() -> Answer:
            return json_answer(200, self._operations.numbers(time=timestamp(self._houses.now())))

        self._acting.ask(request, caller, answer)

    def rooms(self, request: Request, caller: Caller) -> None:
        """``GET /v1/admin/rooms``."""
        self._owner(caller)
        page = Page(request, "after")
        after = "" if page.given is None else room_name(page.given)

        async def answer() -> Answer:
            found, direct = await self._survey.rooms()
            rest = [one for one in found if one.facts.name > after]
            rows = [self._room(one) for one in rest[: page.limit]]
            return json_answer(200, wire.RoomsSeen(
                rooms=rows, more=len(rest) > page.limit, count=len(found), direct=direct
            ))  # fmt: skip

        self._acting.ask(request, caller, answer)

    def people(self, request: Request, caller: Caller) -> None:
        """``GET /v1/admin/people``."""
        self._owner(caller)
        page = Page(request, "after")
        after = wire.place_after(page.given)

        async def answer() -> Answer:
            members, more = await self._survey.members(after=after, limit=page.limit)
            rows = [wire.MemberSeen(room, member_shown(one)) for room, one in members]
            owners = list(await self._survey.owners())
            return json_answer(200, wire.PeopleSeen(owners=owners, members=rows, more=more))

        self._acting.ask(request, caller, answer)

    def disown(self, request: Request, caller: Caller, user: str) -> None:
        """``DELETE /v1/admin/owners/{person}``."""
        by = self._owner(caller)

        async def answer() -> Answer:
            await self._members.disown_server(by, user)
            return DONE

        self._acting.act(request, caller, answer)

    def bans(self, request: Request, caller: Caller) -> None:
        """``GET /v1/admin/bans``."""
        self._owner(caller)
        page = Page(request, "after")
        after = wire.place_after(page.given)

        async def answer() -> Answer:
            bans, more = await self._survey.bans(after=after, limit=page.limit)
            rows = [wire.BanSeen(room, ban_shown(one)) for room, one in bans]
            return json_answer(200, wire.BansSeen(rows, more))

        self._acting.ask(request, caller, answer)

    def invites(self, request: Request, caller: Caller) -> None:
        """``GET /v1/admin/invites``."""
        self._owner(caller)
        page = Page(request, "after")
        after = "" if page.given is None else record_name(page.given)

        async def answer() -> Answer:
            invites, more = await self._survey.invites(after=after, limit=page.limit)
            rows = [
                wire.InviteSeen(
                    code=code, room=one.room, role=one.role, by=one.by, expires=timestamp(one.expires),
                    uses=one.uses,
                )
                for code, one in invites
            ]  # fmt: skip
            return json_answer(200, wire.InvitesSeen(rows, more))

        self._acting.ask(request, caller, answer)

    def hooks(self, request: Request, caller: Caller) -> None:
        """``GET /v1/admin/hooks``."""
        self._owner(caller)
        page = Page(request, "after")
        after = wire.place_after(page.given)

        async def answer() -> Answer:
            rest = [one for one in self._hooks.everywhere() if f"{one.room}/{one.id}" > after]
            return json_answer(200, wire.HooksSeen(rest[: page.limit], len(rest) > page.limit))

        self._acting.ask(request, caller, answer)

    def audit(self, request: Request, caller: Caller) -> None:
        """``GET /v1/admin/audit``."""
        self._owner(caller)
        page = Page(request, "before")
        before = "" if page.given is None else record_name(page.given)

        async def answer() -> Answer:
            lines, more = await self._survey.audit(before=before, limit=page.limit)
            rows = [
                wire.DeedSeen(
                    id=place.id, room=place.room or None, time=timestamp(one.time), by=one.by, did=one.did,
                    user=one.user, offset=one.offset, until=moment(one.until), note=one.note,
                )
                for place, one in lines
            ]  # fmt: skip
            return json_answer(200, wire.AuditSeen(rows, more))

        self._acting.ask(request, caller, answer)

    def settings(self, request: Request, caller: Caller) -> None:
        """``GET /v1/admin/settings``."""
        self._owner(caller)

        async def answer() -> Answer:
            return json_answer(200, self._settings)

        self._acting.ask(request, caller, answer)

    def keys(self, request: Request, caller: Caller) -> None:
        """``GET /v1/admin/keys``."""
        self._owner(caller)

        async def answer() -> Answer:
            found = await self._houses.node.store.keys()
            return json_answer(200, wire.KeysSeen([_key(one) for one in found]))

        self._acting.ask(request, caller, answer)

    def make_key(self, request: Request, caller: Caller) -> None:
        """``POST /v1/admin/keys``: the key is shown this once."""
        by = self._owner(caller)
        body = wire.key_body(request.body)
        token = write_key(token_bytes(KEY_BYTES))
        made = ApiKey(
            digest=digest_of(token), name=body.name, read_only=body.read_only, created=self._houses.now(),
            rooms=None if body.rooms is None else frozenset(body.rooms),
        )  # fmt: skip

        async def answer() -> Answer:
            await self._houses.node.store.put_key(made)
            await self._houses.write(self._houses.audited(SERVER, by, "key", note=made.name))
            await self._tokens.watch()
            return json_answer(201, wire.KeyMade(token, _key(made)))

        self._acting.act(request, caller, answer)

    def revoke_key(self, request: Request, caller: Caller, id: str) -> None:  # noqa: A002 - a key's id
        """``DELETE /v1/admin/keys/{id}``."""
        by = self._owner(caller)

        async def answer() -> Answer:
            store = self._houses.node.store
            names = [one.name for one in await store.keys() if one.id == id]
            if not names or not await store.drop_key(id):
                raise NotFound("There is no such key.")
            await self._houses.write(self._houses.audited(SERVER, by, "unkey", note=names[0]))
            await self._tokens.watch()
            return DONE

        self._acting.act(request, caller, answer)

    def _owner(self, caller: Caller) -> Author:
        """Return who asks; raises `Forbidden` unless they own the server and ask by themselves."""
        who = caller.who
        if caller.foreign or caller.sharing:
            raise Forbidden("Pages of another site do not see the console.")
        lent = who.session is None or who.session.startswith("key:") or who.read_only
        owns = who.user in self._houses.policy.server_owners
        if who.author is None or lent or who.rooms is not None or not owns:
            raise Forbidden("Only the server's owner sees this.")
        return who.author

    def _room(self, listed: Listed) -> wire.RoomSeen:
        facts = listed.facts
        house = self._houses.policy.look(facts.name)
        return wire.RoomSeen(
            room=facts.name, title=facts.title, access=facts.access.value, last=listed.last,
            owner=facts.owner, members=len(house.members), bans=len(house.bans),
        )  # fmt: skip


def _key(key: ApiKey) -> wire.KeySeen:
    return wire.KeySeen(
        id=key.id, name=key.name, rooms=None if key.rooms is None else sorted(key.rooms),
        read_only=key.read_only, created=timestamp(key.created),
    )  # fmt: skip
