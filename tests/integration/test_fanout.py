"""Readers who are written to together get what they would get alone, however little of it goes out at once."""

from __future__ import annotations

import json
import re

import pytest

from kodama.http.channel import Channel
from tests.halves import Halves
from tests.integration.test_site import EVENTS, Asking, Kodama

READERS = 12
MESSAGES = 30


@pytest.fixture
def fanout() -> Halves:
    return Halves()


@pytest.fixture
def server(fanout: Halves) -> Kodama:
    return Kodama(fanout=fanout)


def texts(received: bytes) -> list[str]:
    return re.findall(r'"text":"([^"]*)"', received.decode())


@pytest.mark.parametrize("accept", ["text/event-stream", "application/x-ndjson"])
def test_streams(server: Kodama, fanout: Halves, accept: str) -> None:
    readers = [server.ask("GET", EVENTS, Accept=accept) for _ in range(READERS)]
    for number in range(MESSAGES):
        server.say(f"{number} ünï")
        if number == MESSAGES // 2:
            readers.append(server.ask("GET", f"{EVENTS}?since=all", Accept=accept))
    assert fanout.calls == MESSAGES
    assert [texts(one.transport.value()) for one in readers] == [
        [f"{number} ünï" for number in range(MESSAGES)]
    ] * (READERS + 1)
    since_the_first = {one.transport.value().partition(b"0 \xc3\xbcn")[2] for one in readers[:READERS]}
    assert len(since_the_first) == 1, "no byte was doubled or left out"


def test_polls(server: Kodama, fanout: Halves) -> None:
    since = server.get(f"{EVENTS}?wait=0").json["cursor"]
    first = f"GET {EVENTS}?since={since}&wait=25 HTTP/1.1"
    readers: list[tuple[Channel, Asking]] = []
    for _ in range(READERS):
        asking = server.ask("GET", f"{EVENTS}?wait=0")
        channel = next(one for one in server.factory._channels if one.transport is asking.transport)
        asking.transport.clear()
        readers.append((channel, asking))
    line, got = first, [""] * READERS
    for number in range(MESSAGES):
        for channel, _ in readers:
            channel.dataReceived(f"{line}\r\nHost: localhost:8080\r\n\r\n".encode())
        server.say(f"number {number}")
        cursors = set()
        for index, (_, asking) in enumerate(readers):
            answer = asking.got
            assert len(answer.body) == int(answer.fields["content-length"])
            cursors.add(answer.json["cursor"])
            got[index] += json.dumps(texts(answer.body))
            asking.transport.clear()
        (cursor,) = cursors
        line = f"GET {EVENTS}?since={cursor}&wait=25 HTTP/1.1"
    assert fanout.calls >= MESSAGES - 1
    assert got == ["".join(json.dumps([f"number {number}"]) for number in range(MESSAGES))] * READERS
    assert len(fanout.transports) >= READERS - 1, "all but the first, who may be held alone, have a seat"


def test_a_reader_that_fails_keeps_nothing_from_the_others(server: Kodama, fanout: Halves) -> None:
    readers = [server.ask("GET", EVENTS, Accept="text/event-stream") for _ in range(READERS)]
    server.say("before")
    fanout.transports[2].fails = True
    server.say("after")
    got = [texts(one.transport.value()) for one in readers]
    assert got.pop(2) == ["before"]
    assert got == [["before", "after"]] * (READERS - 1)
