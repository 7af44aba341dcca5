"""The chat over WebSocket, through the whole site in memory."""

from __future__ import annotations

import json
from typing import Any

import pytest
from twisted.internet.testing import StringTransport

from tests.http.sockets import KEY, close, frame, frames, text
from tests.integration.test_site import Kodama

ASK = {
    "Upgrade": "websocket", "Connection": "Upgrade", "Sec_WebSocket_Version": "13",
    "Sec_WebSocket_Key": KEY.decode(),
}  # fmt: skip


class Talking:
    """One client's connection."""

    def __init__(self, server: Kodama, **fields: str) -> None:
        self.server = server
        asking = server.ask("GET", "/v1/ws", **(ASK | fields))
        self.transport: StringTransport = asking.transport
        head, _, self._rest = self.transport.value().partition(b"\r\n\r\n")
        self.head = head.decode()
        self._seen = len(head) + 4
        self.channel: Any = self.transport.producer

    def raw(self, data: bytes) -> None:
        self.channel.dataReceived(data)

    def say(self, do: str, **more: object) -> list[Any]:
        """Send a command; return what came back since the last look."""
        self.raw(text(json.dumps({"do": do, **more})))
        return self.news

    @property
    def news(self) -> list[Any]:
        found = frames(self.transport.value()[self._seen :])
        self._seen = len(self.transport.value())
        self.code = next((int.from_bytes(one.payload[:2], "big") for one in found if one.opcode == 8), None)
        return [json.loads(one.payload) for one in found if one.opcode == 1]


@pytest.fixture
def server() -> Kodama:
    return Kodama()


def said(news: list[Any]) -> list[str]:
    return [event["text"] for one in news for event in one.get("events", ())]


def test_a_message_published_on_one_connection_reaches_another(server: Kodama) -> None:
    reader, writer = Talking(server), Talking(server)
    assert reader.head.startswith("HTTP/1.1 101 ")
    (ok,) = reader.say("subscribe", rooms={"lobby": "now"}, ref=1)
    assert ok["ref"] == 1
    assert ok["ok"]["cursor"].startswith("k1.lobby~")
    (stored,) = writer.say("publish", room="lobby", text="hello", nonce="n-0123456789abcdef", ref=3)
    assert stored["ok"]["offset"] == 1
    (news,) = reader.news
    assert news["events"][0]["text"] == "hello"
    assert news["cursor"] != ok["ok"]["cursor"]
    again = writer.say("publish", room="lobby", text="hello", nonce="n-0123456789abcdef", ref=4)
    assert again == [{"ref": 4, "ok": stored["ok"]}]
    assert reader.news == []


def test_a_cursor_of_many_rooms_goes_on_in_each(server: Kodama) -> None:
    one = Talking(server)
    (ok,) = one.say("subscribe", rooms={"a": "now", "b": "now"}, ref=1)
    for room in ("a", "b", "a"):
        server.ask("POST", f"/v1/rooms/{room}/messages", body={"text": f"in {room}"})
    news = one.news
    assert said(news) == ["in a", "in b", "in a"]
    other = Talking(server)
    cursor = ok["ok"]["cursor"]
    found = other.say("subscribe", rooms={"a": cursor, "b": cursor}, ref=2)
    assert found[0]["ref"] == 2
    assert sorted(said(found)) == ["in a", "in a", "in b"]
    assert found[-1]["cursor"] == news[-1]["cursor"]
    rest = server.get(f"/v1/events?room=a&room=b&wait=0&since={found[-1]['cursor']}")
    assert rest.json["events"] == []


def test_rooms_are_added_and_removed_while_reading(server: Kodama) -> None:
    one = Talking(server)
    one.say("subscribe", rooms={"a": "now"}, ref=1)
    (added,) = one.say("subscribe", rooms={"b": "now"}, ref=2)
    assert "~b~" in added["ok"]["cursor"] or added["ok"]["cursor"].endswith("b~~0")
    server.ask("POST", "/v1/rooms/b/messages", body={"text": "in b"})
    assert said(one.news) == ["in b"]
    (left,) = one.say("unsubscribe", rooms=["b"], ref=3)
    assert left["ref"] == 3
    assert "b~" not in left["ok"]["cursor"]
    server.ask("POST", "/v1/rooms/b/messages", body={"text": "unheard"})
    server.ask("POST", "/v1/rooms/a/messages", body={"text": "in a"})
    assert said(one.news) == ["in a"]


def test_a_room_that_the_cursor_does_not_speak_of_is_started(server: Kodama) -> None:
    server.say("old")
    one = Talking(server)
    cursor = server.get("/v1/rooms/a/events?wait=0").json["cursor"]
    (ok,) = one.say("subscribe", rooms={"lobby": cursor}, ref=1)
    assert ok["ok"]["started"] == {"lobby": 1}


def test_since_all_and_last_catch_up_first(server: Kodama) -> None:
    for number in range(5):
        server.say(str(number))
    assert said(Talking(server).say("subscribe", rooms={"lobby": "last:2"})) == ["3", "4"]
    assert said(Talking(server).say("subscribe", rooms={"LOBBY": "all"})) == list("01234")


def test_hello_proves_who_is_speaking(server: Kodama) -> None:
    token = server.sign_in("Aiko")["Authorization"].split(" ")[1]
    one = Talking(server)
    (ok,) = one.say("hello", token=token, ref=1)
    assert ok["ok"]["user"]["name"] == "Aiko"
    one.say("subscribe", rooms={"lobby": "now"})
    answers = one.say("publish", room="lobby", text="hi", nonce="n1", ref=2)
    assert [a["events"][0]["author"]["name"] for a in answers if "events" in a] == ["Aiko"]


def test_a_token_that_proves_nothing_closes_with_4401(server: Kodama) -> None:
    one = Talking(server)
    (error,) = one.say("hello", token="nonsense", ref=1)
    assert error["ref"] == 1
    assert error["error"]["code"] == "unauthorized"
    assert one.code == 4401


def test_ending_a_session_closes_its_sockets_with_4401(server: Kodama) -> None:
    fields = server.sign_in("Aiko")
    one = Talking(server, **fields)
    one.say("subscribe", rooms={"lobby": "now"})
    server.ask("DELETE", "/v1/session", **fields)
    server.pass_seconds(2)
    news = one.news
    assert news[-1]["error"]["code"] == "unauthorized"
    assert one.code == 4401


FAULTS = {
    "unknown do": (text('{"do":"dance","ref":7}'), 7, "bad_request", None),
    "no do": (text('{"ref":"a"}'), "a", "bad_request", None),
    "a wrong shape": (text('{"do":"publish","room":5,"ref":1}'), 1, "bad_request", None),
    "no message": (text('{"do":"publish","room":"a","ref":1}'), 1, "bad_request", None),
    "a bad room": (text('{"do":"publish","room":"..","text":"a","ref":1}'), 1, "bad_room_name", None),
    "a bad cursor": (text('{"do":"subscribe","rooms":{"a":""},"ref":1}'), 1, "bad_cursor", None),
    "no rooms": (text('{"do":"subscribe","rooms":{},"ref":1}'), 1, "bad_request", None),
    "a short nonce": (text('{"do":"publish","room":"a","text":"a","nonce":"b","ref":1}'), 1, "bad_request", None),
    "an array": (text("[1]"), None, "bad_request", None),
    "deep": (text('{"do":"publish","ref":1,"data":' + "[" * 65 + "]" * 65 + "}"), 1, "bad_json", None),
    "not JSON": (text('{"do":'), None, "bad_json", 1007),
    "not UTF-8": (text(b'"\xff"'), None, "bad_json", 1007),
    "binary": (frame(2, b"{}"), None, "unsupported_media", 1003),
    "too large": (text("x" * 65_537), None, "too_large", 1009),
    "unmasked": (text("{}", mask=None), None, "bad_request", 1002),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_answered_by_its_code_and_disturbs_nobody(server: Kodama, name: str) -> None:
    sent, ref, code, closed = FAULTS[name]
    one, other = Talking(server), Talking(server)
    other.say("subscribe", rooms={"lobby": "now"})
    one.raw(sent)
    (error,) = one.news
    assert error["ref"] == ref
    assert error["error"]["code"] == code
    assert one.code == closed
    if closed is None:
        assert one.say("ping") == [{"do": "pong"}]
    server.say("still here")
    assert said(other.news) == ["still here"]


def test_too_many_rooms_on_one_connection_are_refused(server: Kodama) -> None:
    one = Talking(server)
    one.say("subscribe", rooms={f"r{n}": "now" for n in range(100)})
    (error,) = one.say("subscribe", rooms={"more": "now"}, ref=2)
    assert error["error"]["code"] == "bad_request"


def test_who_is_no_websocket_or_a_foreign_page_is_refused_in_http(server: Kodama) -> None:
    plain = server.get("/v1/ws")
    assert (plain.status, plain.json["code"]) == (426, "upgrade_required")
    assert plain.fields["sec-websocket-version"] == "13"
    assert plain.fields["upgrade"] == "websocket"
    foreign = server.ask("GET", "/v1/ws", Origin="https://evil.example", **ASK).got
    assert (foreign.status, foreign.json["code"]) == (403, "forbidden")
    bad = server.ask("GET", "/v1/ws", Authorization="Bearer nonsense", **ASK).got
    assert bad.status == 401
    assert server.get("/v1/echo").status == 404


def test_a_drain_says_come_back_with_the_cursor_and_closes(server: Kodama) -> None:
    one = Talking(server)
    (ok,) = one.say("subscribe", rooms={"lobby": "now"})
    server.service.stopService()
    server.reactor.advance(0)
    (last,) = one.news
    assert last["do"] == "come-back"
    assert 0.5 <= last["after"] <= 3
    assert last["cursor"] == ok["ok"]["cursor"]
    assert one.code == 1001


def test_a_secret_room_is_not_found_and_a_members_room_forbidden(server: Kodama) -> None:
    fields = server.sign_in("Aiko")
    server.ask("PUT", "/v1/rooms/club", body={"access": "members"}, **fields)
    server.ask("PUT", "/v1/rooms/den", body={"access": "secret"}, **fields)
    one = Talking(server)
    for room, code in (("club", "forbidden"), ("den", "not_found")):
        (error,) = one.say("subscribe", rooms={room: "now"}, ref=1)
        assert error["error"]["code"] == code
    assert one.say("ping") == [{"do": "pong"}]
    owner = Talking(server, **fields)
    assert "ok" in owner.say("subscribe", rooms={"club": "now", "den": "now"})[0]


def test_typing_and_presence_are_heard(server: Kodama) -> None:
    reader = Talking(server)
    reader.say("subscribe", rooms={"lobby": "now"}, presence=True)
    writer = Talking(server, **server.sign_in("Aiko"))
    assert writer.say("typing", room="lobby") == []
    heard = [event for one in reader.news for event in one["events"]]
    assert [event["type"] for event in heard if event["type"] == "typing"] == ["typing"]
    writer.say("subscribe", rooms={"lobby": "now"}, presence=True)
    server.pass_seconds(2)
    heard = [event for one in reader.news for event in one["events"] if event["type"] == "presence"]
    assert any(person["name"] == "Aiko" for event in heard for person in event["joined"])
    writer.raw(close(1000))
    writer.channel.connectionLost(None)
    here = server.get("/v1/rooms/lobby/presence").json
    assert here["count"] >= 1


def test_a_slow_reader_goes_back_to_the_log_and_gets_everything(server: Kodama) -> None:
    one = Talking(server)
    one.say("subscribe", rooms={"lobby": "now"})
    one.channel.pauseProducing()
    for number in range(500):
        server.say(str(number))
    assert one.news == []
    one.channel.resumeProducing()
    server.pass_seconds(1)
    assert said(one.news) == [str(number) for number in range(500)]


def test_what_is_published_counts_against_the_rate(server: Kodama) -> None:
    limited = Kodama(limit_exempt="", write_burst=2)
    one = Talking(limited)
    codes = [one.say("publish", room="lobby", text="a", ref=n)[0] for n in range(3)]
    assert "ok" in codes[1]
    assert codes[2]["error"]["code"] == "rate_limited"


def test_a_connection_that_reads_nothing_has_no_cursor(server: Kodama) -> None:
    one = Talking(server)
    one.say("subscribe", rooms={"lobby": "now"})
    (left,) = one.say("unsubscribe", rooms=["LOBBY"], ref=1)
    assert left == {"ref": 1, "ok": {"cursor": None}}
    server.say("unheard")
    assert one.news == []
    assert "ok" in one.say("subscribe", rooms={"lobby": "now"})[0]


def test_saying_hello_later_moves_presence_to_the_user(server: Kodama) -> None:
    one = Talking(server)
    one.say("subscribe", rooms={"lobby": "now"}, presence=True)
    token = server.sign_in("Aiko")["Authorization"].split(" ")[1]
    one.say("hello", token=token)
    here = server.get("/v1/rooms/lobby/presence").json
    assert [person["name"] for person in here["here"]] == ["Aiko"]
    assert here["count"] == 1
