"""The same application below a mount of a `twisted.web` site."""

from __future__ import annotations

import pytest
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.web.resource import Resource
from twisted.web.server import Site

from kodama.http.limits import Limits
from kodama.http.message import Answer, NoTunnel, Refusal, Request
from kodama.http.stream import Stream
from kodama.http.twistedweb import HttpResource
from kodama.http.websocket import SocketLimits, WebSocket
from tests.http.site import Parked, Respond


class Mounted:
    def __init__(self, respond: Respond) -> None:
        self.clock = Clock()
        root = Resource()
        root.putChild(b"chat", HttpResource(
            respond, refuse=self.refuse, fault=self.fault, clock=self.clock, limits=Limits(body=100),
        ))  # fmt: skip
        self.site = Site(root, reactor=self.clock)
        self.channel = self.site.buildProtocol(None)
        self.transport = StringTransport()
        self.channel.makeConnection(self.transport)

    @staticmethod
    def refuse(refusal: Refusal) -> Answer:
        return Answer(refusal.status)

    @staticmethod
    def fault(request: Request, failure: Failure) -> Answer:
        return Answer(500, b"fault")

    def ask(self, path: bytes, *, body: bytes = b"") -> bytes:
        self.channel.dataReceived(
            b"POST %b HTTP/1.1\r\nHost: a\r\nX-A: 1\r\nContent-Length: %d\r\n\r\n%b" % (path, len(body), body)
        )
        return self.transport.value()


def echo(request: Request) -> None:
    request.answer(Answer(201, b"%b|%b|%b" % (
        request.line.target, request.headers.get(b"x-a"), request.body), (("X-B", "2"),)))  # fmt: skip


def test_paths_are_relative_to_the_mount() -> None:
    for path, seen in ((b"/chat", b"/"), (b"/chat/", b"/"), (b"/chat/a%2fb/c?d=/e", b"/a%2fb/c?d=/e")):
        got = Mounted(echo).ask(path, body=b"hi")
        assert got.startswith(b"HTTP/1.1 201 ")
        assert b"X-B: 2\r\n" in got
        assert got.endswith(b"\r\n\r\n" + seen + b"|1|hi")


def test_a_body_over_the_limit_is_refused() -> None:
    assert Mounted(echo).ask(b"/chat", body=b"x" * 101).startswith(b"HTTP/1.1 413 ")


def test_a_hold_runs_out_and_a_lost_client_is_told_of() -> None:
    parked = Parked()
    mounted = Mounted(lambda request: request.hold(parked, 5))
    mounted.ask(b"/chat")
    mounted.clock.advance(5)
    assert parked.heard == ["expired"]
    assert mounted.transport.value().endswith(b"empty")
    mounted.ask(b"/chat")
    mounted.channel.connectionLost(Failure(ConnectionError()))
    assert parked.heard == ["expired", "gone"]


def test_a_stream_is_framed_by_the_site() -> None:
    streams: list[Stream] = []
    mounted = Mounted(lambda request: streams.append(request.stream(200)))
    mounted.ask(b"/chat")
    streams[0].write(b"hello")
    streams[0].finish()
    assert b"ransfer-Encoding: chunked" in mounted.transport.value()
    assert mounted.transport.value().endswith(b"5\r\nhello\r\n0\r\n\r\n")


def test_a_fault_is_answered() -> None:
    def respond(request: Request) -> None:
        raise RuntimeError("bug")

    assert Mounted(respond).ask(b"/chat").endswith(b"fault")


def test_an_upgrade_is_refused_because_the_connection_is_the_sites() -> None:
    def respond(request: Request) -> None:
        with pytest.raises(NoTunnel):
            request.switch((), lambda link: WebSocket(link, agreed=None, limits=SocketLimits()))
        request.answer(Answer(426))

    assert Mounted(respond).ask(b"/chat").startswith(b"HTTP/1.1 426 ")
