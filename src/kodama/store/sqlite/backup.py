"""Copies of the log: taken while it is written, and put back in its place.

The one decision here: a copy appears under its name only when it is whole, checked and on disk,
and what a restored copy replaces is kept beside it (``….replaced``), never deleted.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Final

from kodama.store.interface import StoreUnavailable
from kodama.store.sqlite.file import examine, hold, inspecting, settle_on_disk, verify

_BESIDE: Final = ("", "-wal", "-shm")


def backup(source: Path, target: Path) -> None:
    """Copy the log at ``source``, as it is at one moment, to the new file ``target``.

    Works while a server writes to it. Raises `StoreDamaged`, `StoreUnavailable` (no space) or
    `FileExistsError`.
    """
    if target.exists():
        raise FileExistsError(f"{target} exists already.")
    examine(source)
    _copy(source, target)


def restore(backup: Path, target: Path) -> None:
    """Put the copy ``backup`` in the place of the log ``target``.

    Raises `StoreDamaged` if the copy is not sound or ``target`` is in use.
    """
    examine(backup)
    lock = hold(target)
    try:
        fresh = target.with_name(target.name + ".restored")
        fresh.unlink(missing_ok=True)
        _copy(backup, fresh)
        for suffix in reversed(_BESIDE):
            old = target.with_name(target.name + suffix)
            if old.exists():
                old.replace(target.with_name(f"{target.name}.replaced{suffix}"))
        fresh.replace(target)
        settle_on_disk(target.parent)
    finally:
        os.close(lock)


def _copy(source: Path, target: Path) -> None:
    partial = target.with_name(target.name + ".partial")
    partial.unlink(missing_ok=True)
    try:
        with inspecting(source) as origin:
            copy = sqlite3.connect(partial, isolation_level=None)
            try:
                origin.backup(copy)  # in one step: one moment, and the writer is not held up
                copy.execute("PRAGMA journal_mode = DELETE")
                verify(copy, path=source, check="integrity_check")
            finally:
                copy.close()
        settle_on_disk(partial)
        partial.replace(target)
        settle_on_disk(target.parent)
    except sqlite3.DatabaseError as error:
        raise StoreUnavailable(f"{source} cannot be copied: {error}.") from error
    finally:
        partial.unlink(missing_ok=True)
