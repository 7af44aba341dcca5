"""What the server stands on: the store, the bus and the folder of files, opened as the settings say.

The only place that names a concrete store or bus.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from secrets import token_hex
from tempfile import gettempdir
from time import time
from typing import Any, Final, NamedTuple

from kodama.app.settings import Settings
from kodama.bus.interface import Bus
from kodama.bus.linked import Exchange, LinkedBus, LinkLine
from kodama.bus.local import LocalBus
from kodama.bus.remote import RemoteBus
from kodama.files.shelf import PassingShelf, Shelf
from kodama.link.hub import Hub
from kodama.link.reach import Reach
from kodama.store.interface import Store
from kodama.store.linked import LinkedStore, StoreLinks
from kodama.store.memory import MemoryStore
from kodama.store.sqlite import SqliteStore
from kodama.store.sqlite.file import hold

FILES: Final = "files"
STORE_FILE: Final = "kodama.sqlite3"
SWEEP_GOOD_FOR: Final = 45.0  # seconds; every worker asks once a minute, and one sweep does for all


class Ground(NamedTuple):
    """What a node stands on; ``shared`` says that others write to the store, too. ``worker`` is its number
    among several of one server, 0 of one alone."""

    store: Store
    bus: Bus
    shared: bool
    worker: int = 0


def wall_clock() -> int:
    """Return the time in ms since 1970."""
    return int(time() * 1000)


def ground_of(settings: Settings, reactor: Any, now: Callable[[], int]) -> Ground:
    """Return what the settings name."""
    shared = settings.store not in ("sqlite", "memory")
    return Ground(open_store(settings, reactor, now), open_bus(settings, reactor), shared)


def linked_ground(reach: Reach, reactor: Any, *, worker: int) -> Ground:
    """Return what one worker of several stands on: the store and the bus of their writer."""
    bus = LinkedBus(LinkLine(reach), node=token_hex(6), clock=reactor)
    return Ground(LinkedStore(reach, reactor=reactor), bus, shared=True, worker=worker)


def hold_store(settings: Settings) -> int:
    """Take the store's file for this process and its children; returns the descriptor that holds it.

    Raises `StoreDamaged` if it is in use."""
    return hold(Path(settings.data) / STORE_FILE)


def serve_store(settings: Settings, hub: Hub, reactor: Any, *, lock: int) -> Store:
    """Open the store that ``lock`` holds and serve it to every process of ``hub``. Raises `StoreDamaged`."""
    path = Path(settings.data) / STORE_FILE
    store = SqliteStore(path, reactor=reactor, now=wall_clock, lock=lock)
    links = StoreLinks(
        store, hub, told=Exchange(hub).told, seconds=reactor.seconds, sweep_seconds=SWEEP_GOOD_FOR
    )
    store.start(links.deliver)
    return store


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
