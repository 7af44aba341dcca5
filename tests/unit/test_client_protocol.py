"""The client without I/O: what it asks, and what it makes of answers."""

from __future__ import annotations

import json
from random import Random
from urllib.parse import parse_qs, urlsplit

import pytest

from kodama.client import asks
from kodama.client.address import Address
from kodama.client.answers import Errand
from kodama.client.backoff import Backoff
from kodama.client.faults import BadAddress, Refused, Unreachable, may_pass, refused
from kodama.client.http1 import Answer, retry_after
from kodama.client.ladder import Ladder, Transport
from kodama.client.protocol import Garbled, News, Reading, State, decoded, news_of


def batch(*offsets: int, room: str = "a", cursor: str = "k1.a~e~1") -> News:
    return News(tuple({"type": "message", "room": room, "offset": one} for one in offsets), cursor)


def test_a_room_is_percent_encoded_and_a_cursor_goes_into_the_url_as_it_is() -> None:
    ask = asks.events(("tea/room é",), since="k1.a~e~1", wait=25)
    assert ask.target == "/v1/rooms/tea%2Froom%20%C3%A9/events?since=k1.a~e~1&wait=25"


def test_many_rooms_are_named_one_by_one() -> None:
    query = parse_qs(urlsplit(asks.events(("a", "b"), since="last:5", client="c" * 8).target).query)
    assert query == {"room": ["a", "b"], "since": ["last:5"], "client": ["cccccccc"]}


def test_a_message_carries_its_nonce_and_only_what_was_given() -> None:
    assert json.loads(asks.publish("a", text="x", nonce="n1").body) == {"text": "x", "nonce": "n1"}
    assert json.loads(asks.publish("a", data=0, nonce="n", name="Aiko").body) == {"data": 0, "nonce": "n", "name": "Aiko"}


def test_the_cursor_moves_only_when_the_events_have_been_taken_care_of() -> None:
    reading = Reading(("a",), since="now")
    news = batch(1, 2, cursor="k1.a~e~2")
    assert [event.offset for event in reading.fresh(news)] == [1, 2]
    assert (reading.cursor, reading.placed) == ("now", False)
    reading.passed(news)
    assert (reading.cursor, reading.placed) == ("k1.a~e~2", True)


def test_an_event_that_comes_again_is_dropped_by_its_offset_in_its_room() -> None:
    reading = Reading(("a", "b"), since="now")
    reading.fresh(batch(1, 2))
    assert [event.offset for event in reading.fresh(batch(2, 3))] == [3]
    assert [event.offset for event in reading.fresh(batch(1, room="b"))] == [1]
    assert reading.repeats == 1


def test_after_a_gap_offsets_may_begin_anew() -> None:
    reading = Reading(("a",), since="k1.a~old~90")
    reading.fresh(batch(90))
    gap = {"type": "gap", "room": "a", "from": 51, "to": None, "reason": "epoch"}
    again = reading.fresh(News((gap, {"type": "message", "room": "a", "offset": 51}), "k1.a~new~51"))
    assert [event.type for event in again] == ["gap", "message"]
    assert again[0].lost == (51, None)


def test_how_far_behind_is_counted_over_all_rooms() -> None:
    reading = Reading(("a", "b"), since="now")
    assert reading.behind() is None
    reading.fresh(batch(1))
    reading.heads = {"a": 121, "b": 7}
    assert reading.behind() == 120
    assert str(State("catching up", "sse", reading.behind())) == "catching up, 120 behind"


@pytest.mark.parametrize("body", [b"[]", b"{}", b'{"events":[]}', b'{"cursor":"k1.a~~0"}', b"<html>", b"\xff"])
def test_an_answer_that_is_none_is_garbled(body: bytes) -> None:
    with pytest.raises(Garbled):
        news_of(decoded(body))


@pytest.mark.parametrize("status", [200, 201, 408, 429, 500, 503])
def test_what_may_pass_is_no_refusal(status: int) -> None:
    assert may_pass(status) == (status >= 400)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"detail":"No such room.","code":"not_found"}', "No such room."),
        (b"<html>", "The server answered 404."),
        (b"[]", "The server answered 404."),
        (b'{"detail":7}', "The server answered 404."),
    ],
)
def test_a_refusal_is_said_in_the_servers_words_if_it_has_any(body: bytes, said: str) -> None:
    assert str(refused(404, body)) == said


@pytest.mark.parametrize("url", ["ftp://a", "http://", "http://a:port", "http://[::1", "http://a:99999", "http://é"])
def test_what_is_no_address_of_a_server_is_refused(url: str) -> None:
    with pytest.raises(BadAddress, match="is not the address of a server"):
        Address.parse(url)


@pytest.mark.parametrize(
    ("url", "authority", "prefix"),
    [
        ("127.0.0.1:8080", "127.0.0.1:8080", ""),
        ("http://[::1]:8080/", "[::1]:8080", ""),
        ("https://chat.example.org/chat/", "chat.example.org", "/chat"),
        ("https://chat.example.org:8443", "chat.example.org:8443", ""),
    ],
)
def test_an_address_says_what_the_host_field_says(url: str, authority: str, prefix: str) -> None:
    address = Address.parse(url)
    assert (address.authority, address.prefix) == (authority, prefix)


def test_delays_double_are_spread_by_chance_and_begin_again() -> None:
    backoff = Backoff(Random(1), first=1.0, limit=4.0)
    delays = [backoff.failed() for _ in range(5)]
    for delay, most in zip(delays, (1, 2, 4, 4, 4), strict=True):
        assert most / 2 <= delay <= most
    backoff.succeeded()
    assert backoff.failed() <= 1
    assert 20 <= backoff.failed(retry_after=20) <= 25


def test_retry_after_is_seconds_or_a_date() -> None:
    assert retry_after({"retry-after": "7"}, now=0) == 7
    assert retry_after({"retry-after": "Thu, 01 Jan 1970 00:01:00 GMT"}, now=40) == 20
    assert retry_after({"retry-after": "Thu, 01 Jan 1970 00:01:00 GMT"}, now=90) == 0
    assert retry_after({"retry-after": "Thu, 01 Jan 1970 00:01:00 GMT"}) is None
    assert retry_after({"retry-after": "soon"}, now=0) is None
    assert retry_after({}, now=0) is None


def test_an_errand_is_repeated_while_that_may_help() -> None:
    errand = Errand(Random(1), tries=3)
    wait = errand.answered(Answer(429, {"retry-after": "2"}, b"", reusable=True), now=0)
    assert wait is not None
    assert wait >= 2
    assert errand.failed("cut") > 0
    with pytest.raises(Unreachable, match="cut again"):
        errand.failed("cut again")
    assert errand.answered(Answer(200, {}, b"", reusable=True), now=0) is None
    with pytest.raises(Refused):
        errand.answered(Answer(403, {}, b"", reusable=True), now=0)


def test_a_transport_that_is_refused_rests_longer_each_time() -> None:
    ladder = Ladder()
    assert ladder.choose(now=0) is Transport.WEBSOCKET
    ladder.unfit(Transport.WEBSOCKET, now=0)
    assert ladder.choose(now=59) is Transport.SSE
    assert ladder.climb_at(Transport.SSE) == 60
    assert ladder.choose(now=60) is Transport.WEBSOCKET
    ladder.unfit(Transport.WEBSOCKET, now=60)
    assert ladder.climb_at(Transport.SSE) == 180


def test_a_transport_that_is_cut_early_again_and_again_is_left() -> None:
    ladder = Ladder()
    for second in range(3):
        assert ladder.choose(now=second) is Transport.WEBSOCKET
        ladder.cut(Transport.WEBSOCKET, lasted=1, now=second)
    assert ladder.choose(now=3) is Transport.SSE
    ladder.cut(Transport.SSE, lasted=100, now=3)
    assert ladder.choose(now=3) is Transport.SSE


def test_the_lowest_rung_never_rests() -> None:
    ladder = Ladder((Transport.POLL,))
    ladder.unfit(Transport.POLL, now=0)
    assert ladder.choose(now=1) is Transport.POLL


def test_what_has_worked_for_a_while_is_trusted_again() -> None:
    ladder = Ladder()
    ladder.unfit(Transport.WEBSOCKET, now=0)
    ladder.works(Transport.WEBSOCKET, lasted=11)
    assert ladder.climb_at(Transport.POLL) is None
    ladder.unfit(Transport.WEBSOCKET, now=100)
    assert ladder.climb_at(Transport.POLL) == 160
