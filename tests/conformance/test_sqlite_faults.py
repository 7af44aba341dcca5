"""Crashes, a full disk, an append that SQLite itself refuses: nothing acknowledged is lost."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kodama.core.event import decode
from kodama.store.interface import Stored, StoreUnavailable
from tests.conformance.stores import Site, publish, sqlite

SOAK = os.environ.get("KODAMA_SOAK") == "1" or os.environ.get("KODAMA_TEST_SIZE") == "soak"
ROUNDS = 100 if SOAK else 4
ROOT = Path(__file__).parents[2]

WRITE_FOR_EVER = """
import sys
from pathlib import Path
from tests.conformance.stores import publish, sqlite
site = sqlite(Path(sys.argv[1])).start()
print("open", flush=True)
number = 0
def settle(result):
    global number
    number += 1
    site.store.append(publish("x" * 100 + str(number)), settle)
    sys.stdout.write(f"{result.entry.offset} {result.id}\\n")
    sys.stdout.flush()
for n in range(16):
    site.store.append(publish("first"), settle)
site.reactor.pump_until(lambda: False)
"""


def write_until_killed(folder: Path, *, acknowledged: int) -> dict[int, str]:
    """Return what a process said was stored before it was killed in the middle of writing."""
    command = [sys.executable, "-c", WRITE_FOR_EVER, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"open\n"
        lines = [child.stdout.readline() for _ in range(acknowledged)]
        child.send_signal(signal.SIGKILL)
        lines += child.stdout.read().splitlines(keepends=True)
    return {
        int(number): ident
        for number, ident in (line.decode().split() for line in lines if line.endswith(b"\n"))
    }


@pytest.mark.crash
def test_a_process_killed_again_and_again_loses_nothing_it_acknowledged(tmp_path: Path) -> None:
    acknowledged: dict[int, str] = {}
    for number in range(ROUNDS):
        said = write_until_killed(tmp_path, acknowledged=100 + 137 * number % 2000)
        assert not acknowledged.keys() & said.keys(), "an offset was given twice"
        acknowledged |= said
        site = sqlite(tmp_path).start()
        log = site.log()
        site.stop()
        assert [line.offset for line in log] == list(range(1, len(log) + 1))
        stored = {line.offset: decode(line.json).id for line in log}
        assert acknowledged.items() <= stored.items()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = os.geteuid() == 0 and (
        subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", folder], check=False, capture_output=True
        ).returncode
        == 0
    )
    if not mounted:
        pytest.skip("mounting a small tmpfs needs root; the page limit test covers the rest")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def told_unavailable(site: Site) -> bool:
    results = site.append(*(publish("y" * 2000) for _ in range(20)))
    assert all(isinstance(one, Stored | StoreUnavailable) for one in results)
    return any(isinstance(one, StoreUnavailable) for one in results)


def test_a_full_disk_refuses_writes_goes_on_reading_and_recovers(small_disk: Path) -> None:
    site = sqlite(small_disk).start()
    ballast = small_disk / "ballast"
    ballast.write_bytes(b"x" * 600_000)
    for _ in range(200):
        if told_unavailable(site):
            break
    else:
        raise AssertionError("the disk never filled")
    assert not site.store.healthy()
    kept = [one for group in site.groups for commit in group.commits for one in commit.entries]
    assert list(site.log()) == kept
    wider_than_the_disk = site.store.revoke("s" * 3_000_000, until=9_000_000)
    with pytest.raises(StoreUnavailable):
        site.wait(wider_than_the_disk)
    assert site.store.revoked() == frozenset()

    ballast.unlink()
    new = site.stored(publish("after"))
    assert new.entry.offset == len(kept) + 1
    assert site.store.healthy()
    site.stop()
    again = sqlite(small_disk).start()
    assert len(again.log()) == len(kept) + 1
    again.stop()


def test_a_file_that_may_not_grow_refuses_writes_and_recovers(tmp_path: Path) -> None:
    site = sqlite(tmp_path).start()
    connection: Any = site.store._connection
    connection.execute("PRAGMA max_page_count = 100")
    while not told_unavailable(site):
        pass
    kept = len(site.log())
    assert not site.store.healthy()
    connection.execute("PRAGMA max_page_count = 1000000")
    assert site.stored(publish()).entry.offset == kept + 1
    assert site.store.healthy()
    site.stop()


def test_an_append_that_sqlite_refuses_harms_nobody_else(tmp_path: Path) -> None:
    site = sqlite(tmp_path).start()
    connection: Any = site.store._connection
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 100_000)
    results = site.append(*(publish("z" * (200_000 if n == 33 else 10)) for n in range(100)))
    assert [n for n, one in enumerate(results) if not isinstance(one, Stored)] == [33]
    assert [line.offset for line in site.log()] == list(range(1, 100))
    shown = [one.offset for group in site.groups for commit in group.commits for one in commit.entries]
    assert shown == list(range(1, 100))
    assert site.store.healthy()
    site.stop()


def test_publishing_goes_on_while_old_events_are_swept_away(tmp_path: Path) -> None:
    from kodama.core.room import Retention, RoomFacts

    site = sqlite(tmp_path).start()
    site.wait(site.store.put_room(RoomFacts(name="lobby", retention=Retention(days=0, events=10))))
    site.append(*(publish(nonce=f"n{n}") for n in range(5000)))
    site.clock[0] += 1
    order: list[str] = []
    site.store.sweep().addCallback(lambda _: order.append("swept"))
    site.store.append(publish(room="other"), lambda _: order.append("published"))
    site.reactor.pump_until(lambda: len(order) == 2)
    assert order == ["published", "swept"]
    site.stop()
