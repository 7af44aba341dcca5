"""The checker of histories: what is right is never blamed, and each wrong is called by its name."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kodama.verify.history import check
from kodama.verify.observations import Acked, Amended, Logged, Moved, Observation, Print, Saw, Sent, Told
from kodama.verify.violations import Wrong

READERS = {1: ["a"], 2: ["a"]}


def event(offset: int) -> Print:
    return Print(1000 + offset, 2000 + offset, 3000 + offset)


def logged(offset: int, *, epoch: str = "e", time: str = "t", number: int | None = None) -> Logged:
    said = offset if number is None else number
    return Logged("a", offset, event(offset)._replace(body=3000 + said), epoch, time, 1, said)


def written(length: int) -> list[Observation]:
    """One writer sends; offset and number are the same."""
    return [one for n in range(1, length + 1) for one in (Sent("a", 1, n, 3000 + n), Acked("a", 1, n, n))]


def read(reader: int, offsets: list[int]) -> list[Observation]:
    """Every answer brings one event and a new cursor."""
    return [one for n in offsets for one in (Saw(reader, "a", n, event(n)), Moved(reader, f"c{n}", with_events=True))]


def right(length: int) -> list[Observation]:
    whole = list(range(1, length + 1))
    return [*written(length), *read(1, whole), *read(2, whole), *(logged(n) for n in whole)]


def kinds(observations: list[Observation]) -> set[Wrong]:
    return {one.kind for one in check(observations, readers=READERS)}


@given(st.integers(0, 40), st.randoms(use_true_random=False))
def test_a_right_history_has_nothing_wrong_however_the_observers_interleave(length: int, random: object) -> None:
    whole = list(range(1, length + 1))
    streams = [written(length), read(1, whole), read(2, whole)]
    mixed: list[Observation] = []
    while any(streams):
        stream = random.choice([one for one in streams if one])
        mixed.append(stream.pop(0))
    assert kinds([*mixed, *(logged(n) for n in whole)]) == set()


@given(st.integers(3, 30), st.data())
def test_one_delivery_left_out_is_a_hole_or_an_end_never_reached(length: int, data: st.DataObject) -> None:
    gone = data.draw(st.integers(1, length))
    whole = list(range(1, length + 1))
    seen = [*written(length), *read(1, [n for n in whole if n != gone]), *read(2, whole), *map(logged, whole)]
    assert kinds(seen) == {Wrong.INCOMPLETE if gone == length else Wrong.HOLE}


@given(st.integers(1, 30), st.data())
def test_one_delivery_made_twice_is_doubled(length: int, data: st.DataObject) -> None:
    again = data.draw(st.integers(1, length))
    whole = list(range(1, length + 1))
    doubled = sorted([*whole, again])
    seen = [
        *written(length), *(Saw(1, "a", n, event(n)) for n in doubled), *read(2, whole), *map(logged, whole)
    ]  # fmt: skip
    assert kinds(seen) == {Wrong.DOUBLED}


@given(st.integers(2, 30), st.data())
def test_two_deliveries_swapped_are_reordered(length: int, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, length - 2))
    whole = list(range(1, length + 1))
    swapped = whole.copy()
    swapped[at], swapped[at + 1] = swapped[at + 1], swapped[at]
    assert kinds([*written(length), *read(1, swapped), *read(2, whole), *map(logged, whole)]) == {Wrong.REORDERED}


@given(st.integers(1, 30), st.data())
def test_a_hole_that_is_told_is_no_silent_one(length: int, data: st.DataObject) -> None:
    first = data.draw(st.integers(1, length))
    last = data.draw(st.integers(first, length))
    kept = list(range(last + 1, length + 1))
    told = Told(1, "a", first, last, "retention")
    seen = [
        *written(length), *read(1, list(range(1, first))), told, *read(1, kept),
        *read(2, list(range(1, length + 1))), *map(logged, range(1, length + 1)),
    ]  # fmt: skip
    assert kinds(seen) == {Wrong.FALSE_GAP}  # the log still has what the server said was gone


def test_a_gap_is_right_if_the_log_has_really_lost_what_it_says() -> None:
    told = [Told(reader, "a", 1, 5, "retention") for reader in (1, 2)]
    assert kinds([*written(9), *told, *read(1, [6, 7, 8, 9]), *read(2, [6, 7, 8, 9]), *map(logged, range(6, 10))]) == set()


WRONGS: dict[str, tuple[Wrong, Callable[[list[Observation]], list[Observation]]]] = {
    "acknowledged without being stored": (Wrong.LOST, lambda h: [*h, Sent("a", 2, 1, 5), Acked("a", 2, 1, 10)]),
    "an edit acknowledged without being stored": (Wrong.LOST, lambda h: [*h, Amended("a", 10, 1010)]),
    "stored elsewhere than acknowledged": (Wrong.MOVED, lambda h: [*h, Acked("a", 1, 3, 4)]),
    "one nonce stored twice": (Wrong.STORED_TWICE, lambda h: [*h, logged(10, number=9)]),
    "an event that nobody sent": (Wrong.INVENTED, lambda h: [*h, logged(10)]),
    "another event at the offset": (Wrong.COLLISION, lambda h: [Saw(1, "a", 1, Print(7, 2001, 3001)), *h]),
    "other contents of an event": (Wrong.CHANGED, lambda h: [Saw(1, "a", 1, Print(1001, 2001, 7)), *h]),
    "other facts of an event": (Wrong.CHANGED, lambda h: [Saw(1, "a", 1, Print(1001, 7, 3001)), *h]),
    "an offset left out by the log": (Wrong.SPARSE, lambda h: [*h, Sent("a", 1, 11, 3011), logged(11)]),
    "an event seen before it was stored": (Wrong.VANISHED, lambda h: [*h, Saw(1, "a", 10, event(10))]),
    "an old cursor after new events": (Wrong.STALE, lambda h: [*h, Moved(1, "c3", with_events=True)]),
    "an old cursor after nothing": (Wrong.STALE, lambda h: [*h, Moved(1, "c8", with_events=False)]),
    "a gap that nothing explains": (Wrong.GAP, lambda h: [*h, Told(1, "a", 10, 12, "slow")]),
    "an event of another room": (Wrong.FOREIGN, lambda h: [*h, Saw(1, "b", 1, event(1))]),
    "an epoch that comes back": (
        Wrong.EPOCH,
        lambda h: [*h, Sent("a", 1, 10, 3010), logged(10, epoch="f"), Sent("a", 1, 11, 3011), logged(11)],
    ),
    "time that runs back": (Wrong.TIME, lambda h: [*h, Sent("a", 1, 10, 3010), logged(10, time="s")]),
    "a sender's messages in another order": (
        Wrong.SENDER_ORDER,
        lambda h: [*h, *(Sent("a", 1, n, 3000 + n) for n in (10, 11)), logged(10, number=11), logged(11, number=10)],
    ),
}


@pytest.mark.parametrize("what", WRONGS)
def test_each_wrong_is_called_by_its_name(what: str) -> None:
    wrong, planted = WRONGS[what]
    assert wrong in kinds(planted(right(9)))


def test_after_a_stale_cursor_what_comes_again_was_asked_for() -> None:
    seen = [*right(9), Moved(1, "c5", with_events=True), *(Saw(1, "a", n, event(n)) for n in (6, 7, 8, 9))]
    assert kinds(seen) == {Wrong.STALE}


def test_the_contents_of_what_was_edited_or_deleted_may_change() -> None:
    seen = right(3)
    seen.insert(0, Saw(1, "a", 1, Print(1001, 2001, 0)))
    seen = [one for one in seen if one != Saw(1, "a", 1, event(1))]
    assert kinds(seen) == set()
