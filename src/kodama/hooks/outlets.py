"""All outgoing webhooks of a node: which there are, and which of them it tells.

Decided here: a webhook is told by one node at a time. Its place in the log is a record that is
written only against its last revision, with a lease: a node that dies is followed by another when
the lease has run out, and one that wakes beside its follower finds that its place has moved.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Final

import msgspec
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from kodama.core.hook import OUTGOING, PLACE, HookPlace, OutgoingHook
from kodama.core.record import RecordMoved
from kodama.hooks.outlet import Outlet, Post
from kodama.node import Node
from kodama.registry import Registry

LEASE_MS: Final = 30_000
LOOK_SECONDS: Final = 10.0
_log: Final = Logger()


class Outlets:
    """Tells every webhook that no other node tells. ``alone`` says that there is no other node."""

    def __init__(
        self, node: Node, registry: Registry, *, post: Post, clock: IReactorTime, now: Callable[[], int],
        random: Random, name: str, alone: bool,
    ) -> None:  # fmt: skip
        self._node = node
        self._registry = registry
        self._post = post
        self._clock = clock
        self._now = now
        self._random = random
        self._name = name
        self._alone = alone
        self._outlets: dict[str, Outlet] = {}
        self._taking: set[str] = set()
        self._looking = LoopingCall(self._look)
        self._looking.clock = clock
        registry.follow(OUTGOING, OutgoingHook, self._taken)

    @property
    def known(self) -> dict[str, Outlet]:
        """Return the webhooks by their ids."""
        return self._outlets

    def start(self) -> None:
        """Begin; when the registry has started."""
        self._looking.start(LOOK_SECONDS).addErrback(_failed)

    def drain(self) -> None:
        """Tell nobody any more; the next start goes on from the places that are kept."""
        if self._looking.running:
            self._looking.stop()
        for outlet in self._outlets.values():
            outlet.stop()

    def _taken(self, id: str, hook: OutgoingHook | None) -> None:  # noqa: A002 - a webhook's id
        older = self._outlets.pop(id, None)
        if older is not None:
            older.stop()
        if hook is not None:
            self._outlets[id] = Outlet(
                hook, self._node, self._registry, post=self._post, clock=self._clock, now=self._now,
                random=self._random, name=self._name, lease=0 if self._alone else LEASE_MS,
            )  # fmt: skip
            if self._looking.running:
                self._take(id)

    def _look(self) -> None:
        """Keep what is ours, take what is nobody's."""
        for id, outlet in self._outlets.items():  # noqa: A001 - a webhook's id
            if not outlet.telling:
                self._take(id)
            elif not self._alone:
                outlet.keep().addErrback(_lost, outlet)

    def _take(self, id: str) -> None:  # noqa: A002 - a webhook's id
        if id not in self._taking:
            self._taking.add(id)
            taking = Deferred.fromCoroutine(self._begin(self._outlets[id]))
            taking.addErrback(_failed).addCallback(lambda _: self._taking.discard(id))

    async def _begin(self, outlet: Outlet) -> None:
        """Begin to tell, if nobody else does."""
        record = await self._node.store.record(PLACE, outlet.hook.id)
        if record is None:
            return
        place = msgspec.json.decode(record.body, type=HookPlace)
        ours = self._alone or place.node == self._name or place.until <= self._now()
        wanted = self._looking.running and self._outlets.get(outlet.hook.id) is outlet
        if ours and wanted and not outlet.telling:
            try:
                await outlet.start(place, record.revision)
            except RecordMoved:
                return  # another node was faster


def _lost(failure: Failure, outlet: Outlet) -> None:
    """Stop telling what another node tells now."""
    outlet.stop()
    if not failure.check(RecordMoved):
        _failed(failure)


def _failed(failure: Failure) -> None:
    _log.failure("looking after webhooks failed", failure)
