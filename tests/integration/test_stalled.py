"""What a stream costs whose transport is full, counted in memory and to the byte."""

from __future__ import annotations

import gc
import os
import tracemalloc

import pytest
from twisted.internet.testing import StringTransport

from tests.integration.test_site import EVENTS, Kodama
from tests.integration.test_slow_readers import ASK, EVENT

SOAK = os.environ.get("KODAMA_TEST_SIZE") == "soak"
STALLED, MESSAGES = (1000, 100_000) if SOAK else (200, 600)
EACH = 2048
TAIL = 256 * 1024


class Stalled:
    """A stream of one of all kinds, which takes nothing while it is `full`."""

    def __init__(self, server: Kodama, number: int) -> None:
        self.transport = StringTransport()
        self.channel = server.factory.buildProtocol(None)
        self.channel.makeConnection(self.transport)
        self.channel.dataReceived(ASK[number % 3])
        assert b"cursor" in self.transport.value()
        self.transport.clear()
        self.channel.pauseProducing()


def grown(*, stalled: int) -> tuple[int, list[Stalled], Kodama]:
    """Return how much memory is held more after `MESSAGES` messages."""
    server = Kodama(tail_memory=TAIL)
    for number in range(50):
        server.say(f"before {number}")
    readers = [Stalled(server, number) for number in range(stalled)]
    gc.collect()
    tracemalloc.start()
    try:
        for number in range(MESSAGES):
            server.say(f"message {number}")
        gc.collect()
        return tracemalloc.get_traced_memory()[0], readers, server
    finally:
        tracemalloc.stop()


def test_a_stalled_stream_holds_nothing_of_what_it_missed() -> None:
    alone, _, _ = grown(stalled=0)
    held, readers, server = grown(stalled=STALLED)
    assert all(not reader.transport.value() for reader in readers)
    assert held - alone <= STALLED * EACH
    for reader in readers[:: STALLED // 30]:
        reader.channel.resumeProducing()
        server.pass_seconds(3)
        got = [int(offset) for _, offset, _ in EVENT.findall(reader.transport.value())]
        assert got == list(range(51, 51 + MESSAGES))


def test_what_history_no_longer_has_is_told_as_a_gap_of_a_slow_reader() -> None:
    server = Kodama(tail_memory=TAIL)
    settings = {"retention": {"days": 0, "events": 50}}
    owner = server.sign_in("Aiko")
    assert server.ask("PUT", "/v1/rooms/lobby", body=settings, **owner).got.status == 201
    server.say("before")
    readers = [Stalled(server, number) for number in range(3)]
    for number in range(200):
        server.say(f"message {number}")
    server.pass_seconds(70)  # what is too old is swept
    for reader in readers:
        reader.channel.resumeProducing()
        server.pass_seconds(1)
        got = [
            (kind, int(offset), reason) for kind, offset, reason in EVENT.findall(reader.transport.value())
        ]
        assert got == [(b"gap", 151, b"slow"), *((b"message", offset, b"") for offset in range(152, 202))]


@pytest.mark.parametrize("rooms", [1, 40])
def test_the_newest_events_kept_in_memory_stay_within_their_bound(rooms: int) -> None:
    server = Kodama(tail_memory=TAIL)
    waiting = [server.ask("GET", f"/v1/rooms/room-{number}/events?wait=100") for number in range(rooms)]
    for number in range(1200):
        answer = server.ask("POST", f"/v1/rooms/room-{number % rooms}/messages", body={"text": "x" * 500}).got
        assert answer.status == 201
    node = server.service._node
    kept = sum(room.stream.size for room in node._rooms.values())
    assert kept == node._tails.size
    assert 0 < kept <= TAIL
    assert all(not asking.open for asking in waiting)
    first = server.get("/v1/rooms/room-0/events?since=all&wait=0").json["events"][0]
    assert first["offset"] == 1  # what is not in memory any more is in the store


def test_readers_of_a_forgotten_part_read_it_from_the_store() -> None:
    server = Kodama(tail_memory=4096)
    before = server.get(f"{EVENTS}?wait=0").json["cursor"]
    for number in range(100):
        server.say(f"{number} {'x' * 200}")
    got, cursor = [], before
    for _ in range(3):
        answer = server.get(f"{EVENTS}?since={cursor}&wait=0").json
        got += [event["offset"] for event in answer["events"]]
        cursor = answer["cursor"]
    assert got == list(range(1, 101))
