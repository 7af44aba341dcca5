"""The whole site on the memory store, in memory: no socket, and time is a clock that tests turn."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

import pytest
from twisted.internet.address import IPv4Address
from twisted.internet.testing import MemoryReactorClock, StringTransport

from kodama.app.assemble import assemble
from kodama.app.ground import wall_clock
from kodama.app.settings import Settings
from tests.halves import Halves, Seated

ROOM = "/v1/rooms/lobby"
EVENTS = f"{ROOM}/events"
MESSAGES = f"{ROOM}/messages"


@dataclass(frozen=True, slots=True)
class Got:
    """One answer, taken apart."""

    status: int
    fields: dict[str, str]
    body: bytes

    @classmethod
    def read(cls, raw: bytes) -> Got:
        """Take an answer apart that has come."""
        head, _, body = raw.partition(b"\r\n\r\n")
        line, *fields = head.decode("latin-1").split("\r\n")
        pairs = (field.partition(": ") for field in fields)
        return cls(int(line.split(" ")[1]), {name.lower(): value for name, _, value in pairs}, body)

    @property
    def json(self) -> Any:
        """Return the body as JSON."""
        return json.loads(self.body)


class Asking:
    """One request on a connection of its own."""

    def __init__(self, transport: StringTransport) -> None:
        self.transport = transport

    @property
    def open(self) -> bool:
        """Return whether the request is still held."""
        return not self.transport.value()

    @property
    def got(self) -> Got:
        """Return the answer, which has come."""
        return Got.read(self.transport.value())


class Kodama:
    """A server without a socket."""

    def __init__(self, *, fanout: Halves | None = None, **settings: object) -> None:
        self.reactor: Any = MemoryReactorClock()
        self.reactor.fanout = fanout
        chosen = Settings.load({"HOME": "/nonexistent"}, overrides={"store": "memory", **settings})
        self.service = assemble(chosen, self.reactor, now=self.now)
        self.service.startService()
        self.factory: Any = self.reactor.tcpServers[0][1]

    def now(self) -> int:
        """Return what the server takes for the time, in ms since 1970."""
        return wall_clock()

    def ask(
        self, method: str, target: str, *, body: object = None, peer: str = "127.0.0.1", **fields: str
    ) -> Asking:
        """Send one request; ``fields`` have _ for -."""
        raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        head = {"Host": "localhost:8080", **{name.replace("_", "-"): value for name, value in fields.items()}}
        if body is not None:
            head = {"Content-Type": "application/json", **head, "Content-Length": str(len(raw))}
        address = IPv4Address("TCP", peer, 50_000)
        fanout = self.reactor.fanout
        transport = StringTransport(peerAddress=address) if fanout is None else Seated(fanout, peerAddress=address)
        channel = self.factory.buildProtocol(None)
        channel.makeConnection(transport)
        lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
        channel.dataReceived(f"{method} {target} HTTP/1.1\r\n{lines}\r\n".encode() + raw)
        return Asking(transport)

    def get(self, target: str, **fields: str) -> Got:
        """Ask for what is answered at once."""
        return self.ask("GET", target, **fields).got

    def say(self, text: str, **more: Any) -> Got:
        """Publish to the lobby."""
        return self.ask("POST", MESSAGES, body={"text": text, **more}).got

    def sign_in(self, name: str) -> dict[str, str]:
        """Return the header fields of a new session."""
        return {
            "Authorization": f"Bearer {self.ask('POST', '/v1/session', body={'name': name}).got.json['token']}"
        }

    def pass_seconds(self, seconds: int) -> None:
        """Let time pass in steps, as it does."""
        self.reactor.pump([0.1] * (seconds * 10))


@pytest.fixture
def server() -> Kodama:
    return Kodama()


def texts(got: Got) -> list[str]:
    return [event["text"] for event in got.json["events"]]


def test_a_held_poll_gets_the_next_message_and_goes_on_from_its_cursor(server: Kodama) -> None:
    poll = server.ask("GET", f"{EVENTS}?wait=25")
    assert poll.open
    stored = server.say("one")
    assert stored.status == 201
    assert stored.json["offset"] == 1
    assert texts(poll.got) == ["one"]
    server.say("two")
    server.say("three")
    again = server.get(f"{EVENTS}?since={poll.got.json['cursor']}")
    assert texts(again) == ["two", "three"]
    assert texts(server.get(f"{EVENTS}?since={poll.got.json['cursor']}")) == ["two", "three"]
    for field, value in (
        ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"),
        ("x-accel-buffering", "no"),
    ):
        assert again.fields[field] == value


def test_a_quiet_poll_ends_empty_when_the_hold_runs_out(server: Kodama) -> None:
    cursor = server.get(f"{EVENTS}?wait=0").json["cursor"]
    poll = server.ask("GET", f"{EVENTS}?since={cursor}&wait=5")
    server.pass_seconds(4)
    assert poll.open
    server.pass_seconds(2)
    assert poll.got.json == {"cursor": cursor, "events": [], "more": False}


def test_a_newer_poll_of_the_same_client_ends_the_older_one(server: Kodama) -> None:
    older = server.ask("GET", f"{EVENTS}?client=abcdefgh")
    other = server.ask("GET", f"{EVENTS}?client=ijklmnop")
    newer = server.ask("GET", f"{EVENTS}?client=abcdefgh")
    assert older.got.json["superseded"] is True
    assert older.got.json["events"] == []
    assert newer.open
    assert other.open


def test_jsonp_is_a_call_and_so_are_its_errors(server: Kodama) -> None:
    server.say("one\u2028")
    got = server.get(f"{EVENTS}?since=all&callback=a.b")
    assert got.fields["content-type"] == "application/javascript; charset=utf-8"
    assert got.body.startswith(b"/**/a.b({")
    assert got.body.endswith(b"});")
    assert b"\\u2028" in got.body
    wrong = server.get(f"{EVENTS}?since=x&callback=cb")
    assert wrong.status == 200
    assert json.loads(wrong.body[len("/**/cb(") : -2])["error"]["code"] == "bad_cursor"
    assert server.get(f"{EVENTS}?callback=a()").json["code"] == "bad_callback"
    assert server.get(f"{EVENTS}?callback=cb", Sec_Fetch_Dest="iframe").status == 403


def test_the_old_door_gives_one_message_per_poll_to_who_keeps_its_cookie(server: Kodama) -> None:
    poll = server.ask("GET", "/anything?callback=fn")
    for value in ({"b": 1, "a": "\u00e9"}, 2, b"null"):
        posted = server.ask("POST", "/elsewhere", body=value, Content_Type="text/plain").got
        assert (posted.status, posted.body) == (200, b"OK")
    got = poll.got
    assert got.body == 'fn({"b":1,"a":"é"})'.encode()
    for body in (b"fn(2)", b"fn(null)"):
        got = server.get("/?callback=fn", Cookie=got.fields["set-cookie"].partition(";")[0])
        assert got.body == body
    last = server.ask("GET", "/?callback=fn", Cookie=got.fields["set-cookie"].partition(";")[0])
    server.pass_seconds(300)
    assert last.open
    server.say("typed")
    assert last.got.body == b'fn({"room":"lobby","offset":4,"name":"Guest","text":"typed"})'


def test_every_resource_answers_head_options_and_what_it_does_not_have(server: Kodama) -> None:
    for target, allow in ((EVENTS, "GET, HEAD, OPTIONS"), (MESSAGES, "GET, HEAD, OPTIONS, POST")):
        options = server.ask("OPTIONS", target).got
        assert (options.status, options.fields["allow"], options.body) == (204, allow, b"")
        head = server.ask("HEAD", target).got
        assert (head.status, head.body) == (200, b"")
        wrong = server.ask("PUT", target).got
        assert (wrong.status, wrong.fields["allow"], wrong.json["code"]) == (405, allow, "method_not_allowed")
    assert server.get("/v1/nothing").json["code"] == "not_found"
    assert server.get("/v1/rooms/a%20b/events").json["code"] == "bad_room_name"
    assert server.get(EVENTS, Accept="image/png").json["code"] == "not_acceptable"


def test_one_nonce_is_one_event(server: Kodama) -> None:
    nonce = "n" * 16
    first, second = server.say("one", nonce=nonce), server.say("one", nonce=nonce)
    assert (first.status, second.status) == (201, 200)
    assert first.json == second.json
    assert server.say("two", nonce=nonce).json["code"] == "conflict"
    assert server.say("one", nonce="n" * 15).status == 400
    keyed = server.ask("POST", MESSAGES, body={"text": "one"}, Idempotency_Key=nonce).got
    assert (keyed.status, keyed.json) == (200, first.json)
    assert texts(server.get(f"{EVENTS}?since=all")) == ["one"]


def test_edits_deletes_and_reactions_are_events_and_repeats_are_none(server: Kodama) -> None:
    aiko, ben = server.sign_in("Aiko"), server.sign_in("Ben")
    server.ask("POST", MESSAGES, body={"text": "secret word"}, **aiko)
    one = f"{MESSAGES}/1"
    assert server.ask("PATCH", one, body={"text": "new"}).got.status == 403
    assert server.ask("PATCH", one, body={"text": "new"}, **ben).got.status == 403
    for _ in range(2):
        edited = server.ask("PATCH", one, body={"text": "new"}, **aiko).got
        assert (edited.status, edited.json["type"], edited.json["offset"]) == (200, "edit", 2)
        reacted = server.ask("PUT", f"{one}/reactions/%F0%9F%91%8D", **ben).got
        assert (reacted.status, reacted.json["emoji"], reacted.json["offset"]) == (200, "👍", 3)
    assert b"secret word" not in server.get(f"{EVENTS}?since=all").body
    assert server.ask("DELETE", one, **ben).got.status == 403
    assert [server.ask("DELETE", one, **aiko).got.json["offset"] for _ in range(2)] == [4, 4]
    assert server.ask("PATCH", one, body={"text": "x"}, **aiko).got.json["code"] == "conflict"
    events = server.get(f"{EVENTS}?since=all")
    assert [event["offset"] for event in events.json["events"]] == [1, 2, 3, 4]
    assert events.json["events"][0]["deleted"] is True
    assert b'"new"' not in events.body + server.get(MESSAGES).body


def test_a_session_begins_speaks_and_ends(server: Kodama) -> None:
    opened = server.ask("POST", "/v1/session", body={"name": "Aiko"}).got
    assert (opened.status, opened.json["user"]["name"], opened.json["user"]["kind"]) == (201, "Aiko", "guest")
    assert "HttpOnly" in opened.fields["set-cookie"]
    token = {"Authorization": f"Bearer {opened.json['token']}"}
    assert server.get("/v1/session", **token).json["user"] == opened.json["user"]
    server.ask("POST", MESSAGES, body={"text": "hi"}, Cookie=opened.fields["set-cookie"].partition(";")[0])
    assert server.get(f"{EVENTS}?since=all").json["events"][0]["author"] == opened.json["user"]
    assert server.ask("DELETE", "/v1/session", **token).got.status in (200, 204)
    for fields in (token, {"Authorization": "Bearer x"}, {"Authorization": "Basic YTpi"}):
        assert server.ask("POST", MESSAGES, body={"text": "no"}, **fields).got.json["code"] == "unauthorized"
        assert server.get(f"{EVENTS}?wait=0", **fields).status == 401


def test_a_foreign_host_is_misdirected_and_a_foreign_page_may_not_write(server: Kodama) -> None:
    wrong = server.get(EVENTS, Host="evil.example")
    assert (wrong.status, wrong.json["code"]) == (421, "misdirected")
    assert "KODAMA_HOSTS" in wrong.json["detail"]
    for origin in ("https://evil.example", "null"):
        assert server.ask("POST", MESSAGES, body={"text": "x"}, Origin=origin).got.status == 403
        assert server.ask("POST", "/", body=1, Origin=origin).got.status == 403
    assert server.ask("POST", MESSAGES, body={"text": "x"}, Origin="http://localhost:8080").got.status == 201
    friendly = Kodama(origins="https://blog.example", hosts="chat.example")
    assert friendly.ask("POST", MESSAGES, body={"text": "x"}, Origin="https://blog.example").got.status == 201
    assert friendly.get(f"{EVENTS}?wait=0", Host="chat.example").status == 200


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_a_probe_is_answered_under_any_address_and_a_foreign_name_under_none(path: str) -> None:
    server = Kodama(hosts="chat.example")
    for host in ("10.0.0.7:8080", "[2001:db8::7]:8080", "192.0.2.1", "chat.example"):
        assert server.get(path, Host=host).status == 200
        assert server.get("/v1/rooms", Host=host).status == (200 if host == "chat.example" else 421)
    for host in ("evil.example", "10.0.0.7.evil.example", "10.0.0"):
        assert server.get(path, Host=host).status == 421


def test_writes_beyond_the_rate_are_told_when_to_come_back() -> None:
    server = Kodama(write_burst=2, limit_exempt="")
    assert [server.say(str(number)).status for number in range(3)] == [201, 201, 429]
    limited = server.say("again")
    assert int(limited.fields["retry-after"]) >= 1
    assert limited.json["code"] == "rate_limited"
    assert server.ask("POST", MESSAGES, body={"text": "x"}, peer="127.0.0.2").got.status == 201
    server.pass_seconds(int(limited.fields["retry-after"]) + 1)
    assert server.say("later").status == 201


def test_a_cursor_of_another_life_of_the_store_is_answered_with_a_gap(server: Kodama) -> None:
    for text in ("one", "two"):
        server.say(text)
    cursor = server.get(f"{EVENTS}?since=all").json["cursor"]
    restarted = Kodama()
    restarted.say("new one")
    first = restarted.get(f"{EVENTS}?since={cursor}").json
    gap, *events = first["events"]
    assert (gap["type"], gap["room"], gap["reason"]) == ("gap", "lobby", "epoch")
    events = events or restarted.get(f"{EVENTS}?since={first['cursor']}").json["events"]
    assert [event["text"] for event in events] == ["new one"]


def test_a_drain_sends_polls_away_and_closes_the_old_door_without_an_answer(server: Kodama) -> None:
    poll, old = server.ask("GET", EVENTS), server.ask("GET", "/?callback=fn")
    server.service.stopService()
    assert poll.got.json["events"] == []
    assert poll.got.json["after"] > 0
    assert old.transport.value() == b""
    assert old.transport.disconnecting or old.transport.disconnected


def test_many_rooms_are_read_with_one_cursor(server: Kodama) -> None:
    poll = server.ask("GET", "/v1/events?room=a&room=B")
    server.ask("POST", "/v1/rooms/b/messages", body={"text": "in b"})
    assert [(event["room"], event["text"]) for event in poll.got.json["events"]] == [("b", "in b")]
    server.ask("POST", "/v1/rooms/a/messages", body=b"in a", Content_Type="text/plain")
    asked = {"rooms": ["a", "b"], "since": poll.got.json["cursor"]}
    assert texts(server.ask("POST", "/v1/events", body=asked).got) == ["in a"]
    assert server.get("/v1/events").json["code"] == "bad_request"
    assert server.get("/v1/events?" + "&".join(f"room=r{n}" for n in range(101))).status == 400


def test_a_page_of_history_ends_where_its_cursor_begins(server: Kodama) -> None:
    for number in range(5):
        server.say(str(number))
    newest = server.get(f"{MESSAGES}?limit=2").json
    assert ([one["text"] for one in newest["messages"]], newest["more"]) == (["3", "4"], True)
    older = server.get(f"{MESSAGES}?before=4&limit=9").json
    assert ([one["text"] for one in older["messages"]], older["more"]) == (["0", "1", "2"], False)
    poll = server.ask("GET", f"{EVENTS}?since={newest['cursor']}")
    assert poll.open
    server.say("live")
    assert texts(poll.got) == ["live"]


@pytest.mark.parametrize(
    "body", [b"", b"{", b'{"text":"\\ud800"}', b"[" * 60_000, b'{"text":"a\\u0000"}', b'"' + b'\\"' * 30_000]
)
def test_no_body_makes_the_server_fail(server: Kodama, body: bytes) -> None:
    got = server.ask("POST", MESSAGES, body=body).got
    assert got.status == 400
    assert re.fullmatch(r"bad_(json|request)", got.json["code"])
    assert got.fields["content-type"] == "application/problem+json"


def test_a_secret_room_does_not_exist_for_strangers(server: Kodama) -> None:
    aiko, ben = server.sign_in("Aiko"), server.sign_in("Ben")
    held = server.ask("GET", "/v1/rooms/tea/events?wait=60")
    assert server.ask("PUT", "/v1/rooms/tea", body={"access": "secret"}, **aiko).got.status == 201
    assert held.got.status in (403, 404), "losing access ends a held poll at once"
    one = "/v1/rooms/tea/messages/1"
    assert server.ask("POST", "/v1/rooms/tea/messages", body={"text": "psst"}, **aiko).got.status == 201
    for method, target, body in (
        ("GET", "/v1/rooms/tea/events?wait=0", None), ("GET", "/v1/rooms/tea/messages", None),
        ("POST", "/v1/rooms/tea/messages", {"text": "x"}), ("PATCH", one, {"text": "x"}), ("DELETE", one, None),
        ("PUT", f"{one}/reactions/x", None), ("PUT", "/v1/rooms/tea", {}),
    ):  # fmt: skip
        assert server.ask(method, target, body=body, **ben).got.json["code"] == "not_found", (method, target)
    assert server.get("/v1/rooms", **ben).json == {"rooms": []}
    assert texts(server.get("/v1/rooms/tea/events?since=all", **aiko)) == ["psst"]


def test_a_forbidden_room_among_many_is_named(server: Kodama) -> None:
    server.ask("PUT", "/v1/rooms/tea", body={"access": "members"}, **server.sign_in("Aiko"))
    refused = server.get("/v1/events?room=lobby&room=tea&wait=0")
    assert (refused.status, refused.json["code"]) == (403, "forbidden")
    assert "tea" in refused.json["detail"]


@pytest.mark.parametrize("since", ["after:99", "k1.lobby~zzzz~5", "k1.lobby~zzzz~1"])
def test_a_place_that_cannot_be_found_is_a_gap_at_once_and_never_a_hang(server: Kodama, since: str) -> None:
    server.say("one")
    first = server.get(f"{EVENTS}?since={since}&wait=60").json
    assert first["events"][0]["type"] == "gap"
    rest = first["events"][1:] or server.get(f"{EVENTS}?since={first['cursor']}").json["events"]
    assert [event["text"] for event in rest] == ["one"]
