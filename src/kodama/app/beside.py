"""The store as the command line sees it: beside a running server, or without one."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.markup import escape

from kodama.app.settings import BadSetting, Settings

err: Final = Console(stderr=True, highlight=False, soft_wrap=True)


@contextmanager
def opened(data: Path | None, what: str) -> Iterator[tuple[Any, Any]]:
    """Yield the functions of the store's module ``what``, and a transaction that they work on."""
    from kodama.store.interface import StoreDamaged, StoreUnavailable

    try:
        store, where = _store_of(Settings.load(os.environ, overrides={"data": data}))
        functions = import_module(f"{store}.{what}")  # psycopg, an extra, may not be installed
        with import_module(f"{store}.keys").beside(where) as transaction:
            yield functions, transaction
    except (BadSetting, StoreDamaged, StoreUnavailable, OSError) as error:
        fail(str(error))


def fail(sentence: str) -> None:
    """Say why it is not done, and exit."""
    err.print(f"[red]kodama:[/] {escape(sentence)}")
    sys.exit(1)


def _store_of(settings: Settings) -> tuple[str, Any]:
    if settings.store == "memory":
        raise BadSetting("The memory store keeps nothing.")
    if settings.store == "sqlite":
        from kodama.app.ground import STORE_FILE

        return "kodama.store.sqlite", Path(settings.data) / STORE_FILE
    return "kodama.store.postgres", settings.store
