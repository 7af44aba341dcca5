"""``…/bans``, ``…/mutes``, ``…/kick``, ``…/purge``: what moderators do about people."""

from __future__ import annotations

from kodama.http.message import Answer, Request
from kodama.order.held import HeldMessages
from kodama.order.moderation import Moderation, Sentence
from kodama.web.acting import DONE, Acting
from kodama.web.answers import json_answer
from kodama.web.identity import Caller
from kodama.wire import moderation as wire
from kodama.wire.order import user_id


class ModerationApi:
    """The resources by which people are kept out, silent and unsaid."""

    def __init__(self, acting: Acting, moderation: Moderation, held: HeldMessages) -> None:
        self._acting = acting
        self._moderation = moderation
        self._held = held

    def bans(self, request: Request, caller: Caller, room: str) -> None:
        """``GET /v1/rooms/{room}/bans``."""

        async def answer() -> Answer:
            bans = await self._moderation.bans(room, caller.who)
            return json_answer(200, wire.BanList([wire.ban_shown(one) for one in bans]))

        self._acting.ask(request, caller, answer)

    def ban(self, request: Request, caller: Caller, room: str, user: str) -> None:
        """``PUT /v1/rooms/{room}/bans/{person}``."""
        body = wire.ban_body(request.body)
        sentence = Sentence(
            minutes=body.minutes, network=body.network, reason=body.reason, name=body.name
        )

        async def answer() -> Answer:
            ban = await self._moderation.ban(room, caller.who, user, sentence)
            return json_answer(200, wire.ban_shown(ban))

        self._acting.act(request, caller, answer)

    def lift(self, request: Request, caller: Caller, room: str, user: str) -> None:
        """``DELETE /v1/rooms/{room}/bans/{person}``."""

        async def answer() -> Answer:
            await self._moderation.lift(room, caller.who, user)
            return DONE

        self._acting.act(request, caller, answer)

    def mutes(self, request: Request, caller: Caller, room: str) -> None:
        """``GET /v1/rooms/{room}/mutes``."""

        async def answer() -> Answer:
            mutes = await self._moderation.mutes(room, caller.who)
            return json_answer(200, wire.MuteList([wire.mute_shown(one) for one in mutes]))

        self._acting.ask(request, caller, answer)

    def mute(self, request: Request, caller: Caller, room: str, user: str) -> None:
        """``PUT /v1/rooms/{room}/mutes/{person}``."""
        body = wire.mute_body(request.body)

        async def answer() -> Answer:
            sentence = Sentence(minutes=body.minutes, name=body.name)
            mute = await self._moderation.mute(room, caller.who, user, sentence)
            return json_answer(200, wire.mute_shown(mute))

        self._acting.act(request, caller, answer)

    def unmute(self, request: Request, caller: Caller, room: str, user: str) -> None:
        """``DELETE /v1/rooms/{room}/mutes/{person}``."""

        async def answer() -> Answer:
            await self._moderation.unmute(room, caller.who, user)
            return DONE

        self._acting.act(request, caller, answer)

    def kick(self, request: Request, caller: Caller, room: str) -> None:
        """``POST /v1/rooms/{room}/kick``."""
        body = wire.kick_body(request.body)

        async def answer() -> Answer:
            ban = await self._moderation.kick(room, caller.who, user_id(body.user), body.name)
            return json_answer(200, wire.ban_shown(ban))

        self._acting.act(request, caller, answer)

    def purge(self, request: Request, caller: Caller, room: str) -> None:
        """``POST /v1/rooms/{room}/purge``."""
        body = wire.purge_body(request.body)

        async def answer() -> Answer:
            user = user_id(body.user)
            removed = await self._moderation.purge(room, caller.who, user, body.minutes)
            removed += await self._held.forget(room, user)
            return json_answer(200, wire.Purged(removed))

        self._acting.act(request, caller, answer)
