"""The asyncio face: dials, reads and waits; what it all means is decided in the parts without I/O.

async with AsyncClient("https://chat.example.org") as client:
await client.room("lobby").send("hello")
async for event in client.room("lobby"):
print(event.author.name, event.text)
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random, SystemRandom
from typing import Any, Final, Self

from kodama.client import answers, asks
from kodama.client.address import Address
from kodama.client.answers import Errand, Page, Presence, RoomEntry, Session, Stored, Ticket
from kodama.client.asks import Ask
from kodama.client.backoff import LIMIT
from kodama.client.course import Course, is_expired
from kodama.client.event import Event
from kodama.client.faults import ClientFault, Refused
from kodama.client.http1 import Answer, Collector, Http
from kodama.client.outbox import Outbox, Waiting
from kodama.client.protocol import Garbled, State, decoded, news_of
from kodama.client.wants import Wants, Watch, course, new_nonce

DIAL: Final = 15.0
ANSWER: Final = 30.0
PIECE: Final = 65536
ROOMS_LOOKED_AT: Final = 5

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Dial = Callable[[Address], Awaitable[Streams]]


async def dial_tcp(address: Address) -> Streams:
    """Connect to ``address``, over TLS if it says so; raises OSError."""
    context = ssl.create_default_context() if address.secure else None
    return await asyncio.open_connection(address.host, address.port, ssl=context)


class AsyncClient:
    """A client of one server. ``renew`` gives a new token when the old one has expired; ``pause`` is the
    longest time between two tries, in seconds."""

    def __init__(
        self, url: str, *, token: str | None = None, name: str | None = None, tries: int | None = None,
        renew: Callable[[], Awaitable[str]] | None = None, outbox: Path | None = None, dial: Dial = dial_tcp,
        random: Random | None = None, pause: float = LIMIT,
    ) -> None:  # fmt: skip
        self._pause = pause
        self.address = Address.parse(url)
        self.token = token
        self.name = name
        self._tries = tries
        self._renew = renew
        self._outbox = Outbox(outbox)
        self._dial = dial
        self._random = random or SystemRandom()
        self._idle: list[tuple[Http, Streams]] = []

    async def __aenter__(self) -> Self:
        """Send what an earlier run left in the outbox."""
        await self.flush()
        return self

    async def __aexit__(self, *reason: object) -> None:
        """Close the kept connections."""
        await self.close()

    async def close(self) -> None:
        """Close the kept connections; readings end by themselves when they are left."""
        idle, self._idle = self._idle, []
        for _, (_, writer) in idle:
            writer.close()

    def room(self, name: str) -> AsyncRoom:
        """Return the room ``name``; nothing is asked yet."""
        return AsyncRoom(self, name)

    def read(self, rooms: Sequence[str], wants: Wants | None = None) -> AsyncReading:
        """Return a reading of many rooms on one connection."""
        return AsyncReading(self, rooms, wants or Wants())

    async def rooms(self) -> list[RoomEntry]:
        """Return the rooms of the server."""
        return answers.room_list(await self.ask(asks.rooms()))

    async def open_session(self, **given: str) -> Session:
        """Open a session with ``name``, or ``login`` and ``password``, or ``jwt``; its token is used then."""
        session = answers.read(await self.ask(asks.session(given)), Session)
        self.token = session.token
        return session

    async def close_session(self) -> None:
        """End the session."""
        await self.ask(asks.log_out())
        self.token = None

    async def ticket(self, rooms: Sequence[str]) -> str:
        """Return a read-only ticket to ``rooms``."""
        return answers.read(await self.ask(asks.ticket(rooms)), Ticket).ticket

    async def flush(self) -> None:
        """Send everything in the outbox, oldest first; what the server refuses for good is struck out."""
        for message in self._outbox.waiting():
            try:
                if message.is_old(now=_wall()) and await self._is_in_history(message):
                    self._outbox.done(message.nonce)
                else:
                    await self.deliver(message)
            except Refused as fault:
                if not is_expired(fault):
                    self._outbox.done(message.nonce)

    async def deliver(self, message: Waiting) -> Stored:
        """Send a message of the outbox until the server has it; raises `Refused`."""
        ask = asks.publish(
            message.room, nonce=message.nonce, text=message.text, data=message.data, name=message.name
        )
        try:
            stored = answers.read(await self.ask(ask), Stored)
        except Refused as fault:
            if not is_expired(fault):
                self._outbox.done(message.nonce)
            raise
        self._outbox.done(message.nonce)
        return stored

    async def send(self, room: str, *, text: str | None, data: Any, nonce: str | None = None) -> Stored:
        """Publish once, however often it takes."""
        nonce = nonce or new_nonce(self._random)
        message = Waiting(room, nonce, _wall(), text=text, data=data, name=self.name)
        self._outbox.add(message)
        return await self.deliver(message)

    async def ask(self, ask: Ask) -> bytes:
        """Return the body of the answer, trying again while that may help.

        Raises `Refused`, and `Unreachable` when ``tries`` are used up.
        """
        errand = Errand(self._random, tries=self._tries, pause=self._pause)
        while True:
            try:
                async with asyncio.timeout(ANSWER):
                    answer = await self._exchange(ask)
                wait = errand.answered(answer, now=_wall())
                if wait is None:
                    return answer.body
            except Refused as fault:
                if not is_expired(fault) or not await self.renewed():
                    raise
                wait = errand.failed(str(fault))
            except (OSError, Garbled) as error:
                wait = errand.failed(str(error) or "No answer came in time.")
            await asyncio.sleep(wait)

    async def renewed(self) -> bool:
        """Get a new token, if there is a way to."""
        if self._renew is None:
            return False
        self.token = await self._renew()
        return True

    async def dial(self) -> Streams:
        """Open a connection; raises OSError."""
        async with asyncio.timeout(DIAL):
            return await self._dial(self.address)

    def course(self, rooms: Sequence[str], wants: Wants, watch: Watch) -> Course:
        """Begin a reading."""
        return course(
            rooms, wants, address=self.address, token=self.token, random=self._random, watch=watch
        )

    async def _exchange(self, ask: Ask) -> Answer:
        """Make one try; a kept connection that the server has closed meanwhile is not a failure."""
        if self._idle:
            try:
                return await self._over(ask, *self._idle.pop())
            except (OSError, Garbled):
                pass
        return await self._over(ask, Http(self.address), await self.dial())

    async def _over(self, ask: Ask, http: Http, streams: Streams) -> Answer:
        try:
            http.token = self.token
            reader, writer = streams
            writer.write(http.request(ask))
            collector = Collector()
            while True:
                for part in http.received(await reader.read(PIECE)):
                    answer = collector.take(part)
                    if answer is not None:
                        return self._keep(answer, http, streams)
        except BaseException:
            streams[1].close()
            raise

    def _keep(self, answer: Answer, http: Http, streams: Streams) -> Answer:
        if answer.reusable:
            self._idle.append((http, streams))
        else:
            streams[1].close()
        return answer

    async def _is_in_history(self, message: Waiting) -> bool:
        before: int | None = None
        while True:
            page = answers.page(await self.ask(asks.history(message.room, limit=1000, before=before)))
            if any(one.nonce == message.nonce for one in page.messages):
                return True
            if not page.more or not page.messages or message.is_later_than(page.messages[0].time):
                return False
            before = page.messages[0].offset


class AsyncReading:
    """A reading of one or many rooms: ``async for event in …``. ``state`` says how it is doing."""

    def __init__(self, client: AsyncClient, rooms: Sequence[str], wants: Wants) -> None:
        self._client = client
        self._wants = wants
        self._watch = Watch()
        self._course = client.course(rooms, wants, self._watch)

    @property
    def state(self) -> State:
        """Return how the reader is doing, such as ``catching up, 120 behind``."""
        return self._watch.state

    @property
    def cursor(self) -> str:
        """Return the place up to which all has been taken care of."""
        return self._course.reading.cursor

    def __aiter__(self) -> AsyncIterator[Event]:
        """Read on from where it stopped, for ever, through every cut."""
        return self._events()

    async def catch_up(self) -> AsyncGenerator[Event, None]:
        """Give what there is now, and end; raises `Refused` and `Unreachable`."""
        reading, more = self._course.reading, True
        while more:
            ask = asks.events(reading.rooms, since=reading.cursor, wait=0)
            news = news_of(decoded(await self._client.ask(ask)))
            for event in reading.fresh(news):
                yield event
            reading.passed(news)
            self._wants.keep(reading)
            more = news.more

    async def _events(self) -> AsyncGenerator[Event, None]:
        steering = self._course
        while True:
            steering.open(now=time.monotonic())
            try:
                _, writer = streams = await self._client.dial()
            except OSError:
                steering.failed(now=time.monotonic())
                await asyncio.sleep(steering.pause())
                continue
            try:
                async for event in self._connected(streams):
                    yield event
            except Refused as fault:
                if not is_expired(fault) or not await self._client.renewed():
                    raise
                steering.wishes = replace(steering.wishes, token=self._client.token)
            finally:
                writer.close()
            await asyncio.sleep(steering.pause())

    async def _connected(self, streams: Streams) -> AsyncGenerator[Event, None]:
        steering = self._course
        reader, writer = streams
        while not steering.over:
            writer.write(steering.send())
            try:
                async with asyncio.timeout(steering.patience):
                    data: bytes | None = await reader.read(PIECE)
            except TimeoutError:
                data = None
            except OSError:
                data = b""
            for batch in steering.take(data, now=time.monotonic()):
                for event in batch.events:
                    yield event
                steering.passed(batch, now=time.monotonic())
                self._wants.keep(steering.reading)
            if data is None:
                writer.write(steering.nudge())
            if steering.wants_heads:
                await self._look_ahead()

    async def _look_ahead(self) -> None:
        rooms = self._course.reading.rooms[:ROOMS_LOOKED_AT]
        try:
            bodies = [(room, await self._client.ask(asks.history(room, limit=1))) for room in rooms]
        except ClientFault:
            return  # how far behind is nice to know, no more
        self._course.heads_known(answers.newest((room, answers.page(body)) for room, body in bodies))


class AsyncRoom:
    """One room: iterate over it to read, and speak in it."""

    def __init__(self, client: AsyncClient, name: str) -> None:
        self._client = client
        self.name = name

    def __aiter__(self) -> AsyncIterator[Event]:
        """Read from now on; `read` begins elsewhere."""
        return aiter(self.read())

    def read(self, wants: Wants | None = None) -> AsyncReading:
        """Return a reading of this room."""
        return self._client.read((self.name,), wants)

    async def send(
        self, text: str | None = None, *, data: Any = None, nonce: str | None = None
    ) -> Stored:
        """Publish; raises `Refused`. It is stored once, even if it has to be sent often, and even by
        several runs of a program that give it the same ``nonce``."""
        return await self._client.send(self.name, text=text, data=data, nonce=nonce)

    async def edit(self, offset: int, text: str) -> Event:
        """Give a message of mine another text."""
        return Event(answers.read(await self._client.ask(asks.edit(self.name, offset, text)), dict))

    async def delete(self, offset: int) -> Event:
        """Take a message away."""
        return Event(answers.read(await self._client.ask(asks.delete(self.name, offset)), dict))

    async def react(self, offset: int, emoji: str) -> Event:
        """Add a reaction of mine."""
        return Event(answers.read(await self._client.ask(asks.react(self.name, offset, emoji)), dict))

    async def unreact(self, offset: int, emoji: str) -> Event:
        """Take a reaction of mine back."""
        return Event(answers.read(await self._client.ask(asks.unreact(self.name, offset, emoji)), dict))

    async def history(self, *, limit: int = 100, before: int | None = None, after: int | None = None) -> Page:
        """Return a page of messages, the newest one if no place is given."""
        ask = asks.history(self.name, limit=limit, before=before, after=after)
        return answers.page(await self._client.ask(ask))

    async def typing(self) -> None:
        """Say that I am typing."""
        await self._client.ask(asks.typing(self.name))

    async def present(self, state: str = "active") -> None:
        """Say that I am here, ``active`` or ``idle``."""
        await self._client.ask(asks.present(self.name, state))

    async def leave(self) -> None:
        """Say that I am gone."""
        await self._client.ask(asks.leave(self.name))

    async def here(self) -> Presence:
        """Return who is here."""
        return answers.read(await self._client.ask(asks.here(self.name)), Presence)


def _wall() -> float:
    return time.time()  # noqa: TID251 - an outbox's ages and dates of Retry-After are the wall clock's
