"""Keeping order: the whole site in memory, with a troublemaker in it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kodama.order.held import WAITING_EACH
from tests.integration.test_crowds import Kept
from tests.integration.test_members import Town
from tests.integration.test_site import EVENTS, MESSAGES, ROOM, Got
from tests.integration.test_websocket import Talking

BANS = f"{ROOM}/bans"


class Square(Town):
    """A server whose public lobby is moderated by Aiko, the server's owner, and Ben."""

    def __init__(self, **settings: object) -> None:
        super().__init__(**settings)
        self.say("hello")
        assert self.own("Aiko").status == 200
        assert self.appoint("Ben", "moderator", room=ROOM).status == 200

    def speak(self, name: str, text: str, **more: Any) -> Got:
        return self.as_("POST", name, MESSAGES, {"text": text, **more})

    def log(self) -> bytes:
        return self.get(f"{EVENTS}?since=all&limit=1000").body

    def did(self) -> list[str]:
        return [one["did"] for one in self.as_("GET", "Aiko", f"{ROOM}/audit").json["entries"]]


@pytest.fixture
def square() -> Square:
    return Square()


def test_who_is_banned_neither_reads_nor_writes_and_what_they_hold_ends_at_once(square: Square) -> None:
    who = square.fields["Chie"]
    held = [
        square.ask("GET", f"{EVENTS}?wait=60", **who),
        square.ask("GET", f"{EVENTS}?wait=60&client=tab-00000001&presence=1", **who),
        square.ask("GET", "/v1/events?room=lobby&room=b&wait=60", **who),
        square.ask("GET", f"{EVENTS}?wait=60&since={square.get(f'{EVENTS}?wait=0').json['cursor']}", **who),
    ]
    stream = square.ask("GET", EVENTS, Accept="text/event-stream", **who)
    others = square.ask("GET", f"{EVENTS}?wait=60", **square.fields["Dan"])
    ban = square.as_("PUT", "Ben", f"{BANS}/{{Chie}}", {"reason": "spam", "name": "Chie"})
    assert (ban.status, ban.json["until"], ban.json["user"]["name"]) == (200, None, "Chie")
    assert [one.got.json["code"] for one in held] == ["forbidden"] * 4
    assert b"event: problem" in stream.transport.value()
    assert others.got.json["events"][0]["op"] == "ban"
    assert square.speak("Chie", "again").json["code"] == "forbidden"
    for target in (f"{EVENTS}?wait=0", MESSAGES, ROOM, f"{ROOM}/presence"):
        assert square.as_("GET", "Chie", target).json["code"] == "forbidden", target
    assert square.as_("PUT", "Chie", f"{ROOM}/typing").status == 403
    assert square.as_("PUT", "Chie", f"{ROOM}/members/{{Chie}}", {}).status == 403
    assert square.as_("GET", "Chie", "/v1/rooms/b/events?wait=0").status == 200
    assert [one["user"]["name"] for one in square.as_("GET", "Ben", BANS).json["bans"]] == ["Chie"]
    assert square.as_("DELETE", "Ben", f"{BANS}/{{Chie}}").status == 204
    assert square.speak("Chie", "sorry").status == 201
    assert square.as_("DELETE", "Ben", f"{BANS}/{{Chie}}").json["code"] == "not_found"
    assert square.did()[:2] == ["unban", "ban"]


def test_a_reader_who_comes_again_on_the_same_connection_is_looked_at_again(square: Square) -> None:
    """Regular readers are let in without a look, until somebody is banned anywhere."""
    cursor = square.get(f"{EVENTS}?wait=0").json["cursor"]
    target = f"{EVENTS}?wait=1&client=tab-00000001&since={cursor}"
    one = Kept(square, **square.fields["Chie"])
    for _ in range(2):
        one.send(target)
        assert one.waits
        square.pass_seconds(2)
        assert one.got.json["events"] == []
    square.as_("PUT", "Ben", f"{BANS}/{{Chie}}", {})
    cursor = square.get(f"{EVENTS}?wait=0").json["cursor"]
    one.send(f"{EVENTS}?wait=1&client=tab-00000001&since={cursor}")
    assert one.got.status == 403


def test_a_ban_runs_out_by_itself(square: Square) -> None:
    square.as_("PUT", "Ben", f"{BANS}/{{Chie}}", {"minutes": 1})
    square.pass_seconds(58)
    assert square.speak("Chie", "x").status == 403
    square.advance(62_000)
    square.pass_seconds(1)
    assert square.speak("Chie", "x").status == 201
    assert square.as_("GET", "Ben", BANS).json == {"bans": []}
    assert square.service._node.store._shelf.listed("ban", prefix="", after="", limit=9).records == ()


def test_a_network_ban_keeps_new_guests_from_the_same_address_from_writing(square: Square) -> None:
    far = {"peer": "203.0.113.7"}
    chie = square.fields["Chie"]
    assert square.ask("POST", MESSAGES, body={"text": "spam"}, **far, **chie).got.status == 201
    square.as_("PUT", "Ben", f"{BANS}/{{Chie}}", {"network": True})
    new = square.sign_in("Chie again")
    assert square.ask("POST", MESSAGES, body={"text": "spam"}, **far, **new).got.json["code"] == "forbidden"
    assert square.ask("POST", MESSAGES, body={"text": "spam"}, **far).got.json["code"] == "forbidden"
    assert square.ask("POST", "/x", body={"m": "spam"}, **far).got.json["code"] == "forbidden"
    assert square.ask("GET", MESSAGES, **far).got.status == 200
    assert square.ask("POST", MESSAGES, body={"text": "hi"}, peer="203.0.113.8").got.status == 201
    assert square.ask("POST", MESSAGES, body={"text": "hi"}, **far, **square.fields["Ben"]).got.status == 201
    assert b"203.0.113" not in repr(vars(square.service._node.store._shelf)).encode()  # digests are kept


def test_a_network_is_learned_when_the_banned_one_tries_again(square: Square) -> None:
    square.as_("PUT", "Ben", f"{BANS}/{{Chie}}", {"network": True})
    far = {"peer": "203.0.113.7"}
    assert square.ask("POST", MESSAGES, body={"text": "x"}, **far).got.status == 201
    assert square.ask("POST", MESSAGES, body={"text": "x"}, **far, **square.fields["Chie"]).got.status == 403
    assert square.ask("POST", MESSAGES, body={"text": "x"}, **far).got.status == 403


def test_who_is_muted_reads_and_does_not_write_in_any_way(square: Square) -> None:
    first = square.speak("Chie", "first").json["offset"]
    assert square.as_("PUT", "Ben", f"{ROOM}/mutes/{{Chie}}", {"minutes": 5}).json["user"]["id"] == square.ids["Chie"]
    for method, target, body in (
        ("POST", MESSAGES, {"text": "x"}), ("POST", "/r/lobby", {"text": "x"}), ("POST", "/x", {"m": 1}),
        ("PATCH", f"{MESSAGES}/{first}", {"text": "x"}), ("PUT", f"{MESSAGES}/{first}/reactions/x", None),
        ("PUT", f"{ROOM}/typing", None),
    ):  # fmt: skip
        assert square.as_(method, "Chie", target, body).json["code"] == "forbidden", target
    assert square.as_("GET", "Chie", MESSAGES).status == 200
    assert square.as_("DELETE", "Chie", f"{MESSAGES}/{first}").status == 200
    assert len(square.as_("GET", "Ben", f"{ROOM}/mutes").json["mutes"]) == 1
    square.advance(301_000)
    assert square.as_("GET", "Ben", f"{ROOM}/mutes").json == {"mutes": []}
    square.as_("PUT", "Ben", f"{ROOM}/mutes/{{Chie}}", {})
    assert square.as_("DELETE", "Ben", f"{ROOM}/mutes/{{Chie}}").status == 204
    assert square.speak("Chie", "x").status == 201
    assert square.as_("DELETE", "Ben", f"{ROOM}/mutes/{{Chie}}").status == 404


def test_who_is_put_out_may_come_back_in_a_minute_but_is_no_member(square: Square) -> None:
    square.appoint("Chie", "member", room=ROOM)
    poll = square.ask("GET", f"{EVENTS}?wait=60", **square.fields["Chie"])
    assert square.as_("POST", "Ben", f"{ROOM}/kick", {"user": square.ids["Chie"]}).status == 200
    assert poll.got.json["code"] == "forbidden"
    assert square.speak("Chie", "x").status == 403
    square.advance(61_000)
    square.pass_seconds(1)
    assert square.speak("Chie", "x").status == 201
    assert square.as_("GET", "Chie", ROOM).json["role"] == "guest"


def test_what_somebody_said_is_taken_back_everywhere(square: Square) -> None:
    away = square.get(f"{EVENTS}?wait=0").json["cursor"]
    square.advance(3_600_000)
    for number in range(230):
        square.speak("Chie", f"spam {number}")
    edited = square.speak("Chie", "spam").json["offset"]
    square.as_("PATCH", "Chie", f"{MESSAGES}/{edited}", {"text": "spam, edited"})
    good = square.speak("Dan", "good").json["offset"]
    square.as_("PUT", "Chie", f"{MESSAGES}/{good}/reactions/spam", None)
    live = square.ask("GET", f"{EVENTS}?wait=60")
    got = square.as_("POST", "Ben", f"{ROOM}/purge", {"user": square.ids["Chie"], "minutes": 30})
    assert got.json == {"removed": 231}
    assert live.got.json["events"][0]["type"] == "delete"
    for target in (f"{EVENTS}?since=all&limit=1000", f"{EVENTS}?since={away}&limit=1000", f"{MESSAGES}?limit=1000"):
        body = square.get(target).body
        assert b'"text":"spam' not in body
        assert b'"text":"good"' in body
    log = json.loads(square.log())["events"]
    assert [one["op"] for one in log if one["type"] == "reaction"] == ["add", "remove"]
    assert square.did()[0] == "purge"
    again = square.as_("POST", "Ben", f"{ROOM}/purge", {"user": square.ids["Chie"], "minutes": 30})
    assert again.json == {"removed": 0}


def test_a_purge_leaves_what_was_said_before_its_time(square: Square) -> None:
    square.speak("Chie", "old")
    square.advance(600_000)
    square.speak("Chie", "new")
    assert square.as_("POST", "Ben", f"{ROOM}/purge", {"user": square.ids["Chie"], "minutes": 5}).json == {"removed": 1}
    assert b'"old"' in square.log()
    assert b'"new"' not in square.log()


def test_new_guests_wait_until_one_of_their_messages_is_released(square: Square) -> None:
    assert square.as_("PUT", "Ben", ROOM, {"hold": True}).json["hold"] is True
    top = len(json.loads(square.log())["events"])
    first = square.speak("Chie", "may I?", nonce="n1")
    assert (first.status, first.json["room"], "offset" in first.json) == (202, "lobby", False)
    assert square.speak("Chie", "may I?", nonce="n1").json == first.json
    assert square.say("anonymous").status == 202
    assert square.ask("POST", "/x", body={"m": 1}).got.status == 202
    assert len(json.loads(square.log())["events"]) == top
    assert square.as_("GET", "Dan", f"{ROOM}/held").json["code"] == "forbidden"
    held = square.as_("GET", "Ben", f"{ROOM}/held").json["held"]
    held.sort(key=lambda one: ["may I?", "anonymous", None].index(one["text"]))
    assert [one["data"] for one in held] == [None, None, {"m": 1}]
    live = square.ask("GET", f"{EVENTS}?wait=60")
    released = square.as_("POST", "Ben", f"{ROOM}/held/{first.json['held']}", {"do": "release"})
    assert (released.status, released.json["offset"]) == (200, top + 1)
    event = live.got.json["events"][0]
    assert (event["author"]["name"], event["text"], event["nonce"]) == ("Chie", "may I?", "n1")
    assert square.speak("Chie", "may I?", nonce="n1").json["offset"] == top + 1
    assert square.speak("Chie", "thanks").status == 201
    assert square.as_("POST", "Ben", f"{ROOM}/held/{first.json['held']}", {"do": "release"}).status == 404
    assert square.as_("POST", "Ben", f"{ROOM}/held/{held[1]['held']}", {"do": "refuse"}).status == 204
    assert square.as_("POST", "Ben", f"{ROOM}/held/{held[2]['held']}", {"do": "release"}).status == 200
    assert square.say("still anonymous").status == 202
    assert b'"anonymous"' not in square.log()
    assert square.speak("Aiko", "owners do not wait").status == 201


def test_nobody_fills_the_queue_and_a_purge_empties_it(square: Square) -> None:
    square.as_("PUT", "Ben", ROOM, {"hold": True})
    for number in range(WAITING_EACH):
        assert square.speak("Chie", str(number)).status == 202
    assert square.speak("Chie", "more").json["code"] == "rate_limited"
    assert square.speak("Dan", "x").status == 202
    assert square.speak("Dan", "x" * 65_400).json["code"] == "too_large"
    got = square.as_("POST", "Ben", f"{ROOM}/purge", {"user": square.ids["Chie"], "minutes": 5})
    assert got.json == {"removed": WAITING_EACH}
    assert len(square.as_("GET", "Ben", f"{ROOM}/held").json["held"]) == 1


def test_readers_report_and_moderators_see_to_it(square: Square) -> None:
    offset = square.speak("Chie", "rude").json["offset"]
    got = square.as_("POST", "Dan", f"{MESSAGES}/{offset}/report", {"reason": "rude"})
    assert (got.status, got.json["author"]["name"], got.json["by"]["name"]) == (201, "Chie", "Dan")
    square.as_("POST", "Dan", f"{MESSAGES}/{offset}/report", {"reason": "rude"})
    assert square.as_("POST", "Dan", f"{MESSAGES}/9999/report", {}).json["code"] == "not_found"
    assert square.ask("POST", f"{MESSAGES}/{offset}/report", body={}).got.json["code"] == "forbidden"
    assert square.as_("GET", "Dan", f"{ROOM}/reports").json["code"] == "forbidden"
    reports = square.as_("GET", "Ben", f"{ROOM}/reports").json["reports"]
    assert [(one["offset"], one["reason"]) for one in reports] == [(offset, "rude")]
    assert square.as_("DELETE", "Ben", f"{ROOM}/reports/{reports[0]['report']}").status == 204
    assert square.as_("DELETE", "Ben", f"{ROOM}/reports/{reports[0]['report']}").status == 404
    assert square.as_("GET", "Ben", f"{ROOM}/reports").json == {"reports": []}


def test_the_audit_log_has_every_deed_newest_first_in_pages(square: Square) -> None:
    offset = square.speak("Chie", "x").json["offset"]
    square.as_("DELETE", "Ben", f"{MESSAGES}/{offset}")
    for minutes in (1, 2, 3):
        square.advance(1_000)
        square.as_("PUT", "Ben", f"{ROOM}/mutes/{{Chie}}", {"minutes": minutes})
    page = square.as_("GET", "Ben", f"{ROOM}/audit?limit=2").json
    assert [one["did"] for one in page["entries"]] == ["mute", "mute"]
    assert page["more"] is True
    rest = square.as_("GET", "Ben", f"{ROOM}/audit?before={page['entries'][-1]['id']}").json
    assert [one["did"] for one in rest["entries"]] == ["mute", "delete", "add"]
    assert (rest["entries"][1]["offset"], rest["more"]) == (offset, False)
    assert square.as_("GET", "Dan", f"{ROOM}/audit").json["code"] == "forbidden"
    assert square.as_("GET", "Ben", f"{ROOM}/audit?before=a%20b").json["code"] == "bad_request"


def test_order_is_kept_on_a_websocket_as_over_http(square: Square) -> None:
    chie, dan = Talking(square, **square.fields["Chie"]), Talking(square, **square.fields["Dan"])
    for one in (chie, dan):
        one.say("subscribe", rooms={"lobby": "now"}, ref=1)
    square.as_("PUT", "Ben", f"{ROOM}/mutes/{{Chie}}", {})
    assert chie.say("publish", room="lobby", text="x", nonce="n1", ref=2)[0]["error"]["code"] == "forbidden"
    assert chie.say("typing", room="lobby", ref=3)[0]["error"]["code"] == "forbidden"
    square.as_("PUT", "Ben", ROOM, {"hold": True})
    (waits,) = dan.say("publish", room="lobby", text="may I?", nonce="n1", ref=2)
    assert (waits["ref"], list(waits["ok"])) == (2, ["held", "room"])
    square.as_("POST", "Ben", f"{ROOM}/held/{waits['ok']['held']}", {"do": "release"})
    assert [one["text"] for news in chie.news for one in news["events"]] == ["may I?"]
    square.as_("PUT", "Ben", f"{BANS}/{{Chie}}", {})
    assert chie.news[-1]["error"]["code"] == "forbidden"
    assert chie.code == 4403
    assert [one["op"] for news in dan.news for one in news["events"] if one["type"] == "member"] == ["ban"]
    again = Talking(square, **square.fields["Chie"])
    assert again.say("subscribe", rooms={"lobby": "now"}, ref=1)[0]["error"]["code"] == "forbidden"


@pytest.mark.parametrize(("method", "target", "body"), [
    ("GET", "bans", None), ("PUT", "bans/{Dan}", {}), ("DELETE", "bans/{Dan}", None), ("GET", "mutes", None),
    ("PUT", "mutes/{Dan}", {}), ("DELETE", "mutes/{Dan}", None), ("POST", "kick", {"user": "g_x"}),
    ("POST", "purge", {"user": "g_x", "minutes": 1}), ("GET", "held", None), ("POST", "held/x", {"do": "refuse"}),
    ("GET", "reports", None), ("DELETE", "reports/x", None), ("GET", "audit", None),
])  # fmt: skip
def test_only_moderators_do_any_of_it(square: Square, method: str, target: str, body: object) -> None:
    square.appoint("Chie", "member", room=ROOM)
    assert square.as_(method, "Chie", f"{ROOM}/{target}", body).json["code"] == "forbidden"
    assert square.ask(method, f"{ROOM}/{target.format(**square.ids)}", body=body).got.json["code"] == "forbidden"


def test_nobody_acts_on_whom_they_do_not_stand_above(square: Square) -> None:
    square.appoint("Chie", "moderator", room=ROOM)
    for name in ("Aiko", "Chie", "Ben"):
        for method, target, body in (
            ("PUT", f"bans/{{{name}}}", {}), ("PUT", f"mutes/{{{name}}}", {}),
            ("POST", "kick", {"user": square.ids[name]}),
        ):  # fmt: skip
            assert square.as_(method, "Ben", f"{ROOM}/{target}", body).json["code"] == "forbidden", (name, target)
    assert square.as_("PUT", "Ben", f"{BANS}/guest", {}).json["code"] == "bad_request"
    assert square.as_("PUT", "Ben", f"{BANS}/{{Dan}}", {"minutes": 0}).json["code"] == "bad_json"
