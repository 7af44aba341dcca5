"""Several sites on one store, with nothing between them that tells one what another has done: what a
reader of one is shown of the others is what the store was asked for."""

from __future__ import annotations

from collections.abc import Callable
from secrets import token_hex
from typing import Any
from unittest.mock import patch

from twisted.internet.defer import fail

from kodama.app import assemble as assembly
from kodama.app import ground
from kodama.bus.interface import Bus
from kodama.bus.local import LocalBus
from kodama.bus.remote import RemoteBus
from kodama.core.change import Change
from kodama.store.interface import Group, Settle, StoreUnavailable
from kodama.store.memory import MemoryStore
from tests.conformance.buses import Hub, HubLine
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

    def look(self, rooms: Any) -> Any:
        if self.down:
            return fail(StoreUnavailable("The database is away."))
        return self._later(lambda: self.inner.look(rooms))


class Neighbour(House):
    """One of the sites. Time is each one's own; ``hub`` is the broker, if they have one."""

    def __init__(self, inner: MemoryStore, hub: Hub | None = None, **settings: object) -> None:
        self._inner = inner
        self._hub = hub
        super().__init__(store=SHARED, **settings)

    def _begin(self) -> None:
        self.store = SharedStore(self._inner)
        with patch.object(ground, "open_bus", self._open_bus):
            super()._begin()

    def _open_bus(self, settings: object, reactor: Any) -> Bus:
        if self._hub is None:
            return LocalBus()
        return RemoteBus(HubLine(self._hub), node=token_hex(4), clock=reactor)

    def vanish(self) -> None:
        """Be gone as by `kill -9`: nothing is said, and nothing is heard any more."""
        assert self._hub is not None
        self._hub.lines = [line for line in self._hub.lines if line is not self.service._node._bus._line]

    def look(self) -> None:
        """Let the time of two regular looks pass, one of which is at rooms, too."""
        self.pass_seconds(2 * assembly.LOOK_SECONDS + 0.25)


def street(count: int = 2, *, hub: Hub | None = None, **settings: object) -> list[Neighbour]:
    """Return ``count`` sites on one store."""
    inner = MemoryStore(lambda: 1_795_000_000_000)
    return [Neighbour(inner, hub, **settings) for _ in range(count)]


def pass_everywhere(houses: list[Neighbour], seconds: float) -> None:
    """Let time pass on all of them."""
    for _ in range(round(seconds * 10)):
        for house in houses:
            house.reactor.advance(0.1)
