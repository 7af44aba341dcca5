"""What the server stands on: the store, the bus and the folder of files, opened as the settings say.

The only place that names a concrete store or bus.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from secrets import token_hex
from tempfile import gettempdir
from time import time
from typing import Any, Final

from kodama.app.settings import Settings
from kodama.bus.interface import Bus
from kodama.bus.local import LocalBus
from kodama.bus.remote import RemoteBus
from kodama.files.shelf import PassingShelf, Shelf
from kodama.store.interface import Store
from kodama.store.memory import MemoryStore
from kodama.store.sqlite import SqliteStore

FILES: Final = "files"
STORE_FILE: Final = "kodama.sqlite3"


def wall_clock() -> int:
    """Return the time in ms since 1970."""
    return int(time() * 1000)


def open_store(settings: Settings, reactor: Any, now: Callable[[], int]) -> Store:
    """Return the store that the settings name."""
    if settings.store == "memory":
        return MemoryStore(now, later=lambda call: reactor.callLater(0, call))
    if settings.store.startswith(("postgresql://", "postgres://")):
        from kodama.store.postgres import PostgresStore  # an extra: psycopg may not be installed

        return PostgresStore(settings.store, reactor=reactor, now=now)
    Path(settings.data).mkdir(parents=True, exist_ok=True)
    return SqliteStore(Path(settings.data) / STORE_FILE, reactor=reactor, now=now)


def open_bus(settings: Settings, reactor: Any) -> Bus:
    """Return the bus that the settings name. The brokers' clients are extras."""
    if settings.bus == "local":
        return LocalBus()
    if settings.bus == "postgresql":
        from kodama.bus.postgres import postgres_line

        line = postgres_line(settings.store, reactor)
    elif settings.bus.startswith("redis"):
        from kodama.bus.redis import redis_line

        line = redis_line(settings.bus, reactor)
    else:
        from kodama.bus.nats import nats_line

        line = nats_line(settings.bus, reactor)
    return RemoteBus(line, node=token_hex(6), clock=reactor)


def shelf_of(settings: Settings) -> Shelf:
    """Return where files are kept: only until the end with a store that forgets."""
    if settings.files is None and settings.store == "memory":
        return PassingShelf(Path(gettempdir()) / f"kodama-{token_hex(8)}")
    return Shelf(settings.files or Path(settings.data) / FILES)
