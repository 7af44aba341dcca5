"""Whom a room admits."""

from __future__ import annotations

import pytest

from kodama.core.errors import Forbidden, NotFound
from kodama.core.event import Author
from kodama.core.room import Access, RoomFacts
from kodama.core.vouched import vouched
from kodama.core.who import NOBODY, Who, admit, admits

AIKO = Who(session="s1", author=Author("g_aiko", "Aiko", "guest"))
BEN = Who(session="s2", author=Author("g_ben", "Ben", "guest"))


@pytest.mark.parametrize("who", [NOBODY, AIKO, BEN])
def test_a_public_room_admits_everybody(who: Who) -> None:
    assert admits(RoomFacts(name="r"), who)
    admit(RoomFacts(name="r"), who)


@pytest.mark.parametrize(("access", "told"), [(Access.SECRET, NotFound), (Access.MEMBERS, Forbidden)])
def test_another_room_admits_its_owner_only(access: Access, told: type[Exception]) -> None:
    facts = RoomFacts(name="r", access=access, owner="g_aiko")
    admit(facts, AIKO)
    for who in (BEN, NOBODY):
        with pytest.raises(told):
            admit(facts, who)


def test_nobody_is_not_the_owner_of_a_room_that_nobody_owns() -> None:
    assert not admits(RoomFacts(name="r", access=Access.MEMBERS), NOBODY)


def test_whoever_is_limited_to_some_rooms_is_refused_in_others() -> None:
    limited = Who(session="s1", author=AIKO.author, rooms=frozenset(("r",)))
    assert admits(RoomFacts(name="r"), limited)
    with pytest.raises(Forbidden):
        admit(RoomFacts(name="q"), limited)


def test_a_person_for_whom_a_proxy_vouches_is_their_name_at_the_proxy_and_shows_none_of_it() -> None:
    ken = vouched("ken@example.org").author
    assert ken is not None
    assert (ken.name, ken.kind, ken.id[:2]) == ("ken", "user", "p_")
    assert ken == vouched("ken@example.org").author != vouched("ken@example.com").author
    assert vouched("\u200b").author == Author(vouched("\u200b").user or "", "Guest", "user")
