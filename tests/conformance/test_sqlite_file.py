"""Files that are not ours, damaged, in use, from the future; copies of them."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from kodama.core.event import decode
from kodama.core.record import PutRecord, Record, Records
from kodama.core.room import RoomFacts
from kodama.store.interface import StoreDamaged, StoreUnavailable
from kodama.store.sqlite import SqliteStore, backup, restore
from kodama.store.sqlite.file import hold, transaction, unsynced_transaction, writing
from tests.conformance.stores import HandReactor, Site, delete, publish, react, sqlite, topic

FULL = 2  # of PRAGMA synchronous


def a_log(folder: Path, *, events: int = 200) -> Path:
    site = sqlite(folder).start()
    site.append(*(publish(f"number {n}", nonce=f"n{n}") for n in range(events)))
    site.stop()
    return folder / "log.db"


def not_sqlite(path: Path) -> None:
    path.write_bytes(b"Dear diary, " * 500)


def short(path: Path) -> None:
    path.write_bytes(b"SQLite format 3\0")


def foreign(path: Path) -> None:
    path.unlink()
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE shopping (item)")
    other.close()


def newer(path: Path) -> None:
    other = sqlite3.connect(path)
    other.execute("PRAGMA user_version = 999")
    other.close()
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def cut_off(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-5000])


def scribbled_on(path: Path) -> None:
    content = bytearray(path.read_bytes())
    for start in range(4096, len(content), 4096):
        content[start : start + 64] = b"\xff" * 64
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (not_sqlite, "not a SQLite file"),
        (short, "not a SQLite file"),
        (foreign, "not a Kodama log"),
        (newer, "newer Kodama"),
        (cut_off, "its end is missing"),
        (scribbled_on, "damaged"),
    ],
)
def test_a_file_that_is_not_right_is_named_and_left_as_it_is(
    tmp_path: Path, spoil: Callable[[Path], None], words: str
) -> None:
    path = a_log(tmp_path)
    spoil(path)
    before = path.read_bytes()
    with pytest.raises(StoreDamaged, match=words):
        sqlite(tmp_path).start()
    assert path.read_bytes() == before


def test_a_directory_in_the_place_of_the_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "log.db").mkdir()
    with pytest.raises(StoreDamaged):
        sqlite(tmp_path).start()


def test_a_file_in_use_is_not_opened_twice(tmp_path: Path) -> None:
    first = sqlite(tmp_path).start()
    with pytest.raises(StoreDamaged, match="in use by another process"):
        sqlite(tmp_path).start()
    first.stored(publish())
    first.stop()
    sqlite(tmp_path).start().stop()


def test_a_crash_while_the_file_was_made_is_forgotten(tmp_path: Path) -> None:
    (tmp_path / "log.db.new").write_bytes(b"half")
    site = sqlite(tmp_path).start()
    site.stored(publish())
    site.stop()


def test_everything_is_there_after_opening_again_under_a_new_epoch(tmp_path: Path) -> None:
    first = sqlite(tmp_path).start()
    first.append(publish("a", nonce="n"), publish("b"), react(1), delete(2), topic("cats"))
    secret, log = first.store.secret("tokens"), first.log()
    first.wait(first.store.revoke("s", until=2_000_000))
    first.wait(first.store.write_records([PutRecord(kind="ban", key="a", body=b"1")]))
    first.stop()

    second = sqlite(tmp_path)
    second.clock[0] -= 400_000
    second.start()
    assert second.log() == log
    assert second.store.secret("tokens") == secret
    assert second.store.revoked() == {"s"}
    assert second.store.records_now("ban") == Records(1, (Record("a", b"1", 1),))
    again = second.stored(publish("a", nonce="n"))
    assert (again.fresh, again.entry.offset) == (False, 1)
    assert second.stored(delete(2)).fresh is False
    new = second.stored(publish("c"))
    assert (new.entry.offset, new.entry.time, new.entry.epoch) == (6, 1_000_000, second.store.epoch)
    opened = second.wait(second.store.open("lobby", tail_bytes=0))
    assert opened.epochs == ((1, first.store.epoch), (6, second.store.epoch))
    second.stop()


def test_reads_are_counted(tmp_path: Path) -> None:
    site = sqlite(tmp_path).start()
    site.log()
    site.wait(site.store.rooms())
    assert site.store.reads == 2
    site.stop()


def test_a_copy_taken_while_writing_is_whole_and_of_one_moment(tmp_path: Path) -> None:
    site = sqlite(tmp_path).start()
    site.append(*(publish(str(n)) for n in range(500)))
    late: list[object] = []
    for n in range(500, 2500):
        site.store.append(publish(str(n)), late.append)
    backup(tmp_path / "log.db", tmp_path / "copy.db")
    site.reactor.pump_until(lambda: len(late) == 2000)
    site.stop()

    (tmp_path / "elsewhere").mkdir()
    restore(tmp_path / "copy.db", tmp_path / "elsewhere" / "log.db")
    copied = sqlite(tmp_path / "elsewhere").start()
    texts = [decode(line.json).text for line in copied.log()]
    assert texts == [str(n) for n in range(len(texts))]
    assert len(texts) >= 500
    copied.stop()


def test_a_copy_of_a_log_at_rest_can_be_taken_and_leaves_it_as_it_is(tmp_path: Path) -> None:
    path = a_log(tmp_path)
    before = path.read_bytes()
    backup(path, tmp_path / "copy.db")
    assert path.read_bytes() == before
    assert {one.name for one in tmp_path.iterdir()} >= {"copy.db", "log.db"}
    with pytest.raises(FileExistsError):
        backup(path, tmp_path / "copy.db")


def test_a_log_in_use_is_not_replaced(tmp_path: Path) -> None:
    site = sqlite(tmp_path).start()
    site.stored(publish())
    backup(tmp_path / "log.db", tmp_path / "copy.db")
    with pytest.raises(StoreDamaged, match="in use"):
        restore(tmp_path / "copy.db", tmp_path / "log.db")
    site.stored(publish())
    site.stop()


def test_what_a_copy_replaces_is_kept_beside_it(tmp_path: Path) -> None:
    path = a_log(tmp_path, events=3)
    backup(path, tmp_path / "copy.db")
    site: Site = sqlite(tmp_path).start()
    site.stored(publish("later"))
    site.stop()
    restore(tmp_path / "copy.db", path)
    site = sqlite(tmp_path).start()
    assert len(site.log()) == 3
    site.stop()
    kept = sqlite3.connect(tmp_path / "log.db.replaced")
    assert kept.execute("SELECT count(*) FROM events").fetchone() == (4,)
    kept.close()


def test_a_damaged_copy_replaces_nothing(tmp_path: Path) -> None:
    path = a_log(tmp_path)
    before = path.read_bytes()
    (tmp_path / "copy.db").write_bytes(before[:-5000])
    with pytest.raises(StoreDamaged):
        restore(tmp_path / "copy.db", path)
    assert path.read_bytes() == before


def test_too_much_waiting_is_refused_at_once(tmp_path: Path) -> None:
    from kodama.store.sqlite import SqliteStore

    site = sqlite(tmp_path)
    site.store = SqliteStore(tmp_path / "log.db", reactor=site.reactor, now=lambda: 5, waiting_limit=3)
    site.start()
    results: list[object] = []
    for _ in range(3):
        site.store.append(publish(), results.append)
    with pytest.raises(StoreUnavailable):
        site.store.append(publish(), results.append)
    site.reactor.pump_until(lambda: len(results) == 3)
    site.stored(publish())
    site.stop()


def test_a_store_that_never_started_stops_at_once(tmp_path: Path) -> None:
    site = sqlite(tmp_path)
    assert not site.store.healthy()
    site.stop()


def test_a_writer_that_was_frozen_writes_nothing_beside_its_successor(tmp_path: Path) -> None:
    """The lock is shared, as a supervisor shares it, so that nothing but the file itself stands between."""
    lock = hold(tmp_path / "log.db")
    sites = []
    for _ in range(2):
        reactor = HandReactor()
        store = SqliteStore(tmp_path / "log.db", reactor=reactor, now=lambda: 1_000_000, lock=os.dup(lock))
        sites.append(Site(store, reactor, [1_000_000]))
    frozen, successor = sites
    frozen.start().stored(publish("before"))
    successor.start().stored(publish("meanwhile"))
    refused = frozen.append(publish("late"), publish("later", room="garden"))
    assert [type(one) for one in refused] == [StoreUnavailable, StoreUnavailable]
    assert not frozen.store.healthy()
    with pytest.raises(StoreUnavailable):
        frozen.wait(frozen.store.write_records([PutRecord(kind="ban", key="a", body=b"1")]))
    with pytest.raises(StoreUnavailable):
        frozen.wait(frozen.store.put_room(RoomFacts(name="kitchen")))
    assert successor.stored(publish("after")).entry.offset == 3
    assert [decode(line.json).text for line in successor.log()] == ["before", "meanwhile", "after"]
    assert len(successor.wait(successor.store.rooms())) == 1
    frozen.stop()
    successor.stop()
    os.close(lock)


def test_every_transaction_waits_for_the_disk_but_those_that_say_otherwise(tmp_path: Path) -> None:
    connection = writing(a_log(tmp_path, events=1))

    def waits() -> bool:
        return bool(connection.execute("PRAGMA synchronous").fetchone()[0] == FULL)

    with transaction(connection):
        assert waits()
    with suppress(LookupError), unsynced_transaction(connection):
        assert not waits()
        raise LookupError
    with transaction(connection):
        assert waits()
    connection.close()
