"""What people write, call themselves and name their rooms arrives as it was, over every way in."""

from __future__ import annotations

import json

import pytest

from tests.conformance.transports.adapters import Door
from tests.conformance.transports.house import House, Wire, request
from tests.conformance.transports.ways import Way, free, lossless, reading

WORDS = [
    "a\r\nb\rc\nd", "\r\n\r\ndata: {}\nid: k1.evil\nevent: gap\n\n", "line\u2028and\u2029paragraph\x85next\x0b\x0c",
    "e\u0301 👩‍👩‍👧‍👦 🇯🇵 👍🏽", "\u202eright to left", "\x1b[31mred\x07", "</script><!--]]>", "\ufeffbom", "\x7f\x80\x9f",
    "}\n{\"type\":\"gap\"}", ": comment", "22:10 Aiko: forged\n22:10 Aiko: forged", "0\r\n\r\n", "\U0010ffff\ud7ff\ue000", "x" * 20_000,
]  # fmt: skip
ROOMS = ["木霊", "a.b_c-d", "한국어", "straße", "٣", "ñ" * 64, "é"]


@pytest.fixture
def house() -> House:
    return House()


@lossless
def test_every_word_arrives_as_it_was_written(house: House, way: Way) -> None:
    live = reading(house, way)
    for number, text in enumerate(WORDS):
        house.say(
            text,
            data={"nul": "\0\r\n\r\ndata: x", text: [text]},
            name="Aïko 👩‍👩‍👧 <b>&\"'",
            nonce=f"n.~-_-0123456789-{number}",
        )
    for reader in (live.read_on(), reading(house, way, since="all", limit=1)):
        assert reader.texts == WORDS
        assert [event["data"] for event in reader.events] == [
            {"nul": "\0\r\n\r\ndata: x", text: [text]} for text in WORDS
        ]
        assert {event["author"]["name"] for event in reader.events} == {"Aïko 👩‍👩‍👧 <b>&\"'"}
        assert (
            len({event["nonce"] for event in reader.events})
            == len({event["id"] for event in reader.events})
            == len(WORDS)
        )
        assert reader.held


@free
def test_a_message_is_one_message_whatever_it_holds(house: House, way: Way) -> None:
    for text in WORDS:
        house.say(text)
    reader = reading(house, way, since="all")
    assert len(reader.events) == len(WORDS)
    assert {event["type"] for event in reader.events} == {"message"}
    assert reader.held


@free
@pytest.mark.parametrize("room", ROOMS)
def test_rooms_have_names_in_every_script(house: House, way: Way, room: str) -> None:
    reader = reading(house, way, rooms=(room,), since="all")
    house.say("hello", room)
    other = reading(house, way, rooms=("plain", room), since="all")
    for one in (reader.read_on(), other):
        assert one.texts == ["hello"]
        assert one.events[0]["room"] == room.casefold()
    if reader.cursor is not None:
        house.say("again", room)
        assert reading(house, way, rooms=(room,), since=reader.cursor).texts == ["again"]


@free
def test_names_that_are_none_are_refused(house: House, way: Way) -> None:
    for room in ("a\r\nb", "a\0", ".hidden", "x" * 65, "a b", "👍", "\u2028"):
        problem = reading(house, way, rooms=(room,)).problem
        assert problem is not None
        assert problem["code"] == "bad_room_name"


def test_the_door_of_2011_passes_on_any_json(house: House) -> None:
    reader = reading(house, Door)
    for text in WORDS:
        posted = Wire(house, request("POST", "/", body={"z": text, text: None, "a": [text]})).got
        assert posted.endswith(b"\r\n\r\nOK")
    reader.read_on()
    assert [json.dumps(event) for event in reader.events] == [
        json.dumps({"z": text, text: None, "a": [text]}) for text in WORDS
    ]


@free
def test_no_character_is_a_control_character_of_somebody_elses_terminal(house: House, way: Way) -> None:
    if way.name == "text":
        for text in WORDS:
            house.say(text)
        reader = reading(house, way, since="all")
        assert reader.wire is not None
        body = reader.wire.got.partition(b"\r\n\r\n")[2].decode().replace("\r\n", "")
        assert not set(body) & set("\x1b\x07\x7f\x80\x85\x9f\u2028\u202e\0\ufeff")
