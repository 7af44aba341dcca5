"""The stream against a model so plain that it is surely right: a list of all entries."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kodama.core.event import Entry
from kodama.core.position import START, Epochs, Position
from kodama.core.stream import Lost, Reason, Recovered, Stored, Stream
from tests.unit.entries import line

WIDE = 10**9


@st.composite
def streams(draw: st.DrawFn) -> tuple[list[Entry], Stream]:
    lengths = draw(st.lists(st.integers(1, 4), max_size=4))
    epochs = [f"e{number}" for number, length in enumerate(lengths) for _ in range(length)]
    log = [line(offset, epoch=epoch) for offset, epoch in enumerate(epochs, 1)]
    stream = Stream()
    for entry in log:
        stream.append(entry)
    stream.forget(draw(st.integers(1, len(log) + 1)))
    stream.trim(draw(st.integers(0, stream.size)))
    return log, stream


@given(
    streams(),
    st.sampled_from(["e0", "e1", "e2", "e3", "zz"]),
    st.integers(1, 20),
    st.integers(1, 6),
    st.integers(1, 900),
)
def test_a_reader_gets_what_the_log_has_or_is_told_of_the_hole(
    made: tuple[list[Entry], Stream], epoch: str, offset: int, limit: int, size: int
) -> None:
    log, stream = made
    position = Position(epoch, offset)
    known = offset <= len(log) and log[offset - 1].epoch == epoch
    assert stream.knows(position) is known
    step = stream.after(position, limit=limit, size=size)
    match step:
        case Lost(reason=Reason.RETENTION):
            assert known
            assert (step.first, step.last) == (offset + 1, stream.first - 1)
            assert step.resume.offset == stream.first - 1
        case Lost(reason=Reason.EPOCH):
            assert not known
            assert stream.knows(step.resume)
            assert step.resume.offset + 1 >= stream.first
            assert step.first is None or (step.first, step.last) == (step.resume.offset + 1, offset)
        case Stored():
            assert known
            assert step.position == position
        case Recovered():
            assert known
            taken = list(step.entries)
            assert taken == log[offset : offset + len(taken)]
            assert len(taken) <= limit
            assert sum(len(one.json) for one in taken) <= size or len(taken) == 1
            assert step.position.offset == offset + len(taken)
            assert step.more is (step.position.offset < len(log))
            assert taken or offset == len(log)


@given(streams())
def test_reading_on_from_each_answer_gives_every_kept_entry_once(made: tuple[list[Entry], Stream]) -> None:
    log, stream = made
    position, got, more = START, list[Entry](), True
    while more:
        step = stream.after(position, limit=2, size=WIDE)
        match step:
            case Lost():
                position = step.resume
            case Stored():
                read = stream.cut(log[position.offset : position.offset + 2], position, size=WIDE)
                got += read.entries
                position, more = read.position, read.more
            case Recovered():
                got += step.entries
                position, more = step.position, step.more
    assert got == log[stream.first - 1 :]
    assert position == stream.top


def test_only_the_next_entry_can_be_appended() -> None:
    stream = Stream()
    stream.append(line(1))
    with pytest.raises(ValueError, match="offset 3 does not follow 1"):
        stream.append(line(3))


def test_rewriting_replaces_the_bytes_of_what_is_in_memory_only() -> None:
    stream = Stream()
    for offset in (1, 2, 3):
        stream.append(line(offset))
    stream.trim(stream.size - 1)
    stream.rewrite(line(1, text="not in the tail"))
    stream.rewrite(line(2, text="longer than before"))
    step = stream.after(stream.at(1) or START, limit=9, size=WIDE)
    assert isinstance(step, Recovered)
    assert list(step.entries) == [line(2, text="longer than before"), line(3)]
    assert stream.size == sum(len(one.json) for one in step.entries)


def test_places_outside_the_log_have_no_position() -> None:
    stream = Stream(first=3, top=4, epochs=[(1, "a"), (4, "b")], tail=[line(4, epoch="b")])
    assert stream.at(5) is None
    assert stream.at(-1) is None
    assert stream.at(3) == Position("a", 3)
    assert stream.beyond() == Lost(Reason.UNKNOWN_CURSOR, None, None, Position("a", 2))
    assert stream.lost_at(START, 3) == Lost(Reason.RETENTION, 1, 2, Position("a", 2))
    assert stream.after(Position("a", 9), limit=1, size=1) == Lost(Reason.EPOCH, 4, 9, Position("a", 3))


def test_epochs_are_kept_as_ranges() -> None:
    epochs = Epochs([(1, "a"), (2, "a"), (3, "b")])
    assert epochs.starts() == ((1, "a"), (3, "b"))
    assert epochs.last_of("a") == 2
    assert epochs.last_of("b") is None


def test_who_is_below_what_is_kept_is_told_and_who_is_below_the_tail_is_sent_to_the_store() -> None:
    stream = Stream(first=3, top=5, epochs=[(1, "a")], tail=[line(5, epoch="a")])
    assert stream.after(Position("a", 1), limit=9, size=WIDE) == Lost(
        Reason.RETENTION, 2, 2, Position("a", 2)
    )
    assert stream.after(Position("a", 2), limit=9, size=WIDE) == Stored(Position("a", 2))
    cut = stream.cut([line(4, epoch="a"), line(5, epoch="a")], Position("a", 3), size=1)
    assert (cut.position, cut.more) == (Position("a", 4), True)
