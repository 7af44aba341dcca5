"""Where a reading begins, over every way in: in one room or many, born or not, whole or full of holes."""

from __future__ import annotations

import pytest

from tests.conformance.transports.adapters import Door
from tests.conformance.transports.house import House
from tests.conformance.transports.ways import STREAMS, Way, every, free, lossless, reading


@pytest.fixture
def house() -> House:
    return House()


def brief(reader: object) -> list[object]:
    """Return texts and gaps in the order in which they came."""
    events = reader.events
    return [
        (one["from"], one["to"], one["reason"]) if one.get("type") == "gap" else one["text"] for one in events
    ]


@free
@pytest.mark.parametrize(
    ("since", "first"),
    [
        ("now", 6),
        ("all", 1),
        ("last:2", 4),
        ("last:9", 1),
        ("60s", 5),
        ("2h", 1),
        ("after:3", 4),
        ("after:5", 6),
    ],
)
def test_a_reader_begins_where_it_asks_to(house: House, way: Way, since: str, first: int) -> None:
    for number in range(1, 5):
        house.say(str(number))
    house.pass_seconds(120)
    house.say("5")
    reader = reading(house, way, since=since)
    assert reader.texts == [str(number) for number in range(first, 6)]
    assert reader.held
    house.say("6")
    assert reader.read_on().texts == [str(number) for number in range(first, 7)]


@free
def test_a_cut_answer_is_gone_on_with_at_once(house: House, way: Way) -> None:
    said = house.chat(25)
    assert reading(house, way, since="all", limit=4).texts == said
    large = [f"{number} " + "x" * 60_000 for number in range(12)]
    for text in large:
        house.say(text)
    reader = reading(house, way, since="last:12")
    assert reader.texts == large
    assert reader.held


@free
def test_many_rooms_are_read_on_one_connection(house: House, way: Way) -> None:
    rooms = ("a", "木霊", "c")
    old = [text for room in rooms for text in house.chat(5, room)]
    reader = reading(house, way, rooms=rooms, since="all", limit=3)
    assert sorted(reader.texts) == sorted(old)
    for number in range(6):
        house.say(f"new {number}", rooms[number % 3])
        reader.read_on()
    new = [one for one in reader.events if one["text"].startswith("new")]
    assert [one["text"] for one in new] == [f"new {number}" for number in range(6)]
    assert [one["room"] for one in new] == [*rooms, *rooms]


@lossless
def test_one_cursor_speaks_of_many_rooms(house: House, way: Way) -> None:
    house.chat(3, "a")
    house.chat(1, "b")
    reader = reading(house, way, rooms=("a", "b"))
    house.say("known", "b")
    assert reader.read_on().texts == ["known"]
    reader.hang_up()
    missed = [*house.chat(2, "b"), *house.chat(2, "a")]
    reader.come_back()
    assert sorted(reader.texts[1:]) == sorted(missed)
    assert reader.started == {}
    wider = reading(house, way, rooms=("a", "b", "c"), since=reader.cursor)
    assert wider.events == []
    house.say("born", "c")
    assert (wider.read_on().texts, wider.started) == (["born"], {"c": 0})
    alone = reading(house, way, rooms=("b",), since=wider.cursor)
    assert (alone.events, alone.started, alone.held) == ([], {}, True)


@every
def test_a_room_that_does_not_exist_yet_is_held_at_its_beginning(house: House, way: Way) -> None:
    reader = reading(house, way)
    assert reader.held
    assert house.ask("GET", "/v1/rooms")[1]["rooms"] == []
    cursor = reader.cursor
    reader.hang_up()
    reader.come_back()
    house.say("born")
    assert reader.read_on().texts == ["born"]
    if cursor is not None:
        assert reading(house, way, since=cursor).texts == ["born"]


@lossless
def test_a_hole_is_told_in_its_place(way: Way) -> None:
    house = House(retention_events=4, retention_days=0)
    house.chat(2, "other")
    early = reading(house, way, since="all", rooms=("lobby", "other"))
    early.hang_up()
    house.chat(3)
    early.come_back()
    early.hang_up()
    house.chat(9)
    house.sweep()
    house.say("still there", "other")
    early.come_back()
    of_lobby = [one for one in early.events if one["room"] == "lobby"]
    assert [one.get("offset") for one in of_lobby] == [1, 2, 3, None, 9, 10, 11, 12]
    gap = of_lobby[3]
    assert gap == {"type": "gap", "room": "lobby", "from": 4, "to": 8, "reason": "retention"}
    assert [one["text"] for one in early.events if one["room"] == "other"] == [
        "other 0",
        "other 1",
        "still there",
    ]
    assert early.come_back().held
    assert len(early.events) == 11, "who knows of the hole is not told again"


@free
def test_who_begins_where_nothing_is_kept_is_told_of_it(way: Way) -> None:
    house = House(retention_events=2, retention_days=0)
    house.chat(5)
    house.sweep()
    for since, seen in (
        ("after:1", [(2, 3, "retention"), "lobby 3", "lobby 4"]),
        ("after:99", [(None, None, "unknown_cursor"), "lobby 3", "lobby 4"]),
        ("all", ["lobby 3", "lobby 4"]), ("last:4", ["lobby 3", "lobby 4"]), ("5m", ["lobby 3", "lobby 4"]),
    ):  # fmt: skip
        reader = reading(house, way, since=since)
        assert brief(reader) == seen
        assert reader.held


@lossless
def test_an_older_backup_is_noticed(house: House, way: Way) -> None:
    house.chat(3)
    backup = house.backup()
    reader = reading(house, way, since="all")
    house.say("lost 4")
    house.say("lost 5")
    reader.read_on()
    house.restore(backup)
    new = [house.say(f"new {number}") and f"new {number}" for number in range(4, 8)]
    reader.come_back()
    assert brief(reader) == ["lobby 0", "lobby 1", "lobby 2", "lost 4", "lost 5", (4, 5, "epoch"), *new]
    assert reader.offsets == [1, 2, 3, 4, 5, 4, 5, 6, 7]


@lossless
def test_a_cursor_of_another_server_is_answered_with_a_hole(house: House, way: Way) -> None:
    house.chat(2)
    reader = reading(house, way, since="k1.lobby~nowhere~812")
    assert brief(reader) == [(None, None, "epoch"), "lobby 0", "lobby 1"]
    assert reader.held
    nothing = reading(house, way, rooms=("nobody",), since="k1.nobody~nowhere~812")
    assert brief(nothing) == [(None, None, "epoch")]
    house.say("born", "nobody")
    assert brief(nothing.read_on())[1:] == ["born"]


@free
@pytest.mark.parametrize(
    "since", ["", "k1.", "k2.a~b~1", "k1.lobby~x", "last:-1", "yesterday", "after:", "5"]
)
def test_a_place_that_is_none_is_refused(house: House, way: Way, since: str) -> None:
    reader = reading(house, way, since=since)
    assert reader.problem is not None
    assert reader.problem["code"] == "bad_cursor"
    assert reader.events == []


def test_the_door_of_2011_tells_of_a_hole_too() -> None:
    house = House(retention_events=2, retention_days=0)
    reader = reading(house, Door)
    house.say("one")
    reader.read_on().hang_up()
    house.chat(5)
    house.sweep()
    reader.come_back()
    assert brief(reader) == ["one", (2, 4, "retention"), "lobby 3", "lobby 4"]


@pytest.mark.parametrize("way", [one for one in STREAMS if one.resumes], ids=lambda way: way.name)
def test_who_takes_nothing_gets_all_of_it_later_or_hears_that_it_was_too_slow(way: Way) -> None:
    house = House(retention_events=20, retention_days=0)
    slow, other = reading(house, way), reading(house, way)
    assert slow.wire is not None
    slow.wire.stall()
    said = house.chat(15)
    assert (slow.read_on().texts, other.read_on().texts) == ([], said)
    slow.wire.take()
    assert slow.read_on().texts == said
    slow.wire.stall()
    house.chat(30)
    house.sweep()
    slow.wire.take()
    assert brief(slow.read_on())[15:] == [(16, 25, "slow"), *[f"lobby {number}" for number in range(10, 30)]]
    assert slow.held
