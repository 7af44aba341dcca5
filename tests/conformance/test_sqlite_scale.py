"""What a large log must not cost: no question walks a table, and opening reads no events."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from kodama.core.change import written
from kodama.core.event import entry
from kodama.core.record import PutRecord
from kodama.store.interface import After, Around, Before, Newest
from kodama.store.sqlite import reads
from kodama.store.sqlite.file import CHECKED_WHOLE, inspecting
from kodama.store.sqlite.store import FOLD_IN_GROUPS
from kodama.store.stamps import stamp
from tests.conformance.stores import Site, delete, edit, publish, react, sqlite

LARGE = 100_000  # events, over the size up to which a file is checked as a whole


def a_large_log(folder: Path) -> None:
    site = sqlite(folder).start()
    site.stored(publish())
    site.stop()
    line = entry(written(publish("x" * 100), stamp(1, epoch="e", ms=0)), time=0)
    connection = sqlite3.connect(folder / "log.db")
    with connection:
        connection.execute(
            "WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < ?) "
            "INSERT INTO events SELECT 1, i, 'e', 2000000 + i, 'message', NULL, NULL, ? FROM n",
            (LARGE, line.json),
        )
    connection.close()


def test_a_large_log_opens_and_answers_without_being_read_through(tmp_path: Path) -> None:
    a_large_log(tmp_path)
    assert (tmp_path / "log.db").stat().st_size > CHECKED_WHOLE
    steps = 0

    def count() -> int:
        nonlocal steps
        steps += 1
        return 0

    with inspecting(tmp_path / "log.db") as connection:
        connection.set_progress_handler(count, 1000)
        reads.open_room(connection, "lobby", tail_bytes=10_000)
        reads.read(connection, "lobby", after=50_000, limit=100, size=10**6)
        assert reads.offset_at(connection, "lobby", time=2_050_000) == 49_999
        for where in (Newest(), Before(70_000), After(30_000), Around(50_000)):
            reads.history(connection, "lobby", where=where, limit=100)
        reads.rooms(connection)
    assert steps < 30  # thousands of steps of SQLite's machine; one walk of the table takes 300

    site = sqlite(tmp_path).start()
    assert site.stored(publish(nonce="n")).entry.offset == LARGE + 1
    site.stop()


def plans(site: Site, *changes: Any) -> list[str]:
    connection: Any = site.store._connection
    statements: list[str] = []
    connection.set_trace_callback(statements.append)
    site.append(*changes)
    connection.set_trace_callback(None)
    asked = [one for one in statements if one.startswith(("SELECT", "WITH", "UPDATE", "DELETE"))]
    with inspecting(site.store._path) as other:
        return [
            f"{row[3]}: {statement}"
            for statement in asked
            for row in other.execute(f"EXPLAIN QUERY PLAN {statement}")
        ]


def test_no_append_walks_a_table(tmp_path: Path) -> None:
    site = sqlite(tmp_path).start()
    site.append(publish())
    found = plans(site, *(publish(nonce=f"n{n}") for n in range(20)), react(1), edit(1, "b"), delete(1))
    tables = ("SCAN rooms", "SCAN events", "SCAN nonces", "SCAN epochs")
    assert any("SEARCH nonces" in plan for plan in found)
    assert any("SEARCH events" in plan for plan in found)
    assert not [plan for plan in found if plan.startswith(tables)]
    site.stop()


def test_the_write_ahead_log_begins_anew_while_people_write(tmp_path: Path) -> None:
    site = sqlite(tmp_path).start()
    grown = []
    for _ in range(3):
        for number in range(FOLD_IN_GROUPS):
            site.append(publish(f"number {number}"))
        grown.append((tmp_path / "log.db-wal").stat().st_size)
    assert 0 < grown[2] <= 1.5 * grown[0]
    site.stop()


def test_a_task_begins_when_the_group_under_way_is_delivered(tmp_path: Path) -> None:
    site = sqlite(tmp_path).start()
    site.append(publish("the room's first"))
    site.store.append(publish("under way"), site.settled.append)
    done = site.store.write_records([PutRecord(kind="kind", key="key", body=b"{}")])
    site.store.secret("asked of the thread that writes, and waited for")
    with inspecting(tmp_path / "log.db") as file:
        assert file.execute("SELECT max(offset) FROM events").fetchone() == (2,)
        assert file.execute("SELECT count(*) FROM records").fetchone() == (0,)
    assert site.wait(done) == [1]
    assert len(site.settled) == 1
    site.stop()
