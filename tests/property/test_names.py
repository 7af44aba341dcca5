"""Room names: the rule of the contract, and that it settles on one spelling."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kodama.core.errors import BadRequest, BadRoomName
from kodama.core.names import display_name, room_name


@given(st.text(max_size=70) | st.text(st.characters(categories=["L", "M", "N"]), max_size=70))
def test_a_name_follows_the_rule_or_is_refused(text: str) -> None:
    expected = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    allowed = all(char in "._-" or unicodedata.category(char)[0] in "LMN" for char in expected)
    good = 1 <= len(expected) <= 64 and allowed and not expected.startswith(".")
    try:
        assert room_name(text) == expected
        assert good
    except BadRoomName:
        assert not good


def test_folding_a_folded_character_changes_nothing() -> None:
    for code in range(0x110000):
        try:
            name = room_name(chr(code))
        except BadRoomName:
            continue
        assert room_name(name) == name, hex(code)


@given(st.text(st.characters(categories=["L", "M", "N"]), min_size=1, max_size=6))
def test_folding_a_folded_name_changes_nothing(text: str) -> None:
    try:
        name = room_name(text)
    except BadRoomName:
        return
    assert room_name(name) == name


@pytest.mark.parametrize(
    ("given", "name"),
    [("LOBBY", "lobby"), ("Ｌｏ", "lo"), ("Straße", "strasse"), ("e\u0301", "é"), ("-.", "-.")],
)
def test_other_spellings_are_the_same_room(given: str, name: str) -> None:
    assert room_name(given) == name


@pytest.mark.parametrize(
    "given", ["", ".a", "a b", "a/b", "a" * 65, "😀", "\ud800", "\0", "a\n", "\u200b", "ﷺ" * 10, "…a"]
)
def test_what_breaks_the_rule_is_refused(given: str) -> None:
    with pytest.raises(BadRoomName):
        room_name(given)


@given(st.text(max_size=50))
def test_a_display_name_that_was_accepted_is_accepted_again(text: str) -> None:
    try:
        name = display_name(text)
    except BadRequest:
        return
    assert display_name(name) == name
    assert 1 <= len(name) <= 40


@pytest.mark.parametrize("given", ["", " ", "a\x00", "\u202eevil", "\ud800", "\ue000", "n" * 41])
def test_a_name_that_would_deceive_or_break_the_page_is_refused(given: str) -> None:
    with pytest.raises(BadRequest):
        display_name(given)


def test_a_family_of_emoji_is_a_name() -> None:
    assert display_name("👩\u200d👧") == "👩\u200d👧"
