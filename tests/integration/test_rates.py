"""Limits through the whole site: first more at a time, then less, then a refusal that says when."""

from __future__ import annotations

import json
from typing import Any

import pytest
from twisted.internet.address import IPv4Address
from twisted.internet.testing import StringTransport

from tests.integration.test_site import EVENTS, MESSAGES, Asking, Kodama, texts

SLOW: dict[str, Any] = {"limit_exempt": "", "read_burst": 2, "read_rate": 1.0}


def limited(server: Kodama) -> dict[tuple[str, str], int]:
    return dict(server.service._node.metrics.limited)


def test_a_poll_that_waits_is_never_counted() -> None:
    server = Kodama(**SLOW)
    cursor = server.get(f"{EVENTS}?wait=0").json["cursor"]
    polls = [server.ask("GET", f"{EVENTS}?since={cursor}&wait=60") for _ in range(50)]
    polls += [server.ask("GET", f"{EVENTS}?since={cursor}&wait=60&client=client-{n:03}") for n in range(50)]
    assert all(poll.open for poll in polls)
    assert server.say("news").status == 201
    assert {poll.got.status for poll in polls} == {200}
    assert limited(server) == {}


def test_reads_too_many_come_later_and_together_then_shorter_then_not_at_all() -> None:
    server = Kodama(**SLOW, write_burst=1000)
    for number in range(40):
        server.say(f"m{number}")
    asking = [server.ask("GET", f"{EVENTS}?since=all&wait=0") for _ in range(7)]
    assert [one.open for one in asking] == [False, False, True, True, True, False, False]
    assert [one.got.status for one in asking[5:]] == [429, 429]
    assert int(asking[5].got.fields["retry-after"]) >= 1
    assert asking[5].got.json["code"] == "rate_limited"
    server.say("meanwhile")
    server.reactor.advance(1.2)
    assert len(texts(asking[2].got)) == 41  # all, with what came meanwhile
    assert asking[3].open
    server.reactor.advance(1.0)
    assert len(texts(asking[3].got)) == 20
    assert asking[3].got.json["more"] is True
    server.reactor.advance(1.0)
    assert len(texts(asking[4].got)) == 20
    assert limited(server) == {("read", "coalesced"): 1, ("read", "shortened"): 2, ("read", "refused"): 2}
    assert b'kodama_limited_total{step="refused",what="read"} 2.0' in server.get("/metrics").body


def test_one_who_waits_as_told_is_served_and_others_were_all_along() -> None:
    server = Kodama(**SLOW)
    server.say("one")
    for _ in range(6):
        last = server.ask("GET", f"{EVENTS}?since=all")
    assert server.ask("GET", f"{EVENTS}?since=all", peer="10.0.0.2").got.status == 200
    server.reactor.advance(float(last.got.fields["retry-after"]) + 4)
    assert server.ask("GET", f"{EVENTS}?since=all").got.status == 200


def test_a_poll_that_was_put_off_ends_with_its_client_its_session_and_the_server() -> None:
    server = Kodama(**SLOW)
    server.say("one")
    for _ in range(2):
        server.get(f"{EVENTS}?since=all")
    fields = server.sign_in("Aiko")
    hung_up = server.ask("GET", f"{EVENTS}?since=all&client=abcdefgh")
    mine = server.ask("GET", f"{EVENTS}?since=all", **fields)
    assert hung_up.open
    assert mine.open
    assert server.ask("DELETE", "/v1/session", **fields).got.status == 204
    assert mine.got.status == 403
    newer = server.ask("GET", f"{EVENTS}?since=all&client=abcdefgh")
    assert hung_up.got.json["superseded"] is True
    server.service._draining()
    assert "after" in newer.got.json


@pytest.mark.parametrize("accept", ["text/event-stream", "application/x-ndjson", "text/plain"])
def test_opening_streams_is_counted(accept: str) -> None:
    server = Kodama(**SLOW)
    statuses = [server.ask("GET", EVENTS, Accept=accept).transport.value().split()[1] for _ in range(7)]
    assert statuses == [b"200"] * 5 + [b"429"] * 2


def test_the_door_of_2011_counts_only_who_catches_up() -> None:
    server = Kodama(**SLOW)
    assert all(server.ask("GET", "/?callback=fn").open for _ in range(20))
    first = server.ask("GET", "/?callback=fn")
    server.say("one")
    cookie = first.got.fields["set-cookie"].partition(";")[0]
    server.say("two")
    got = [server.ask("GET", "/?callback=fn", Cookie=cookie).got.status for _ in range(7)]
    assert got == [200] * 5 + [429] * 2


@pytest.mark.parametrize("target", [MESSAGES, "/v1/search?q=tea"])
def test_history_and_searches_are_counted(target: str) -> None:
    server = Kodama(**SLOW)
    assert [server.get(target).status for _ in range(7)] == [200] * 5 + [429] * 2


def test_sessions_have_a_bucket_of_their_own() -> None:
    server = Kodama(limit_exempt="", session_burst=3, session_rate=0.5, write_burst=1)
    opened = [server.ask("POST", "/v1/session", body={"name": f"n{number}"}).got for number in range(5)]
    assert [got.status for got in opened] == [201, 201, 201, 429, 429]
    assert server.say("writes are others").status == 201


def test_whoever_guesses_tokens_is_not_even_heard() -> None:
    server = Kodama(limit_exempt="", token_burst=3, token_rate=0.1)
    good = server.sign_in("Aiko")
    guesses = [server.get("/v1/session", Authorization=f"Bearer guess{number}").status for number in range(5)]
    assert guesses == [401, 401, 401, 429, 429]
    assert server.get("/v1/session", **good).status == 429  # or it would tell a right guess from a wrong one
    assert server.ask("GET", "/v1/session", peer="10.0.0.9", **good).got.status == 200
    assert server.get(f"{EVENTS}?wait=0").status == 200  # nobody in particular reads on
    assert server.get(f"{EVENTS}?wait=0&ticket=kdt_guess").status == 429
    server.reactor.advance(11)
    assert server.get("/v1/session", **good).status == 200


def test_rooms_are_made_no_faster_than_settled_and_no_more_than_settled() -> None:
    server = Kodama(limit_exempt="", room_burst=3, room_rate=0.5, rooms=4, write_burst=100)

    def say(room: str) -> int:
        return server.ask("POST", f"/v1/rooms/{room}/messages", body={"text": "x"}).got.status

    assert [say(f"room-{number}") for number in range(4)] == [201, 201, 201, 429]
    assert say("room-0") == 201
    server.reactor.advance(10)
    assert say("room-3") == 201
    assert say("room-4") == 403
    fields = server.sign_in("Aiko")
    assert server.ask("PUT", "/v1/rooms/room-5", body={}, **fields).got.status == 403
    assert say("room-3") == 201
    assert limited(server) == {("room", "refused"): 1, ("rooms", "refused"): 2}


def connection(server: Kodama, peer: str) -> StringTransport:
    transport = StringTransport(peerAddress=IPv4Address("TCP", peer, 50_000))
    server.factory.buildProtocol(None).makeConnection(transport)
    return transport


def test_one_address_has_so_many_connections_and_is_told_so() -> None:
    server = Kodama(address_connections=3)
    first = [server.factory.buildProtocol(None) for _ in range(3)]
    for channel in first:
        channel.makeConnection(StringTransport(peerAddress=IPv4Address("TCP", "10.0.0.1", 50_000)))
    refused = connection(server, "10.0.0.1")
    got = Asking(refused).got
    assert got.status == 429
    assert got.fields["retry-after"]
    assert refused.disconnecting
    assert not connection(server, "10.0.0.2").value()
    first[0].connectionLost(None)
    assert not connection(server, "10.0.0.1").value()
    assert connection(server, "10.0.0.1").value()
    assert limited(server) == {("connection", "refused"): 2}


def test_a_trusted_proxy_speaks_for_many() -> None:
    server = Kodama(address_connections=3, trusted_proxies="10.9.0.0/16")
    assert not any(connection(server, "10.9.0.1").value() for _ in range(10))


def test_what_a_refused_connection_sends_is_not_read() -> None:
    server = Kodama(address_connections=1)
    connection(server, "10.0.0.1")
    channel = server.factory.buildProtocol(None)
    transport = StringTransport(peerAddress=IPv4Address("TCP", "10.0.0.1", 50_000))
    channel.makeConnection(transport)
    transport.clear()
    channel.dataReceived(b"GET /v1/session HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert not transport.value()
    channel.connectionLost(None)
    assert server.factory.connections == 1


def test_loopback_meets_no_rate_unless_it_is_forwarded() -> None:
    server = Kodama(read_burst=1, read_rate=0.01, token_burst=1, token_rate=0.01)
    server.say("one")
    assert {server.get(f"{EVENTS}?since=all").status for _ in range(20)} == {200}
    assert {server.get("/v1/session", Authorization="Bearer x").status for _ in range(20)} == {401}
    forwarded = [
        server.ask("GET", f"{EVENTS}?since=all", X_Forwarded_For="203.0.113.7").transport.value()[9:12]
        for _ in range(4)
    ]
    assert forwarded[0] == b"200"
    assert forwarded[-1] == b"429"
    assert json.loads(server.get(f"{EVENTS}?since=all").body)["events"]


@pytest.mark.parametrize("place", ["/v1/files/{}", "/files/{}/a.png"])
def test_files_are_reads(place: str) -> None:
    server = Kodama(read_burst=2, read_rate=0.001, limit_exempt="")
    statuses = [server.get(place.format("x" * 22)).status for _ in range(3)]
    assert statuses == [404, 404, 429]
