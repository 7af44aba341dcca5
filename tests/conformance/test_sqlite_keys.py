"""Keys written by another process, with a server on the log and without one."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from kodama.core.apikey import ApiKey
from kodama.store.interface import StoreDamaged
from kodama.store.sqlite import keys
from tests.conformance.stores import publish, sqlite

BOT = ApiKey(digest=b"d" * 32, name="bot", rooms=None, read_only=False, created=1)


def test_a_key_written_beside_a_server_is_seen_by_it_and_harms_no_event(tmp_path: Path) -> None:
    site = sqlite(tmp_path).start()
    site.stored(publish("one"))
    with keys.beside(tmp_path / "log.db") as file:
        keys.put(file, BOT)
    assert site.wait(site.store.keys()) == (BOT,)
    assert site.stored(publish("two")).entry.offset == 2
    with keys.beside(tmp_path / "log.db") as file:
        assert keys.drop(file, BOT.id)
        assert not keys.drop(file, "none")
    assert site.wait(site.store.keys()) == ()
    site.stop()


def test_a_key_can_be_made_before_the_first_start(tmp_path: Path) -> None:
    with keys.beside(tmp_path / "log.db") as file:
        keys.put(file, BOT)
    site = sqlite(tmp_path).start()
    assert site.wait(site.store.keys()) == (BOT,)
    site.stop()


def test_nothing_is_written_when_the_work_fails(tmp_path: Path) -> None:
    def fail(file: sqlite3.Connection) -> None:
        keys.put(file, BOT)
        raise KeyError

    with pytest.raises(KeyError), keys.beside(tmp_path / "log.db") as file:
        fail(file)
    with keys.beside(tmp_path / "log.db") as file:
        assert keys.listed(file) == ()


def test_a_file_that_is_no_log_is_left_alone(tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "log.db")
    other.execute("CREATE TABLE t (x)")
    other.close()
    with pytest.raises(StoreDamaged), keys.beside(tmp_path / "log.db"):
        pass
