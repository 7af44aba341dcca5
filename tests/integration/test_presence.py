"""Presence and typing through the whole site, on a clock that tests turn."""

from __future__ import annotations

from typing import Any

import pytest

from kodama.people import People
from tests.integration.test_site import EVENTS, ROOM, Asking, Kodama

HERE = f"{ROOM}/presence"
TYPING = f"{ROOM}/typing"


@pytest.fixture
def server() -> Kodama:
    return Kodama()


def listen(server: Kodama, who: dict[str, str] | None = None, *, since: str = "now", **more: str) -> Asking:
    query = "&".join([f"since={since}", "presence=1", *(f"{name}={value}" for name, value in more.items())])
    return server.ask("GET", f"{EVENTS}?{query}", **(who or {}))


def heard(asking: Asking) -> list[dict[str, Any]]:
    return list(asking.got.json["events"])


def names(server: Kodama) -> list[str]:
    return [person["name"] for person in server.get(HERE).json["here"]]


class Reader:
    """A client as the specification describes it: it polls on, and keeps the list from what it hears."""

    def __init__(self, server: Kodama, who: dict[str, str], **more: str) -> None:
        self.server = server
        self.who = who
        self.more = more
        self.cursor = "now"
        self.events: list[dict[str, Any]] = []
        self.poll = listen(server, who, **more)

    def go_on(self) -> None:
        while not self.poll.open:
            answer = self.poll.got.json
            self.cursor = answer["cursor"]
            self.events += answer["events"]
            self.poll = listen(self.server, self.who, since=self.cursor, **self.more)

    def live(self, seconds: int) -> None:
        for _ in range(seconds):
            self.server.pass_seconds(1)
            self.go_on()

    def said(self, field: str) -> list[str]:
        return [person["name"] for event in self.events for person in event.get(field, ())]


def test_somebody_who_polls_is_here_and_the_others_hear_of_it_once(server: Kodama) -> None:
    aiko = Reader(server, server.sign_in("Aiko"))
    aiko.live(2)
    assert names(server) == ["Aiko"]
    aiko.events.clear()
    ben = listen(server, server.sign_in("Ben"), wait="25")
    aiko.live(3)
    (event,) = aiko.events
    assert [person["name"] for person in event["joined"]] == ["Ben"]
    assert (event["type"], event["room"], event["count"], event["left"]) == ("presence", "lobby", 2, [])
    listed = server.get(HERE).json
    assert [person["name"] for person in listed["here"]] == ["Aiko", "Ben"]
    assert (listed["count"], listed["version"]) == (2, event["version"])
    assert set(listed["here"][0]) == {"id", "name", "kind"}
    assert not ben.open, "Ben hears that he came, too"


def test_nobody_flickers_through_an_hour_of_quiet_polls(server: Kodama) -> None:
    aiko, ben = Reader(server, server.sign_in("Aiko")), Reader(server, server.sign_in("Ben"))
    for _ in range(600):
        server.pass_seconds(6)
        aiko.go_on()
        ben.go_on()
        assert names(server) == ["Aiko", "Ben"]
    assert aiko.said("left") == []
    assert len(aiko.events) == 2, "that both came, and the one jump that ends the time after the start"


def test_who_stays_away_leaves_when_the_lease_is_over_and_not_before(server: Kodama) -> None:
    aiko = Reader(server, server.sign_in("Aiko"))
    ben = listen(server, server.sign_in("Ben"), wait="5")
    ben.transport.loseConnection()
    aiko.live(44)
    assert "Ben" in names(server)
    assert aiko.said("left") == []
    aiko.live(4)
    assert names(server) == ["Aiko"]
    assert aiko.said("left") == ["Ben"]


def test_a_longer_hold_is_a_longer_lease(server: Kodama) -> None:
    listen(server, server.sign_in("Aiko"), wait="120")
    server.pass_seconds(138)
    assert names(server) == ["Aiko"]
    server.pass_seconds(4)
    assert names(server) == []


def test_two_tabs_of_one_person_are_one_until_the_last_has_gone(server: Kodama) -> None:
    aiko, ben = server.sign_in("Aiko"), server.sign_in("Ben")
    watching = Reader(server, ben)
    listen(server, aiko, client="first-tab")
    listen(server, aiko, client="other-tab")
    watching.live(3)
    assert server.get(HERE).json["count"] == 2
    watching.events.clear()
    assert server.ask("DELETE", f"{HERE}?client=first-tab", **aiko).got.status == 204
    watching.live(3)
    assert (names(server), watching.events) == (["Ben", "Aiko"], [])
    server.ask("DELETE", f"{HERE}?client=other-tab", **aiko)
    watching.live(3)
    assert watching.said("left") == ["Aiko"]


def test_leaving_without_a_client_is_leaving_with_all_of_them_at_once(server: Kodama) -> None:
    aiko = server.sign_in("Aiko")
    listen(server, aiko, client="first-tab")
    listen(server, aiko, client="other-tab")
    listen(server, aiko)
    server.ask("DELETE", HERE, **aiko)
    assert server.get(HERE).json["here"] == []


def test_a_page_that_is_loaded_again_is_no_event_at_all(server: Kodama) -> None:
    aiko, ben = server.sign_in("Aiko"), server.sign_in("Ben")
    watching = Reader(server, ben)
    listen(server, aiko, client="old-page")
    watching.live(3)
    watching.events.clear()
    server.ask("DELETE", f"{HERE}?client=old-page", **aiko)
    server.reactor.pump([0.1] * 5)
    listen(server, aiko, client="new-page")
    watching.live(10)
    assert watching.events == []


def test_guests_without_a_session_are_counted_and_never_named(server: Kodama) -> None:
    watching = Reader(server, server.sign_in("Aiko"))
    for number in range(30):
        listen(server, client=f"guest-{number:04}")
    listen(server)
    listen(server)
    watching.live(3)
    listed = server.get(HERE).json
    assert (listed["count"], listed["guests"], len(listed["here"])) == (32, 31, 1)
    assert watching.said("joined") == ["Aiko"]
    assert watching.events[-1]["count"] == 32
    server.ask("DELETE", f"{HERE}?client=guest-0000")
    assert server.get(HERE).json["count"] == 31


def test_a_reader_that_was_between_two_polls_hears_of_it_at_once(server: Kodama) -> None:
    aiko = server.sign_in("Aiko")
    poll = listen(server, aiko, wait="1")
    server.pass_seconds(3)
    cursor = poll.got.json["cursor"]
    first = listen(server, aiko, since=cursor, wait="1")
    server.pass_seconds(2)
    version = server.get(HERE).json["version"]
    ben = server.sign_in("Ben")
    listen(server, ben)
    server.pass_seconds(2)
    late = listen(server, aiko, since=first.got.json["cursor"])
    (event,) = heard(late)
    assert [person["name"] for person in event["joined"]] == ["Ben"]
    assert event["version"] == version + 1
    server.ask("DELETE", HERE, **ben)
    server.pass_seconds(2)
    listen(server, server.sign_in("Cleo"))
    server.pass_seconds(2)
    (event,) = heard(listen(server, aiko, since=late.got.json["cursor"]))
    assert event["version"] == version + 3, "a jump: the list is to be fetched"
    assert late.got.json["cursor"] == cursor


def test_news_that_wait_are_not_passed_over_for_presence(server: Kodama) -> None:
    aiko = server.sign_in("Aiko")
    cursor = listen(server, aiko, wait="0").got.json["cursor"]
    server.pass_seconds(50)
    listen(server, server.sign_in("Ben"))
    server.pass_seconds(2)
    server.say("hello")
    answer = listen(server, aiko, since=cursor).got.json
    assert (answer["events"][0]["type"], answer["more"], answer["cursor"]) == ("presence", True, cursor)
    answer = listen(server, aiko, since=answer["cursor"]).got.json
    assert [event["text"] for event in answer["events"]] == ["hello"]


def test_who_did_not_ask_hears_nothing_of_it_and_is_not_here(server: Kodama) -> None:
    plain = server.ask("GET", f"{EVENTS}?wait=25", **server.sign_in("Aiko"))
    listen(server, server.sign_in("Ben"))
    server.pass_seconds(3)
    server.ask("PUT", TYPING, **server.sign_in("Cleo"))
    assert plain.open
    assert names(server) == ["Ben"]


def test_typing_is_heard_at_once_and_not_again_before_it_has_nearly_lapsed(server: Kodama) -> None:
    aiko, ben = Reader(server, server.sign_in("Aiko")), server.sign_in("Ben")
    aiko.live(3)
    aiko.events.clear()
    assert server.ask("PUT", TYPING, **ben).got.status == 204
    aiko.go_on()
    (event,) = aiko.events
    assert (event["type"], event["room"], event["author"]["name"]) == ("typing", "lobby", "Ben")
    assert event["until"].endswith("Z")
    server.ask("PUT", TYPING, **ben)
    aiko.live(2)
    assert len(aiko.events) == 1
    server.pass_seconds(1)
    server.ask("PUT", TYPING, **ben)
    aiko.live(1)
    assert len(aiko.events) == 2


def test_who_is_away_is_idle_once_every_reader_of_theirs_is(server: Kodama) -> None:
    aiko = server.sign_in("Aiko")
    watching = Reader(server, server.sign_in("Ben"))
    listen(server, aiko, client="first-tab")
    listen(server, aiko, client="other-tab")
    watching.live(3)
    watching.events.clear()
    assert server.ask("PUT", f"{HERE}?client=first-tab", body={"state": "idle"}, **aiko).got.status == 204
    watching.live(2)
    assert watching.events == []
    server.ask("PUT", f"{HERE}?client=other-tab", body={"state": "idle"}, **aiko)
    watching.live(2)
    assert [person.get("state") for person in watching.events[0]["changed"]] == ["idle"]
    assert [person.get("state") for person in server.get(HERE).json["here"]] == [None, "idle"]
    server.ask("PUT", HERE, body={"state": "active"}, **aiko)
    assert [person.get("state") for person in server.get(HERE).json["here"]] == [None, None]
    for wrong in ({"state": "asleep"}, {}, [1]):
        assert server.ask("PUT", HERE, body=wrong, **aiko).got.json["code"] == "bad_json"


def test_saying_that_one_is_here_is_being_here_without_a_poll(server: Kodama) -> None:
    aiko = server.sign_in("Aiko")
    server.ask("PUT", HERE, body={"state": "active"}, **aiko)
    assert names(server) == ["Aiko"]
    server.pass_seconds(47)
    assert names(server) == []


def test_presence_is_for_those_who_may_read_the_room(server: Kodama) -> None:
    aiko, ben = server.sign_in("Aiko"), server.sign_in("Ben")
    tea = "/v1/rooms/tea"
    held = server.ask("GET", f"{tea}/events?presence=1", **ben)
    assert server.get(f"{tea}/presence").json["count"] == 1
    server.ask("PUT", tea, body={"access": "members"}, **aiko)
    assert held.got.status == 403
    assert server.get(f"{tea}/presence", **aiko).json["here"] == [], "who may not read is not here"
    for method, path, body in (
        ("GET", "presence", None), ("PUT", "presence", {"state": "active"}), ("DELETE", "presence", None),
        ("PUT", "typing", None),
    ):  # fmt: skip
        assert server.ask(method, f"{tea}/{path}", body=body, **ben).got.status == 403
        assert server.ask(method, f"{tea}/{path}", body=body).got.status == 403


def test_a_list_has_as_many_names_as_were_asked_for(server: Kodama) -> None:
    for number in range(5):
        listen(server, server.sign_in(f"P{number}"))
    listed = server.get(f"{HERE}?limit=2").json
    assert ([person["name"] for person in listed["here"]], listed["count"]) == (["P0", "P1"], 5)
    assert server.get(f"{HERE}?limit=0").json["code"] == "bad_request"


def test_a_crowd_that_comes_at_once_is_one_event_without_names(server: Kodama) -> None:
    aiko = Reader(server, server.sign_in("Aiko"))
    aiko.live(3)
    aiko.events.clear()
    before = server.get(HERE).json["version"]
    for number in range(60):
        listen(server, server.sign_in(f"P{number}"), wait="100")
    aiko.live(3)
    (event,) = aiko.events
    assert (event["joined"], event["count"]) == ([], 61)
    assert event["version"] > before + 1


def test_all_who_wait_at_one_place_hear_the_same_bytes(server: Kodama) -> None:
    polls = [listen(server, server.sign_in(f"P{number}")) for number in range(3)]
    server.pass_seconds(2)
    assert len({poll.transport.value() for poll in polls}) == 1


def test_jsonp_hears_of_it_as_a_call(server: Kodama) -> None:
    poll = server.ask("GET", f"{EVENTS}?presence=1&callback=fn")
    server.pass_seconds(2)
    assert poll.got.body.startswith(b'/**/fn({"cursor":')
    assert b'"type":"presence"' in poll.got.body


def test_many_rooms_are_present_in_each(server: Kodama) -> None:
    poll = server.ask("GET", "/v1/events?room=a&room=b&presence=1", **server.sign_in("Aiko"))
    server.pass_seconds(2)
    assert [event["room"] for event in heard(poll)] == ["a"], "b is told of by the next poll"
    again = server.ask(
        "GET", f"/v1/events?room=a&room=b&presence=1&since={poll.got.json['cursor']}", **server.sign_in("Aiko")
    )
    assert server.get("/v1/rooms/b/presence").json["count"] >= 1
    again.transport.loseConnection()


def test_nothing_ticks_while_nobody_is_present(server: Kodama) -> None:
    def ticks() -> int:
        return sum(isinstance(getattr(call.func, "__self__", None), People) for call in server.reactor.calls)

    assert ticks() == 0
    listen(server, server.sign_in("Aiko"), wait="1").transport.loseConnection()
    assert ticks() == 1
    server.pass_seconds(60)
    assert ticks() == 0
