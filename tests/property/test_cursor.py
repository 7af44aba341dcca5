"""Cursors go round, and nothing that was tampered with is taken for one."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kodama.core.errors import BadCursor, BadRoomName
from kodama.core.names import room_name
from kodama.core.position import CURSOR_LIMIT, OFFSET_LIMIT, START, Position, encode_cursor, parse_cursor


def _valid(given: str) -> str | None:
    try:
        return room_name(given)
    except BadRoomName:
        return None


rooms = st.one_of(
    st.text(min_size=1, max_size=64).map(_valid).filter(bool),
    st.from_regex(r"[a-z0-9_-][a-z0-9._-]{0,63}", fullmatch=True),
)
positions = st.one_of(
    st.just(START),
    st.builds(Position, st.from_regex(r"[A-Za-z0-9]{1,8}", fullmatch=True), st.integers(1, OFFSET_LIMIT)),
)
cursors = st.dictionaries(rooms, positions, min_size=1, max_size=5)


@given(cursors)
def test_a_cursor_goes_round_and_fits_into_a_url(places: dict[str, Position]) -> None:
    text = encode_cursor(places)
    assert re.fullmatch(r"k1\.[A-Za-z0-9._~-]+", text)
    read = parse_cursor(text)
    assert {room: read.get(room) for room in places} == places
    assert read.get("a-room-nobody-named") is None


def test_a_hundred_of_the_longest_names_fit_and_one_more_is_refused() -> None:
    places = {f"{number:03d}" + "語" * 61: Position("Abcdefgh", OFFSET_LIMIT) for number in range(100)}
    text = encode_cursor(places)
    assert len(text) <= CURSOR_LIMIT
    assert parse_cursor(text).get("000" + "語" * 61) == Position("Abcdefgh", OFFSET_LIMIT)
    short = {f"{number}": Position("e", 1) for number in range(101)}
    with pytest.raises(BadCursor):
        parse_cursor(encode_cursor(short))


@given(cursors, st.data())
def test_a_changed_cursor_is_refused_or_reads_as_exactly_what_it_says(
    places: dict[str, Position], data: st.DataObject
) -> None:
    text = encode_cursor(places)
    at = data.draw(st.integers(0, len(text) - 1))
    changed = text[:at] + data.draw(st.text(max_size=2)) + text[at + data.draw(st.integers(0, 2)) :]
    try:
        read = parse_cursor(changed)
    except BadCursor:
        return
    assert re.fullmatch(r"k1\.[A-Za-z0-9._~-]+", changed)
    assert len(read._places) == (changed.count("~") + 1) // 3


@pytest.mark.parametrize(
    "text",
    [
        "", "k1", "k1.", "k2.lobby~e~1", "k1.lobby~e~01", "k1.lobby~~1", "k1.lobby~e~0", "k1.lobby~e~-1",
        "k1.lobby~e~9007199254740992", "k1.lobby~e~1~lobby~e~2", "k1.lobby~e~1~", "k1.lobby~e~1\n", "k1.lobby~e~\u0661",
        "k1.lobby~" + "e" * 9 + "~1", "k1.Lobby~e~1", "k1..a~e~1", "k1." + "a~e~1~" * 1000 + "b~e~1",
    ],
)  # fmt: skip
def test_what_is_not_a_cursor_is_refused(text: str) -> None:
    with pytest.raises(BadCursor):
        parse_cursor(text)
