"""Rows go in many at a time.

The one decision here: a statement for each row would give up and retake the interpreter's lock at
each; a few sizes of one statement, so that all of them stay prepared, do not.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import chain
from typing import Any, Final, TypeVar

CHUNKS: Final = (64, 16, 4, 1)

_Row = TypeVar("_Row")


def insert(
    connection: sqlite3.Connection, table: str, *, columns: int, rows: Sequence[Sequence[Any]]
) -> None:
    """Insert ``rows`` into ``table``, which may name its columns; in an open transaction."""
    for some in chunks(rows):
        connection.execute(
            f"INSERT INTO {table} VALUES {marks(columns, len(some))}",  # noqa: S608
            list(chain.from_iterable(some)),
        )


def chunks(rows: Sequence[_Row]) -> Iterable[Sequence[_Row]]:
    """Yield ``rows`` in pieces of the sizes that are prepared."""
    start = 0
    for size in CHUNKS:
        while len(rows) - start >= size:
            yield rows[start : start + size]
            start += size


@lru_cache(maxsize=32)
def marks(columns: int, rows: int) -> str:
    """Return the place holders of so many rows."""
    row = "(" + ", ".join("?" * columns) + ")"
    return ", ".join([row] * rows)
