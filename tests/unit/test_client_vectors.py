"""The Python client against the published samples: streams, readings, outcomes, and what it says over WebSocket."""

from __future__ import annotations

import json
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from functools import partial
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, Request, TextMessage
from wsproto.extensions import PerMessageDeflate

from kodama.client.address import Address
from kodama.client.answers import Errand
from kodama.client.course import Course, is_expired
from kodama.client.faults import Refused, Superseded
from kodama.client.framing import LineReader, SseReader, TooLong, unwrapped
from kodama.client.http1 import Answer
from kodama.client.ladder import Ladder, Transport
from kodama.client.lines import Wishes
from kodama.client.protocol import News, Reading, Step
from kodama.client.websocket import SocketLine
from kodama.wire import socket as wire

VECTORS = Path(__file__).parents[2] / "docs" / "spec" / "vectors"
ADDRESS = Address.parse("http://127.0.0.1:8080")
MANY_BYTES = b" " * 1024 * 1024


def samples(name: str) -> list[dict[str, Any]]:
    return list(json.loads((VECTORS / name).read_text("utf-8")))


def cuts(whole: bytes) -> Iterator[list[bytes]]:
    """Give ``whole`` as one piece, in two at every byte, and byte by byte."""
    yield [whole]
    yield [bytes((one,)) for one in whole]
    yield from ([whole[:at], whole[at:]] for at in range(1, len(whole)))


named = partial(pytest.mark.parametrize, "sample", ids=lambda sample: sample.get("name") or sample.get("given"))


@named(samples("sse.json"))
def test_a_stream_is_read_as_published_wherever_it_is_cut(sample: dict[str, Any]) -> None:
    for pieces in cuts(sample["stream"].encode()):
        reader = SseReader()
        records = [block._asdict() for piece in pieces for block in reader.feed(piece)]
        assert records == sample["records"], pieces
        assert reader.retry == sample.get("retry"), pieces


def test_lines_are_the_same_wherever_they_are_cut() -> None:
    for pieces in cuts('{"a":"ä"}\n\n  \r\n{"b":1}\r\n{"cut'.encode()):
        reader = LineReader()
        lines = [line for piece in pieces for line in reader.feed(piece)]
        assert [json.loads(line) for line in lines] == [{"a": "ä"}, {"b": 1}]


@pytest.mark.parametrize("reader", [SseReader, LineReader])
def test_a_record_without_end_is_given_up(reader: type[SseReader | LineReader]) -> None:
    reading = reader()
    for _ in range(4):
        assert list(reading.feed(MANY_BYTES)) == []
    with pytest.raises(TooLong):
        list(reading.feed(b"x"))


def test_only_a_call_of_the_callback_is_an_answer() -> None:
    assert unwrapped(b'/**/f({"a":1});', callback="f") == b'{"a":1}'
    for body in (b'{"a":1}', b"/**/g({});", b"/**/f({})", b"f({});", b"<html>"):
        assert unwrapped(body, callback="f") is None


def polling(*, since: str) -> Course:
    wishes, ladder = Wishes(address=ADDRESS, client="c" * 8), Ladder((Transport.POLL,))
    return Course(Reading(("a",), since=since), wishes, ladder, random=Random(1), told=lambda _: None)


def answered(answer: dict[str, Any]) -> bytes:
    body = json.dumps(answer).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


@named(samples("reading.json"))
def test_a_reader_does_what_is_published(sample: dict[str, Any]) -> None:
    course, delivered, stopped = polling(since="all"), [], False
    course.open(now=0)
    try:
        for answer in sample["answers"]:
            assert course.send()
            for batch in course.take(answered(answer), now=1):
                delivered += [event.raw for event in batch.events]
                course.passed(batch, now=1)
    except Superseded:
        stopped = True
    assert delivered == sample["delivered"]
    assert stopped == (sample["next"] == "stop")
    if stopped:
        return
    assert course.reading.cursor == sample["cursor"]
    if sample["next"] == "wait":
        assert course.over
        assert sample["seconds"] <= course.pause() <= sample["seconds"] * 1.5
        course.open(now=5)
    assert course.pause() == 0
    asked = course.send().decode().split()[1]
    assert parse_qs(urlsplit(asked).query)["since"] == [sample["cursor"]]


@pytest.mark.parametrize("sample", samples("outcomes.json"), ids=lambda one: f"{one['status']} {one['retry_after']}")
def test_an_answer_means_what_is_published(sample: dict[str, Any]) -> None:
    errand = Errand(Random(1), tries=None)
    now = parsedate_to_datetime(sample["now"]).timestamp()
    fields = {} if sample["retry_after"] is None else {"retry-after": sample["retry_after"]}
    if not sample["status"]:
        assert errand.failed("no answer") >= sample["seconds"]
        return
    answer = Answer(sample["status"], fields, b"", reusable=True)
    if sample["outcome"] == "again":
        wait = errand.answered(answer, now=now)
        assert wait is not None
        assert sample["seconds"] <= wait
        return
    with pytest.raises(Refused) as refused:
        errand.answered(answer, now=now)
    assert is_expired(refused.value) == (sample["outcome"] == "renew")


class Socket:
    """A `SocketLine` and the server's side of its conversation."""

    def __init__(self, wishes: Wishes, *rooms: str, compress: bool = True) -> None:
        self.line = SocketLine(Reading(rooms, since="k1.a~e~1"), wishes, compress=compress)
        self.server = WSConnection(ConnectionType.SERVER)
        self.asked: Request | None = None
        self.said: list[str] = []
        assert list(self.line.received(self.hear(self.line.send()))) == []
        self.hear(self.line.send())

    def hear(self, data: bytes) -> bytes:
        """Take what the client sends and return the answer of a handshake."""
        self.server.receive_data(data)
        for event in self.server.events():
            if isinstance(event, Request):
                self.asked = event
                return self.server.send(AcceptConnection(subprotocol="kodama.v1", extensions=[PerMessageDeflate()]))
            if isinstance(event, TextMessage):
                self.said.append(event.data)
        return b""

    def say(self, frame: dict[str, Any]) -> list[Step]:
        """Return what the client makes of a frame."""
        return list(self.line.received(self.server.send(TextMessage(data=json.dumps(frame)))))


@pytest.mark.parametrize("compress", [True, False])
def test_over_a_websocket_nothing_is_said_but_what_is_published(compress: bool) -> None:
    wishes = Wishes(address=ADDRESS, token="t", ticket="kdt_x", presence=True)
    socket = Socket(wishes, "a", "tea/é", compress=compress)
    socket.hear(socket.line.nudge())
    assert socket.asked is not None
    assert (socket.asked.target, socket.asked.subprotocols) == ("/v1/ws?ticket=kdt_x", ["kodama.v1"])
    dos = [json.loads(one)["do"] for one in socket.said]
    assert dos == ["subscribe", "ping"]
    assert set(dos) <= {one.get("do") for one in samples("socket-commands.json")}
    asked = wire.command(socket.said[0])
    assert isinstance(asked, wire.Subscribe)
    assert (dict(asked.rooms), asked.presence, asked.ref) == ({"a": "k1.a~e~1", "tea/é": "k1.a~e~1"}, True, 1)
    assert isinstance(wire.command(socket.said[1]), wire.Pinged)


def test_over_a_websocket_ephemeral_events_move_no_cursor() -> None:
    socket = Socket(Wishes(address=ADDRESS), "a")
    typing = {"type": "typing", "room": "a"}
    assert socket.say({"ref": 1, "ok": {"cursor": "k1.a~e~1"}}) == [News((), "k1.a~e~1", ready=True)]
    assert socket.say({"events": [typing]}) == [News((typing,), None)]
    assert socket.say({"events": [typing], "cursor": "k1.a~e~2"}) == [News((typing,), "k1.a~e~2")]
    assert socket.say({"do": "pong"}) == []


def test_a_fresh_ticket_is_shown_with_the_next_poll() -> None:
    course = polling(since="now")
    course.open(now=0)
    for number, ticket in enumerate(("kdt_1", "kdt_2", None, "kdt_4")):
        course.send()
        answer = {"cursor": f"k1.a~e~{number}", "events": [], "more": False}
        for batch in course.take(answered(answer if ticket is None else answer | {"ticket": ticket}), now=1):
            course.passed(batch, now=1)
        shown = ticket or "kdt_2"
        if number:
            assert course.wishes.ticket == shown
    asked = course.send().decode().split()[1]
    assert parse_qs(urlsplit(asked).query)["ticket"] == ["kdt_4"]
