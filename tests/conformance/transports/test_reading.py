"""Reading, over every way in: each event once and in order, or the word that some are gone."""

from __future__ import annotations

from random import Random

import pytest

from tests.conformance.transports.adapters import Text
from tests.conformance.transports.house import House, Wire, request
from tests.conformance.transports.ways import LOSSLESS, Way, asking, every, free, lossless, reading


@pytest.fixture
def house() -> House:
    return House()


@every
def test_every_event_comes_once_and_in_order(house: House, way: Way) -> None:
    house.say("before")
    reader = reading(house, way)
    assert reader.held
    said = [f"message {number}" for number in range(30)]
    for number, text in enumerate(said):
        house.say(text)
        if number % 7 == 0:
            reader.read_on()
    assert reader.read_on().texts == said
    assert reader.offsets == list(range(2, 32)) or way is Text
    assert reader.held


def test_every_way_brings_the_same_events(house: House) -> None:
    aiko = house.sign_in("Aiko")
    house.say("first", data={"b": [1, None], "a": "\u2028"}, who=aiko, nonce="n-0123456789abcdef")
    readers = [reading(house, way, since="all") for way in LOSSLESS]
    house.say("second")
    house.do("PATCH", "lobby/messages/1", aiko, {"text": "changed"})
    seen = [[dict(event) for event in reader.read_on().events] for reader in readers]
    assert len(seen[0]) == 3
    assert all(one == seen[0] for one in seen)
    assert len({reader.cursor for reader in readers}) == 1


@lossless
def test_a_connection_may_be_cut_at_any_byte(house: House, way: Way) -> None:
    for number in range(3):
        house.say(f"message {number}")
    at = more = 0
    while at <= more:
        reader = asking(house, way, since="all")
        house.turn()
        more = reader.untaken
        assert reader.cut(at).come_back().offsets == [1, 2, 3], at
        reader.hang_up()
        at += 1
    assert at > 500


@lossless
def test_a_reader_that_is_cut_again_and_again_misses_nothing(house: House, way: Way) -> None:
    random = Random(9)
    reader = asking(house, way, since="all", limit=3)
    said = []
    for number in range(120):
        said.append(f"message {number}")
        house.say(said[-1])
        if random.random() < 0.2:
            reader.read_on()
        house.turn()
        reader.cut(random.randint(0, reader.untaken))
        reader.come_back() if random.random() < 0.5 else reader._connect()
    assert reader.come_back().texts == said


@lossless
def test_changes_of_messages_reach_readers_and_readers_that_were_away(house: House, way: Way) -> None:
    aiko, ben = house.sign_in("Aiko"), house.sign_in("Ben")
    present, away = reading(house, way), reading(house, way)
    house.say("secret word", who=aiko)
    house.say("stays", who=aiko)
    away.read_on().hang_up()
    house.do("PATCH", "lobby/messages/1", aiko, {"text": "new word"})
    house.do("PUT", "lobby/messages/2/reactions/%F0%9F%91%8D", ben)
    present.read_on()
    house.do("DELETE", "lobby/messages/1", aiko)
    house.do("DELETE", "lobby/messages/2/reactions/%F0%9F%91%8D", ben)
    kinds = ["message", "message", "edit", "reaction", "delete", "reaction"]
    for reader in (present.read_on(), away.come_back(), reading(house, way, since="all")):
        assert [event["type"] for event in reader.events] == kinds
        assert reader.offsets == [1, 2, 3, 4, 5, 6]
        assert [event.get("target") for event in reader.events] == [None, None, 1, 2, 1, 2]
        assert [reader.events[3]["op"], reader.events[5]["op"]] == ["add", "remove"]
    assert present.events[2]["text"] == "new word"
    assert "text" not in away.events[2]
    late = reading(house, way, since="all")
    assert late.events[0]["deleted"] is True
    assert "text" not in late.events[0]


@free
@pytest.mark.parametrize("cold", ["the room is opened", "history is read"])
def test_a_message_that_comes_while_the_store_is_asked_is_neither_lost_nor_doubled(
    cold: str, way: Way
) -> None:
    house = House(tail_memory=0 if cold == "history is read" else 2**20)
    said = house.chat(5)
    if cold == "the room is opened":
        house.kill()
    house.store.slow = True
    reader = asking(house, way, since="all", limit=2)
    house.turn()
    for number in range(5, 12):
        said.append(f"lobby {number}")
        Wire(house, request("POST", "/v1/rooms/lobby/messages", body={"text": said[-1]}))
        if number % 3 == 0:
            house.store.release()
            house.turn()
    house.store.slow = False
    house.store.release()
    assert reader.read_on().texts == said
    assert reader.held


@every
def test_readers_that_hang_up_leave_nothing_behind(house: House, way: Way) -> None:
    reading(house, way).hang_up()
    gone, there = reading(house, way), reading(house, way)
    house.say("one")
    gone.hang_up()
    house.say("two")
    assert there.read_on().texts == ["one", "two"]
    there.hang_up()
    house.turn()
    assert house.service._node.waiting_rooms() == []
