"""The link as a process sees it whose writer is another one: made again whenever it breaks.

The one decision here: nothing waits for a writer that is not there. What is asked while the link
is down fails at once, what was under way when it broke fails then; whoever asked knows best
whether to ask again.

    DOWN ── the writer has answered the greeting ──▶ UP ── the connection is lost ──▶ DOWN
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any, Final

import msgspec
from msgspec import Raw
from twisted.internet.defer import Deferred, succeed
from twisted.internet.endpoints import UNIXClientEndpoint
from twisted.internet.protocol import Factory
from twisted.logger import Logger

from kodama.link.frames import ANSWER, LENGTH, REFUSAL, Link, Message, frame, messages, pack

AGAIN: Final = 0.05  # seconds between two tries
PATIENCE: Final = 10.0  # for an answer that is waited for: at the start
GREETING: Final = "greeting"
VERSION: Final = 1  # of what goes over the link; both ends come from one release
_log: Final = Logger()
_refusal: Final = msgspec.msgpack.Decoder(tuple[str, str])


class _Quiet(Factory):
    noisy = False


class LinkDown(Exception):
    """The writer is not there."""


class Declined(Exception):
    """The writer met an exception: its name and its sentence."""

    def __init__(self, name: str, sentence: str) -> None:
        super().__init__(f"{name}: {sentence}")
        self.name = name
        self.sentence = sentence


class Reach:
    """The way to the writer that listens at ``path``. ``name`` is what this process is called there."""

    def __init__(self, path: str, *, name: str, reactor: Any) -> None:
        self._path = path
        self._reactor = reactor
        self._greeting = pack((VERSION, name))
        self._link: Link | None = None
        self._number = 0
        self._asked: dict[int, Deferred[Raw]] = {}
        self._hear: dict[str, Callable[[Raw], None]] = {}
        self._opened: list[Callable[[], None]] = []
        self._lost: list[Callable[[], None]] = []
        self._running = False
        self._ended: Deferred[None] | None = None
        self.up = False

    def hear(self, what: str, call: Callable[[Raw], None]) -> None:
        """Give ``call`` every message ``what`` that answers nothing."""
        self._hear[what] = call

    def watch(self, *, opened: Callable[[], None], lost: Callable[[], None]) -> None:
        """Call ``opened`` and ``lost`` whenever it is up or down again."""
        self._opened.append(opened)
        self._lost.append(lost)

    def start(self) -> None:
        """Begin to connect, once for all who share it."""
        if not self._running:
            self._running = True
            self._connect()

    def stop(self) -> Deferred[None]:
        """Disconnect, when what was said has been sent."""
        self._running = False
        if self._link is None:
            return succeed(None)
        if self._ended is None:
            self._ended = Deferred()
            self._link.close()
        return self._ended

    def say(self, what: str, given: bytes) -> None:
        """Say what needs no answer, or nothing when it is down."""
        if self._link is not None and self.up:
            self._link.say(0, what, given)

    def ask(self, what: str, given: bytes) -> Deferred[Raw]:
        """Return the answer; fails with `LinkDown` or `Declined`."""
        if not self.up:
            failed: Deferred[Raw] = Deferred()
            failed.errback(LinkDown("The writer is not there."))
            return failed
        return self._ask(what, given)

    def ask_now(self, what: str, given: bytes) -> Raw:
        """Return the answer, waiting for it, on a connection of its own. Raises as `ask` fails."""
        try:
            with socket.socket(socket.AF_UNIX) as line:
                line.settimeout(PATIENCE)
                line.connect(self._path)
                line.sendall(frame([Message(1, GREETING, Raw(self._greeting)), Message(2, what, Raw(given))]))
                return _answer_to(2, line)
        except OSError as error:
            raise LinkDown(f"The writer is not there: {error}.") from error

    def _connect(self) -> None:
        if not self._running:
            return
        link = Link(self._reactor, heard=self._heard, lost=self._down)
        endpoint = UNIXClientEndpoint(self._reactor, self._path, timeout=PATIENCE)
        reaching: Any = endpoint.connect(_Quiet.forProtocol(lambda: link))
        reaching.addCallbacks(self._greet, self._retry)

    def _retry(self, _: object) -> None:
        if self._running:
            self._reactor.callLater(AGAIN, self._connect)

    def _greet(self, link: Link) -> None:
        self._link = link
        if not self._running:
            link.close()
            return
        self._ask(GREETING, self._greeting).addCallbacks(self._greeted, self._not_greeted)

    def _greeted(self, _: Raw) -> None:
        self.up = True
        for call in tuple(self._opened):  # one of them may begin what watches, too
            call()

    def _not_greeted(self, failure: Any) -> None:
        if failure.check(Declined):
            _log.error("the writer refuses this process: {why}", why=failure.getErrorMessage())
            if self._link is not None:
                self._link.close()

    def _down(self) -> None:
        self._link = None
        was, self.up = self.up, False
        asked, self._asked = self._asked, {}
        if was:
            for call in self._lost:
                call()
        for one in asked.values():
            one.errback(LinkDown("The writer is gone."))
        if self._ended is not None:
            ended, self._ended = self._ended, None
            ended.callback(None)
        self._retry(None)

    def _ask(self, what: str, given: bytes) -> Deferred[Raw]:
        assert self._link is not None
        self._number += 1
        answered = self._asked[self._number] = Deferred()
        self._link.say(self._number, what, given)
        return answered

    def _heard(self, message: Message) -> None:
        if message.number == 0:
            self._hear[message.what](message.given)
            return
        answered = self._asked.pop(message.number)
        if message.what == REFUSAL:
            answered.errback(Declined(*_refusal.decode(message.given)))
        else:
            answered.callback(message.given)


def _answer_to(number: int, line: socket.socket) -> Raw:
    """Read frames until the answer to ``number`` is there."""
    while True:
        (size,) = LENGTH.unpack(_read(line, LENGTH.size))
        for message in messages(_read(line, size)):
            if message.what == REFUSAL:
                raise Declined(*_refusal.decode(message.given))
            if message.number == number and message.what == ANSWER:
                return message.given


def _read(line: socket.socket, size: int) -> bytes:
    read = bytearray()
    while len(read) < size:
        piece = line.recv(min(size - len(read), 1 << 20))
        if not piece:
            raise ConnectionResetError("it hung up")
        read += piece
    return bytes(read)
