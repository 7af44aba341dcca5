"""Sentences of the contract that a reader may rely on, each tried on the whole site in memory."""

from __future__ import annotations

import json
from typing import Any

import pytest
from twisted.internet.address import IPv4Address
from twisted.internet.testing import StringTransport

from kodama.app import ground
from tests.integration.test_site import EVENTS, MESSAGES, ROOM, Asking, Got, Kodama, texts


@pytest.fixture
def server() -> Kodama:
    return Kodama()


class Wall:
    """A wall clock that people set forwards and backwards."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.seconds = 1_800_000_000.0
        monkeypatch.setattr(ground, "time", lambda: self.seconds)


@pytest.fixture
def wall(monkeypatch: pytest.MonkeyPatch) -> Wall:
    return Wall(monkeypatch)


def bare(server: Kodama, head: str) -> Asking:
    """Send a request exactly as it stands."""
    asking = Asking(StringTransport(peerAddress=IPv4Address("TCP", "127.0.0.1", 50_000)))
    channel = server.factory.buildProtocol(None)
    channel.makeConnection(asking.transport)
    channel.dataReceived(head.replace("\n", "\r\n").encode())
    return asking


@pytest.mark.parametrize(
    ("fields", "peer", "secure"),
    [
        ({}, "127.0.0.1", False),
        ({"X_Forwarded_Proto": "https"}, "127.0.0.1", True),
        ({"Forwarded": "for=192.0.2.1;proto=https"}, "127.0.0.1", True),
        ({"X_Forwarded_Proto": "http"}, "127.0.0.1", False),
        ({"X_Forwarded_Proto": "https"}, "192.0.2.9", False),
    ],
)
def test_the_cookie_is_secure_when_a_trusted_proxy_speaks_tls(
    fields: dict[str, str], peer: str, secure: bool
) -> None:
    server = Kodama(forwarding_header="forwarded" if "Forwarded" in fields else "x-forwarded-for")
    opened = server.ask("POST", "/v1/session", body={"name": "Aiko"}, peer=peer, **fields).got
    assert opened.status == 201
    assert ("; Secure" in opened.fields["set-cookie"]) is secure
    ended = server.ask("DELETE", "/v1/session", peer=peer, **fields).got
    assert ("; Secure" in ended.fields["set-cookie"]) is secure


def test_a_forwarded_request_is_not_exempt_and_counts_for_who_sent_it() -> None:
    for header, fields in (
        ("x-forwarded-for", {"X_Forwarded_For": "192.0.2.{}"}),
        ("forwarded", {"Forwarded": 'for="192.0.2.1{}:80"'}),
    ):
        server = Kodama(write_burst=1, write_rate=0.001, forwarding_header=header)
        assert [server.say("a").status for _ in range(3)] == [201, 201, 201]
        for client in (1, 2):
            there = {name: value.format(client) for name, value in fields.items()}
            statuses = [server.ask("POST", MESSAGES, body={"text": "a"}, **there).got.status for _ in range(2)]
            assert statuses == [201, 429]


def test_a_client_behind_a_proxy_cannot_choose_its_address() -> None:
    server = Kodama(write_burst=1, write_rate=0.001)
    statuses = [
        server.ask(
            "POST", MESSAGES, body={"text": "a"}, X_Forwarded_For="192.0.2.1", Forwarded=f"for=198.51.100.{n}",
            X_Real_IP=f"198.51.100.{n}",
        ).got.status
        for n in range(3)
    ]  # fmt: skip
    assert statuses == [201, 429, 429]


def test_the_old_door_takes_a_1_0_client_without_a_host(server: Kodama) -> None:
    waiting = bare(server, "GET /poll?x=1&callback=fn&_=5 HTTP/1.0\n\n")
    assert waiting.open
    posted = bare(server, "POST /send?y=2 HTTP/1.0\nContent-Length: 2\nContent-Type: image/png\n\n17")
    assert (posted.got.status, posted.got.body) == (200, b"OK")
    assert (waiting.got.status, waiting.got.body) == (200, b"fn(17)")
    assert waiting.got.fields["connection"] == "close"


def test_the_old_door_does_not_hold_a_head(server: Kodama) -> None:
    head = server.ask("HEAD", "/?callback=fn")
    assert (head.got.status, head.got.body) == (200, b"")
    assert "set-cookie" not in head.got.fields


def test_the_cookie_of_the_old_door_stays_on_this_host_for_a_day(server: Kodama) -> None:
    waiting = server.ask("GET", "/?callback=fn")
    server.ask("POST", "/", body=1)
    name, *attributes = waiting.got.fields["set-cookie"].split("; ")
    assert name.startswith("kodama_2011=k1.")
    assert sorted(attributes) == ["HttpOnly", "Max-Age=86400", "Path=/", "SameSite=Lax"]


@pytest.mark.parametrize("target", ["/foo", "/foo/bar?x=1", "/foo?callback=", "/foo?callback=a-b", "/?callback=a()"])
def test_what_is_no_call_at_the_old_door_is_a_clear_400(server: Kodama, target: str) -> None:
    assert server.get(target).status == 400


def test_a_spoilt_cookie_begins_at_the_end_of_the_lobby(server: Kodama) -> None:
    server.say("before")
    for cookie in ("kodama_2011=", "kodama_2011=k1.", 'kodama_2011="\\', "kodama_2011=k1.other~a~1"):
        waiting = server.ask("GET", "/?callback=fn", Cookie=cookie)
        assert waiting.open, cookie
        server.say("next")
        assert b'"text":"next"' in waiting.got.body


def test_a_cut_answer_takes_from_the_rooms_in_turn_and_stays_below_256_kib(server: Kodama) -> None:
    for number in range(6):
        for room in ("a", "b"):
            server.ask("POST", f"/v1/rooms/{room}/messages", body={"text": str(number) * 60_000})
    cursor, seen = "all", []
    for _ in range(9):
        got = server.get(f"/v1/events?room=a&room=b&since={cursor}&wait=0")
        events = got.json["events"]
        per_room = [sum(event["room"] == room for event in events) for room in ("a", "b")]
        assert abs(per_room[0] - per_room[1]) <= 1
        assert len(got.body) <= 256 * 1024 + 1024
        assert events
        seen += [(event["room"], event["offset"]) for event in events]
        cursor = got.json["cursor"]
        if not got.json["more"]:
            break
    assert sorted(seen) == [(room, offset) for room in ("a", "b") for offset in range(1, 7)]


def test_one_event_above_256_kib_is_answered_alone() -> None:
    server = Kodama(body_limit=400_000)
    server.say("x" * 300_000)
    server.say("small")
    first = server.get(f"{EVENTS}?since=all&wait=0").json
    assert ([event["offset"] for event in first["events"]], first["more"]) == ([1], True)


def test_events_that_are_gone_by_retention_are_told_in_their_place(server: Kodama) -> None:
    aiko = server.sign_in("Aiko")
    kept = {"retention": {"days": 0, "events": 3}}
    assert server.ask("PUT", "/v1/rooms/short", body=kept, **aiko).got.status == 201
    for number in range(1, 9):
        server.ask("POST", "/v1/rooms/short/messages", body={"text": str(number)}, **aiko)
    place = server.get("/v1/rooms/short/events?since=after:2&wait=0&limit=1").json["cursor"]
    server.pass_seconds(61)
    got = server.get(f"/v1/rooms/short/events?since={place}&wait=0").json
    events = got["events"]
    assert events[0] == {"type": "gap", "room": "short", "from": 4, "to": 5, "reason": "retention"}
    if got["more"]:
        events = events + server.get(f"/v1/rooms/short/events?since={got['cursor']}&wait=0").json["events"]
    assert [event["text"] for event in events[1:]] == ["6", "7", "8"]
    for since in ("all", "last:100", "10m"):
        assert texts(server.get(f"/v1/rooms/short/events?since={since}&wait=0")) == ["6", "7", "8"]
    assert [one["offset"] for one in server.get("/v1/rooms/short/messages").json["messages"]] == [6, 7, 8]


def test_rooms_the_cursor_does_not_know_begin_now_and_are_listed(server: Kodama) -> None:
    server.say("one")
    server.ask("POST", "/v1/rooms/tea/messages", body={"text": "tea"})
    cursor = server.get(f"{EVENTS}?wait=0").json["cursor"]
    got = server.get(f"/v1/events?room=lobby&room=tea&since={cursor}&wait=0").json
    assert got["started"] == {"tea": 1}
    assert got["events"] == []
    again = server.get(f"/v1/events?room=lobby&room=tea&since={got['cursor']}&wait=0").json
    assert "started" not in again


def test_a_room_read_before_its_birth_misses_nothing(server: Kodama) -> None:
    cursor = server.get("/v1/rooms/soon/events?wait=0").json["cursor"]
    assert server.get("/v1/rooms").json["rooms"] == []
    held = server.ask("GET", f"/v1/rooms/soon/events?since={cursor}")
    server.ask("POST", "/v1/rooms/SOON/messages", body={"text": "born"})
    assert texts(held.got) == ["born"]
    assert texts(server.get(f"/v1/rooms/soon/events?since={cursor}")) == ["born"]


def test_overlapping_polls_of_one_reader_end_all_but_the_newest(server: Kodama) -> None:
    aiko = server.sign_in("Aiko")
    target = f"{EVENTS}?client=abcdefgh"
    polls = [server.ask("GET", target) for _ in range(4)]
    jsonp = server.ask("GET", f"{target}&callback=fn")
    other = server.ask("GET", target, **aiko)
    for poll in polls:
        assert poll.got.json["superseded"] is True
        assert poll.got.json["events"] == []
    server.say("once")
    assert b'"once"' in jsonp.got.body
    assert texts(other.got) == ["once"]
    assert server.get("/metrics").body.count(b'kodama_waiting_clients{transport="longpoll"} 0.0') == 1


def test_without_a_client_nothing_is_superseded(server: Kodama) -> None:
    polls = [server.ask("GET", EVENTS) for _ in range(3)]
    server.say("all")
    assert [texts(poll.got) for poll in polls] == [["all"]] * 3


def test_the_wall_clock_may_jump_and_time_in_a_room_never_decreases(wall: Wall, server: Kodama) -> None:
    for jump in (0, 86_400 * 400, -86_400 * 800, 1):
        wall.seconds += jump
        assert server.say(f"after {jump}").status == 201
    events = server.get(f"{EVENTS}?since=all&wait=0").json["events"]
    times = [event["time"] for event in events]
    assert times == sorted(times)
    assert len({event["id"] for event in events}) == 4
    for since in ("10m", "3d", "999999999d"):
        assert server.get(f"{EVENTS}?since={since}&wait=0").status == 200


def test_a_session_outlives_a_jump_back_and_not_one_past_its_end(wall: Wall, server: Kodama) -> None:
    aiko = server.sign_in("Aiko")
    wall.seconds -= 86_400 * 365
    assert server.get("/v1/session", **aiko).status == 200
    wall.seconds += 86_400 * (365 + 31)
    assert server.get("/v1/session", **aiko).json["code"] == "unauthorized"


def test_a_jump_of_the_monotonic_clock_ends_each_hold_once(server: Kodama) -> None:
    cursor = server.get(f"{EVENTS}?wait=0").json["cursor"]
    polls = [server.ask("GET", f"{EVENTS}?since={cursor}") for _ in range(5)]
    old = server.ask("GET", "/?callback=fn")
    server.reactor.advance(1e7)
    for poll in polls:
        assert poll.got.json == {"cursor": cursor, "events": [], "more": False}
        assert poll.transport.value().count(b"HTTP/1.1") == 1
    assert old.open
    server.say("later")
    assert b'"later"' in old.got.body
    assert texts(server.get(f"{EVENTS}?since={cursor}")) == ["later"]


BOMBS = [
    b"[" * 60_000, b'{"a":' * 10_000, b"[" * 65 + b"]" * 65, b"1e400", b"-1e400", b"9" * 5_000, b"1" + b"0" * 60_000,
    b'"\\ud800"', b'"\\udfff\\ud800"', b"NaN", b"Infinity", b"\xff\xfe", b"\xef\xbb\xbf1", b"{,}", b"\0", b"'a'", b"",
    b'"' + b"\\u0000" * 10_000, b'{"text":"' + b"\\" * 40_001 + b'"}',
]  # fmt: skip


@pytest.mark.parametrize("bomb", BOMBS, ids=range(len(BOMBS)))
def test_a_json_bomb_is_a_400_wherever_json_is_read(server: Kodama, bomb: bytes) -> None:
    aiko = server.sign_in("Aiko")
    server.ask("POST", MESSAGES, body={"text": "one"}, **aiko)
    held = server.ask("GET", EVENTS)
    for method, target in (
        ("POST", MESSAGES), ("POST", "/v1/events"), ("POST", "/v1/session"), ("PUT", ROOM),
        ("PATCH", f"{MESSAGES}/1"), ("POST", "/r/lobby"), ("POST", "/anything"),
    ):  # fmt: skip
        got = server.ask(method, target, body=bomb, **aiko).got
        assert (got.status, got.json["code"]) == (400, "bad_json"), (method, target)
    for key in (b"data", b"text", b"nonce"):
        got = server.ask("POST", MESSAGES, body=b'{"%b":%b}' % (key, bomb), **aiko).got
        assert (got.status, got.json["code"]) == (400, "bad_json"), key
    assert held.open
    assert server.say("still here").status == 201
    assert texts(held.got) == ["still here"]


def test_null_is_refused_in_text_and_kept_in_data(server: Kodama) -> None:
    assert server.say("a\0b").json["code"] == "bad_request"
    assert server.ask("POST", MESSAGES, body=b"a\0b", Content_Type="text/plain").got.status == 400
    assert server.ask("POST", MESSAGES, body={"data": "a\0b"}).got.status == 201
    assert server.get(f"{EVENTS}?since=all").json["events"][0]["data"] == "a\0b"


@pytest.mark.parametrize("number", [b"123456789012345678901234567890", b"18446744073709551616", b"1e308", b"-0.0"])
def test_big_numbers_in_data_keep_their_value(server: Kodama, number: bytes) -> None:
    assert server.ask("POST", MESSAGES, body=b'{"data":[%b]}' % number).got.status == 201
    assert server.get(f"{EVENTS}?since=all").json["events"][0]["data"] == json.loads(b"[%b]" % number)


@pytest.mark.parametrize(
    "name",
    ["..", ".", "%2e%2e", "..%2f..%2fetc", "a%2fb", "a%5cb", "a%00", "%F0%9F%98%80", "%ff", "a%20b", "a%0d%0ab", "%",
     "%E2%80%AE", "a" * 65, "%EF%B7%BA" * 20, "a%3fb", "a%23b", "%E2%80%8B", "%EF%BC%8E%EF%BC%8E"],
)  # fmt: skip
def test_a_name_that_is_none_is_refused_everywhere(server: Kodama, name: str) -> None:
    for target in (f"/v1/rooms/{name}/events?wait=0", f"/v1/rooms/{name}/messages", f"/r/{name}"):
        got = server.get(target, Accept="application/json")
        assert (got.status, got.json["code"]) == (400, "bad_room_name"), target
    assert server.ask("POST", f"/r/{name}", body=b"x").got.status == 400
    assert server.get(f"/v1/events?room={name}&wait=0").status == 400
    assert server.get("/v1/rooms").json["rooms"] == []


@pytest.mark.parametrize(
    ("given", "name"),
    [("LOBBY", "lobby"), ("%EF%BD%8Cobby", "lobby"), ("%E2%85%A3", "iv"), ("%EF%AC%81n", "fin"), ("%E2%91%A0", "1")],
)
def test_look_alikes_are_one_room(server: Kodama, given: str, name: str) -> None:
    held = server.ask("GET", f"/v1/rooms/{name}/events")
    stored = server.ask("POST", f"/v1/rooms/{given}/messages", body={"text": "hi"}).got
    assert stored.json["room"] == name
    assert [event["room"] for event in held.got.json["events"]] == [name]


@pytest.mark.parametrize(
    "callback",
    ["a()", "alert(1)//", "a;b", "a[0]", "a%20b", "a%0ab", "a%00", "%EF%BD%81", "a%E2%80%A8", "a..b", ".a", "a.", "1a",
     "a" * 129, "%3Cscript%3E", "a-b", "a%2527", "a'b", "a=b", "%F0%9D%92%9C", "a.1"],
)  # fmt: skip
def test_a_callback_with_a_trick_is_refused_unwrapped(server: Kodama, callback: str) -> None:
    for target in (f"{EVENTS}?wait=0&callback={callback}", f"/r/lobby?callback={callback}", f"/?callback={callback}"):
        got = server.get(target)
        assert (got.status, got.json["code"]) == (400, "bad_callback"), target
        assert got.fields["content-type"] == "application/problem+json"


def test_a_call_cannot_be_broken_out_of(server: Kodama) -> None:
    server.say("</script><!--\u2028\u2029*/\\\"'")
    body = server.get(f"{EVENTS}?since=all&callback=fn").body
    assert body.startswith(b"/**/fn({")
    assert not any(char in body.decode() for char in "\u2028\u2029")
    assert json.loads(body[len("/**/fn(") : -2])["events"][0]["text"] == "</script><!--\u2028\u2029*/\\\"'"


def test_jsonp_reads_what_is_not_public_by_ticket_only(server: Kodama) -> None:
    opened = server.ask("POST", "/v1/session", body={"name": "Aiko"}).got
    token = {"Authorization": f"Bearer {opened.json['token']}"}
    server.ask("PUT", "/v1/rooms/ours", body={"access": "members"}, **token)
    cookie = opened.fields["set-cookie"].partition(";")[0]
    assert server.get("/v1/rooms/ours/events?wait=0", Cookie=cookie).status == 200
    for shown in ({"Cookie": cookie}, token):
        called = server.get("/v1/rooms/ours/events?wait=0&callback=fn", **shown)
        assert json.loads(called.body[len("/**/fn(") : -2])["error"]["code"] == "forbidden"
    ticket = server.ask("POST", "/v1/tickets", body={"rooms": ["ours"]}, **token).got.json["ticket"]
    called = server.get(f"/v1/rooms/ours/events?wait=0&callback=fn&ticket={ticket}", Cookie=cookie)
    assert json.loads(called.body[len("/**/fn(") : -2])["events"] == []


def test_answers_carry_the_fields_that_keep_them_out_of_caches(server: Kodama) -> None:
    wanted = {
        "cache-control": "no-store", "x-accel-buffering": "no", "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
    }  # fmt: skip
    answers: list[Got] = [
        server.get(f"{EVENTS}?wait=0"), server.get("/v1/rooms"), server.get("/v1/nothing"), server.get(MESSAGES),
        server.say("x"), server.get("/r/lobby", Accept="text/html"), server.get("/r/lobby", Accept="application/json"),
        server.ask("OPTIONS", EVENTS).got, server.ask("DELETE", "/v1/session").got,
        server.ask("POST", "/v1/session", body={"name": "A"}).got, server.get(f"{EVENTS}?callback=fn&wait=0"),
    ]  # fmt: skip
    for got in answers:
        assert {name: got.fields.get(name) for name in wanted} == wanted
        assert {"Accept", "Origin"} <= set(got.fields["vary"].split(", "))


@pytest.mark.parametrize(
    "target",
    ["/v1", "/v1/", "/v1/x", "/r", "/docs", "/docs/x", "/admin/", "/admin/x", "/static/x", "/static/../api.py", "/.well-known/x",
     "/healthz/x", "/metrics/x", "/widget.js/x"],
)  # fmt: skip
def test_an_unknown_path_among_the_servers_own_is_404_and_never_the_old_door(server: Kodama, target: str) -> None:
    assert server.get(f"{target}?callback=fn" if not target.startswith("/v1") else target).status == 404
    assert server.ask("POST", target, body={"a": 1}).got.status in (404, 405)
    assert server.get("/v1/rooms").json["rooms"] == []


def test_a_foreign_page_may_write_nowhere(server: Kodama) -> None:
    aiko: dict[str, Any] = server.sign_in("Aiko")
    server.ask("POST", MESSAGES, body={"text": "one"}, **aiko)
    foreign = {**aiko, "Origin": "https://evil.example"}
    for method, target in (
        ("POST", MESSAGES), ("PATCH", f"{MESSAGES}/1"), ("DELETE", f"{MESSAGES}/1"),
        ("PUT", f"{MESSAGES}/1/reactions/x"), ("DELETE", f"{MESSAGES}/1/reactions/x"), ("PUT", "/v1/rooms/new"),
        ("POST", "/v1/session"), ("DELETE", "/v1/session"), ("POST", "/r/lobby"), ("POST", "/anything"),
    ):  # fmt: skip
        got = server.ask(method, target, body={"text": "x", "name": "x"}, **foreign).got
        assert (got.status, got.json["code"]) == (403, "forbidden"), (method, target)
    assert "access-control-allow-origin" not in server.get(f"{EVENTS}?wait=0", Origin="https://evil.example").fields


def test_options_of_the_server_as_a_whole_is_answered(server: Kodama) -> None:
    got = bare(server, "OPTIONS * HTTP/1.1\nHost: localhost\n\n").got
    assert (got.status, got.body) == (204, b"")
    assert {"GET", "POST", "PATCH"} < set(got.fields["allow"].split(", "))


@pytest.mark.parametrize("method", ["TRACE", "PROPFIND", "BREW", "CONNECT"])
def test_a_method_that_nothing_here_has_is_405_with_those_there_are(server: Kodama, method: str) -> None:
    got = server.ask(method, "/v1/rooms").got
    assert (got.status, got.json["code"]) == (405, "method_not_allowed")
    assert {"GET", "PUT", "DELETE"} < set(got.fields["allow"].split(", "))


def test_a_path_of_2011_may_be_in_any_encoding(server: Kodama) -> None:
    waiting = server.ask("GET", "/caf%E9?callback=fn&name=J%FCrgen")
    assert server.ask("POST", "/caf%E9", body=b'{"a":1}').got.body == b"OK"
    assert waiting.got.body == b'fn({"a":1})'


def test_a_parameter_nobody_knows_is_ignored_in_any_encoding(server: Kodama) -> None:
    assert server.get(f"{EVENTS}?wait=0&_=%ff&%fe=1").status == 200
    assert server.get(f"{EVENTS}?wait=%ff").status == 400


@pytest.mark.parametrize("target", [MESSAGES, "/r/lobby"])
def test_a_body_in_a_content_coding_is_not_taken_for_text(server: Kodama, target: str) -> None:
    plain = {"Content-Type": "text/plain"}
    got = server.ask("POST", target, body=b"hi", Content_Encoding="gzip", **plain).got
    assert (got.status, got.json["code"]) == (415, "unsupported_media")
    assert server.ask("POST", target, body=b"hi", Content_Encoding="identity", **plain).got.status == 201
    assert [event["text"] for event in server.get(f"{EVENTS}?since=all&wait=0").json["events"]] == ["hi"]


@pytest.mark.parametrize(("method", "rest"), [("PATCH", ""), ("DELETE", ""), ("PUT", "/reactions/%F0%9F%91%8D")])
def test_a_secret_room_is_not_there_for_somebody_without_a_session_either(
    server: Kodama, method: str, rest: str
) -> None:
    mine = server.sign_in("Aiko")
    server.ask("PUT", "/v1/rooms/attic", body={"access": "secret"}, **mine)
    assert server.ask("POST", "/v1/rooms/attic/messages", body={"text": "x"}, **mine).got.status == 201
    server.say("x")
    body = {"text": "y"} if method == "PATCH" else None
    asked = {
        room: server.ask(method, f"/v1/rooms/{room}/messages/1{rest}", body=body).got.status
        for room in ("attic", "nowhere", "lobby")
    }
    assert asked == {"attic": 404, "nowhere": 404, "lobby": 403}
