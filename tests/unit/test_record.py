"""Records in memory, the model of all others, and what is no record."""

from __future__ import annotations

import pytest

from kodama.core.record import DropRecord, PutRecord, Record, RecordMoved, Records, Shelf, check_record


def test_a_kind_counts_its_changes_and_no_revision_comes_twice() -> None:
    shelf = Shelf()
    put = PutRecord(kind="ban", key="a", body=b"1", expected=0)
    assert shelf.write([put, DropRecord(kind="ban", key="a", expected=1), put]) == [1, 2, 3]
    assert shelf.get("ban", "a") == Record("a", b"1", 3)
    assert shelf.versions == {"ban": 3}
    assert shelf.write([DropRecord(kind="ban", key="a")]) == [4]
    assert shelf.get("ban", "a") is None


def test_nothing_is_written_when_one_of_them_has_moved() -> None:
    shelf = Shelf()
    shelf.write([PutRecord(kind="ban", key="a", body=b"1")])
    drop = DropRecord(kind="ban", key="a")
    other = PutRecord(kind="mute", key="a", body=b"2")
    with pytest.raises(RecordMoved, match="ban a is at 0, not at 1"):
        shelf.write([drop, other, DropRecord(kind="ban", key="a", expected=1)])
    assert shelf.listed("ban", prefix="", after="", limit=9) == Records(1, (Record("a", b"1", 1),))
    assert shelf.versions == {"ban": 1}


@pytest.mark.parametrize("wrong", [
    PutRecord(kind="Ban", key="a", body=b""), PutRecord(kind="ban", key="", body=b""),
    PutRecord(kind="ban", key="\0", body=b""), PutRecord(kind="ban", key="a", body=b"x" * 65_537),
    DropRecord(kind="ban", key="x" * 513),
])  # fmt: skip
def test_what_is_no_record_is_said_so(wrong: PutRecord | DropRecord) -> None:
    with pytest.raises(ValueError, match=r"."):
        check_record(wrong)
    check_record(DropRecord(kind="ban", key="x"))
