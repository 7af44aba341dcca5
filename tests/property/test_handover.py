"""The handover against every order in which history and live entries can meet."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kodama.core.event import Entry
from kodama.core.handover import Handover, Mode
from tests.unit.entries import line


@given(st.data())
def test_every_interleaving_delivers_each_entry_once_in_order(data: st.DataObject) -> None:
    """Live entries come in any order, doubled or not at all; history is read whenever it is wanted."""
    total = data.draw(st.integers(0, 10), label="total")
    sent = [line(offset) for offset in range(1, total + 1)]
    start = data.draw(st.integers(0, total), label="start")
    limit = data.draw(st.integers(0, 4), label="limit")
    early = data.draw(st.lists(st.sampled_from(sent), max_size=20) if sent else st.just([]), label="live")
    handover, got = Handover(offset=start, limit=limit), list[Entry]()
    for entry in early:
        got += handover.live(entry)
        if data.draw(st.booleans(), label="read now") and handover.mode is Mode.READING:
            offset = handover.offset or 0
            top = data.draw(st.integers(offset, total), label="top")
            got += handover.history(sent[offset:top], top=top)
    while handover.mode is Mode.READING:
        got += handover.history(sent[handover.offset or 0 :], top=total)
    assert got == [entry for entry in sent[start:] if entry.offset <= (handover.offset or 0)]
    heard = max((entry.offset for entry in early), default=0)
    assert not early or (handover.offset or 0) >= heard


@given(st.permutations(range(1, 6)), st.integers(0, 5))
def test_without_a_start_the_first_history_says_where_the_log_stands(order: list[int], top: int) -> None:
    handover, got = Handover(), list[Entry]()
    for offset in order:
        assert handover.live(line(offset)) == ()
    got += handover.history([line(offset) for offset in range(1, top + 1)], top=top)
    assert [entry.offset for entry in got] == [1, 2, 3, 4, 5]
    assert handover.mode is Mode.LIVE


def test_a_skipped_offset_asks_for_history_again() -> None:
    handover = Handover(offset=0)
    assert handover.history((), top=0) == []
    assert list(handover.live(line(1))) == [line(1)]
    assert handover.live(line(3)) == ()
    assert handover.mode is Mode.READING
    assert handover.history([line(2)], top=2) == [line(2), line(3)]
    assert handover.live(line(2)) == ()


def test_history_that_does_not_reach_what_is_held_leaves_it_reading() -> None:
    handover = Handover(offset=0)
    handover.live(line(5))
    assert handover.history([line(1)], top=1) == [line(1)]
    assert handover.mode is Mode.READING
    assert [one.offset for one in handover.history([line(n) for n in (2, 3, 4)], top=4)] == [2, 3, 4, 5]


def test_an_entry_dropped_for_want_of_room_is_read_again() -> None:
    handover = Handover(offset=0, limit=1)
    handover.live(line(1))
    handover.live(line(2))
    assert handover.history((), top=0) == [line(1)]
    assert handover.mode.name == "READING", "the dropped entry 2 would stay unseen until a third came"
    assert handover.history([line(2)], top=2) == [line(2)]
    assert handover.mode.name == "LIVE"
