"""The blocking face: the same as the asyncio one, method by method, over plain sockets.

    with Client("https://chat.example.org") as client:
        client.room("lobby").send("hello")
        for event in client.room("lobby"):
            print(event.author.name, event.text)

A client is for one thread.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random, SystemRandom
from typing import Any, Final, Self

from kodama.client import answers, asks
from kodama.client.address import Address
from kodama.client.answers import Errand, Page, Presence, RoomEntry, Session, Stored, Ticket
from kodama.client.asks import Ask
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

Dial = Callable[[Address], socket.socket]


def dial_tcp(address: Address) -> socket.socket:
    """Connect to ``address``, over TLS if it says so; raises OSError."""
    plain = socket.create_connection((address.host, address.port), timeout=DIAL)
    if not address.secure:
        return plain
    return ssl.create_default_context().wrap_socket(plain, server_hostname=address.host)


class Client:
    """A client of one server. ``renew`` gives a new token when the old one has expired."""

    def __init__(
        self, url: str, *, token: str | None = None, name: str | None = None, tries: int | None = None,
        renew: Callable[[], str] | None = None, outbox: Path | None = None, dial: Dial = dial_tcp,
        pause: Callable[[float], None] = time.sleep,
        random: Random | None = None,
    ) -> None:  # fmt: skip
        self.address = Address.parse(url)
        self.token = token
        self.name = name
        self._tries = tries
        self._renew = renew
        self._outbox = Outbox(outbox)
        self._dial = dial
        self._pause = pause
        self._random = random or SystemRandom()
        self._idle: list[tuple[Http, socket.socket]] = []

    def __enter__(self) -> Self:
        """Send what an earlier run left in the outbox."""
        self.flush()
        return self

    def __exit__(self, *reason: object) -> None:
        """Close the kept connections."""
        self.close()

    def close(self) -> None:
        """Close the kept connections; readings end by themselves when they are left."""
        idle, self._idle = self._idle, []
        for _, kept in idle:
            kept.close()

    def room(self, name: str) -> Room:
        """Return the room ``name``; nothing is asked yet."""
        return Room(self, name)

    def read(self, rooms: Sequence[str], wants: Wants | None = None) -> RoomReading:
        """Return a reading of many rooms on one connection."""
        return RoomReading(self, rooms, wants or Wants())

    def rooms(self) -> list[RoomEntry]:
        """Return the rooms of the server."""
        return answers.room_list(self.ask(asks.rooms()))

    def open_session(self, **given: str) -> Session:
        """Open a session with ``name``, or ``login`` and ``password``, or ``jwt``; its token is used then."""
        session = answers.read(self.ask(asks.session(given)), Session)
        self.token = session.token
        return session

    def close_session(self) -> None:
        """End the session."""
        self.ask(asks.log_out())
        self.token = None

    def ticket(self, rooms: Sequence[str]) -> str:
        """Return a read-only ticket to ``rooms``."""
        return answers.read(self.ask(asks.ticket(rooms)), Ticket).ticket

    def flush(self) -> None:
        """Send everything in the outbox, oldest first; what the server refuses for good is struck out."""
        for message in self._outbox.waiting():
            try:
                if message.is_old(now=_wall()) and self._is_in_history(message):
                    self._outbox.done(message.nonce)
                else:
                    self.deliver(message)
            except Refused as fault:
                if not is_expired(fault):
                    self._outbox.done(message.nonce)

    def deliver(self, message: Waiting) -> Stored:
        """Send a message of the outbox until the server has it; raises `Refused`."""
        ask = asks.publish(
            message.room, nonce=message.nonce, text=message.text, data=message.data, name=message.name
        )
        try:
            stored = answers.read(self.ask(ask), Stored)
        except Refused as fault:
            if not is_expired(fault):
                self._outbox.done(message.nonce)
            raise
        self._outbox.done(message.nonce)
        return stored

    def send(self, room: str, *, text: str | None, data: Any, nonce: str | None = None) -> Stored:
        """Publish once, however often it takes."""
        nonce = nonce or new_nonce(self._random)
        message = Waiting(room, nonce, _wall(), text=text, data=data, name=self.name)
        self._outbox.add(message)
        return self.deliver(message)

    def ask(self, ask: Ask) -> bytes:
        """Return the body of the answer, trying again while that may help.

        Raises `Refused`, and `Unreachable` when ``tries`` are used up.
        """
        errand = Errand(self._random, tries=self._tries)
        while True:
            try:
                answer = self._exchange(ask)
                wait = errand.answered(answer, now=_wall())
                if wait is None:
                    return answer.body
            except Refused as fault:
                if not is_expired(fault) or not self.renewed():
                    raise
                wait = errand.failed(str(fault))
            except (OSError, Garbled) as error:
                wait = errand.failed(str(error) or "No answer came in time.")
            self._pause(wait)

    def renewed(self) -> bool:
        """Get a new token, if there is a way to."""
        if self._renew is None:
            return False
        self.token = self._renew()
        return True

    def dial(self) -> socket.socket:
        """Open a connection; raises OSError."""
        return self._dial(self.address)

    def pause(self, seconds: float) -> None:
        """Wait."""
        self._pause(seconds)

    def course(self, rooms: Sequence[str], wants: Wants, watch: Watch) -> Course:
        """Begin a reading."""
        return course(
            rooms, wants, address=self.address, token=self.token, random=self._random, watch=watch
        )

    def _exchange(self, ask: Ask) -> Answer:
        """Make one try; a kept connection that the server has closed meanwhile is not a failure."""
        if self._idle:
            try:
                return self._over(ask, *self._idle.pop())
            except (OSError, Garbled):
                pass
        return self._over(ask, Http(self.address), self.dial())

    def _over(self, ask: Ask, http: Http, connection: socket.socket) -> Answer:
        try:
            http.token = self.token
            connection.settimeout(ANSWER)
            connection.sendall(http.request(ask))
            collector = Collector()
            while True:
                for part in http.received(connection.recv(PIECE)):
                    answer = collector.take(part)
                    if answer is not None:
                        return self._keep(answer, http, connection)
        except BaseException:
            connection.close()
            raise

    def _keep(self, answer: Answer, http: Http, connection: socket.socket) -> Answer:
        if answer.reusable:
            self._idle.append((http, connection))
        else:
            connection.close()
        return answer

    def _is_in_history(self, message: Waiting) -> bool:
        before: int | None = None
        while True:
            page = answers.page(self.ask(asks.history(message.room, limit=1000, before=before)))
            if any(one.nonce == message.nonce for one in page.messages):
                return True
            if not page.more or not page.messages or message.is_later_than(page.messages[0].time):
                return False
            before = page.messages[0].offset


class RoomReading:
    """A reading of one or many rooms: ``for event in …``. ``state`` says how it is doing."""

    def __init__(self, client: Client, rooms: Sequence[str], wants: Wants) -> None:
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

    def __iter__(self) -> Iterator[Event]:
        """Read on from where it stopped, for ever, through every cut."""
        return self._events()

    def catch_up(self) -> Generator[Event, None, None]:
        """Give what there is now, and end; raises `Refused` and `Unreachable`."""
        reading, more = self._course.reading, True
        while more:
            ask = asks.events(reading.rooms, since=reading.cursor, wait=0)
            news = news_of(decoded(self._client.ask(ask)))
            yield from reading.fresh(news)
            reading.passed(news)
            self._wants.keep(reading)
            more = news.more

    def _events(self) -> Generator[Event, None, None]:
        steering = self._course
        while True:
            steering.open(now=time.monotonic())
            try:
                connection = self._client.dial()
            except OSError:
                steering.failed(now=time.monotonic())
                self._client.pause(steering.pause())
                continue
            try:
                yield from self._connected(connection)
            except Refused as fault:
                if not is_expired(fault) or not self._client.renewed():
                    raise
                steering.wishes = replace(steering.wishes, token=self._client.token)
            finally:
                connection.close()
            self._client.pause(steering.pause())

    def _connected(self, connection: socket.socket) -> Generator[Event, None, None]:
        steering = self._course
        while not steering.over:
            data = _piece(connection, steering.send(), patience=steering.patience)
            for batch in steering.take(data, now=time.monotonic()):
                yield from batch.events
                steering.passed(batch, now=time.monotonic())
                self._wants.keep(steering.reading)
            if data is None:
                _send(connection, steering.nudge())
            if steering.wants_heads:
                self._look_ahead()

    def _look_ahead(self) -> None:
        rooms = self._course.reading.rooms[:ROOMS_LOOKED_AT]
        try:
            bodies = [(room, self._client.ask(asks.history(room, limit=1))) for room in rooms]
        except ClientFault:
            return  # how far behind is nice to know, no more
        self._course.heads_known(answers.newest((room, answers.page(body)) for room, body in bodies))


class Room:
    """One room: iterate over it to read, and speak in it."""

    def __init__(self, client: Client, name: str) -> None:
        self._client = client
        self.name = name

    def __iter__(self) -> Iterator[Event]:
        """Read from now on; `read` begins elsewhere."""
        return iter(self.read())

    def read(self, wants: Wants | None = None) -> RoomReading:
        """Return a reading of this room."""
        return self._client.read((self.name,), wants)

    def send(
        self, text: str | None = None, *, data: Any = None, nonce: str | None = None
    ) -> Stored:
        """Publish; raises `Refused`. It is stored once, even if it has to be sent often, and even by
        several runs of a program that give it the same ``nonce``."""
        return self._client.send(self.name, text=text, data=data, nonce=nonce)

    def edit(self, offset: int, text: str) -> Event:
        """Give a message of mine another text."""
        return Event(answers.read(self._client.ask(asks.edit(self.name, offset, text)), dict))

    def delete(self, offset: int) -> Event:
        """Take a message away."""
        return Event(answers.read(self._client.ask(asks.delete(self.name, offset)), dict))

    def react(self, offset: int, emoji: str) -> Event:
        """Add a reaction of mine."""
        return Event(answers.read(self._client.ask(asks.react(self.name, offset, emoji)), dict))

    def unreact(self, offset: int, emoji: str) -> Event:
        """Take a reaction of mine back."""
        return Event(answers.read(self._client.ask(asks.unreact(self.name, offset, emoji)), dict))

    def history(self, *, limit: int = 100, before: int | None = None, after: int | None = None) -> Page:
        """Return a page of messages, the newest one if no place is given."""
        ask = asks.history(self.name, limit=limit, before=before, after=after)
        return answers.page(self._client.ask(ask))

    def typing(self) -> None:
        """Say that I am typing."""
        self._client.ask(asks.typing(self.name))

    def present(self, state: str = "active") -> None:
        """Say that I am here, ``active`` or ``idle``."""
        self._client.ask(asks.present(self.name, state))

    def leave(self) -> None:
        """Say that I am gone."""
        self._client.ask(asks.leave(self.name))

    def here(self) -> Presence:
        """Return who is here."""
        return answers.read(self._client.ask(asks.here(self.name)), Presence)


def _piece(connection: socket.socket, out: bytes, *, patience: float) -> bytes | None:
    """Send ``out`` and return what comes: None after ``patience`` seconds of silence, nothing if it broke."""
    try:
        connection.settimeout(patience)
        connection.sendall(out)
        return connection.recv(PIECE)
    except TimeoutError:
        return None
    except OSError:
        return b""


def _send(connection: socket.socket, out: bytes) -> None:
    try:
        connection.sendall(out)
    except OSError:
        return  # the next piece will say so


def _wall() -> float:
    return time.time()  # noqa: TID251 - an outbox's ages and dates of Retry-After are the wall clock's
