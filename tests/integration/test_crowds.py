"""Polls that wait together through the whole site: on connections that are kept, as clients do."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from twisted.internet.testing import StringTransport

from tests.integration.test_site import EVENTS, Got, Kodama, texts


class Kept:
    """One client that keeps its connection and asks with the same header fields each time."""

    def __init__(self, server: Kodama, **fields: str) -> None:
        self.transport = StringTransport()
        self.channel = server.factory.buildProtocol(None)
        self.channel.makeConnection(self.transport)
        head = {"Host": "localhost:8080", **{name.replace("_", "-"): value for name, value in fields.items()}}
        self._block = "".join(f"\r\n{name}: {value}" for name, value in head.items()) + "\r\n\r\n"

    def send(self, target: str) -> Kept:
        """Ask for ``target``."""
        self.transport.clear()
        self.channel.dataReceived(f"GET {target} HTTP/1.1{self._block}".encode())
        return self

    @property
    def waits(self) -> bool:
        """Return whether nothing was answered yet."""
        return not self.transport.value()

    @property
    def got(self) -> Got:
        """Return the answer, which has come."""
        return Got.read(self.transport.value())


@pytest.fixture
def server() -> Kodama:
    return Kodama()


def target(server: Kodama, more: str = "") -> str:
    """Return a poll at the end of the lobby."""
    return f"{EVENTS}?since={server.get(f'{EVENTS}?wait=0').json['cursor']}{more}"


def crowd(server: Kodama, *clients: Kept, more: str = "") -> str:
    """Let all wait twice, so that the second time nobody is asked any more."""
    for client in clients:
        client.send(target(server, more))
    server.say("before")
    where = target(server, more)
    for client in clients:
        client.send(where)
        assert client.waits
    return where


def asked(server: Kodama) -> Callable[[], int]:
    """Return how often the application is called from now on."""
    count, respond = 0, server.factory.respond

    def counted(request: object) -> None:
        nonlocal count
        count += 1
        respond(request)

    server.factory.respond = counted
    return lambda: count


def test_a_crowd_gets_one_answer_and_costs_the_application_one_call(server: Kodama) -> None:
    clients = [Kept(server, Cookie=f"visitor={number}") for number in range(5)]
    for client in clients:
        client.send(target(server))
    server.say("one")
    where = target(server)
    calls = asked(server)
    for client in clients:
        client.send(where)
    assert calls() == 2  # the first of all opens the lot, the second finds out where it leads
    server.say("two")
    assert len({client.transport.value() for client in clients}) == 1
    assert texts(clients[0].got) == ["two"]
    assert server.get("/metrics").body.count(b'kodama_waiting_clients{transport="longpoll"} 0.0') == 1


def test_every_member_of_a_crowd_gets_every_message_in_order(server: Kodama) -> None:
    clients = [Kept(server, Cookie=f"visitor={number}") for number in range(3)]
    crowd(server, *clients)
    seen: list[list[str]] = [[] for _ in clients]
    for number in range(10):
        server.say(f"m{number}")
        for client, mine in zip(clients, seen, strict=True):
            mine += texts(client.got)
            client.send(f"{EVENTS}?since={client.got.json['cursor']}")
    assert seen == [[f"m{number}" for number in range(10)]] * 3


def test_who_comes_late_with_an_old_cursor_is_answered_at_once(server: Kodama) -> None:
    early, late = Kept(server), Kept(server)
    where = crowd(server, early, late)
    server.say("one")
    late.send(where)
    assert texts(late.got) == ["one"]


def test_a_room_made_secret_turns_strangers_away_and_keeps_its_owner(server: Kodama) -> None:
    owner, fields = Kept(server, **(held := server.sign_in("Aiko"))), held
    assert server.ask("PUT", "/v1/rooms/lobby", body={"title": "tea"}, **fields).got.status in (200, 201)
    stranger, other = Kept(server), Kept(server, **server.sign_in("Ben"))
    where = crowd(server, owner, stranger, other)
    server.ask("PUT", "/v1/rooms/lobby", body={"access": "secret"}, **fields)
    assert stranger.got.status == other.got.status == 404
    assert owner.waits
    stranger.send(where)
    assert stranger.got.status == 404
    server.ask("POST", "/v1/rooms/lobby/messages", body={"text": "for me"}, **fields)
    assert texts(owner.got) == ["for me"]


def test_a_session_that_has_ended_does_not_wait_again(server: Kodama) -> None:
    fields = server.sign_in("Aiko")
    member, guest = Kept(server, **fields), Kept(server)
    crowd(server, member, guest)
    server.ask("DELETE", "/v1/session", **fields)
    server.say("one")
    assert texts(guest.got) == ["one"]
    member.send(target(server))
    assert member.got.status == 401
    assert guest.send(target(server)).waits


def test_a_change_of_the_topic_wakes_nobody_and_lengthens_no_hold(server: Kodama) -> None:
    fields = server.sign_in("Aiko")
    server.ask("PUT", "/v1/rooms/lobby", body={"title": "tea"}, **fields)
    client = Kept(server)
    crowd(server, client, more="&wait=10")
    server.pass_seconds(6)
    server.ask("PUT", "/v1/rooms/lobby", body={"title": "cake"}, **fields)
    assert client.waits
    server.pass_seconds(5)
    assert client.got.json["events"] == []


def test_a_hold_in_a_crowd_ends_empty_with_the_same_cursor(server: Kodama) -> None:
    client = Kept(server)
    where = crowd(server, client, more="&wait=5")
    server.pass_seconds(6)
    assert client.got.json == {"cursor": where.split("since=")[1].split("&")[0], "events": [], "more": False}
    client.send(where)
    server.say("one")
    assert texts(client.got) == ["one"]


def test_a_drain_tells_a_crowd_when_to_come_back(server: Kodama) -> None:
    clients = [Kept(server) for _ in range(3)]
    crowd(server, *clients)
    server.service.stopService()
    for client in clients:
        assert client.got.fields["connection"] == "close"
        assert client.got.json["events"] == []
        assert client.got.json["after"] > 0


def test_a_script_that_joins_a_crowd_is_looked_at_each_time(server: Kodama) -> None:
    script = Kept(server, Accept="*/*", Sec_Fetch_Dest="script")
    frame = Kept(server, Accept="*/*", Sec_Fetch_Dest="iframe")
    frame.send(f"{EVENTS}?wait=0")  # its header block is known and cleared
    frame.send(f"{EVENTS}?wait=0")
    where = target(server, "&callback=fn")
    script.send(where)
    script.send(where) if not script.waits else None
    frame.send(where)
    assert frame.got.status == 403
    assert script.waits


def test_the_page_is_shown_at_an_address_that_was_polled_before(server: Kodama) -> None:
    where = target(server).replace(EVENTS, "/r/lobby")
    poll = Kept(server, Accept="application/json").send(where)
    assert poll.waits
    page = Kept(server, Accept="text/html")
    page.send(f"{EVENTS}?wait=0")
    page.send(where)
    assert page.got.fields["content-type"].startswith("text/html")


def test_who_wants_another_framing_does_not_wait_with_the_polls(server: Kodama) -> None:
    poll, text = Kept(server), Kept(server, Accept="image/png")
    where = crowd(server, poll)
    text.send(where)
    assert text.got.status == 406
