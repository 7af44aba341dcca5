"""Questions about names that many ask at the same time: one is under way, who comes shares the next.

The one decision here: a question that was begun before somebody came is none of theirs, since it
may have been answered already; so whoever asks hears of everything that was so when they asked,
and however many ask, the store is asked one thing at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.python.failure import Failure

T = TypeVar("T")


class Together(Generic[T]):
    """``ask`` asks about some names; its answer is given to ``take`` once, for all who wait for it.

    What ``take`` has to do may go on while the next question is under way.
    """

    def __init__(
        self, ask: Callable[[Sequence[str]], Deferred[T]], take: Callable[[T], Deferred[None]]
    ) -> None:
        self._ask = ask
        self._take = take
        self._names: dict[str, None] = {}
        self._waiting: list[Deferred[None]] = []
        self._asking = False

    def about(self, names: Sequence[str]) -> Deferred[None]:
        """Ask about ``names``, perhaps with others; fires once the answer was taken."""
        waiting: Deferred[None] = Deferred()
        self._names.update(dict.fromkeys(names))
        self._waiting.append(waiting)
        if not self._asking:
            self._begin()
        return waiting

    def _begin(self) -> None:
        names, self._names = tuple(self._names), {}
        waiting, self._waiting = self._waiting, []
        self._asking = True
        asked: Deferred[T] = maybeDeferred(self._ask, names)
        asked.addBoth(self._answered).addCallback(self._take).addBoth(_tell, waiting)

    def _answered(self, answer: T | Failure) -> T | Failure:
        self._asking = False
        if self._waiting:
            self._begin()
        return answer


def _tell(outcome: None | Failure, waiting: Sequence[Deferred[None]]) -> None:
    for one in waiting:
        one.callback(outcome)
