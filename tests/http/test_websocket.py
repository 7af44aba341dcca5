"""A WebSocket's life: the handshake, goodbyes, silence, and who waits for whom."""

from __future__ import annotations

import pytest
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, CloseConnection, Message, Request, TextMessage
from wsproto.extensions import PerMessageDeflate

from kodama.http import frames as wire
from kodama.http.violation import Violation
from kodama.http.websocket import SocketLimits, WebSocket
from tests.http.site import Browser
from tests.http.sockets import KEY, EchoSite, Frame, HeardSite, Socket, close, frame, head, text


class Heard:
    """A listener that remembers."""

    def __init__(self, socket: WebSocket) -> None:
        self.socket = socket
        self.messages: list[str | bytes] = []
        self.events: list[str] = []

    def received(self, message: str | bytes) -> None:
        self.messages.append(message)
        if message == "fail":
            raise RuntimeError("bug")
        if message == "pause":
            self.socket.pause()
        if message == "goodbye":
            self.socket.close(4001, "as you wish")

    def filled(self) -> None:
        self.events.append("filled")

    def drained(self) -> None:
        self.events.append("drained")

    def violated(self, violation: Violation) -> None:
        self.events.append(f"violated {violation.code}")
        self.socket.send(wire.Message(b"last words"))

    def closed(self) -> None:
        self.events.append("closed")


class Heards(HeardSite):
    def __init__(self, limits: SocketLimits | None = None) -> None:
        self.all: list[Heard] = []
        super().__init__(self._heard, limits)

    def _heard(self, socket: WebSocket) -> Heard:
        self.all.append(Heard(socket))
        return self.all[-1]

    def open(self, *fields: bytes) -> tuple[Socket, Heard]:
        socket = Socket(self, *fields)
        return socket, self.all[-1]


def test_the_handshake_is_that_of_the_rfc() -> None:
    site = EchoSite()
    browser = Browser(site.factory)
    browser.send(head().replace(KEY, b"dGhlIHNhbXBsZSBub25jZQ=="))
    assert browser.statuses() == [101]
    assert b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n" in browser.got
    assert b"Content-Length" not in browser.got


def test_the_subprotocol_is_named_if_the_client_named_it() -> None:
    for offered, named in ((b"kodama.v1", True), (b"mqtt, kodama.v1", True), (b"mqtt", False)):
        socket, _ = Heards().open(b"Sec-WebSocket-Protocol: " + offered)
        assert (b"Sec-WebSocket-Protocol: kodama.v1" in socket.answer) is named
    socket, _ = Heards().open()
    assert not any(line.startswith(b"Sec-WebSocket-Protocol") for line in socket.answer)


GOOD = head()
NO_SOCKET = {
    "a plain GET": (b"GET /w HTTP/1.1\r\nHost: a\r\n\r\n", 426),
    "another upgrade": (GOOD.replace(b"Upgrade: websocket", b"Upgrade: h2c"), 426),
    "no Connection": (GOOD.replace(b"Connection: keep-alive, Upgrade\r\n", b""), 426),
    "version 8": (GOOD.replace(b"Version: 13", b"Version: 8"), 426),
    "no version": (GOOD.replace(b"Sec-WebSocket-Version: 13\r\n", b""), 426),
    "two versions": (head(b"Sec-WebSocket-Version: 13"), 426),
    "POST": (head(line=b"POST /w HTTP/1.1"), 426),
    "HEAD": (head(line=b"HEAD /w HTTP/1.1"), 426),
    "HTTP/1.0": (head(line=b"GET /w HTTP/1.0"), 426),
    "no key": (GOOD.replace(b"Sec-WebSocket-Key: " + KEY + b"\r\n", b""), 400),
    "a short key": (GOOD.replace(KEY, b"AAAA"), 400),
    "a key that is not Base64": (GOOD.replace(KEY, b"?" * 24), 400),
    "two keys": (head(b"Sec-WebSocket-Key: " + KEY), 400),
    "a body": (head(b"Content-Length: 3") + b"abc", 400),
    "chunks": (head(b"Transfer-Encoding: chunked") + b"3\r\nabc\r\n0\r\n\r\n", 400),
}  # fmt: skip


@pytest.mark.parametrize("name", NO_SOCKET)
def test_what_cannot_become_a_socket_is_answered_in_http(name: str) -> None:
    data, status = NO_SOCKET[name]
    for step in (1, 7, len(data)):
        site = EchoSite()
        browser = Browser(site.factory)
        browser.send_slowly(data, cuts=step)
        assert browser.statuses() == [status]
        assert site.echoes.sockets == set()


def test_a_body_under_upgrade_is_never_a_second_request() -> None:
    site = EchoSite()
    browser = Browser(site.factory)
    hidden = b"GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n"
    browser.send(head(b"Content-Length: %d" % len(hidden)) + hidden)
    assert site.seen == []
    assert not browser.open


def test_after_a_refused_upgrade_the_connection_serves_on() -> None:
    site = EchoSite()
    browser = Browser(site.factory)
    browser.send(GOOD.replace(b"Version: 13", b"Version: 8") + GOOD)
    assert browser.statuses() == [426, 101]


def test_frames_that_came_with_the_handshake_are_read() -> None:
    socket = EchoSite().socket(early=text("early") + text("bird")[:5])
    assert socket.texts == ["early"]
    socket.send(text("bird")[5:])
    assert socket.texts == ["early", "bird"]


def test_the_header_block_of_an_upgrade_is_not_remembered() -> None:
    socket = EchoSite().socket()
    socket.send(head())
    assert socket.code == 1002


def test_our_goodbye_waits_for_theirs() -> None:
    socket, heard = Heards().open()
    socket.send(text("goodbye") + text("too late"))
    assert socket.frames == [Frame(8, (4001).to_bytes(2, "big") + b"as you wish")]
    assert heard.events == ["closed"]
    assert not socket.ended
    socket.send(text("too late") + frame(9) + close(4001))
    assert heard.messages == ["goodbye"]
    assert len(socket.frames) == 1
    assert socket.ended


def test_a_client_that_does_not_answer_a_goodbye_is_cut_off() -> None:
    site = Heards()
    socket, heard = site.open()
    socket.send(text("goodbye"))
    site.clock.advance(5.2)
    assert socket.aborted
    assert heard.events == ["closed"]


def test_a_client_that_ends_without_goodbye_is_told_of_once() -> None:
    socket, heard = Heards().open()
    socket.hang_up()
    assert heard.events == ["closed"]
    heard.socket.send(wire.Message(b"nobody hears"))
    heard.socket.close()
    heard.socket.pause()
    heard.socket.resume()
    assert heard.events == ["closed"]


def test_a_client_that_stays_after_the_end_is_cut_off_and_unheard() -> None:
    site = Heards()
    socket, heard = site.open()
    socket.send(close(1000))
    assert socket.half_closed
    socket.send(text("still here"))
    assert heard.messages == []
    site.clock.advance(2.2)
    assert not socket.open


def test_the_listener_has_the_last_word_when_the_protocol_is_broken() -> None:
    socket, heard = Heards().open()
    socket.send(frame(3))
    assert heard.events == ["violated 1002", "closed"]
    assert socket.texts == ["last words"]
    assert socket.code == 1002


def test_a_listener_that_fails_ends_its_socket_only() -> None:
    site = Heards()
    one, heard = site.open()
    other, _ = site.open()
    one.send(text("fail"))
    assert one.code == 1011
    assert heard.events == ["closed"]
    other.send(text("fine"))
    assert other.code is None
    for failure in site.faults:
        raise AssertionError(failure)


def test_silence_is_asked_for_a_sign_of_life_and_then_ended() -> None:
    site = Heards()
    socket, heard = site.open()
    site.clock.pump([1] * 26)
    assert socket.frames == [Frame(9, b"")]
    socket.send(frame(10))
    site.clock.pump([1] * 46)
    assert socket.frames == [Frame(9, b"")] * 2
    assert socket.open
    site.clock.pump([1] * 20)
    assert socket.aborted
    assert heard.events == ["closed"]


def test_a_client_that_talks_is_not_asked() -> None:
    site = Heards()
    socket, _ = site.open()
    for _ in range(60):
        site.clock.advance(3)
        socket.send(text("hi"))
    assert socket.frames == []


def test_a_message_may_pause_the_reading_of_the_next() -> None:
    site = Heards()
    socket, heard = site.open()
    socket.send(text("one") + text("pause") + text("two") + text("three")[:5])
    assert heard.messages == ["one", "pause"]
    assert socket.paused == 1
    socket.send(text("three")[5:])
    site.clock.pump([1] * 100)
    assert socket.open
    heard.socket.resume()
    assert heard.messages == ["one", "pause", "two", "three"]
    assert socket.paused == 0


def test_nothing_is_read_from_a_client_that_does_not_read() -> None:
    site = EchoSite()
    socket = site.socket()
    socket.channel.pauseProducing()
    socket.send(text("a") + frame(9) * 9)
    assert socket.paused == 1
    assert socket.frames == []
    socket.channel.resumeProducing()
    assert socket.texts == ["a"]
    assert [one.opcode for one in socket.frames] == [1] + [10] * 9
    assert socket.paused == 0


def test_a_listener_hears_that_the_client_reads_again() -> None:
    socket, heard = Heards().open()
    socket.channel.pauseProducing()
    assert not heard.socket.writable
    assert heard.socket.open
    socket.channel.resumeProducing()
    assert heard.socket.writable
    assert heard.events == ["filled", "drained"]


def test_a_client_that_reads_nothing_for_minutes_is_cut_off() -> None:
    site = Heards()
    socket, heard = site.open()
    socket.channel.pauseProducing()
    site.clock.pump([1] * 120)
    assert socket.open
    site.clock.pump([1] * 40)
    assert socket.aborted
    assert heard.events == ["filled", "closed"]


def test_many_frames_in_one_read_let_others_have_their_turn() -> None:
    site = EchoSite()
    socket = site.socket()
    socket.send(frame(9) * 1000)
    assert len(socket.frames) == 64
    assert socket.paused == 1
    site.clock.pump([0] * 20)
    assert len(socket.frames) == 1000
    assert socket.paused == 0


def test_a_socket_at_rest_keeps_no_parser() -> None:
    site = Heards()
    socket, heard = site.open(b"Sec-WebSocket-Extensions: permessage-deflate")
    for sent in (text("a"), text("b", final=False), frame(0, b"c")[:3], frame(0, b"c")[3:], frame(9)):
        socket.send(sent)
    assert heard.messages == ["a", "bc"]
    assert heard.socket._reader is None


def test_drain_says_goodbye_to_all() -> None:
    site = EchoSite()
    sockets = [site.socket() for _ in range(3)]
    site.echoes.drain()
    assert [socket.code for socket in sockets] == [1001] * 3


def test_a_long_reason_is_cut_between_characters() -> None:
    frame = wire.close_frame(1000, "木" * 60)
    assert len(frame) <= 127
    assert frame[4:].decode() == "木" * 41
    assert wire.close_frame(None) == b"\x88\x00"


def test_wsproto_agrees_with_us() -> None:
    """An independent client, with and without compression, in fragments, both ways."""
    for extensions in ([], [PerMessageDeflate()]):
        site = EchoSite()
        browser = Browser(site.factory)
        client = WSConnection(ConnectionType.CLIENT)
        browser.send(client.send(Request(host="a", target="/w", extensions=list(extensions))))
        client.receive_data(browser.got)
        events = list(client.events())
        assert isinstance(events[0], AcceptConnection)
        browser.transport.clear()
        said = ["", "a", "木霊 " * 50, "x" * 60_000]
        for one in said:
            half = len(one) // 2
            browser.send(client.send(TextMessage(one[:half], message_finished=False)))
            browser.send(client.send(TextMessage(one[half:])))
        browser.send(client.send(CloseConnection(1000, "bye")))
        client.receive_data(browser.got)
        got, part = [], ""
        for event in client.events():
            if isinstance(event, Message):
                part += str(event.data)
                if event.message_finished:
                    got.append(part)
                    part = ""
        assert got == said
        assert isinstance(event, CloseConnection)
        assert event.code == 1000
