"""A site on in-memory transports: what a test of the channel needs, and nothing else."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransportWithDisconnection
from twisted.python.failure import Failure

from kodama.http.channel import Channel
from kodama.http.factory import HttpFactory
from kodama.http.limits import Limits
from kodama.http.message import Answer, Refusal, Request

Respond = Callable[[Request], None]


class Browser:
    """One client's connection."""

    def __init__(self, factory: HttpFactory) -> None:
        channel = factory.buildProtocol(None)
        assert isinstance(channel, Channel)
        self.channel = channel
        self.transport = StringTransportWithDisconnection()
        self.transport.protocol = channel
        self.transport.abortConnection = self.abort
        self.aborted = False
        channel.makeConnection(self.transport)

    def abort(self) -> None:
        self.aborted = True
        self.hang_up()

    def send(self, data: bytes) -> None:
        if self.transport.connected:
            self.channel.dataReceived(data)

    def send_slowly(self, data: bytes, *, cuts: int = 1) -> None:
        for at in range(0, len(data), cuts):
            self.send(data[at : at + cuts])

    def hang_up(self) -> None:
        if self.transport.connected:
            self.transport.connected = False
            self.channel.connectionLost(Failure(ConnectionDone()))

    @property
    def got(self) -> bytes:
        return self.transport.value()

    @property
    def open(self) -> bool:
        return self.transport.connected

    def statuses(self) -> list[int]:
        return [int(part[:3]) for part in self.got.split(b"HTTP/1.1 ")[1:]]


class Site:
    """A factory, what it was asked, and a clock."""

    def __init__(
        self, respond: Respond | None = None, *, limits: Limits | None = None, own: bytes | None = None
    ) -> None:
        self.seen: list[Request] = []
        self.facts: list[tuple[bytes, ...]] = []
        self.faults: list[Failure] = []
        self.clock = Clock()
        self._respond = respond or self.echo
        self.factory = HttpFactory(
            self.respond, refuse=self.refuse, fault=self.fault, clock=self.clock,
            limits=limits or Limits(), own=own,
        )  # fmt: skip

    def browser(self) -> Browser:
        return Browser(self.factory)

    def respond(self, request: Request) -> None:
        self.seen.append(request)
        line = request.line
        self.facts.append((line.method, line.target, line.path, line.query, request.headers.block, request.body))
        self._respond(request)

    @staticmethod
    def echo(request: Request) -> None:
        request.answer(Answer(200, request.line.target + b"|" + request.body))

    @staticmethod
    def refuse(refusal: Refusal) -> Answer:
        return Answer(refusal.status, refusal.detail.encode())

    def fault(self, request: Request, failure: Failure) -> Answer:
        self.faults.append(failure)
        return Answer(500, b"fault")


class Parked:
    """A holder that remembers what it heard."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def expired(self, request: Request) -> None:
        self.heard.append("expired")
        request.answer(Answer(200, b"empty"))

    def gone(self, request: Request) -> None:
        self.heard.append("gone")
