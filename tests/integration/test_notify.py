"""Being called: who, for what, how often; sealed for their browser, and no more once it is gone."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import http_ece
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock
from twisted.web.http_headers import Headers

from kodama.bus.local import LocalBus
from kodama.core.change import DeleteMessage, Publish
from kodama.core.event import Author
from kodama.core.lease import State
from kodama.core.notify import Level
from kodama.core.record import PutRecord
from kodama.core.room import Access, Retention, RoomFacts
from kodama.core.who import Who
from kodama.http.outgoing import Reply
from kodama.metrics import Metrics
from kodama.node import Node
from kodama.people import People
from kodama.push.envelope import CURVE, decoded, encoded, point
from kodama.push.sender import PAUSE, Sender
from kodama.push.subscriptions import EACH, KEPT_MS, PUSH, Subscription, Subscriptions, key_of
from kodama.push.teller import PEACE, PRUNE_SECONDS, Teller
from kodama.registry import Registry
from kodama.store.memory import MemoryStore
from tests.integration.test_hooks import Receiver
from tests.integration.test_members import TEA, Town
from tests.integration.test_server import Server
from tests.unit.test_envelope import claims_of

AIKO, BEN = Author("g_aiko", "Aiko", "guest"), Author("g_ben", "Ben", "guest")


class Phone:
    """A browser that is called: it alone reads what is sealed for it."""

    def __init__(self, endpoint: str = "https://push.example/phone") -> None:
        self.endpoint = endpoint
        self._key = ec.generate_private_key(CURVE)
        self._auth = os.urandom(16)
        self.keys = {"p256dh": encoded(point(self._key.public_key())), "auth": encoded(self._auth)}

    @property
    def body(self) -> dict[str, Any]:
        return {"endpoint": self.endpoint, "expirationTime": None, "keys": self.keys}

    def read(self, body: bytes) -> Any:
        return json.loads(http_ece.decrypt(body, private_key=self._key, auth_secret=self._auth))


class Calling:
    """A node that calls Ben, on a memory store, with a clock that the test turns."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.now = 1_800_000_000_000
        self.metrics = Metrics()
        self.store = MemoryStore(lambda: self.now)
        self.node = Node(
            self.store, LocalBus(), clock=self.clock, metrics=self.metrics, tail_memory=1 << 20, retention=Retention()
        )
        self.node.start()
        self.phone = Phone()
        self.got: list[Any] = []
        self.fields: list[Headers] = []
        self.reply: Callable[[], Deferred[Reply]] = lambda: succeed(Reply(201, Headers(), b""))
        self.ended: set[str | None] = set()
        self.registry = Registry(self.node)
        self.people = People(self.node, clock=self.clock, now=lambda: self.now)
        self.subscriptions = Subscriptions(
            self.registry, refused=lambda who: who.session if who.session in self.ended else None, now=lambda: self.now
        )
        sender = Sender(
            post=self.post, secret=self.store.secret, clock=self.clock, now=lambda: self.now, count=self.metrics.push
        )
        self.teller = Teller(self.node, self.registry, self.people, self.subscriptions, sender, clock=self.clock)
        self.registry.start()
        self.teller.start()

    def post(self, url: str, fields: Headers, body: bytes) -> Deferred[Reply]:
        self.fields.append(fields)
        self.got.append(self.phone.read(body))
        return self.reply()

    def subscription(self, endpoint: str = "", **more: Any) -> Subscription:
        kept = {
            "user": BEN, "endpoint": endpoint or self.phone.endpoint, "site": "https://chat.example",
            "created": self.now, "renewed": self.now, "session": "s_ben", **self.phone.keys, **more,
        }  # fmt: skip
        return Subscription(**kept)

    def subscribe(self, endpoint: str = "", **more: Any) -> None:
        Deferred.fromCoroutine(self.subscriptions.add(self.subscription(endpoint, **more)))

    def choose(self, level: Level, room: str = "lobby") -> None:
        Deferred.fromCoroutine(self.teller.choose(room, BEN.id, level))

    def say(self, text: str, *, room: str = "lobby", author: Author = AIKO, data: Any = None) -> None:
        self.node.append(Publish(room=room, author=author, text=text, data=data), lambda _: None)

    def seconds(self, seconds: float) -> None:
        self.now += int(seconds * 1000)
        self.clock.pump([1.0] * int(seconds))

    def texts(self) -> list[str]:
        return [one["text"] for one in self.got]

    @property
    def outcomes(self) -> dict[str, int]:
        return {outcome: count for outcome, count in self.metrics.pushed.items() if count}


@pytest.fixture
def calling() -> Calling:
    made = Calling()
    made.subscribe()
    made.choose(Level.ALL)
    return made


def test_a_message_calls_a_second_later_with_what_a_service_worker_shows(calling: Calling) -> None:
    calling.say("hello\nBen", data={"mentions": [{"id": "g_ben", "name": "Ben"}]})
    assert calling.got == []
    calling.seconds(1)
    assert calling.got == [{
        "room": "lobby", "title": "lobby", "offset": 1, "author": "Aiko", "text": "hello Ben", "count": 1, "mention": True,
    }]  # fmt: skip
    (fields,) = calling.fields
    assert claims_of(fields.getRawHeaders("authorization")[0], "https://push.example")["sub"] == "https://chat.example"
    assert fields.getRawHeaders("content-encoding") == ["aes128gcm"]
    assert fields.getRawHeaders("urgency") == ["high"]
    assert len((fields.getRawHeaders("topic") or [""])[0]) <= 32
    assert calling.outcomes == {"sent": 1}


def test_a_storm_is_one_call_in_half_a_minute(calling: Calling) -> None:
    for number in range(300):
        calling.say(f"{number}")
    calling.seconds(1)
    for number in range(300, 400):
        calling.say(f"{number}")
        calling.seconds(0)
    calling.seconds(PEACE - 2)
    assert [(one["text"], one["count"]) for one in calling.got] == [("299", 200)]
    calling.seconds(3)
    assert [(one["text"], one["count"]) for one in calling.got[1:]] == [("399", 100)]
    calling.seconds(PEACE * 2)
    assert len(calling.got) == 2


@pytest.mark.parametrize(
    ("level", "text", "data", "called"),
    [
        (Level.ALL, "anything", None, True),
        (Level.MENTIONS, "anything", None, False),
        (Level.MENTIONS, "@ben look", None, True),
        (Level.MENTIONS, "look", {"mentions": [{"id": "g_ben"}]}, True),
        (Level.NONE, "@Ben", {"mentions": [{"id": "g_ben"}]}, False),
    ],
)
def test_a_level_decides(calling: Calling, level: Level, text: str, data: Any, called: bool) -> None:
    calling.choose(level)
    calling.say(text, data=data)
    calling.seconds(1)
    assert bool(calling.got) is called


def test_nobody_is_called_by_what_they_say_themselves(calling: Calling) -> None:
    calling.say("to myself", author=BEN)
    calling.seconds(1)
    assert calling.got == []


def test_who_is_at_the_room_is_not_called_and_who_has_looked_away_is(calling: Calling) -> None:
    ben = Who(session="s_ben", author=BEN)
    calling.people.entered("lobby", ben, "tab-0001")
    calling.say("one")
    calling.seconds(1)
    assert calling.got == []
    calling.people.mark("lobby", ben, "tab-0001", State.IDLE)
    calling.say("two")
    calling.seconds(1)
    assert calling.texts() == ["two"]
    calling.say("three")
    calling.seconds(1)
    calling.people.mark("lobby", ben, "tab-0001", State.ACTIVE)
    calling.seconds(PEACE)
    assert calling.texts() == ["two"], "what waited is not told to who has come back"


def test_what_is_taken_back_at_once_calls_nobody(calling: Calling) -> None:
    calling.say("a slip")
    calling.node.append(DeleteMessage(room="lobby", author=AIKO, target=1), lambda _: None)
    calling.seconds(1)
    assert calling.got == []


def test_a_stranger_calls_nobody_to_a_room_they_never_were_in(calling: Calling) -> None:
    mention = {"mentions": [{"id": "g_ben"}]}
    calling.say("come", room="spam", data=mention)
    calling.seconds(1)
    assert calling.got == []
    calling.store.write_records((PutRecord(kind="read", key="g_ben/spam", body=b'{"offset":1}'),))
    calling.say("come", room="spam", data=mention)
    calling.seconds(1)
    assert [one["room"] for one in calling.got] == ["spam"]


def test_who_may_not_read_the_room_is_not_called(calling: Calling) -> None:
    calling.node.put_room(RoomFacts(name="lobby", access=Access.MEMBERS, owner="g_aiko"))
    calling.say("among us")
    calling.seconds(1)
    assert calling.got == []


def test_what_a_session_may_not_read_does_not_call_it(calling: Calling) -> None:
    calling.subscribe(rooms=("tea",))
    calling.say("not for you")
    calling.seconds(1)
    assert calling.got == []


@pytest.mark.parametrize("status", [404, 410])
def test_a_browser_that_its_service_does_not_know_is_forgotten(calling: Calling, status: int) -> None:
    calling.reply = lambda: succeed(Reply(status, Headers(), b""))
    calling.say("one")
    calling.seconds(1)
    assert BEN.id not in calling.subscriptions
    assert calling.store.record(PUSH, key_of(BEN.id, calling.phone.endpoint)).result is None
    assert calling.outcomes == {"gone": 1}


def test_a_service_in_trouble_is_asked_thrice_and_a_refusal_is_final(calling: Calling) -> None:
    calling.reply = lambda: fail(ConnectionRefusedError("away"))
    calling.say("one")
    calling.seconds(1)
    calling.seconds(PAUSE + PAUSE * 5 + 1)
    assert calling.texts()[:3] == ["one"] * 3
    assert calling.outcomes == {"failed": 1}
    calling.reply = lambda: succeed(Reply(403, Headers(), b""))
    calling.seconds(PEACE)
    calling.got.clear()
    calling.say("two")
    calling.seconds(1)
    assert calling.texts() == ["two"]
    assert BEN.id in calling.subscriptions


def test_a_subscription_ends_with_its_session_and_after_sixty_days(calling: Calling) -> None:
    calling.ended.add("s_ben")
    calling.say("one")
    calling.seconds(1)
    assert calling.got == []
    calling.ended.clear()
    calling.now += KEPT_MS
    calling.say("two")
    calling.seconds(1)
    assert calling.got == []
    calling.clock.advance(PRUNE_SECONDS)
    assert BEN.id not in calling.subscriptions


def test_a_page_that_comes_again_renews_and_an_eleventh_browser_takes_the_oldest_ones_place(calling: Calling) -> None:
    calling.now += 1000
    calling.subscribe()
    assert [one.renewed for one in calling.subscriptions.of(BEN.id).values()] == [calling.now - 1000]
    calling.now += 86_400_000
    calling.subscribe()
    assert [one.renewed for one in calling.subscriptions.of(BEN.id).values()] == [calling.now]
    for number in range(EACH):
        calling.now += 1
        calling.subscribe(f"https://push.example/{number}")
    endpoints = {one.endpoint for one in calling.subscriptions.of(BEN.id).values()}
    assert endpoints == {f"https://push.example/{number}" for number in range(EACH)}


def test_another_node_calls_for_what_it_has_taken_and_this_one_does_not(calling: Calling) -> None:
    other = Calling()
    other.subscribe()
    other.choose(Level.ALL)
    commits: list[Any] = []
    other.node.committed.append(commits.extend)
    other.say("there")
    calling.node._heard(commits)  # as a bus brings it
    calling.seconds(1)
    other.seconds(1)
    assert (calling.texts(), other.texts()) == ([], ["there"])


@pytest.fixture
def town() -> Town:
    return Town()


NOTIFY = f"{TEA}/notify"


def test_a_level_is_ones_own_and_stays(town: Town) -> None:
    assert town.as_("GET", "Aiko", NOTIFY).json == {"room": "tea", "level": "mentions"}
    assert town.as_("PUT", "Aiko", NOTIFY, {"level": "all"}).json == {"room": "tea", "level": "all"}
    assert town.as_("GET", "Aiko", NOTIFY).json["level"] == "all"
    assert town.as_("GET", "Ben", NOTIFY).json["code"] == "forbidden"
    assert town.as_("PUT", "Ben", NOTIFY, {"level": "all"}).json["code"] == "forbidden"
    assert town.as_("PUT", "Aiko", NOTIFY, {"level": "some"}).json["code"] == "bad_json"
    assert town.as_("PUT", "Aiko", "/v1/rooms/nowhere/notify", {"level": "all"}).json["code"] == "not_found"
    assert town.get(NOTIFY).status in (401, 403)
    room = town.as_("POST", "Aiko", "/v1/direct", {"user": town.ids["Ben"], "name": "Ben"}).json["room"]
    assert town.as_("GET", "Ben", f"/v1/rooms/{room}/notify").json["level"] == "all"


def test_a_browser_subscribes_and_leaves(town: Town) -> None:
    phone = Phone()
    key = town.get("/v1/push").json
    assert (len(decoded(key["key"])), key["subscriptions"]) == (65, 0)
    assert town.as_("POST", "Aiko", "/v1/push", phone.body).json == {"key": key["key"], "subscriptions": 1}
    assert town.as_("POST", "Aiko", "/v1/push", phone.body).json["subscriptions"] == 1
    assert town.as_("GET", "Ben", "/v1/push").json["subscriptions"] == 0
    assert town.as_("DELETE", "Ben", "/v1/push", {"endpoint": phone.endpoint}).status == 204
    assert town.as_("GET", "Aiko", "/v1/push").json["subscriptions"] == 1
    assert town.as_("DELETE", "Aiko", "/v1/push", {"endpoint": phone.endpoint}).status == 204
    assert town.as_("GET", "Aiko", "/v1/push").json["subscriptions"] == 0
    assert town.as_("POST", "Aiko", "/v1/push/test").json["code"] == "conflict"


def test_what_is_no_subscription_is_refused(town: Town) -> None:
    phone = Phone()
    off = bytearray(decoded(phone.keys["p256dh"]))
    off[-1] ^= 1
    for wrong in (
        {**phone.body, "endpoint": "http://push.example/x"},
        {**phone.body, "endpoint": "nowhere"},
        {**phone.body, "keys": {**phone.keys, "p256dh": encoded(bytes(off))}},
    ):
        assert town.as_("POST", "Aiko", "/v1/push", wrong).json["code"] == "bad_request"
    for method in ("POST", "DELETE"):
        assert town.ask(method, "/v1/push", body=phone.body).got.json["code"] == "forbidden"
    assert town.ask("POST", "/v1/push/test").got.json["code"] == "forbidden"


@pytest.fixture
def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("KODAMA_PUSH_PRIVATE", "yes")
    server = Server(tmp_path / "data")
    server.start()
    yield server
    server.stop(signal.SIGTERM)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    one = Receiver()
    yield one
    one.leave()


def until(true: Callable[[], object]) -> None:
    """Wait until the condition holds, for a minute at most."""
    end = time.monotonic() + 60
    while not true():
        assert time.monotonic() < end
        threading.Event().wait(0.05)


def signed_in(server: Server, name: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {server.ask('POST', '/v1/session', {'name': name})[1]['token']}"}


def test_a_running_server_calls_a_browser_through_its_push_service(running: Server, receiver: Receiver) -> None:
    ben, aiko = signed_in(running, "Ben"), signed_in(running, "Aiko")
    phone = Phone(receiver.url)
    assert running.ask("POST", "/v1/rooms/lobby/messages", {"text": "first"}, **aiko)[0] == 201
    assert running.ask("POST", "/v1/push", phone.body, **ben)[0] == 201
    assert running.ask("POST", "/v1/push/test", **ben)[1] == {"sent": 1, "failed": 0}
    assert running.ask("POST", "/v1/push/test", **ben)[0] == 429, "each is a request to an address that others name"
    assert running.ask("PUT", "/v1/rooms/lobby/notify", {"level": "mentions"}, **ben)[0] == 200
    running.ask("POST", "/v1/rooms/lobby/messages", {"text": "not for you"}, **aiko)
    running.ask("POST", "/v1/rooms/lobby/messages", {"text": "@Ben for you"}, **aiko)
    until(lambda: len(receiver.got) == 2)
    fields, body = receiver.got[1]
    assert phone.read(body)["text"] == "@Ben for you"
    assert fields["content-encoding"] == "aes128gcm"
    claims = claims_of(fields["authorization"], f"http://127.0.0.1:{receiver.port}")
    assert abs(int(str(claims["exp"])) - time.time()) < 24 * 3600


def test_a_push_service_on_the_servers_own_network_is_not_spoken_to(tmp_path: Path, receiver: Receiver) -> None:
    server = Server(tmp_path / "data")
    server.start()
    try:
        ben = signed_in(server, "Ben")
        phone = Phone(receiver.url.replace("http:", "https:"))
        assert server.ask("POST", "/v1/push", phone.body, **ben)[0] == 201
        assert server.ask("POST", "/v1/push/test", **ben)[1] == {"sent": 0, "failed": 1}
        assert server.ask("GET", "/v1/push", **ben)[1]["subscriptions"] == 0
    finally:
        server.stop(signal.SIGKILL)
    assert receiver.got == []
