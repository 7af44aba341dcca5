"""Rates that hold for all nodes together: between the buckets and the bus.

Decided here: only where nodes share a store. What is told is a moment old; see `kodama.core.ledger`
for what that lets somebody do.
"""

from __future__ import annotations

from collections.abc import Mapping

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorTime

from kodama.bus.interface import Spent
from kodama.core.ledger import Ledger, Taken
from kodama.core.limits import Buckets
from kodama.node import Node


class Bill:
    """What this node gave and what the others did."""

    def __init__(self, node: Node, buckets: Mapping[str, Buckets], *, clock: IReactorTime) -> None:
        self._node = node
        self._seconds = clock.seconds
        self._ledger = Ledger(buckets)
        self._speaking = False
        node.spent.append(self._heard)

    def tell(self) -> Deferred[None]:
        """Let the other nodes know what was given since this was called last."""
        taken = self._ledger.due()
        if taken:
            self._speaking = True  # what it says itself is no news here
            self._node.tell(Spent([(one.what, one.sender, one.tokens) for one in taken]))
            self._speaking = False
        return succeed(None)

    def _heard(self, spent: Spent) -> None:
        if not self._speaking:
            now = self._seconds()
            for what, sender, tokens in spent.taken:
                self._ledger.heard(Taken(what, sender, tokens), now=now)
