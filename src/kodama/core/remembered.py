"""Answers that were put together for readers at one place, kept until the room changes.

Decided here: what all rooms of a node remember has one bound in bytes, and when it is reached
everything is forgotten, which costs nothing but the work of putting it together again.
"""

from __future__ import annotations

from collections.abc import Hashable


class Budget:
    """The bytes that all `Remembered` of a node may hold together."""

    __slots__ = ("_holders", "_limit", "size")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._holders: set[Remembered] = set()
        self.size = 0

    def _take(self, holder: Remembered, size: int) -> bool:
        if self.size + size > self._limit:
            for other in tuple(self._holders):
                other.clear()
        if size > self._limit:
            return False
        self.size += size
        self._holders.add(holder)
        return True

    def _give_back(self, holder: Remembered, size: int) -> None:
        self.size -= size
        self._holders.discard(holder)


class Remembered:
    """What one room remembers. ``age`` is another one after each `clear`."""

    __slots__ = ("_answers", "_budget", "_size", "age")

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._answers: dict[Hashable, object] = {}
        self._size = 0
        self.age = 0

    def get(self, place: Hashable) -> object | None:
        """Return the answer for readers at ``place``, if it is remembered."""
        return self._answers.get(place)

    def put(self, place: Hashable, answer: object, *, size: int, age: int) -> None:
        """Remember an answer of ``size`` bytes, unless the room has changed since ``age``, when its
        parts were read: a deleted message must not come back through it."""
        if age == self.age and place not in self._answers and self._budget._take(self, size):
            self._answers[place] = answer
            self._size += size

    def clear(self) -> None:
        """Forget everything: the room has changed."""
        self.age += 1
        if self._answers:
            self._answers.clear()
            self._budget._give_back(self, self._size)
            self._size = 0
