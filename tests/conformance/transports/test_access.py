"""Who may read, and what ends a reading, over every way in."""

from __future__ import annotations

from typing import Any

import jwt
import pytest

from tests.conformance.transports.adapters import Door, WebSocket
from tests.conformance.transports.house import House
from tests.conformance.transports.ways import EVERY, Way, every, free, lossless, reading

SECRET = "a secret of thirty-two characters"


@pytest.fixture
def house() -> House:
    return House()


def ends(problem: Any) -> tuple[int, str]:
    """Return status and code of what ended a reading; a person reads them in a line."""
    return (problem["status"], problem["code"]) if "code" in problem else (0, problem["detail"])


@free
def test_a_room_that_is_not_open_is_refused_by_its_name_and_a_secret_one_is_not_there(
    house: House, way: Way
) -> None:
    aiko, ben = house.sign_in("Aiko"), house.sign_in("Ben")
    house.do("PUT", "den", aiko, {"access": "members"})
    house.do("PUT", "lair", aiko, {"access": "secret"})
    strangers: list[dict[str, str]] = [{}, ben]
    for who in strangers:
        for rooms, status in (
            (("den",), 403),
            (("lobby", "den"), 403),
            (("lair",), 404),
            (("lair", "lobby"), 404),
        ):
            reader = reading(house, way, rooms=rooms, who=who, since="all")
            assert reader.problem is not None
            assert reader.problem["status"] == status
            assert ("den" in reader.problem["detail"]) == (status == 403)
    owner = reading(house, way, rooms=("den", "lair"), who=aiko)
    assert owner.held
    house.say("among us", "lair", who=aiko)
    assert owner.read_on().texts == ["among us"]


@free
@pytest.mark.parametrize(("access", "status"), [("members", 403), ("secret", 404)])
def test_losing_access_ends_a_reading_within_a_second(
    house: House, way: Way, access: str, status: int
) -> None:
    aiko, ben = house.sign_in("Aiko"), house.sign_in("Ben")
    house.do("PUT", "den", aiko, {"title": "Den"})
    house.say("for all", "den", who=aiko)
    guests = [reading(house, way, rooms=("den",), who=who, since="all") for who in ({}, ben)]
    many = reading(house, way, rooms=("lobby", "den"), since="all")
    owner = reading(house, way, rooms=("den",), who=aiko, since="all")
    house.do("PUT", "den", aiko, {"access": access})
    house.say("for few", "den", who=aiko)
    house.pass_seconds(1)
    for reader in (*guests, many):
        assert reader.read_on().texts == ["for all"]
        assert reader.problem is not None
        assert ends(reader.problem)[0] in (status, 0)
    assert owner.read_on().texts == ["for all", "for few"]
    assert owner.held


def test_the_door_of_2011_closes_with_the_lobby(house: House) -> None:
    aiko = house.sign_in("Aiko")
    house.do("PUT", "lobby", aiko, {"title": "Lobby"})
    reader = reading(house, Door)
    house.do("PUT", "lobby", aiko, {"access": "members"})
    assert ends(reader.read_on().problem) == (403, "forbidden")
    assert ends(reading(house, Door).problem) == (403, "forbidden")


@free
def test_a_session_that_is_ended_ends_what_it_reads_within_a_second(house: House, way: Way) -> None:
    aiko, ben = house.sign_in("Aiko"), house.sign_in("Ben")
    one, two = reading(house, way, who=aiko), reading(house, way, who=aiko, rooms=("lobby", "b"))
    others = [reading(house, way, who=ben), reading(house, way)]
    assert house.ask("DELETE", "/v1/session", **aiko)[0] in (200, 204)
    house.pass_seconds(1)
    for reader in (one, two):
        assert reader.read_on().problem is not None
        assert ends(reader.problem)[1] in (
            "unauthorized" if way is WebSocket else "forbidden", "This session has ended."
        )  # fmt: skip
    house.say("hello")
    assert [reader.read_on().texts for reader in (one, two, *others)] == [[], [], ["hello"], ["hello"]]


@free
def test_a_session_that_runs_out_ends_what_it_reads_within_a_second(way: Way) -> None:
    house = House(jwt_keys=f"https://site.example HS256 {SECRET.replace(' ', '-')}")
    claims = {"iss": "https://site.example", "sub": "aiko", "exp": house.now() / 1000 + 30}
    token = jwt.encode(claims, SECRET.replace(" ", "-"), algorithm="HS256")
    who = {"Authorization": f"Bearer {token}"}
    readers = [
        reading(house, way, who=who, hold=100),
        reading(house, way, who=who, rooms=("lobby", "b"), hold=100),
    ]
    house.pass_seconds(29)
    assert all(reader.held for reader in readers)
    house.pass_seconds(2)
    house.say("too late")
    for reader in readers:
        assert reader.read_on().problem is not None
        assert ends(reader.problem)[1] in ("unauthorized", "This session has ended.")
        assert reader.texts == []


@every
def test_a_drain_sends_everybody_away_and_nothing_is_lost(house: House, way: Way) -> None:
    house.say("known")
    readers = [reading(house, way, since="last:1"), reading(house, way, since="last:1", who={})]
    if way is Door:
        house.say("first")
    for reader in readers:
        reader.read_on()
    house.say("while it drains")
    house.stop()
    for reader in readers:
        reader.read_on()
        assert way is Door or reader.after
        assert 0 < (reader.after or 1) < 10
    house.begin_again()
    house.say("afterwards")
    for reader in readers:
        cursor = reader.cursor
        reader.come_back()
        house.say("live")
        reader.read_on()
        if cursor is not None:
            assert reader.texts[1:3] == ["while it drains", "afterwards"]
            assert reader.texts[3:] in (["live"], ["live", "live"])


@lossless
def test_ten_readers_come_back_at_ten_times(house: House, way: Way) -> None:
    readers = [reading(house, way) for _ in range(10)]
    house.stop()
    assert len({reader.read_on().after for reader in readers}) > 5


def test_every_way_hears_of_a_drain_in_one_turn_and_soon_all_connections_are_closed(house: House) -> None:
    readers = [reading(house, way) for way in EVERY]
    assert all(reader.held for reader in readers)
    house.stop()
    for reader in readers:
        reader.read_on()
        assert reader.after is not None or not reader.held
    house.pass_seconds(4)
    assert house.factory.connections == 0
