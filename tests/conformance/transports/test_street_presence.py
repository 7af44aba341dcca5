"""Who is here, where several nodes share a store and a bus: one list, whichever node is asked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from random import Random
from typing import Any

import pytest

from tests.conformance.buses import Hub
from tests.conformance.transports.adapters import LongPoll, WebSocket, command
from tests.conformance.transports.house import Wire, request
from tests.conformance.transports.street import Neighbour, pass_everywhere, street
from tests.conformance.transports.ways import Way, asking

LEASE = 45
Houses = list[Neighbour]


@pytest.fixture
def hub() -> Hub:
    return Hub(Random(1))


@pytest.fixture
def houses(hub: Hub) -> Houses:
    """Three nodes that have settled after their start and have the lobby in memory."""
    there = street(3, hub=hub)
    there[0].say("first")
    for house in there:
        here(house)
    pass_everywhere(there, LEASE + 1)
    return there


def here(house: Neighbour) -> Any:
    wire = Wire(house, request("GET", "/v1/rooms/lobby/presence"))
    house.pass_seconds(0.4)
    assert wire.got.startswith(b"HTTP/1.1 200 "), wire.got
    return json.loads(wire.got.partition(b"\r\n\r\n")[2])


def names(house: Neighbour) -> list[str]:
    return sorted(one["name"] for one in here(house)["here"])


def heard(reader: Any) -> list[Mapping[str, Any]]:
    return [event for event in reader.read_on().heard if event["type"] == "presence"]


def test_all_nodes_list_the_people_of_all_nodes(houses: Houses) -> None:
    for house, name in zip(houses, ("Aiko", "Ben", "Cho"), strict=True):
        asking(house, WebSocket, who=house.sign_in(name), presence=True)
    pass_everywhere(houses, 1)
    for house in houses:
        assert names(house) == ["Aiko", "Ben", "Cho"]
        assert here(house)["count"] == 3


@pytest.mark.parametrize("way", [LongPoll, WebSocket])
def test_one_person_on_two_nodes_counts_once_and_is_told_of_once(houses: Houses, way: Way) -> None:
    fan = asking(houses[2], WebSocket, presence=True)
    pass_everywhere(houses, 3)
    before = len(heard(fan))
    aiko = houses[0].sign_in("Aiko")
    readers = [asking(house, way, who=aiko, presence=True, client="abcdefgh") for house in houses[:2]]
    pass_everywhere(houses, 3)
    assert [names(house) for house in houses] == [["Aiko"]] * 3
    told = heard(fan)[before:]
    assert [one["name"] for event in told for one in event["joined"]] == ["Aiko"]
    readers[0].hang_up()
    pass_everywhere(houses, LEASE + 2)
    assert names(houses[2]) == ["Aiko"] if way is not LongPoll else True
    assert not [one for event in heard(fan)[before:] for one in event["left"]] or way is LongPoll


def test_a_guest_whose_polls_go_to_any_node_counts_once(houses: Houses) -> None:
    for house in houses:
        asking(house, LongPoll, presence=True, client="abcdefgh")
    pass_everywhere(houses, 2)
    for house in houses:
        assert here(house)["count"] == 1


def test_the_people_of_a_node_that_was_killed_lapse(houses: Houses) -> None:
    fan = asking(houses[1], WebSocket, presence=True)
    asking(houses[0], WebSocket, who=houses[0].sign_in("Aiko"), presence=True)
    pass_everywhere(houses, 2)
    assert names(houses[1]) == ["Aiko"]
    houses[0].vanish()
    pass_everywhere(houses[1:], LEASE)
    assert names(houses[1]) == []
    assert [one["name"] for event in heard(fan) for one in event["left"]] == ["Aiko"]


def test_whoever_leaves_at_one_node_has_left_all(houses: Houses) -> None:
    aiko = houses[0].sign_in("Aiko")
    for house in houses:
        house.do("PUT", "lobby/presence", aiko, {"state": "active"})
    pass_everywhere(houses, 1)
    houses[1].do("DELETE", "lobby/presence", aiko)
    pass_everywhere(houses, 1)
    assert [names(house) for house in houses] == [[]] * 3


def test_a_state_that_was_told_to_one_node_is_shown_by_all(houses: Houses) -> None:
    aiko = houses[0].sign_in("Aiko")
    asking(houses[0], LongPoll, who=aiko, presence=True, client="abcdefgh")
    pass_everywhere(houses, 1)
    houses[2].do("PUT", "lobby/presence?client=abcdefgh", aiko, {"state": "idle"})
    pass_everywhere(houses, 1)
    for house in houses:
        assert [one["state"] for one in here(house)["here"]] == ["idle"]


def test_typing_is_seen_on_every_node(houses: Houses) -> None:
    fans = [asking(house, WebSocket, presence=True) for house in houses]
    pass_everywhere(houses, 3)
    houses[0].do("PUT", "lobby/typing", houses[0].sign_in("Aiko"))
    pass_everywhere(houses, 2)
    for fan in fans:
        typing = [event for event in fan.read_on().heard if event["type"] == "typing"]
        assert [event["author"]["name"] for event in typing] == ["Aiko"]


def test_the_first_list_of_a_node_that_did_not_follow_the_room_is_whole(hub: Hub) -> None:
    here_, there = street(2, hub=hub)
    asking(here_, WebSocket, who=here_.sign_in("Aiko"), presence=True)
    here_.pass_seconds(1)
    wire = Wire(there, request("GET", "/v1/rooms/lobby/presence"))
    pass_everywhere([here_, there], 0.5)
    assert b'"Aiko"' in wire.got


def test_what_the_bus_has_lost_is_told_again(hub: Hub, houses: Houses) -> None:
    hub.drop = 1
    asking(houses[0], WebSocket, who=houses[0].sign_in("Aiko"), presence=True)
    pass_everywhere(houses, 5)
    assert [names(house) for house in houses] == [["Aiko"], [], []]
    hub.drop = 0
    pass_everywhere(houses, 16)
    assert [names(house) for house in houses] == [["Aiko"]] * 3


def test_a_session_that_ends_on_one_node_is_present_on_none(houses: Houses) -> None:
    aiko = houses[0].sign_in("Aiko")
    asking(houses[0], WebSocket, who=aiko, presence=True)
    pass_everywhere(houses, 1)
    assert names(houses[1]) == ["Aiko"]
    assert houses[2].ask("DELETE", "/v1/session", **aiko)[0] == 204
    pass_everywhere(houses, 1)
    assert [names(house) for house in houses] == [[]] * 3


def test_whoever_says_again_and_again_to_be_here_is_here_all_the_time(houses: Houses) -> None:
    fan = asking(houses[1], WebSocket, presence=True)
    aiko = houses[0].sign_in("Aiko")
    for _ in range(5):
        houses[0].do("PUT", "lobby/presence", aiko, {"state": "active"})
        pass_everywhere(houses, 30)
        fan.wire.send(command("ping"))
    assert [one["name"] for event in heard(fan) for one in event["joined"]] == ["Aiko"]
    assert not [one for event in heard(fan) for one in event["left"]]


def test_a_reader_that_moves_to_another_node_hears_what_happens_there(hub: Hub) -> None:
    """Its node began long before the one that it comes from, so that its own versions are lower."""
    houses = street(2, hub=hub)
    early, late = houses
    aiko = early.sign_in("Aiko")
    for _ in range(20):  # somebody has been there all the time
        early.do("PUT", "lobby/presence", aiko, {"state": "active"})
        pass_everywhere(houses, 30)
    fan = asking(late, WebSocket, presence=True)
    asking(late, WebSocket, who=late.sign_in("Ben"), presence=True)
    pass_everywhere(houses, 3)
    known = max(event["version"] for event in heard(fan))
    fan.hang_up()
    moved = asking(early, WebSocket, presence=True)
    pass_everywhere(houses, 16)
    asking(early, WebSocket, who=early.sign_in("Cho"), presence=True)
    pass_everywhere(houses, 3)
    versions = [event["version"] for event in heard(moved) for one in event["joined"] if one["name"] == "Cho"]
    assert versions
    assert min(versions) > known


def test_a_large_room_is_told_in_pieces_that_every_broker_takes(hub: Hub, houses: Houses) -> None:
    sizes: list[int] = []
    passing = hub.pass_on

    def pass_on(channel: str, payload: bytes) -> None:
        sizes.append(len(payload))
        passing(channel, payload)

    hub.pass_on = pass_on
    for number in range(300):
        who = houses[0].sign_in("木霊" * 8 + f"{number}")
        houses[0].do("PUT", "lobby/presence", who, {"state": "active"})
    pass_everywhere(houses, 1)
    assert max(sizes) < 6_000
    assert here(houses[1])["count"] == 300
