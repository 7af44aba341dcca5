"""What other processes have changed, found out by one question to the store.

The one decision here: a bus tells at once, and this finds what no bus told, such as a key that the
command line took back. So it asks often enough that nothing is good for a second after it ended,
with one statement for everything, about all rooms in memory only every second time, and reads
further only what has changed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from twisted.internet.defer import Deferred, DeferredList

from kodama.node import Company, Node
from kodama.registry import Registry
from kodama.store.interface import Look, Standing


class Lookout:
    """Looks on behalf of ``node``, its ``registry`` and whoever reads ``keys`` and ended sessions."""

    def __init__(self, node: Node, registry: Registry, *, keys: Callable[[], Deferred[None]]) -> None:
        self._node = node
        self._registry = registry
        self._keys = keys
        self._mark: str | None = None
        self._rooms_too = node.shared is Company.OTHERS.value
        self._turn = 0

    def look(self) -> Deferred[None]:
        """Ask once and catch up; call again and again."""
        self._turn += 1
        if self._rooms_too and self._turn % 2:
            return self._node.look(self._ask)
        return self._ask(()).addCallback(lambda _: None)

    def _ask(self, rooms: Sequence[str]) -> Deferred[Mapping[str, Standing]]:
        return self._node.store.look(rooms).addCallback(self._told)

    def _told(self, found: Look) -> Deferred[Mapping[str, Standing]]:
        reading = [self._registry.compare(found.versions)]
        if found.mark != self._mark:
            reading.append(self._keys().addCallback(self._known, found.mark))
        both = DeferredList(reading, fireOnOneErrback=True, consumeErrors=True)
        return both.addCallbacks(lambda _: found.standings, lambda failure: failure.value.subFailure)

    def _known(self, _: None, mark: str) -> None:
        self._mark = mark
