"""Programs in the room: what they say arrives once, what they are told is signed, in order and never lost."""

from __future__ import annotations

import hmac
import json
import os
import signal
import socket
import threading
import time
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock
from twisted.logger import LogEvent, formatEvent, globalLogPublisher
from twisted.web.http_headers import Headers

from kodama.bus.local import LocalBus
from kodama.core.change import Publish
from kodama.core.event import Author
from kodama.core.hook import OUTGOING, PLACE, HookPlace, OutgoingHook
from kodama.core.policy import Ban, RoomOrder
from kodama.core.record import PutRecord
from kodama.core.room import Retention
from kodama.hooks.outlets import LEASE_MS, LOOK_SECONDS, Outlets
from kodama.http.outgoing import Reply, is_public
from kodama.metrics import Metrics
from kodama.node import Node
from kodama.registry import Registry
from kodama.store.interface import Newest, StoreUnavailable
from kodama.store.memory import MemoryStore
from kodama.web.api import Api
from tests.integration.test_server import Server
from tests.integration.test_site import Got, Kodama

HOOKS = "/v1/rooms/ops/hooks"
AIKO = Author("u_aiko", "Aiko", "user")
BOT = Author("b_other", "Other", "bot")


@pytest.fixture
def server() -> Kodama:
    return Kodama()


@pytest.fixture
def owner(server: Kodama) -> dict[str, str]:
    mine = server.sign_in("Aiko")
    assert server.ask("PUT", "/v1/rooms/ops", body={"title": "Ops"}, **mine).got.status == 201
    return mine


def made(server: Kodama, owner: dict[str, str], **body: Any) -> Any:
    got = server.ask("POST", HOOKS, body={"kind": "incoming", "name": "CI", **body}, **owner).got
    assert got.status == 201, got.body
    return got.json


def sent(server: Kodama, address: str, body: bytes, kind: str = "application/json", **fields: str) -> Got:
    return server.ask("POST", address, body=body, **{"Content-Type": kind, **fields}).got


def said(server: Kodama) -> list[Any]:
    return list(server.get("/v1/rooms/ops/messages").json["messages"])


def test_a_program_speaks_as_a_bot_in_its_one_room(server: Kodama, owner: dict[str, str]) -> None:
    address = made(server, owner)["address"]
    got = sent(server, address, b'{"text":"green","name":"somebody else"}', Idempotency_Key="build-42")
    assert got.status == 201
    again = sent(server, address, b'{"text":"green","name":"somebody else"}', Idempotency_Key="build-42")
    assert (again.status, again.json) == (200, got.json)
    assert sent(server, address, b"as text", "text/plain").status == 201
    first, second = said(server)
    assert (first["text"], first["author"]["name"], first["author"]["kind"]) == ("green", "CI", "bot")
    assert second["text"] == "as text"


def test_what_was_made_for_slack_is_taken(server: Kodama, owner: dict[str, str]) -> None:
    address = made(server, owner)["address"]
    payload = {"text": "*up*", "attachments": [{"title": "Tests", "text": "all passed"}]}
    assert sent(server, address, json.dumps(payload).encode()).status == 201
    slack = sent(server, f"{address}/slack", urlencode({"payload": '{"text":"*up*"}'}).encode(), "application/x-www-form-urlencoded")
    assert (slack.status, slack.body) == (200, b"ok")
    assert [event["text"] for event in said(server)] == ["**up**\nTests\nall passed", "**up**"]
    refused = sent(server, f"{address}/slack", b"{}")
    assert (refused.status, refused.json["code"]) == (400, "bad_request")


def test_a_secret_room_is_open_to_its_webhook(server: Kodama, owner: dict[str, str]) -> None:
    address = made(server, owner)["address"]
    server.ask("PUT", "/v1/rooms/ops", body={"access": "secret"}, **owner)
    assert sent(server, address, b'{"text":"x"}').status == 201


def test_a_webhook_that_is_removed_works_no_more(server: Kodama, owner: dict[str, str]) -> None:
    hook = made(server, owner)
    listed = server.ask("GET", HOOKS, **owner).got
    assert listed.json == {"hooks": [{"id": hook["id"], "kind": "incoming", "name": "CI", "room": "ops"}]}
    assert server.ask("DELETE", f"{HOOKS}/{hook['id']}", **owner).got.status == 204
    assert sent(server, hook["address"], b'{"text":"x"}').status == 404
    assert server.ask("DELETE", f"{HOOKS}/{hook['id']}", **owner).got.status == 404
    assert said(server) == []


def test_a_fault_of_ours_logs_no_address_of_a_webhook(
    server: Kodama, owner: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("broken")

    address, logged = made(server, owner)["address"], list[str]()
    monkeypatch.setattr(Api, "publish_read", broken)

    def observe(event: LogEvent) -> None:
        logged.append(formatEvent(event))

    globalLogPublisher.addObserver(observe)
    try:
        assert sent(server, address, b'{"text":"x"}').status == 500
    finally:
        globalLogPublisher.removeObserver(observe)
    assert any("internal error" in one for one in logged)
    assert not any(address.rpartition("/")[2] in one for one in logged)


def test_only_the_owner_manages_webhooks(server: Kodama, owner: dict[str, str]) -> None:
    hook = made(server, owner)
    for who in ({}, server.sign_in("Ben")):
        assert server.ask("GET", HOOKS, **who).got.status == 403
        assert server.ask("POST", HOOKS, body={"kind": "incoming", "name": "x"}, **who).got.status == 403
        assert server.ask("DELETE", f"{HOOKS}/{hook['id']}", **who).got.status == 403


def test_a_room_has_twenty_webhooks_at_most(server: Kodama, owner: dict[str, str]) -> None:
    for _ in range(20):
        made(server, owner)
    got = server.ask("POST", HOOKS, body={"kind": "incoming", "name": "x"}, **owner).got
    assert (got.status, got.json["code"]) == (409, "conflict")


def test_an_outgoing_webhooks_secret_is_shown_once(server: Kodama, owner: dict[str, str]) -> None:
    hook = made(server, owner, kind="outgoing", url="https://a.example/x", word="deploy")
    assert hook["secret"].startswith("whsec_")
    listed = server.ask("GET", HOOKS, **owner).got.json["hooks"][0]
    assert "secret" not in listed
    assert (listed["url"], listed["word"], listed["failures"]) == ("https://a.example/x", "deploy", 0)
    assert server.ask("DELETE", f"{HOOKS}/{hook['id']}", **owner).got.status == 204
    assert server.ask("GET", HOOKS, **owner).got.json == {"hooks": []}


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.216.34", True), ("2606:2800:220:1::1", True), ("127.0.0.1", False), ("10.1.2.3", False), ("172.16.0.1", False),
        ("192.168.1.1", False), ("169.254.169.254", False), ("100.64.0.1", False), ("0.0.0.0", False), ("224.0.0.1", False),
        ("::1", False), ("fe80::1%eth0", False), ("fd00::1", False), ("::ffff:127.0.0.1", False), ("2002:7f00:1::", False),
        ("::127.0.0.1", False), ("64:ff9b::127.0.0.1", False), ("64:ff9b::93.184.216.34", True), ("64:ff9b:1::a00:1", False),
        ("fec0::1", False), ("ff0e::1", False), ("::ffff:0:127.0.0.1", False),
    ],
)  # fmt: skip
def test_only_public_addresses_are_dialled(address: str, public: bool) -> None:
    assert is_public(address) is public


class Told:
    """Nodes that tell one webhook, on one store, with a clock that the test turns."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.now = 1_000_000
        self.store = MemoryStore(lambda: self.now)
        self.node = Node(
            self.store, LocalBus(), clock=self.clock, metrics=Metrics(), tail_memory=1 << 20, retention=Retention()
        )
        self.node.start()
        self.got: list[tuple[str, str]] = []
        self.replies: Callable[[str], Deferred[Reply]] = lambda _: succeed(Reply(204, Headers(), b""))

    def outlets(self, name: str, *, alone: bool = True) -> Outlets:
        registry = Registry(self.node)

        def post(url: str, fields: Headers, body: bytes) -> Deferred[Reply]:
            self.got.append((name, json.loads(body).get("text", "gap")))
            return self.replies(body.decode())

        outlets = Outlets(
            self.node, registry, post=post, clock=self.clock, now=lambda: self.now, random=Random(1), name=name, alone=alone
        )
        registry.start()
        outlets.start()
        return outlets

    def make(self, outlets: Outlets, **more: Any) -> None:
        hook = OutgoingHook(
            id="h1", room="ops", name="CI", url="https://a.example", secret="whsec_AA==", created=0, by="u", **more
        )
        place = HookPlace(epoch="", offset=0, node="", until=0)
        outlets._registry.write((
            PutRecord(kind=PLACE, key="h1", body=msgspec.json.encode(place)), PutRecord(kind=OUTGOING, key="h1", body=msgspec.json.encode(hook)),
        ))  # fmt: skip

    def say(self, text: str, author: Author = AIKO) -> None:
        self.node.append(Publish(room="ops", author=author, text=text, data=None), lambda _: None)

    def texts(self) -> list[str | None]:
        done = self.store.history("ops", where=Newest(), limit=50)
        return [json.loads(entry.json)["text"] for entry in done.result.messages]

    def place(self) -> HookPlace:
        record = self.store.record(PLACE, "h1").result
        return msgspec.json.decode(record.body, type=HookPlace)

    def pass_seconds(self, seconds: float) -> None:
        self.now += int(seconds * 1000)
        self.clock.advance(seconds)


def test_messages_are_told_in_order_and_the_place_is_kept() -> None:
    told = Told()
    told.make(told.outlets("a"))
    for text in ("one", "two", "three"):
        told.say(text)
    told.say("from a bot", BOT)
    assert told.got == [("a", "one"), ("a", "two"), ("a", "three")]
    assert told.place().offset == 3


def test_a_receiver_that_is_away_gets_everything_when_it_is_back() -> None:
    told = Told()
    told.replies = lambda _: fail(ConnectionRefusedError("away"))
    outlets = told.outlets("a")
    told.make(outlets)
    told.say("one")
    told.say("two")
    tries = len(told.got)
    told.pass_seconds(0.4)
    assert len(told.got) == tries, "it is tried again after half a second at the earliest"
    for _ in range(20):
        told.pass_seconds(100)
    assert outlets.known["h1"].failures > 3
    assert told.place().offset == 0
    told.got.clear()
    told.replies = lambda _: succeed(Reply(200, Headers(), b""))
    told.pass_seconds(600)
    assert told.got == [("a", "one"), ("a", "two")]
    assert outlets.known["h1"].failures == 0


def test_retry_after_is_waited_for() -> None:
    told = Told()
    told.replies = lambda _: succeed(Reply(429, Headers({"Retry-After": ["60"]}), b""))
    told.make(told.outlets("a"))
    told.say("one")
    told.pass_seconds(59)
    assert len(told.got) == 1
    told.pass_seconds(1)
    assert len(told.got) == 2


def test_the_answer_is_said_once_as_a_reply() -> None:
    told = Told()
    told.replies = lambda _: succeed(Reply(200, Headers({"Content-Type": ["application/json"]}), b'{"text":"on it"}'))
    told.make(told.outlets("a"), on="word", word="deploy")
    told.say("deploy now")
    told.say("nothing for it")
    assert told.texts() == ["deploy now", "on it", "nothing for it"]
    assert told.got == [("a", "deploy now")]


def test_an_answer_is_not_said_where_everybody_has_to_be_silent() -> None:
    told = Told()
    told.replies = lambda _: succeed(Reply(200, Headers({"Content-Type": ["text/plain"]}), b"me too"))
    told.make(told.outlets("a"))
    told.node.policy.house("ops").order = RoomOrder(locked=True)
    told.say("locked")
    told.node.policy.house("ops").order = RoomOrder()
    told.say("open")
    bot = Author("b_h1", "CI", "bot")
    told.node.policy.set_ban("ops", bot.id, Ban(user=bot, by=AIKO, since=0))
    told.say("banned")
    assert told.texts() == ["locked", "open", "me too", "banned"]
    assert told.place().offset == 4


def test_an_answer_that_the_store_cannot_take_is_asked_for_again() -> None:
    told = Told()
    told.replies = lambda _: succeed(Reply(200, Headers({"Content-Type": ["text/plain"]}), b"on it"))
    told.make(told.outlets("a"))
    append, full = told.node.append, [True]

    def failing(change: Any, settle: Any) -> None:
        if full[0] and change.author.kind == "bot":
            raise StoreUnavailable("the disk is full")
        append(change, settle)

    told.node.append = failing
    told.say("deploy")
    assert told.texts() == ["deploy"]
    assert told.place().offset == 0
    full[0] = False
    told.pass_seconds(2)
    assert told.texts() == ["deploy", "on it"]
    assert told.got == [("a", "deploy"), ("a", "deploy")]


@pytest.mark.parametrize(
    ("media", "body"),
    [("text/html", b"<p>x"), ("application/json", b"{"), ("application/json", b'{"data":1}'), ("text/plain", b"\0"), ("text/plain", b" ")],
)
def test_an_answer_that_is_no_message_is_not_said(media: str, body: bytes) -> None:
    told = Told()
    told.replies = lambda _: succeed(Reply(200, Headers({"Content-Type": [media]}), body))
    told.make(told.outlets("a"))
    told.say("one")
    assert told.texts() == ["one"]


def test_one_node_tells_and_another_follows_when_it_is_gone() -> None:
    told = Told()
    a = told.outlets("a", alone=False)
    told.make(a)
    b = told.outlets("b", alone=False)
    told.say("one")
    assert told.got == [("a", "one")]
    a._looking.stop()  # it is frozen: it neither tells nor keeps its lease
    told.node.followed("ops").readers.pop(a.known["h1"])
    told.say("two")
    told.pass_seconds(LEASE_MS / 2000)
    assert told.got == [("a", "one")]
    told.pass_seconds(LEASE_MS / 1000 + LOOK_SECONDS)
    told.pass_seconds(LOOK_SECONDS)
    assert told.got == [("a", "one"), ("b", "two")]
    a._look()  # it wakes beside its follower
    assert not a.known["h1"].telling
    assert b.known["h1"].telling


class Receiver:
    """A program on loopback that notes what it is told, and can be away."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.reply = b""
        receiver = self

        class Answering(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.got.append(({key.lower(): value for key, value in self.headers.items()}, body))
                self.send_response(200)
                self.send_header("Content-Type", "text/plain")
                self.send_header("Content-Length", str(len(receiver.reply)))
                self.end_headers()
                self.wfile.write(receiver.reply)

            def log_message(self, *args: object) -> None:
                """Say nothing."""

        self._kind = Answering
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
        self.port = self._server.server_port
        self.url = f"http://127.0.0.1:{self.port}/told"
        self._serve()

    def _serve(self) -> None:
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    def leave(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def come_back(self) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), self._kind)
        self._serve()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    one = Receiver()
    yield one
    one.leave()


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.02)


def test_nothing_is_lost_when_the_server_is_killed(tmp_path: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "KODAMA_HOOKS_PRIVATE", "yes")
    server = Server(tmp_path / "data")
    server.start()
    try:
        token = server.ask("POST", "/v1/session", {"name": "Aiko"})[1]["token"]
        mine = {"Authorization": f"Bearer {token}"}
        server.ask("PUT", "/v1/rooms/ops", {"title": "Ops"}, **mine)
        hook = server.ask("POST", HOOKS, {"kind": "outgoing", "name": "CI", "url": receiver.url}, **mine)[1]
        server.ask("POST", "/v1/rooms/ops/messages", {"text": "m0"}, **mine)
        until(lambda: len(receiver.got) == 1)
        receiver.leave()
        for number in range(1, 5):
            server.ask("POST", "/v1/rooms/ops/messages", {"text": f"m{number}"}, **mine)
        server.stop(signal.SIGKILL)
        server.start()
        receiver.reply = b"noted"
        receiver.come_back()
        until(lambda: told(receiver)[-1] == "m4")
        assert list(dict.fromkeys(told(receiver))) == [f"m{number}" for number in range(5)]
        for fields, body in receiver.got:
            assert fields["webhook-signature"] == signed(hook["secret"], fields, body)
        until(lambda: replies(server, mine) == 4)
    finally:
        server.stop(signal.SIGTERM)


def test_an_address_that_is_not_public_is_not_dialled(tmp_path: Path, receiver: Receiver) -> None:
    server = Server(tmp_path / "data")
    server.start()
    try:
        mine = {"Authorization": f"Bearer {server.ask('POST', '/v1/session', {'name': 'Aiko'})[1]['token']}"}
        server.ask("PUT", "/v1/rooms/ops", {"title": "Ops"}, **mine)
        for url in (receiver.url, f"http://localhost:{receiver.port}/", f"http://[::ffff:127.0.0.1]:{receiver.port}/"):
            server.ask("POST", HOOKS, {"kind": "outgoing", "name": "CI", "url": url}, **mine)
        server.ask("POST", "/v1/rooms/ops/messages", {"text": "secret"}, **mine)
        until(lambda: all(hook["failures"] for hook in server.ask("GET", HOOKS, **mine)[1]["hooks"]))
        assert receiver.got == []
    finally:
        server.stop(signal.SIGTERM)


def test_a_receiver_whose_header_never_ends_is_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "KODAMA_HOOKS_PRIVATE", "yes")
    server = Server(tmp_path / "data")
    server.start()
    try:
        with socket.create_server(("127.0.0.1", 0)) as listening:
            listening.settimeout(60)
            mine = {"Authorization": f"Bearer {server.ask('POST', '/v1/session', {'name': 'Aiko'})[1]['token']}"}
            server.ask("PUT", "/v1/rooms/ops", {"title": "Ops"}, **mine)
            url = f"http://127.0.0.1:{listening.getsockname()[1]}/"
            server.ask("POST", HOOKS, {"kind": "outgoing", "name": "CI", "url": url}, **mine)
            server.ask("POST", "/v1/rooms/ops/messages", {"text": "hello"}, **mine)
            connection, _ = listening.accept()
            assert flooded(connection) < 2**26, "it takes no end"
    finally:
        server.stop(signal.SIGTERM)


def flooded(connection: socket.socket) -> int:
    """Send fields until nobody takes them, or far too many; return how many bytes those were."""
    sent, field = 0, b"X-Field: " + b"x" * 8000 + b"\r\n"
    with connection:
        connection.settimeout(60)
        connection.recv(65536)
        try:
            connection.sendall(b"HTTP/1.1 200 OK\r\n")
            while sent < 2**26:
                connection.sendall(field)
                sent += len(field)
        except ConnectionError:
            pass
    return sent


def told(receiver: Receiver) -> list[str]:
    return [json.loads(body)["text"] for _, body in receiver.got]


def replies(server: Server, mine: dict[str, str]) -> int:
    return sum(event["author"]["kind"] == "bot" for event in server.ask("GET", "/v1/rooms/ops/messages", **mine)[1]["messages"])


def signed(secret: str, fields: dict[str, str], body: bytes) -> str:
    content = f"{fields['webhook-id']}.{fields['webhook-timestamp']}.".encode() + body
    key = b64decode(secret.removeprefix("whsec_"))
    return "v1," + b64encode(hmac.new(key, content, sha256).digest()).decode()
