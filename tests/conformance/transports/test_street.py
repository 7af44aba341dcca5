"""After a 201 every read on every node includes it, over every way in, although no bus has told anybody."""

from __future__ import annotations

import json
from random import Random
from urllib.parse import quote

import pytest

from tests.conformance.buses import Hub
from tests.conformance.transports.adapters import Door, LongPoll
from tests.conformance.transports.house import Wire, request
from tests.conformance.transports.street import Neighbour, street
from tests.conformance.transports.ways import EVERY, LOSSLESS, Way, asking, every, reading

EVENTS = "/v1/rooms/lobby/events"
BUT_THE_DOOR = [way for way in EVERY if way is not Door]  # it begins at its cookie or now, in the lobby

but_the_door = pytest.mark.parametrize("way", BUT_THE_DOOR, ids=lambda way: way.name)


def neighbours() -> tuple[Neighbour, Neighbour]:
    """Return two sites; both have the lobby in memory as it was after its first event."""
    here, there = street()
    here.say("first")
    for one in (here, there):
        assert len(events(one, "since=all")) == 1
    return here, there


def events(house: Neighbour, query: str) -> list[str]:
    status, answer = house.ask("GET", f"{EVENTS}?wait=0&{query}")
    assert status == 200, answer
    assert [event for event in answer["events"] if event["type"] == "gap"] == []
    return [event["text"] for event in answer["events"]]


def cursor(house: Neighbour) -> str:
    _, answer = house.ask("GET", f"{EVENTS}?wait=0&since=now")
    return quote(answer["cursor"])


@pytest.mark.parametrize("since", ["all", "last:2", "10m", "after:0", "after:1"])
@but_the_door
def test_a_reading_that_begins_includes_what_another_node_has_acknowledged(since: str, way: Way) -> None:
    here, there = neighbours()
    here.say("second")
    assert reading(there, way, since=since).texts[-1] == "second"


@pytest.mark.parametrize("way", LOSSLESS, ids=lambda way: way.name)
def test_a_cursor_of_another_node_that_is_ahead_is_known(way: Way) -> None:
    here, there = neighbours()
    for number in range(3):
        here.say(f"{number}")
    reader = reading(there, way, since=cursor(here).replace("%7E", "~"))
    assert reader.events == []
    here.say("next")
    there.look()
    assert reader.read_on().texts == ["next"]


@every
def test_now_is_after_what_another_node_has_acknowledged(way: Way) -> None:
    here, there = neighbours()
    here.say("second")
    reader = reading(there, way)
    here.say("third")
    there.look()
    assert reader.read_on().texts == ["third"]


def test_a_poll_that_may_not_wait_includes_it_from_any_cursor() -> None:
    here, there = neighbours()
    old = cursor(there)
    assert events(there, f"since={old}") == []
    here.say("second")
    assert events(there, f"since={old}") == ["second"]
    here.say("third")
    assert events(there, f"since={old}") == ["second", "third"]
    assert events(there, f"since={cursor(here)}") == []


def test_a_poll_that_is_behind_anyway_is_not_answered_with_less_than_there_is() -> None:
    here, there = neighbours()
    old = cursor(there)
    there.say("second")
    here.say("third")
    status, answer = there.ask("GET", f"{EVENTS}?since={old}")
    assert status == 200
    assert [event["text"] for event in answer["events"]] == ["second", "third"]


def test_the_door_of_2011_goes_on_at_a_cookie_that_is_ahead() -> None:
    here, there = neighbours()
    reader = reading(here, Door)
    here.say("second")
    ahead = reader.read_on().cursor
    here.say("third")
    asked = Wire(there, request("GET", "/?callback=fn", Cookie=f"kodama_2011={ahead}"))
    there.turn()
    said = json.loads(asked.got.partition(b"\r\n\r\n")[2].removeprefix(b"fn(").removesuffix(b")"))
    assert said["text"] == "third"


def test_a_page_of_history_and_its_cursor_fit_a_node_that_knows_less() -> None:
    here, there = neighbours()
    here.say("second")
    _, page = there.ask("GET", "/v1/rooms/lobby/messages")
    assert [message["text"] for message in page["messages"]] == ["first", "second"]
    assert events(there, f"since={quote(page['cursor'])}") == []
    here.say("third")
    assert events(there, f"since={quote(page['cursor'])}") == ["third"]


@but_the_door
def test_a_room_made_secret_elsewhere_ends_the_readers_of_this_node_with_the_next_look(way: Way) -> None:
    here, there = street()
    owner = here.sign_in("Aiko")
    here.do("PUT", "garden", owner, {"title": "Garden"})
    here.say("first", room="garden", who=owner)
    reader = asking(there, way, rooms=("garden",))
    assert reader.held
    here.do("PUT", "garden", owner, {"access": "secret"})
    there.look()
    assert reader.read_on().problem is not None
    here.say("hidden", room="garden", who=owner)
    there.look()
    assert "hidden" not in reader.read_on().texts
    assert there.ask("POST", "/v1/rooms/garden/messages", body={"text": "x"})[0] == 404


def test_a_stranger_is_not_present_in_a_room_that_was_made_secret_elsewhere() -> None:
    here, there = street()
    owner, stranger = here.sign_in("Aiko"), here.sign_in("Ben")
    here.do("PUT", "garden", owner, {"title": "Garden"})
    there.do("PUT", "garden/presence", stranger, {"state": "active"})
    here.do("PUT", "garden", owner, {"access": "secret"})
    there.look()
    assert there.do("GET", "garden/presence", owner)["here"] == []


@but_the_door
def test_a_node_that_cannot_ask_the_store_does_not_answer_from_memory(way: Way) -> None:
    here, there = neighbours()
    here.say("second")
    there.store.down = True
    reader = reading(there, way, since="all")
    assert reader.events == []
    there.store.down = False
    assert reader.come_back().texts == ["first", "second"]


def test_a_poll_that_cannot_be_answered_now_may_come_again() -> None:
    _, there = neighbours()
    there.store.down = True
    asked = Wire(there, request("GET", f"{EVENTS}?since=all"))
    there.turn()
    assert asked.got.startswith(b"HTTP/1.1 503 ")
    assert b"\r\nRetry-After: " in asked.got
    assert b"cannot read this now" in asked.got


def test_what_the_bus_says_is_not_passed_on_by_a_node_that_cannot_see_the_store() -> None:
    """The room may have been closed to its readers meanwhile."""
    here, there = street(2, hub=Hub(Random(1)))
    here.say("first")
    reader = reading(there, LongPoll)
    here.say("heard")
    assert reader.read_on().texts == ["heard"]
    there.store.down = True
    there.pass_seconds(9)
    assert there.ask("GET", "/readyz")[0] == 503
    here.say("not passed on")
    assert reader.read_on().texts == ["heard"]
    there.store.down = False
    there.look()
    assert reader.read_on().texts == ["heard", "not passed on"]
    assert there.ask("GET", "/readyz")[0] == 200


def test_a_node_whose_database_is_away_for_a_moment_goes_on_hearing() -> None:
    here, there = street(2, hub=Hub(Random(1)))
    here.say("first")
    reader = reading(there, LongPoll)
    there.store.down = True
    there.pass_seconds(4)
    here.say("heard")
    assert reader.read_on().texts == ["heard"]


def test_a_room_that_two_make_at_the_same_time_on_two_nodes_has_one_owner() -> None:
    here, there = street()
    aiko, ben = here.sign_in("Aiko"), there.sign_in("Ben")
    there.store.slow = True
    late = Wire(there, request("PUT", "/v1/rooms/garden", body={"access": "secret"}, **ben))
    there.turn()
    here.do("PUT", "garden", aiko, {"title": "Garden"})
    there.store.slow = False
    there.store.release()
    there.turn()
    assert late.got.startswith(b"HTTP/1.1 403 "), late.got
    here.do("PUT", "garden", aiko, {"title": "Aiko's garden"})


def test_changes_of_one_room_on_two_nodes_at_the_same_time_both_hold() -> None:
    here, there = street()
    aiko = here.sign_in("Aiko")
    here.do("PUT", "garden", aiko, {"title": "Garden"})
    there.store.slow = True
    late = Wire(there, request("PUT", "/v1/rooms/garden", body={"title": "Another"}, **aiko))
    there.turn()
    here.do("PUT", "garden", aiko, {"access": "secret"})
    there.store.slow = False
    there.store.release()
    there.turn()
    assert late.got.startswith(b"HTTP/1.1 200 "), late.got
    listed = {row["room"]: row for row in here.ask("GET", "/v1/rooms", **aiko)[1]["rooms"]}
    assert (listed["garden"]["title"], listed["garden"]["access"]) == ("Another", "secret")
