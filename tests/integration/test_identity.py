"""Who may what, and for how long: the whole site in memory, attacked."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kodama.core.apikey import ApiKey, digest_of, write_key
from tests.integration.test_site import EVENTS, MESSAGES, Asking, Kodama

TEA = "/v1/rooms/tea"


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


class Guarded(Kodama):
    """A server whose store the test can reach, with a secret room `tea` of Aiko's."""

    def __init__(self, **settings: object) -> None:
        super().__init__(**settings)
        self.store: Any = self.service._node.store
        self.aiko = self.sign_in("Aiko")
        assert self.ask("PUT", TEA, body={"access": "secret"}, **self.aiko).got.status == 201

    def key(self, *rooms: str, read_only: bool = False) -> dict[str, str]:
        self.made = len(getattr(self, "tokens", ())) + 1
        token = write_key(bytes([self.made]) * 32)
        self.tokens = [*getattr(self, "tokens", ()), token]
        key = ApiKey(
            digest=digest_of(token), name="Bot", rooms=frozenset(rooms) or None, read_only=read_only, created=1
        )
        self.store.put_key(key)
        self.pass_seconds(1)
        return bearer(token)

    def revoke(self, key: dict[str, str]) -> None:
        token = key["Authorization"].partition(" ")[2]
        self.store.drop_key(digest_of(token).hex()[:12])

    def ticket(self, *rooms: str, **fields: str) -> str:
        got = self.ask("POST", "/v1/tickets", body={"rooms": rooms}, **fields).got
        assert got.status == 201, got
        return str(got.json["ticket"])


@pytest.fixture
def guarded() -> Guarded:
    return Guarded()


def test_a_ticket_reads_a_room_that_is_not_public_again_and_again(guarded: Guarded) -> None:
    guarded.ask("POST", f"{TEA}/messages", body={"text": "psst"}, **guarded.aiko)
    ticket = guarded.ticket("tea", **guarded.aiko)
    for _ in range(2):
        answer = guarded.get(f"{TEA}/events?since=all&ticket={ticket}").json
        assert [event["text"] for event in answer["events"]] == ["psst"]
        assert answer["ticket"].startswith("kdt_")
    called = guarded.get(f"{TEA}/events?since=all&callback=cb&ticket={answer['ticket']}").body
    assert json.loads(called[len("/**/cb(") : -2])["ticket"].startswith("kdt_")
    assert guarded.get(f"{TEA}/messages?ticket={ticket}").json["messages"][0]["text"] == "psst"
    asked = {"rooms": ["tea"], "since": "all", "ticket": ticket}
    assert guarded.ask("POST", "/v1/events", body=asked).got.json["events"][0]["text"] == "psst"


def test_a_held_poll_is_answered_with_a_fresh_ticket_and_so_is_an_empty_one(guarded: Guarded) -> None:
    ticket = guarded.ticket("tea", **guarded.aiko)
    held = guarded.ask("GET", f"{TEA}/events?ticket={ticket}&wait=60")
    empty = guarded.ask("GET", f"{TEA}/events?ticket={ticket}&wait=1")
    public = guarded.ask("GET", f"{EVENTS}?wait=60")
    guarded.pass_seconds(2)
    assert empty.got.json["ticket"].startswith("kdt_")
    guarded.ask("POST", f"{TEA}/messages", body={"text": "psst"}, **guarded.aiko)
    guarded.say("aloud")
    assert held.got.json["ticket"].startswith("kdt_")
    assert "ticket" not in public.got.json


def test_two_tickets_are_never_answered_with_each_others(guarded: Guarded) -> None:
    guarded.say("hello")
    tickets = {guarded.ticket("lobby", **guarded.sign_in(name)) for name in ("Ben", "Chie")}
    fresh = {guarded.get(f"{EVENTS}?since=all&ticket={ticket}").json["ticket"] for ticket in tickets}
    assert len(fresh) == 2
    assert "ticket" not in guarded.get(f"{EVENTS}?since=all").json


def test_a_ticket_neither_writes_nor_reads_another_room(guarded: Guarded) -> None:
    ticket = guarded.ticket("lobby", **guarded.aiko)
    assert guarded.get(f"{TEA}/events?wait=0&ticket={ticket}").json["code"] == "not_found"
    assert guarded.get(f"/v1/rooms/other/events?wait=0&ticket={ticket}").json["code"] == "forbidden"
    assert guarded.get(f"/v1/events?room=lobby&room=other&wait=0&ticket={ticket}").status == 403
    assert guarded.get(f"/v1/rooms?ticket={ticket}").json == {"rooms": []}
    for method, target, body in (
        ("POST", MESSAGES, {"text": "x"}), ("PATCH", f"{MESSAGES}/1", {"text": "x"}), ("PUT", TEA, {}),
        ("DELETE", "/v1/session", None), ("POST", "/anything", 1),
    ):  # fmt: skip
        for fields in ({}, guarded.aiko):
            got = guarded.ask(method, f"{target}?ticket={ticket}", body=body, **fields).got
            assert got.json["code"] == "forbidden", (method, target)
        assert guarded.ask(method, target, body=body, **bearer(ticket)).got.json["code"] == "forbidden"
    assert guarded.get("/v1/session", **guarded.aiko).status == 200


def test_a_ticket_that_is_none_is_unauthorized_and_never_a_guest(guarded: Guarded) -> None:
    ticket = guarded.ticket("lobby", **guarded.aiko)
    session = guarded.aiko["Authorization"].partition(" ")[2]
    for wrong in ("", "x", ticket[:-1], ticket + "x", session, "kdt_", "kdt_.", "k%C3%A9"):
        assert guarded.get(f"{EVENTS}?wait=0&ticket={wrong}").json["code"] == "unauthorized", wrong
    assert b'"unauthorized"' in guarded.get(f"{EVENTS}?wait=0&callback=cb&ticket=x").body
    assert guarded.get(f"{EVENTS}?ticket={ticket}&ticket={ticket}").status == 400


def test_a_ticket_is_only_for_rooms_that_its_maker_may_read(guarded: Guarded) -> None:
    for fields in ({}, guarded.sign_in("Ben")):
        got = guarded.ask("POST", "/v1/tickets", body={"rooms": ["lobby", "tea"]}, **fields).got
        assert got.json["code"] == "not_found"
    for body in ({"rooms": []}, {"rooms": ["a b"]}, {}, {"rooms": [f"r{n}" for n in range(101)]}):
        assert guarded.ask("POST", "/v1/tickets", body=body).got.status == 400
    assert guarded.get(f"{EVENTS}?wait=0&ticket={guarded.ticket('lobby')}").status == 200


def test_the_end_of_a_session_ends_its_tickets_and_what_it_holds(guarded: Guarded) -> None:
    ben = guarded.sign_in("Ben")
    ticket = guarded.ticket("lobby", **ben)
    held = [
        guarded.ask("GET", f"{EVENTS}?wait=60", **ben),
        guarded.ask("GET", f"{EVENTS}?wait=60&ticket={ticket}"),
        guarded.ask("GET", "/v1/events?room=lobby&room=b&wait=60", **ben),
    ]
    stays = [guarded.ask("GET", f"{EVENTS}?wait=60"), guarded.ask("GET", f"{EVENTS}?wait=60", **guarded.aiko)]
    guarded.ask("DELETE", "/v1/session", **ben)
    assert [one.got.json["code"] for one in held] == ["forbidden"] * 3
    assert all(one.open for one in stays)
    assert guarded.get(f"{EVENTS}?wait=0", **ben).json["code"] == "unauthorized"
    assert guarded.get(f"{EVENTS}?wait=0&ticket={ticket}").json["code"] == "unauthorized"


def test_a_key_is_a_bot_until_it_is_revoked(guarded: Guarded) -> None:
    key = guarded.key()
    assert guarded.get("/v1/session", **key).json["user"]["kind"] == "bot"
    assert guarded.ask("POST", MESSAGES, body={"text": "beep"}, **key).got.status == 201
    assert guarded.get(f"{EVENTS}?since=all").json["events"][0]["author"]["name"] == "Bot"
    assert guarded.get(f"{TEA}/events?wait=0", **key).status == 404
    assert guarded.ask("DELETE", "/v1/session", **key).got.status == 403
    held = guarded.ask("GET", f"{EVENTS}?wait=60", **key)
    guarded.revoke(key)
    assert held.open
    guarded.pass_seconds(1)
    assert held.got.json["code"] == "forbidden"
    assert guarded.get(f"{EVENTS}?wait=0", **key).json["code"] == "unauthorized"


def test_a_key_for_some_rooms_opens_these_and_no_other(guarded: Guarded) -> None:
    key, screen = guarded.key("tea"), guarded.key("tea", read_only=True)
    assert guarded.ask("POST", f"{TEA}/messages", body={"text": "beep"}, **key).got.status == 201
    assert guarded.get(f"{TEA}/events?since=all", **screen).json["events"][0]["text"] == "beep"
    for fields in (key, screen):
        assert guarded.get(f"{EVENTS}?wait=0", **fields).status == 403
        assert guarded.ask("POST", MESSAGES, body={"text": "x"}, **fields).got.status == 403
        assert guarded.ask("PUT", "/v1/rooms/new", body={}, **fields).got.status == 403
    assert guarded.ask("POST", f"{TEA}/messages", body={"text": "x"}, **screen).got.status == 403
    ticket = guarded.ticket("tea", **screen)
    assert guarded.get(f"{TEA}/events?since=all&ticket={ticket}").json["events"][0]["text"] == "beep"


def test_a_limited_reader_never_waits_in_the_crowd_of_a_room_it_may_not_read(guarded: Guarded) -> None:
    key = guarded.key("tea")
    cursor = guarded.get(f"{EVENTS}?wait=0").json["cursor"]
    for _ in range(3):
        assert guarded.ask("GET", f"{EVENTS}?since={cursor}&wait=60").open
        assert guarded.get(f"{EVENTS}?since={cursor}&wait=60", **key).status == 403


def test_a_key_that_is_added_later_is_taken_with_the_very_same_header_block(guarded: Guarded) -> None:
    token = write_key(b"\7" * 32)
    assert guarded.get(f"{EVENTS}?wait=0", **bearer(token)).status == 401
    guarded.store.put_key(ApiKey(digest=digest_of(token), name="B", rooms=None, read_only=False, created=1))
    guarded.pass_seconds(1)
    assert guarded.get(f"{EVENTS}?wait=0", **bearer(token)).status == 200


def test_where_guests_are_not_taken_nobody_in_particular_reads() -> None:
    server = Kodama(guests="no")
    asked: list[Asking] = [
        server.ask("GET", f"{EVENTS}?wait=0"), server.ask("GET", MESSAGES), server.ask("GET", "/?callback=fn"),
        server.ask("GET", f"{EVENTS}?wait=60"), server.ask("POST", MESSAGES, body={"text": "x"}),
        server.ask("POST", "/v1/tickets", body={"rooms": ["lobby"]}),
    ]  # fmt: skip
    assert [one.got.json["code"] for one in asked] == ["forbidden"] * len(asked)
    assert server.get("/healthz").status == server.get("/").status == 200


def test_a_session_is_opened_in_exactly_one_way(guarded: Guarded) -> None:
    for body in ({}, {"name": "a", "jwt": "b"}, {"password": "x"}, {"login": "x"}, []):
        assert guarded.ask("POST", "/v1/session", body=body).got.json["code"] == "bad_json"
