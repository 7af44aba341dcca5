"""Coming in, talking to one person, and keeping one's place: the whole site in memory."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kodama.order.directs import direct_name
from tests.integration.test_members import TEA, Town
from tests.integration.test_site import MESSAGES, ROOM, Got


class House(Town):
    """A server with Aiko's members-only room `tea`."""

    def invite(self, name: str = "Aiko", **what: Any) -> Got:
        return self.as_("POST", name, f"{TEA}/invites", what)

    def accept(self, name: str, code: str) -> Got:
        return self.as_("POST", name, f"/v1/invites/{code}")

    def unread(self, name: str) -> dict[str, tuple[int | None, int]]:
        rooms = self.as_("GET", name, "/v1/unread").json["rooms"]
        return {one["room"]: (one["offset"], one["unread"]) for one in rooms}

    def direct(self, name: str, other: str) -> Got:
        return self.as_("POST", name, "/v1/direct", {"user": self.ids[other], "name": other})


@pytest.fixture
def house() -> House:
    return House()


def test_an_invitation_lets_so_many_people_in(house: House) -> None:
    made = house.invite(uses=2)
    assert (made.status, made.json["uses"], made.json["role"]) == (201, 2, "member")
    code = made.json["code"]
    assert made.json["url"] == f"/r/tea#invite={code}"
    assert house.get(f"/v1/invites/{code}").json["room"] == "tea"
    assert house.accept("Ben", code).json == {"room": "tea", "role": "member"}
    assert house.accept("Ben", code).json == {"room": "tea", "role": "member"}  # uses nothing up
    assert house.as_("POST", "Ben", f"{TEA}/messages", {"text": "hi"}).status == 201
    assert house.accept("Aiko", code).json["role"] == "owner"
    assert house.accept("Chie", code).status == 200
    assert house.accept("Dan", code).json["code"] == "not_found"
    assert house.get(f"/v1/invites/{code}").json["code"] == "not_found"
    assert house.roles() == {"Aiko": "owner", "Ben": "member", "Chie": "member"}
    events = house.as_("GET", "Ben", f"{TEA}/events?since=all").json["events"]
    assert [one["user"]["name"] for one in events if one["type"] == "member"] == ["Ben", "Chie"]


def test_an_invitation_ends_with_its_time_its_revocation_and_its_makers_role(house: House) -> None:
    house.appoint("Ben", "moderator")
    short, revoked, bens = house.invite(expires=60), house.invite(), house.invite("Ben")
    assert house.as_("DELETE", "Ben", f"{TEA}/invites/{revoked.json['code']}").status == 204
    assert len(house.as_("GET", "Ben", f"{TEA}/invites").json["invites"]) == 2
    house.advance(61_000)
    assert [one["by"]["name"] for one in house.as_("GET", "Aiko", f"{TEA}/invites").json["invites"]] == ["Ben"]
    house.appoint("Ben", "member")
    for one in (short, revoked, bens):
        assert house.accept("Chie", one.json["code"]).json["code"] == "not_found"
    assert house.accept("Chie", "guessed").json["code"] == "not_found"


def test_who_was_banned_lets_nobody_in(house: House) -> None:
    house.appoint("Ben", "moderator")
    code = house.invite("Ben").json["code"]
    assert house.as_("PUT", "Aiko", f"{TEA}/bans/{{Ben}}", {}).status == 200
    assert house.accept("Chie", code).json["code"] == "not_found"


def test_only_moderators_invite_and_only_owners_make_moderators(house: House) -> None:
    house.appoint("Ben", "moderator")
    house.appoint("Chie", "member")
    assert house.invite("Chie").json["code"] == "forbidden"
    assert house.invite("Ben", role="moderator").json["code"] == "forbidden"
    code = house.invite("Aiko", role="moderator").json["code"]
    assert house.accept("Chie", code).json["role"] == "moderator"
    assert house.as_("GET", "Dan", f"{TEA}/invites").json["code"] == "forbidden"
    assert house.as_("DELETE", "Ben", f"/v1/rooms/lobby/invites/{code}").status == 403
    assert house.ask("POST", f"/v1/invites/{code}").got.json["code"] == "forbidden"
    for wrong in ({"uses": 0}, {"expires": 0}, {"role": "owner"}, {"expires": 10**9}):
        assert house.invite(**wrong).json["code"] == "bad_json"


def test_who_is_banned_does_not_come_in_by_an_invitation(house: House) -> None:
    code = house.invite().json["code"]
    house.as_("PUT", "Aiko", f"{TEA}/bans/{{Ben}}", {})
    assert house.accept("Ben", code).json["code"] == "forbidden"


def test_two_people_have_one_room_that_nobody_else_enters(house: House) -> None:
    house.own("Dan")
    made = house.direct("Aiko", "Ben")
    room = made.json["room"]
    assert (made.status, made.json["user"]["name"], room) == (201, "Ben", direct_name(house.ids["Ben"], house.ids["Aiko"]))
    again = house.direct("Ben", "Aiko")
    assert (again.status, again.json["room"], again.json["user"]["name"]) == (200, room, "Aiko")
    target = f"/v1/rooms/{room}"
    assert house.as_("POST", "Aiko", f"{target}/messages", {"text": "psst"}).status == 201
    assert house.as_("GET", "Ben", f"{target}/events?since=all").json["events"][0]["text"] == "psst"
    for name in ("Chie", "Dan"):
        for where in ("messages", "events?wait=0", "members", "read"):
            assert house.as_("GET", name, f"{target}/{where}").json["code"] == "not_found"
        assert house.as_("POST", name, f"{target}/messages", {"text": "x"}).json["code"] == "not_found"
        assert room not in [one["room"] for one in house.as_("GET", name, "/v1/rooms").json["rooms"]]
    row = next(one for one in house.as_("GET", "Ben", "/v1/rooms").json["rooms"] if one["room"] == room)
    assert (row["direct"]["name"], row["unread"], row["read"], row["role"]) == ("Aiko", 1, None, "member")
    assert len(house.as_("GET", "Ben", f"{target}/members").json["members"]) == 2
    assert house.as_("PUT", "Aiko", f"{target}/members/{{Chie}}", {}).json["code"] == "forbidden"
    assert house.as_("PUT", "Aiko", target, {"access": "public"}).json["code"] == "forbidden"
    assert house.as_("POST", "Aiko", f"{target}/kick", {"user": house.ids["Ben"]}).json["code"] == "forbidden"


def test_nobody_takes_the_room_of_two_before_they_meet(house: House) -> None:
    room = direct_name(house.ids["Aiko"], house.ids["Ben"])
    held = house.ask("GET", f"/v1/rooms/{room}/events?wait=60", **house.fields["Chie"])
    assert house.as_("POST", "Chie", f"/v1/rooms/{room}/messages", {"text": "x"}).json["code"] == "not_found"
    assert house.as_("PUT", "Chie", f"/v1/rooms/{room}", {}).json["code"] == "not_found"
    assert house.direct("Aiko", "Ben").status == 201
    assert held.got.json["code"] == "not_found"


def test_who_cannot_be_talked_to_is_said_so(house: House) -> None:
    assert house.direct("Aiko", "Aiko").json["code"] == "bad_request"
    assert house.as_("POST", "Aiko", "/v1/direct", {"user": "guest"}).json["code"] == "bad_request"
    assert house.as_("POST", "Aiko", "/v1/direct", {"user": "a b"}).json["code"] == "bad_request"
    assert house.ask("POST", "/v1/direct", body={"user": "g_1"}).got.json["code"] == "forbidden"


def test_a_mark_moves_on_and_never_back(house: House) -> None:
    for number in range(5):
        house.say(str(number))
    assert house.as_("GET", "Ben", f"{ROOM}/read").json == {"room": "lobby", "offset": None, "unread": 5}
    assert house.as_("PUT", "Ben", f"{ROOM}/read", {"offset": 3}).json == {"room": "lobby", "offset": 3, "unread": 2}
    assert house.as_("PUT", "Ben", f"{ROOM}/read", {"offset": 1}).json["offset"] == 3
    assert house.as_("PUT", "Ben", f"{ROOM}/read", {"offset": 999}).json == {"room": "lobby", "offset": 5, "unread": 0}
    house.say("new")
    house.as_("PUT", "Chie", f"{MESSAGES}/1/reactions/x", None)
    assert house.as_("GET", "Ben", f"{ROOM}/read").json["unread"] == 1
    assert house.as_("GET", "Chie", f"{ROOM}/read").json["offset"] is None
    assert house.ask("PUT", f"{ROOM}/read", body={"offset": 1}).got.json["code"] == "forbidden"
    assert house.as_("PUT", "Ben", "/v1/rooms/nowhere/read", {"offset": 1}).json["code"] == "not_found"
    assert house.as_("PUT", "Ben", f"{TEA}/read", {"offset": 1}).json["code"] == "forbidden"
    assert house.as_("PUT", "Ben", f"{ROOM}/read", {"offset": -1}).json["code"] == "bad_json"


def test_what_is_new_is_told_of_ones_own_rooms_only(house: House) -> None:
    house.say("hello")
    assert house.unread("Ben") == {}
    house.appoint("Ben", "member")
    house.as_("POST", "Aiko", f"{TEA}/messages", {"text": "x"})
    house.as_("PUT", "Ben", f"{ROOM}/read", {"offset": 0})
    room = house.direct("Aiko", "Ben").json["room"]
    house.as_("POST", "Aiko", f"/v1/rooms/{room}/messages", {"text": "psst"})
    assert house.unread("Ben") == {room: (None, 1), "lobby": (0, 1), "tea": (None, 1)}
    house.as_("DELETE", "Ben", f"{TEA}/members/{{Ben}}")
    assert set(house.unread("Ben")) == {room, "lobby"}
    assert house.get("/v1/unread").json["code"] == "forbidden"
    rows = {one["room"]: one for one in house.as_("GET", "Ben", "/v1/rooms").json["rooms"]}
    assert (rows["lobby"]["read"], rows["lobby"]["unread"], rows["lobby"]["role"]) == (0, 1, "guest")
    assert "unread" not in rows["tea"]
    assert "role" not in house.get("/v1/rooms").json["rooms"][0]


def test_what_is_said_among_members_is_found_by_them_alone(house: House) -> None:
    house.appoint("Ben", "member")
    room = house.direct("Aiko", "Ben").json["room"]
    for where, text in (("tea", "umbrella in the tea room"), (room, "umbrella between us"), ("lobby", "umbrella")):
        house.as_("POST", "Aiko", f"/v1/rooms/{where}/messages", {"text": text})

    def found(name: str) -> set[str]:
        return {one["room"] for one in house.as_("GET", name, "/v1/search?q=umbrella").json["messages"]}

    assert found("Ben") == {"tea", room, "lobby"}
    assert found("Chie") == {"lobby"}
    house.as_("PUT", "Aiko", f"{TEA}/bans/{{Ben}}", {})
    assert found("Ben") == {room, "lobby"}
    assert house.as_("GET", "Ben", "/v1/search?q=umbrella&room=tea").json["code"] == "forbidden"
    house.as_("POST", "Aiko", f"{TEA}/purge", {"user": house.ids["Aiko"], "minutes": 5})
    assert found("Aiko") == {room, "lobby"}


def test_a_room_that_is_forgotten_is_ones_own_no_longer(house: House) -> None:
    house.say("hi")
    house.as_("PUT", "Ben", f"{ROOM}/read", {"offset": 1})
    assert house.unread("Ben") == {"lobby": (1, 0)}
    for _ in range(2):
        assert house.as_("DELETE", "Ben", f"{ROOM}/read").status == 204
    assert house.unread("Ben") == {}
    assert house.ask("DELETE", f"{ROOM}/read").got.json["code"] == "forbidden"


@settings(max_examples=15, deadline=None)
@given(moves=st.lists(st.tuples(st.sampled_from(["say", "Ben", "Chie"]), st.integers(0, 12)), max_size=20))
def test_whatever_is_marked_in_whatever_order_no_mark_goes_back_and_none_is_another_persons(moves: list[tuple[str, int]]) -> None:
    house = House()
    top = 0
    marks: dict[str, int] = {}
    for name, offset in moves:
        if name == "say":
            top = int(house.say("x").json["offset"])
        elif top:
            marks[name] = max(marks.get(name, -1), min(offset, top))
            got = house.as_("PUT", name, f"{ROOM}/read", {"offset": offset}).json
            assert (got["offset"], got["unread"]) == (marks[name], top - marks[name])
    for name, mark in marks.items():
        assert house.unread(name)["lobby"] == (mark, top - mark)
