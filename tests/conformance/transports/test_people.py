"""Who is here and who types, over every way in: told to those who asked, and nobody flickers."""

from __future__ import annotations

from itertools import cycle, islice
from typing import Any

import pytest

from tests.conformance.transports.adapters import Text
from tests.conformance.transports.house import House
from tests.conformance.transports.reader import Reader, Wish
from tests.conformance.transports.ways import FREE, LOSSLESS, Way, every, free, lossless, reading


@pytest.fixture
def house() -> House:
    one = House()
    one.pass_seconds(50)  # before that, not everybody may be back
    return one


def live(house: House, seconds: int, *readers: Reader) -> None:
    """Let time pass, in which ``readers`` read on."""
    for _ in range(seconds * 2):
        house.pass_seconds(0.5)
        for reader in readers:
            reader.read_on()


def names(reader: Reader, field: str) -> list[str]:
    return [person["name"] for event in reader.heard for person in event.get(field, ())]


def here(house: House, room: str = "lobby") -> list[str]:
    return [person["name"] for person in house.ask("GET", f"/v1/rooms/{room}/presence")[1]["here"]]


@lossless
def test_those_who_asked_hear_who_comes_goes_and_types(house: House, way: Way) -> None:
    aiko, ben = house.sign_in("Aiko"), house.sign_in("Ben")
    asked = reading(house, way, who=aiko, presence=True)
    plain = reading(house, way)
    live(house, 3, asked, plain)
    asked.heard.clear()
    coming = reading(house, way, who=ben, presence=True)
    live(house, 3, asked, plain, coming)
    assert names(asked, "joined") == ["Ben"]
    house.do("PUT", "lobby/typing", ben)
    live(house, 3, asked, plain, coming)
    assert [event["author"]["name"] for event in asked.heard if event["type"] == "typing"] == ["Ben"]
    house.say("hello")
    coming.hang_up()
    house.do("DELETE", "lobby/presence", ben)
    live(house, 3, asked, plain)
    assert names(asked, "left") == ["Ben"]
    assert (asked.texts, plain.texts, plain.heard) == (["hello"], ["hello"], [])
    versions = [event["version"] for event in asked.heard if event["type"] == "presence"]
    assert versions == list(range(versions[0], versions[0] + 2))


@every
def test_who_did_not_ask_is_not_here(house: House, way: Way) -> None:
    reader = reading(house, way, who={} if way.name == "legacy" else house.sign_in("Aiko"))
    live(house, 3, reader)
    assert here(house) == []
    assert reader.heard == []


@free
def test_a_reader_is_here_as_long_as_it_reads_and_a_lease_longer(house: House, way: Way) -> None:
    reader = reading(house, way, who=house.sign_in("Aiko"), rooms=("lobby", "b"), presence=True)
    for _ in range(20):
        live(house, 6, reader)
        assert (here(house), here(house, "b")) == (["Aiko"], ["Aiko"])
    reader.hang_up()
    house.pass_seconds(
        15 if way.polls else 40
    )  # a lease counts from the beginning of a poll, and the end of a stream
    assert (here(house), here(house, "b")) == (["Aiko"], ["Aiko"])
    house.pass_seconds(40)
    assert (here(house), here(house, "b")) == ([], [])


@free
def test_nobody_is_here_who_may_not_be_any_more(house: House, way: Way) -> None:
    aiko, ben = house.sign_in("Aiko"), house.sign_in("Ben")
    house.do("PUT", "den", aiko, {"title": "Den"})
    for who in (aiko, ben):
        reading(house, way, who=who, rooms=("den", "lobby"), presence=True)
    live(house, 2)
    assert sorted(here(house, "den")) == ["Aiko", "Ben"]
    house.do("PUT", "den", aiko, {"access": "members"})
    _, listed = house.ask("GET", "/v1/rooms/den/presence", **aiko)
    assert [person["name"] for person in listed["here"]] == ["Aiko"]
    assert house.ask("DELETE", "/v1/session", **aiko)[0] in (200, 204)
    assert "Aiko" not in here(house)


@lossless
def test_who_was_away_for_a_moment_hears_at_once_what_was_told_meanwhile(house: House, way: Way) -> None:
    house.say("known")
    reader = reading(house, way, who=house.sign_in("Aiko"), since="last:1", presence=True, client="aikos-tab")
    live(house, 3, reader)
    reader.hang_up()
    house.pass_seconds(1)
    reader.heard.clear()
    other = reading(house, way, who=house.sign_in("Ben"), presence=True)
    live(house, 3, other)
    cursor = reader.cursor
    reader.come_back()
    if way.name == "websocket":
        return  # a socket has no client: each one is a reader of its own, and fetches the list
    assert names(reader, "joined") == ["Ben"]
    assert reader.cursor == cursor
    assert reader.texts == ["known"]


def test_nobody_flickers_who_changes_from_way_to_way(house: House) -> None:
    house.say("known")
    watching = reading(house, LOSSLESS[0], who=house.sign_in("Ben"), presence=True)
    wish: dict[str, Any] = {
        "who": house.sign_in("Aiko"),
        "since": "last:1",
        "presence": True,
        "client": "aikos-tab",
    }
    hopping = reading(house, LOSSLESS[0], **wish)
    live(house, 3, watching, hopping)
    joined, versions = names(watching, "joined"), len(watching.heard)
    assert sorted(joined) == ["Aiko", "Ben"]
    for way in islice(cycle(LOSSLESS), 4 * len(LOSSLESS)):
        hopping.hang_up()
        house.pass_seconds(7)
        watching.read_on()
        hopping.change_to(way(house, Wish(**wish)))
        live(house, 7, watching, hopping)
        assert sorted(here(house)) == ["Aiko", "Ben"]
    assert names(watching, "left") == []
    assert len(watching.heard) == versions
    assert names(hopping, "left") == []


def test_a_restart_makes_nobody_flicker(house: House) -> None:
    house.say("known")
    readers = [
        reading(
            house,
            way,
            who=house.sign_in(way.name),
            since="last:1",
            presence=True,
            client=f"client-{way.name}",
        )
        for way in LOSSLESS
    ]
    live(house, 3, *readers)
    for reader in readers:
        reader.heard.clear()
    house.kill()
    for reader in readers:
        reader.come_back()
        live(house, 5, *readers)
    live(house, 50, *readers)
    assert sorted(here(house)) == sorted(way.name for way in LOSSLESS)
    for reader in readers:
        assert names(reader, "left") == []
        versions = [event["version"] for event in reader.heard if event["type"] == "presence"]
        assert versions == sorted(versions)


@pytest.mark.parametrize("way", [way for way in FREE if way is not Text], ids=lambda way: way.name)
def test_guests_are_counted_while_they_read(house: House, way: Way) -> None:
    guests = [reading(house, way, presence=True, client=f"guest-{number:03}") for number in range(3)]
    live(house, 3, *guests)
    _, listed = house.ask("GET", "/v1/rooms/lobby/presence")
    assert (listed["count"], listed["guests"], listed["here"]) == (3, 3, [])
    for guest in guests:
        assert guest.heard
        assert all("joined" not in event or event["joined"] == [] for event in guest.heard)
