"""The client without I/O: what it asks, and what it makes of answers."""

from __future__ import annotations

import json

import pytest

from kodama.client.connection import Connection
from kodama.client.protocol import ClientFault, Tail, fault_of, publish


def test_a_tail_goes_on_from_the_cursor_of_the_last_answer() -> None:
    tail = Tail("tea/room é", since="last:20")
    assert tail.ask().target == "/v1/rooms/tea%2Froom%20%C3%A9/events?since=last%3A20&wait=25"
    news = tail.told(b'{"cursor":"k1.abc","events":[{"offset":1}],"more":true}')
    assert (news.events, news.more, news.after) == ([{"offset": 1}], True, 0.0)
    assert tail.ask(wait=0).target.endswith("?since=k1.abc&wait=0")


def test_a_draining_server_says_when_to_come_back() -> None:
    assert Tail("a", since="now").told(b'{"cursor":"k1.a","events":[],"after":1.7}').after == 1.7


def test_a_message_carries_its_nonce_and_a_name_only_if_there_is_one() -> None:
    assert json.loads(publish("a", "x", nonce="n1", name=None).body) == {"text": "x", "nonce": "n1"}
    assert json.loads(publish("a", "x", nonce="n1", name="Aiko").body)["name"] == "Aiko"


@pytest.mark.parametrize("status", [200, 201, 408, 429, 500, 503])
def test_what_may_pass_is_no_fault(status: int) -> None:
    assert fault_of(status, b"") is None


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"detail":"No such room."}', "No such room."),
        (b"<html>", "The server answered 404."),
        (b"[]", "The server answered 404."),
    ],
)
def test_a_refusal_is_said_in_the_servers_words_if_it_has_any(body: bytes, said: str) -> None:
    assert str(fault_of(404, body)) == said


@pytest.mark.parametrize("url", ["ftp://a", "http://", "http://a:port", "http://[::1", "http://a:99999"])
def test_what_is_no_address_of_a_server_is_refused(url: str) -> None:
    with pytest.raises(ClientFault, match="is not the address of a server"):
        Connection(url)
