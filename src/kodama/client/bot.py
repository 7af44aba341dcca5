"""A program that answers in rooms: a word, and what to do when somebody says it.

    bot = Bot("https://chat.example.org", token="kdm_…", rooms=["ops"], place=Path("ops-bot.cursor"))

    @bot.on("deploy")
    async def deploy(order: Order) -> str:
        return f"Deploying {order.rest}."

    bot.run()

Decided here: an answer's nonce is made of what it answers. So a bot that is killed between its
answer and the note of how far it has read says nothing twice when it reads that message again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from unicodedata import normalize

from kodama.client.aio import AsyncClient, AsyncRoom
from kodama.client.answers import Stored
from kodama.client.event import Event
from kodama.client.faults import Refused
from kodama.client.outbox import CursorFile
from kodama.client.wants import Wants

_log: Final = logging.getLogger("kodama.bot")


@dataclass(slots=True)
class Order:
    """What somebody asked of the bot: ``word``, and the ``rest`` of the message after it."""

    event: Event
    room: AsyncRoom
    word: str
    rest: str
    replies: int = 0

    async def reply(self, text: str) -> Stored:
        """Answer with a quotation; the first, second … reply to a message are each said once. Raises
        `Refused`."""
        self.replies += 1
        nonce = f"{self.event.id}-{self.replies}"
        return await self.room.send(text, data={"reply": self.event.offset}, nonce=nonce)


Answering = Callable[[Order], Awaitable[str | None]]


class Bot:
    """Reads ``rooms`` from the cursor in ``place`` on (from now on, the first time), and answers.

    Without ``token`` it is a guest called ``name``, and another one each run, so that what it said
    before is not known to be its own. People may also address it by ``name``, as in ``@name word``.
    What bots say is never answered.
    """

    def __init__(
        self, url: str, *, rooms: Sequence[str], token: str | None = None, name: str = "bot",
        place: Path | None = None,
    ) -> None:  # fmt: skip
        self._client = AsyncClient(url, token=token, renew=None if token else self._renewed)
        self._rooms = rooms
        self._name = name
        self._place = None if place is None else CursorFile(place)
        self._answering: dict[str, Answering] = {}
        self._me = ""

    def on(self, word: str) -> Callable[[Answering], Answering]:
        """Let the decorated function answer messages that begin with ``word``, ``!word`` or ``/word``;
        what it returns is the reply."""

        def decorate(answering: Answering) -> Answering:
            self._answering[_plain(word)] = answering
            return answering

        return decorate

    def run(self) -> None:
        """Answer until interrupted; raises `Refused`."""
        asyncio.run(self.serve())

    async def serve(self) -> None:
        """The same in a loop that runs already."""
        async with self._client as client:
            if client.token is None:
                await self._renewed()
            wants = Wants(cursor_file=self._place)
            async for event in client.read(self._rooms, wants):
                await self.hear(event)

    async def hear(self, event: Event) -> None:
        """Answer one event, if it asks for it. A fault in an answer is logged, and no end."""
        if event.type != "message" or event.author.kind == "bot" or event.author.id == self._me:
            return
        word, rest = order_in(event.text or "", name=self._name)
        answering = self._answering.get(word)
        if answering is None:
            return
        order = Order(event, self._client.room(event.room), word, rest)
        try:
            text = await answering(order)
            if text:
                await order.reply(text)
        except Refused as fault:
            _log.error("the answer to %s was refused: %s", event.id, fault)
        except Exception:  # noqa: BLE001 - what an answer does is not ours
            _log.exception("answering %s failed", event.id)

    async def _renewed(self) -> str:
        session = await self._client.open_session(name=self._name)
        self._me = session.user.id
        return session.token


def order_in(text: str, *, name: str) -> tuple[str, str]:
    """Return the word that a message begins with, as it is registered, and what follows it.

    ``!`` or ``/`` before the word and ``@name`` before it are left out, in full width, too.
    """
    first, _, rest = text.strip().partition(" ")
    if _plain(first).rstrip(":,") == f"@{_plain(name)}":
        first, _, rest = rest.strip().partition(" ")
    word, newline, more = first.partition("\n")
    return _plain(word).lstrip("!/"), f"{more} {rest}".strip() if newline else rest.strip()


def _plain(text: str) -> str:
    return normalize("NFKC", text).casefold()
