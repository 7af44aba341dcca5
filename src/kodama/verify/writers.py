"""A writer: sends its messages one after another until each is acknowledged, and amends some of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final

from kodama.client import answers, asks
from kodama.client.aio import AsyncClient
from kodama.client.answers import Stored
from kodama.client.asks import Ask
from kodama.client.faults import ClientFault, Refused
from kodama.client.protocol import Garbled, decoded, news_of
from kodama.verify.observations import Acked, Amended, Sent
from kodama.verify.samples import body_print, event_print, nonce, said
from kodama.verify.scene import Scene
from kodama.verify.violations import Wrong

AMEND_EVERY: Final = 8
LOOK_EVERY: Final = 20
PAUSE: Final = 1.0  # seconds at most from try to try
AHEAD: Final = 400  # a writer waits while the readers of its room are further behind than this


class Writer:
    """Sends to ``room``; with a ``name`` it has a session, and also edits, deletes and reacts."""

    def __init__(self, scene: Scene, number: int, room: str, *, name: str | None) -> None:
        self._scene = scene
        self._number = number
        self._room = room
        self._name = name
        self._client = AsyncClient(
            self._url, dial=scene.dial, random=scene.random, renew=self._log_in if name else None, pause=PAUSE
        )
        self._count = 0

    async def run(self, going: Callable[[], bool]) -> None:
        """Send while ``going`` says so; the last message is acknowledged when this returns."""
        if self._name is not None:
            self._client.token = await self._log_in()
        while going():
            if self._scene.behind(self._room) > AHEAD:
                await asyncio.sleep(0.02)
                continue
            await self._send()
        await self._client.close()

    async def _log_in(self) -> str:
        guest = AsyncClient(self._url, dial=self._scene.dial, random=self._scene.random, pause=PAUSE)
        try:
            return (await guest.open_session(name=self._name or "")).token
        finally:
            await guest.close()

    @property
    def _url(self) -> str:
        address = self._scene.address
        return f"{'https' if address.secure else 'http'}://{address.authority}{address.prefix}"

    async def _send(self) -> None:
        scene, room = self._scene, self._room
        self._count += 1
        number = self._count
        text, data = said(self._number, number)
        scene.history.take(Sent(room, self._number, number, body_print(text, data)))
        body = await self._asked(
            asks.publish(room, nonce=nonce(scene.run, self._number, number), text=text, data=data)
        )
        if body is None:
            return
        offset = answers.read(body, Stored).offset
        scene.history.take(Acked(room, self._number, number, offset))
        scene.figures.messages += 1
        scene.heads[room] = max(scene.heads.get(room, 0), offset)
        if number % LOOK_EVERY == 0:
            await self._look(offset)
        if self._name is not None and number % AMEND_EVERY == 0:
            await self._amend(offset, number // AMEND_EVERY)

    async def _look(self, offset: int) -> None:
        """Read what was just acknowledged, on a connection of its own: it may lead to another node."""
        ask = asks.events((self._room,), since=f"after:{offset - 1}", wait=0, limit=1)
        another = AsyncClient(self._url, dial=self._scene.dial, random=self._scene.random)
        try:
            body = await self._asked(ask, by=another)
        finally:
            await another.close()
        if body is None:
            return
        found = [event.get("offset") for event in news_of(decoded(body)).events]
        if found != [offset]:
            self._wrong(Wrong.UNREADABLE, f"offset {offset} was acknowledged, a read gave {found}")

    async def _amend(self, offset: int, turn: int) -> None:
        room = self._room
        changes = (
            [asks.edit(room, offset, f"edited {turn}")],
            [asks.react(room, offset, "👍"), asks.unreact(room, offset, "👍")],
            [asks.edit(room, offset, "about to go"), asks.delete(room, offset)],
            [asks.delete(room, offset)],
        )
        for ask in changes[turn % len(changes)]:
            body = await self._asked(ask)
            if body is not None:
                self._amended(decoded(body))

    def _amended(self, event: Any) -> None:
        scene = self._scene
        scene.figures.amendments += 1
        if isinstance(event, dict) and isinstance(event.get("offset"), int):
            scene.history.take(Amended(self._room, event["offset"], event_print(event).identity))
        else:
            self._wrong(Wrong.GARBLED, "the answer to an amendment is no event")

    async def _asked(self, ask: Ask, *, by: AsyncClient | None = None) -> bytes | None:
        try:
            return await (by or self._client).ask(ask)
        except Refused as fault:
            self._wrong(Wrong.REFUSED, f"{ask.method} {ask.target}: {fault.status} {fault}")
        except (ClientFault, Garbled) as fault:
            self._wrong(Wrong.GARBLED, f"{ask.method} {ask.target}: {fault}")
        await asyncio.sleep(0.2)
        return None

    def _wrong(self, kind: Wrong, what: str) -> None:
        self._scene.wrong(kind, self._room, f"writer {self._number}", what)
