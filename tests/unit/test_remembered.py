"""What rooms remember of answers stays within one bound, and never outlives a change."""

from __future__ import annotations

from kodama.core.remembered import Budget, Remembered


def test_an_answer_is_remembered_until_the_room_changes() -> None:
    room = Remembered(Budget(100))
    room.put("place", b"answer", size=6, age=room.age)
    assert room.get("place") == b"answer"
    room.put("place", b"another", size=7, age=room.age)
    assert room.get("place") == b"answer"
    room.clear()
    assert room.get("place") is None


def test_what_was_read_before_a_change_is_not_remembered_after_it() -> None:
    room = Remembered(Budget(100))
    before = room.age
    room.clear()
    room.put("place", b"with words that are deleted now", size=31, age=before)
    assert room.get("place") is None


def test_all_rooms_forget_when_together_they_hold_too_much() -> None:
    budget = Budget(100)
    rooms = [Remembered(budget) for _ in range(3)]
    for room in rooms:
        room.put("place", b"", size=40, age=room.age)
    assert [room.get("place") for room in rooms] == [None, None, b""]
    assert budget.size == 40
    rooms[2].clear()
    assert budget.size == 0


def test_an_answer_above_the_bound_is_never_remembered() -> None:
    budget = Budget(100)
    room = Remembered(budget)
    room.put("place", b"", size=101, age=room.age)
    assert (room.get("place"), budget.size) == (None, 0)
