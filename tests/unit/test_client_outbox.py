"""What outlives a program of the Python client: its outbox and its place, whenever it is killed."""

from __future__ import annotations

from pathlib import Path

import pytest

from kodama.client.outbox import FORGOTTEN, CursorFile, Outbox, Waiting


def waiting(number: int, *, at: float = 0) -> Waiting:
    return Waiting("lobby", f"nonce{number}", at, text=f"text {number}", data={"n": [number, None]}, name="Aiko")


def test_what_waits_is_there_in_the_next_run_in_its_order(tmp_path: Path) -> None:
    path = tmp_path / "outbox"
    box = Outbox(path)
    for number in range(5):
        box.add(waiting(number))
    box.done("nonce2")
    box.done("nonce2")
    box.done("unknown")
    again = Outbox(path)
    assert again.waiting() == [waiting(0), waiting(1), waiting(3), waiting(4)]
    assert len(again) == 4


def test_without_a_file_it_is_kept_in_memory() -> None:
    box = Outbox()
    box.add(waiting(1))
    box.done("nonce1")
    assert len(box) == 0


def test_a_crash_at_any_byte_loses_no_message_that_was_written_whole(tmp_path: Path) -> None:
    path = tmp_path / "outbox"
    box = Outbox(path)
    box.add(waiting(1))
    box.add(waiting(2))
    box.done("nonce1")
    whole = path.read_bytes()
    lines = whole.splitlines(keepends=True)
    for cut in range(len(whole) + 1):
        path.write_bytes(whole[:cut])
        complete = sum(cut >= len(b"".join(lines[: n + 1]).rstrip()) for n in range(3))
        expected = [[], [waiting(1)], [waiting(1), waiting(2)], [waiting(2)]][complete]
        found = Outbox(path)
        assert found.waiting() == expected, cut
        found.add(waiting(3))
        assert Outbox(path).waiting() == [*expected, waiting(3)], cut


def test_a_file_of_what_was_sent_does_not_grow_for_ever(tmp_path: Path) -> None:
    path = tmp_path / "outbox"
    box, largest = Outbox(path), 0
    for number in range(350):
        box.add(waiting(number))
        box.done(f"nonce{number}")
        largest = max(largest, path.stat().st_size)
    assert largest < 30_000
    assert Outbox(path).waiting() == []


@pytest.mark.parametrize(("age", "old"), [(0, False), (FORGOTTEN - 1, False), (FORGOTTEN, True), (FORGOTTEN * 9, True)])
def test_after_a_day_a_message_is_looked_up_before_it_is_sent_again(age: float, old: bool) -> None:
    assert waiting(1, at=1_000).is_old(now=1_000 + age) is old


def test_a_place_is_kept_whole(tmp_path: Path) -> None:
    place = CursorFile(tmp_path / "place")
    assert place.read() is None
    place.keep("k1.a~e~1")
    place.keep("k1.a~e~2")
    assert CursorFile(tmp_path / "place").read() == "k1.a~e~2"
    assert [one.name for one in tmp_path.iterdir()] == ["place"]
