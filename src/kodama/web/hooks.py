"""``/v1/rooms/{room}/hooks`` and ``/v1/hooks/{token}``: programs in the room.

Decided here: the address of an incoming webhook is its only secret, and is kept as a digest; who
has it speaks in that one room as that one bot, and reads nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import replace
from secrets import token_bytes, token_hex
from typing import Any, Final

import msgspec
from twisted.internet.defer import Deferred, DeferredLock
from twisted.python.failure import Failure

from kodama.core.apikey import digest_of
from kodama.core.errors import Conflict, NotFound
from kodama.core.hook import (
    HOOK_BYTES,
    INCOMING,
    OUTGOING,
    PLACE,
    SECRET_BYTES,
    HookPlace,
    IncomingHook,
    OutgoingHook,
    write_secret,
    write_token,
)
from kodama.core.policy import Deed
from kodama.core.record import DropRecord, PutRecord
from kodama.hooks.outlets import Outlets
from kodama.http.message import Answer, Request
from kodama.http.passing import Drawn
from kodama.node import LiveRoom, Node
from kodama.registry import Registry
from kodama.web.answers import FIELDS, json_answer
from kodama.web.api import Api, media_of
from kodama.web.identity import Caller, Identity
from kodama.wire import hooks
from kodama.wire.hooks import Hook
from kodama.wire.slack import slack_body

HOOKS_LIMIT: Final = 20  # a room


class HookApi:
    """The resources of webhooks, at most ``most`` on the server. ``fail`` answers a failure."""

    def __init__(
        self, node: Node, registry: Registry, outlets: Outlets, api: Api, identity: Identity, *,
        most: int, now: Callable[[], int], seconds: Callable[[], float],
        fail: Callable[[Request, Failure], None],
    ) -> None:  # fmt: skip
        self._node = node
        self._most = most
        self._registry = registry
        self._outlets = outlets
        self._api = api
        self._identity = identity
        self._now = now
        self._seconds = seconds
        self._fail = fail
        self._making: DeferredLock = DeferredLock()  # or many at once would all find room
        self._incoming: dict[str, IncomingHook] = {}
        registry.follow(INCOMING, IncomingHook, self._taken)

    def show(self, request: Request, caller: Caller, room: str) -> None:
        """``GET /v1/rooms/{room}/hooks``."""

        async def answer() -> None:
            await self._owned(caller, room)
            request.answer(json_answer(200, hooks.Hooks(self._of(room))))

        self._run(request, answer())

    def everywhere(self) -> list[Hook]:
        """Return the webhooks of all rooms, by room and id."""
        found = [_incoming(hook) for hook in self._incoming.values()]
        found += [_outgoing(one.hook, one.failures) for one in self._outlets.known.values()]
        return sorted(found, key=lambda one: f"{one.room}/{one.id}")

    def make(self, request: Request, caller: Caller, room: str) -> None:
        """``POST /v1/rooms/{room}/hooks``: its address or secret is shown this once."""
        body = hooks.hook_command(request.body)
        self._identity.check_write(request, caller, now=self._seconds())

        async def answer() -> None:
            live, by = await self._owned(caller, room)
            if len(self._of(room)) >= HOOKS_LIMIT:
                raise Conflict(f"A room has at most {HOOKS_LIMIT} webhooks.")
            if len(self._incoming) + len(self._outlets.known) >= self._most:
                raise Conflict(f"This server has at most {self._most} webhooks.")
            make = self._incoming_made if body.kind == "incoming" else self._outgoing_made
            made = await make(live, by, body)
            request.answer(json_answer(201, made))

        making = self._making.run(Deferred.fromCoroutine, answer())
        making.addErrback(lambda failure: self._fail(request, failure))

    def remove(self, request: Request, caller: Caller, room: str, id: str) -> None:  # noqa: A002
        """``DELETE /v1/rooms/{room}/hooks/{id}``."""
        self._identity.check_write(request, caller, now=self._seconds())

        async def answer() -> None:
            await self._owned(caller, room)
            keys = [key for key, hook in self._incoming.items() if hook.room == room and hook.id == id]
            outlet = self._outlets.known.get(id)
            if outlet is not None and outlet.hook.room == room:
                dropped = (DropRecord(kind=OUTGOING, key=id), DropRecord(kind=PLACE, key=id))
                await self._registry.write(dropped)
            elif keys:
                await self._registry.drop(INCOMING, keys[0])
            else:
                raise NotFound("This room has no such webhook.")
            request.answer(Answer(204, b"", FIELDS))

        self._run(request, answer())

    def say(self, request: Request, caller: Caller, token: str) -> None:
        """``POST /v1/hooks/{token}``: a message, answered as every publish."""
        room, speaker = self._speaker(caller, token)
        body = hooks.hook_message(request.body, form=media_of(request))
        self._api.publish_read(request, speaker, room, msgspec.structs.replace(body, name=None))

    def say_as_slack(self, request: Request, caller: Caller, token: str) -> None:
        """``POST /v1/hooks/{token}/slack``: for programs that want what Slack answers."""
        room, speaker = self._speaker(caller, token)
        body = slack_body(request.body, form=media_of(request))
        assert request.channel is not None
        request.channel = Drawn(request.channel, _as_slack)
        self._api.publish_read(request, speaker, room, msgspec.structs.replace(body, name=None))

    def _speaker(self, caller: Caller, token: str) -> tuple[str, Caller]:
        hook = self._incoming.get(digest_of(token).hex())
        if hook is None:
            raise NotFound("There is no such webhook.")
        return hook.room, replace(caller, who=hook.who, by_cookie=False, plain=False)

    async def _owned(self, caller: Caller, room: str) -> tuple[LiveRoom, str]:
        """Return the room and who asks; raises `Forbidden`, `NotFound` if it is not the room's owner."""
        live = self._node.followed(room) or await self._node.room(room)
        by = self._node.policy.demand(live.facts, caller.who, Deed.CONFIGURE)
        return live, by.id

    async def _incoming_made(self, live: LiveRoom, by: str, body: hooks.HookBody) -> Hook:
        token = write_token(token_bytes(HOOK_BYTES))
        hook = IncomingHook(id=token_hex(6), room=live.name, name=body.name, created=self._now(), by=by)
        await self._registry.put(INCOMING, digest_of(token).hex(), hook, expected=0)
        shown = _incoming(hook)
        return msgspec.structs.replace(shown, address=f"/v1/hooks/{token}")

    async def _outgoing_made(self, live: LiveRoom, by: str, body: hooks.HookBody) -> Hook:
        assert body.url is not None
        hook = OutgoingHook(
            id=token_hex(6), room=live.name, name=body.name, url=body.url, created=self._now(), by=by,
            secret=write_secret(token_bytes(SECRET_BYTES)), on="all" if body.word is None else "word",
            word=body.word or "",
        )  # fmt: skip
        top = live.stream.top
        place = HookPlace(epoch=top.epoch, offset=top.offset, node="", until=0)
        await self._registry.write((
            PutRecord(kind=PLACE, key=hook.id, body=msgspec.json.encode(place), expected=0),
            PutRecord(kind=OUTGOING, key=hook.id, body=msgspec.json.encode(hook), expected=0),
        ))  # fmt: skip
        return msgspec.structs.replace(_outgoing(hook, 0), secret=hook.secret)

    def _of(self, room: str) -> list[Hook]:
        found = [_incoming(hook) for hook in self._incoming.values() if hook.room == room]
        told = [one for one in self._outlets.known.values() if one.hook.room == room]
        return [*found, *[_outgoing(one.hook, one.failures) for one in told]]

    def _taken(self, key: str, hook: IncomingHook | None) -> None:
        if hook is None:
            self._incoming.pop(key, None)
        else:
            self._incoming[key] = hook

    def _run(self, request: Request, answering: Coroutine[Any, Any, None]) -> None:
        Deferred.fromCoroutine(answering).addErrback(lambda failure: self._fail(request, failure))


def _incoming(hook: IncomingHook) -> Hook:
    return Hook(id=hook.id, kind="incoming", name=hook.name, room=hook.room)


def _outgoing(hook: OutgoingHook, failures: int) -> Hook:
    shown = Hook(id=hook.id, kind="outgoing", name=hook.name, room=hook.room, url=hook.url, failures=failures)
    return msgspec.structs.replace(shown, word=hook.word) if hook.on == "word" else shown


def _as_slack(answer: Answer) -> Answer:
    """Return what Slack answers to a message that it took."""
    if answer.status >= 300:
        return answer
    return Answer(200, b"ok", (("Content-Type", "text/plain"), *FIELDS))
