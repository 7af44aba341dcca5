"""A pull producer made to push: asked again in each turn of the loop until the buffer is full.

Decides that a pull producer is never asked from inside its own call, so it cannot recurse.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.interfaces import IDelayedCall, IPushProducer, IReactorTime
from zope.interface import implementer


@implementer(IPushProducer)
class Pull:
    """Asks ``producer`` for more, one piece in each turn, while not paused."""

    __slots__ = ("_next", "_reactor", "producer")

    def __init__(self, producer: Any, reactor: IReactorTime) -> None:
        self.producer = producer
        self._reactor = reactor
        self._next: IDelayedCall | None = None

    def resumeProducing(self) -> None:
        """Ask in the next turn, and so on."""
        if self._next is None:
            self._next = self._reactor.callLater(0, self._ask)

    def pauseProducing(self) -> None:
        """Ask no more until resumed."""
        if self._next is not None:
            self._next.cancel()
            self._next = None

    def stopProducing(self) -> None:
        """Ask no more at all."""
        self.pauseProducing()
        self.producer.stopProducing()

    def _ask(self) -> None:
        self._next = self._reactor.callLater(0, self._ask)
        self.producer.resumeProducing()
