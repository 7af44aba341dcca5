"""``…/notify`` and ``/v1/push``: what somebody is called for, and where."""

from __future__ import annotations

from kodama.core.errors import BadRequest, Conflict, Forbidden, NotFound
from kodama.core.event import Author
from kodama.core.notify import Call
from kodama.http.message import Answer, Request
from kodama.order.houses import Houses
from kodama.push.envelope import check_key
from kodama.push.sender import Outcome
from kodama.push.subscriptions import Subscription, Subscriptions, key_of
from kodama.push.teller import Teller
from kodama.web.acting import DONE, Acting
from kodama.web.answers import json_answer
from kodama.web.identity import Caller
from kodama.wire import notify as wire

_NO_SESSION = "This needs a session; POST a name to /v1/session to open one."


class NotifyApi:
    """The resources of being called. ``plain`` allows push services that are spoken to without TLS."""

    def __init__(
        self, acting: Acting, houses: Houses, teller: Teller, subscriptions: Subscriptions, *, plain: bool
    ) -> None:
        self._acting = acting
        self._houses = houses
        self._teller = teller
        self._subscriptions = subscriptions
        self._plain = plain

    def level(self, request: Request, caller: Caller, room: str) -> None:
        """``GET /v1/rooms/{room}/notify``."""

        async def answer() -> Answer:
            user = await self._reader(caller, room)
            return json_answer(200, wire.LevelShown(room=room, level=self._teller.level(room, user)))

        self._acting.ask(request, caller, answer)

    def choose(self, request: Request, caller: Caller, room: str) -> None:
        """``PUT /v1/rooms/{room}/notify``."""
        level = wire.level_body(request.body)

        async def answer() -> Answer:
            user = await self._reader(caller, room)
            if not (await self._houses.room(room)).exists:
                raise NotFound("There is no such room.")
            await self._teller.choose(room, user, level)
            return json_answer(200, wire.LevelShown(room=room, level=level))

        self._acting.act(request, caller, answer)

    def push(self, request: Request, caller: Caller) -> None:
        """``GET /v1/push``."""

        async def answer() -> Answer:
            return self._shown(200, caller.who.user)

        self._acting.ask(request, caller, answer)

    def subscribe(self, request: Request, caller: Caller) -> None:
        """``POST /v1/push``."""
        body = wire.subscription_body(request.body)
        if not body.endpoint.startswith("https://") and not self._plain:
            raise BadRequest("A push service is spoken to over https.")
        try:
            check_key(body.keys.p256dh)
        except ValueError:
            raise BadRequest("keys.p256dh is no point of P-256.") from None
        one = self._made(caller, body, site=(request.headers.get(b"origin") or b"").decode("latin-1"))

        async def answer() -> Answer:
            await self._subscriptions.add(one)
            return self._shown(201, one.user.id)

        self._acting.act(request, caller, answer)

    def unsubscribe(self, request: Request, caller: Caller) -> None:
        """``DELETE /v1/push``."""
        endpoint = wire.endpoint_body(request.body)
        key = key_of(_author(caller).id, endpoint)

        async def answer() -> Answer:
            await self._subscriptions.drop(key)
            return DONE

        self._acting.act(request, caller, answer)

    def test(self, request: Request, caller: Caller) -> None:
        """``POST /v1/push/test``."""
        author = _author(caller)

        async def answer() -> Answer:
            if author.id not in self._subscriptions:
                raise Conflict("None of your browsers is to be called; POST a subscription to /v1/push.")
            call = Call(room="lobby", offset=0, author=author.name, text="✓")
            outcomes = await self._teller.test(caller.who, call)
            sent = outcomes.count(Outcome.SENT)
            return json_answer(200, wire.PushTried(sent=sent, failed=len(outcomes) - sent))

        self._acting.act(request, caller, answer)

    def _made(self, caller: Caller, body: wire.SubscriptionBody, *, site: str) -> Subscription:
        who, now = caller.who, self._houses.now()
        return Subscription(
            user=_author(caller), endpoint=body.endpoint, p256dh=body.keys.p256dh, auth=body.keys.auth,
            site=site[:200], created=now, renewed=now, session=who.session,
            rooms=None if who.rooms is None else tuple(sorted(who.rooms)),
            invited=tuple(sorted(who.invited)), expires=who.expires,
        )  # fmt: skip

    def _shown(self, status: int, user: str | None) -> Answer:
        mine = () if user is None else self._subscriptions.of(user)
        return json_answer(status, wire.PushShown(key=self._teller.key, subscriptions=len(mine)))

    async def _reader(self, caller: Caller, room: str) -> str:
        live = await self._houses.room(room)
        self._houses.policy.admit(live.facts, caller.who)
        return _author(caller).id


def _author(caller: Caller) -> Author:
    """Return who asks; raises `Forbidden` without a session."""
    if caller.who.author is None:
        raise Forbidden(_NO_SESSION)
    return caller.who.author
