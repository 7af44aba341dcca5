"""Reading, over every way in: each event once and in order, or the word that some are gone."""

from __future__ import annotations

import pytest

from tests.conformance.transports.adapters import Text
from tests.conformance.transports.house import House
from tests.conformance.transports.ways import LOSSLESS, Way, asking, every, lossless, reading


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
