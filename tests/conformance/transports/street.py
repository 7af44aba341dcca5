"""Several sites on one store, with nothing between them that tells one what another has done: what a
reader of one is shown of the others is what the store was asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import fail

from kodama.app import assemble as assembly
from kodama.core.change import Change
from kodama.store.interface import Group, Settle, StoreUnavailable
from kodama.store.memory import MemoryStore
from tests.conformance.transports.house import House, SlowStore

SHARED = "postgresql://a.store.that.others.write.to/"


class SharedStore(SlowStore):
    """One site's way to a memory store: what it has committed is delivered to it, and to no other."""

    def start(self, deliver: Callable[[Group], None]) -> None:
        self._deliver = deliver

    def append(self, change: Change, settle: Settle) -> None:
        self.inner.start(self._deliver)
        self.inner.append(change, settle)

    down = False

    def tops(self, rooms: Any) -> Any:
        if self.down:
            return fail(StoreUnavailable("The database is away."))
        return self._later(lambda: self.inner.tops(rooms))


class Neighbour(House):
    """One of the sites. Time is each one's own."""

    def __init__(self, inner: MemoryStore) -> None:
        self._inner = inner
        super().__init__(store=SHARED)

    def _begin(self) -> None:
        self.store = SharedStore(self._inner)
        super()._begin()

    def look(self) -> None:
        """Let the time of a regular look pass."""
        self.pass_seconds(assembly.LOOK_SECONDS)


def street(count: int = 2) -> list[Neighbour]:
    """Return ``count`` sites on one store."""
    inner = MemoryStore(lambda: 1_795_000_000_000)
    return [Neighbour(inner) for _ in range(count)]
