"""Roles and members: the whole site in memory, from both sides of every rule."""

from __future__ import annotations

from typing import Any

import pytest

from kodama.order.members import LINK_KEY, OWNER_LINK
from tests.integration.test_site import EVENTS, MESSAGES, Got, Kodama

TEA = "/v1/rooms/tea"


class Town(Kodama):
    """A server with Aiko's members-only room `tea`; people are called by name."""

    def __init__(self, **settings: object) -> None:
        self.later = 0  # ms by which the wall clock has been put on
        super().__init__(**settings)
        self.fields: dict[str, dict[str, str]] = {}
        self.ids: dict[str, str] = {}
        for name in ("Aiko", "Ben", "Chie", "Dan"):
            self.fields[name] = self.sign_in(name)
            self.ids[name] = self.as_("GET", name, "/v1/session").json["user"]["id"]
        assert self.as_("PUT", "Aiko", TEA, {"access": "members"}).status == 201

    def as_(self, method: str, name: str, target: str, body: object = None) -> Got:
        """Ask as somebody; {Ben} in the target stands for the id of Ben."""
        return self.ask(method, target.format(**self.ids), body=body, **self.fields[name]).got

    def now(self) -> int:
        return super().now() + self.later

    def advance(self, ms: int) -> None:
        self.later += ms

    def appoint(self, name: str, role: str, *, room: str = TEA, by: str = "Aiko") -> Got:
        return self.as_("PUT", by, f"{room}/members/{{{name}}}", {"role": role, "name": name})

    def roles(self, room: str = TEA) -> dict[str, str]:
        members = self.as_("GET", "Aiko", f"{room}/members").json["members"]
        return {one["user"]["name"]: one["role"] for one in members}

    def own(self, name: str) -> Got:
        codes: list[Any] = []
        self.service.owner_code().addCallback(codes.append)
        return self.as_("POST", name, "/v1/owner", {"code": codes[0]})


@pytest.fixture
def town() -> Town:
    return Town()


def test_a_creator_owns_a_room_and_lets_people_in(town: Town) -> None:
    assert town.roles() == {"Aiko": "owner"}
    assert town.as_("GET", "Ben", f"{TEA}/messages").json["code"] == "forbidden"
    assert town.appoint("Ben", "member").json["role"] == "member"
    assert town.as_("POST", "Ben", f"{TEA}/messages", {"text": "thanks"}).status == 201
    assert town.roles() == {"Aiko": "owner", "Ben": "member"}
    assert town.as_("GET", "Ben", TEA).json["role"] == "member"
    events = town.as_("GET", "Ben", f"{TEA}/events?since=all").json["events"]
    assert [(one["type"], one.get("op"), one.get("role")) for one in events] == [
        ("member", "add", "member"), ("message", None, None)
    ]  # fmt: skip


def test_who_publishes_first_is_known_by_name(town: Town) -> None:
    town.as_("POST", "Ben", "/v1/rooms/garden/messages", {"text": "x"})
    assert town.roles("/v1/rooms/garden") == {"Ben": "owner"}
    assert town.as_("PUT", "Aiko", "/v1/rooms/garden", {"title": "x"}).json["code"] == "forbidden"
    assert town.roles("/v1/rooms/lobby") == {}


@pytest.mark.parametrize(("by", "name", "role", "status"), [
    ("Aiko", "Dan", "owner", 200), ("Aiko", "Dan", "moderator", 200), ("Aiko", "Ben", "member", 200),
    ("Ben", "Dan", "member", 200), ("Ben", "Dan", "moderator", 403), ("Ben", "Chie", "moderator", 403),
    ("Ben", "Aiko", "member", 403), ("Chie", "Dan", "member", 403), ("Chie", "Chie", "owner", 403),
    ("Ben", "Ben", "owner", 403), ("Dan", "Dan", "member", 403),
])  # fmt: skip
def test_who_gives_which_role(town: Town, by: str, name: str, role: str, status: int) -> None:
    town.appoint("Ben", "moderator")
    town.appoint("Chie", "member")
    assert town.appoint(name, role, by=by).status == status
    assert (town.roles().get(name) == role) is (status == 200)


@pytest.mark.parametrize(("by", "name", "status"), [
    ("Ben", "Chie", 204), ("Chie", "Chie", 204), ("Ben", "Ben", 204), ("Ben", "Aiko", 403),
    ("Chie", "Ben", 403), ("Aiko", "Ben", 204), ("Aiko", "Dan", 404), ("Aiko", "Aiko", 409), ("Dan", "Dan", 403),
])  # fmt: skip
def test_who_takes_whom_out(town: Town, by: str, name: str, status: int) -> None:
    town.appoint("Ben", "moderator")
    town.appoint("Chie", "member")
    assert town.as_("DELETE", by, f"{TEA}/members/{{{name}}}").status == status
    assert (name in town.roles()) is (status != 204 and name != "Dan")


def test_a_room_may_change_hands(town: Town) -> None:
    assert town.appoint("Aiko", "member").json["code"] == "conflict"
    town.appoint("Ben", "owner")
    assert town.appoint("Aiko", "moderator", by="Ben").status == 403  # nobody acts on an equal
    assert town.as_("DELETE", "Aiko", f"{TEA}/members/{{Aiko}}").status == 204
    assert town.as_("GET", "Aiko", TEA).json["code"] == "forbidden"
    assert town.as_("PUT", "Ben", TEA, {"title": "Ben's"}).status == 200


def test_anybody_joins_and_leaves_a_public_room(town: Town) -> None:
    town.say("hello")
    assert town.as_("PUT", "Ben", "/v1/rooms/lobby/members/{Ben}", {}).json["role"] == "member"
    assert town.as_("PUT", "Ben", "/v1/rooms/lobby/members/{Chie}", {}).status == 403
    assert town.as_("DELETE", "Ben", "/v1/rooms/lobby/members/{Ben}").status == 204
    ops = [one["op"] for one in town.get(f"{EVENTS}?since=all").json["events"] if one["type"] == "member"]
    assert ops == ["add", "remove"]


def test_a_role_given_twice_is_one_event(town: Town) -> None:
    first, again = town.appoint("Ben", "member"), town.appoint("Ben", "member")
    assert first.json == again.json
    assert len(town.as_("GET", "Ben", f"{TEA}/events?since=all").json["events"]) == 1


def test_who_is_taken_out_is_cut_off_at_once_however_they_read(town: Town) -> None:
    town.appoint("Ben", "member")
    poll = town.ask("GET", f"{TEA}/events?wait=60", **town.fields["Ben"])
    two = town.ask("GET", "/v1/events?room=tea&room=lobby&wait=60", **town.fields["Ben"])
    stream = town.ask("GET", f"{TEA}/events", Accept="application/x-ndjson", **town.fields["Ben"])
    stays = town.ask("GET", f"{TEA}/events?wait=60", **town.fields["Aiko"])
    before = len(stream.transport.value())
    town.as_("DELETE", "Aiko", f"{TEA}/members/{{Ben}}")
    assert poll.got.json["code"] == two.got.json["code"] == "forbidden"
    assert b'"problem"' in stream.transport.value()[before:]
    assert b'"op":"remove"' not in stream.transport.value()[before:]
    assert stays.got.json["events"][0]["op"] == "remove"


def test_a_member_of_a_secret_room_reads_what_strangers_are_told_is_not_there(town: Town) -> None:
    town.as_("PUT", "Aiko", "/v1/rooms/den", {"access": "secret"})
    assert town.as_("GET", "Ben", "/v1/rooms/den").json["code"] == "not_found"
    assert town.as_("GET", "Ben", "/v1/rooms/den/members").json["code"] == "not_found"
    town.as_("PUT", "Aiko", "/v1/rooms/den/members/{Ben}", {})
    assert town.as_("GET", "Ben", "/v1/rooms/den").status == 200
    assert "den" in [one["room"] for one in town.as_("GET", "Ben", "/v1/rooms").json["rooms"]]
    assert "den" not in [one["room"] for one in town.as_("GET", "Chie", "/v1/rooms").json["rooms"]]
    ticket = town.as_("POST", "Ben", "/v1/tickets", {"rooms": ["den"]}).json["ticket"]
    assert town.get(f"/v1/rooms/den/events?since=all&ticket={ticket}").status == 200


def test_the_printed_link_makes_one_person_the_servers_owner(town: Town) -> None:
    assert town.as_("POST", "Chie", "/v1/owner", {"code": "guessed"}).json["code"] == "not_found"
    codes: list[Any] = []
    town.service.owner_code().addCallback(codes.append)
    assert town.ask("POST", "/v1/owner", body={"code": codes[0]}).got.json["code"] == "forbidden"
    assert town.as_("POST", "Chie", "/v1/owner", {"code": codes[0]}).json["user"]["name"] == "Chie"
    assert town.as_("POST", "Dan", "/v1/owner", {"code": codes[0]}).json["code"] == "not_found"
    town.service.owner_code().addCallback(codes.append)
    assert codes[1] is None
    assert town.as_("GET", "Chie", TEA).json["role"] == "owner"
    assert town.as_("GET", "Chie", "/v1/session").json["server_owner"] is True
    assert "server_owner" not in town.as_("GET", "Dan", "/v1/session").json
    assert town.as_("PUT", "Chie", "/v1/rooms/lobby", {"title": "Hall"}).status == 201
    assert town.appoint("Aiko", "member", by="Chie").status == 200
    assert codes[0] not in repr(vars(town.service._node.store._shelf))  # only its digest is kept
    assert town.service._node.store._shelf.get(OWNER_LINK, LINK_KEY).body == b'{"digest":""}'


def test_a_moderator_deletes_what_others_said_and_a_member_does_not(town: Town) -> None:
    town.appoint("Ben", "moderator")
    town.appoint("Chie", "member")
    offset = town.as_("POST", "Aiko", f"{TEA}/messages", {"text": "secret"}).json["offset"]
    assert town.as_("DELETE", "Chie", f"{TEA}/messages/{offset}").json["code"] == "forbidden"
    assert town.as_("DELETE", "Ben", f"{TEA}/messages/{offset}").status == 200
    assert b"secret" not in town.as_("GET", "Aiko", f"{TEA}/events?since=all").body


def test_moderators_lock_and_slow_a_room_and_owners_do_the_rest(town: Town) -> None:
    town.appoint("Ben", "moderator")
    town.appoint("Chie", "member")
    assert town.as_("PUT", "Chie", TEA, {"locked": True}).status == 403
    assert town.as_("PUT", "Ben", TEA, {"title": "x", "locked": True}).status == 403
    assert town.as_("PUT", "Ben", TEA, {"locked": True}).json["locked"] is True
    assert town.as_("POST", "Chie", f"{TEA}/messages", {"text": "x"}).json["code"] == "forbidden"
    assert town.as_("POST", "Ben", f"{TEA}/messages", {"text": "x"}).status == 201
    town.as_("PUT", "Ben", TEA, {"locked": False, "slow": 30})
    assert town.as_("POST", "Chie", f"{TEA}/messages", {"text": "x"}).status == 201
    slow = town.as_("POST", "Chie", f"{TEA}/messages", {"text": "y"})
    assert (slow.status, slow.json["code"]) == (429, "rate_limited")
    assert 1 <= int(slow.fields["retry-after"]) <= 31
    assert town.as_("PUT", "Aiko", TEA, {"slow": 3601}).json["code"] == "bad_request"
    assert town.as_("PUT", "Aiko", TEA, {"title": "T"}).json["slow"] == 30


def test_what_is_no_person_or_role_is_refused(town: Town) -> None:
    assert town.as_("PUT", "Aiko", f"{TEA}/members/a%20b", {}).json["code"] == "bad_request"
    assert town.as_("PUT", "Aiko", f"{TEA}/members/{{Ben}}", {"role": "king"}).json["code"] == "bad_json"
    assert town.as_("PUT", "Aiko", "/v1/rooms/nowhere/members/{Ben}", {}).json["code"] == "not_found"
    assert town.ask("PUT", f"{TEA}/members/x", body={}).got.status == 403
    assert town.get(f"{TEA}/members").json["code"] == "forbidden"
    assert town.get(MESSAGES).status == 200
