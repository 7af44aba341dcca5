"""How reactions are counted for readers of history."""

from __future__ import annotations

from kodama.core.event import Author, Entry, Message, Reaction, entry
from kodama.core.tally import NAMED, tally


def person(number: int) -> Author:
    return Author(f"g_{number}", f"Guest {number}", "guest")


def reacted(offset: int, by: Author, *, emoji: str = "👍", op: str = "add", target: int = 1) -> Entry:
    event = Reaction(
        room="lobby",
        offset=offset,
        epoch="e",
        id=str(offset),
        time="",
        author=by,
        target=target,
        emoji=emoji,
        op=op,
    )
    return entry(event, time=0)


def test_a_count_names_the_asker_first_and_says_how_far_it_counts() -> None:
    aiko, ben = person(1), person(2)
    (found,) = tally([reacted(3, aiko), reacted(2, ben)], asker=aiko.id)
    assert (found.target, found.emoji, found.count, found.by, found.offset) == (1, "👍", 2, [aiko, ben], 3)


def test_what_was_taken_back_is_not_counted_but_is_known_of() -> None:
    found = tally(
        [
            reacted(5, person(1), op="remove"),
            reacted(2, person(2)),
            reacted(6, person(1), emoji="🎉", op="remove"),
        ],
        asker=None,
    )
    assert [(one.emoji, one.count, one.offset) for one in found] == [("👍", 1, 5)]


def test_a_crowd_is_counted_in_full_and_named_in_part() -> None:
    crowd = [reacted(10 + number, person(number)) for number in range(NAMED + 5)]
    (found,) = tally(crowd, asker=person(NAMED + 4).id)
    assert (found.count, len(found.by), found.by[0]) == (NAMED + 5, NAMED, person(NAMED + 4))


def test_what_is_no_reaction_is_passed_over() -> None:
    message = Message(
        room="lobby", offset=1, epoch="e", id="1", time="", author=person(1), text="hi", data=None
    )
    assert tally([entry(message, time=0)], asker=None) == []
