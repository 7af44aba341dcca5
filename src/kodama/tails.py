"""The rooms in memory and their newest entries: who is let go of first when there is too much.

The one decision here: the room that nobody has written to for longest gives up its entries first,
and of too many rooms those go that nobody reads. What is given up is in the store still.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Final

from kodama.core.event import Entry
from kodama.core.stream import Stream
from kodama.live import LiveRoom
from kodama.store.interface import RoomLog

ROOMS_FOLLOWED: Final = 10_000


class Tails:
    """The rooms by name, the one last written to at the end. ``limit`` bytes of entries are kept in
    all; ``let_go`` hears of a room that is followed no longer. ``size`` is in bytes."""

    def __init__(self, limit: int, let_go: Callable[[str], None]) -> None:
        self.rooms: OrderedDict[str, LiveRoom] = OrderedDict()
        self.size = 0
        self._limit = limit
        self._let_go = let_go

    def append(self, room: LiveRoom, entry: Entry) -> None:
        """Take the next entry of a room."""
        room.stream.append(entry)
        self.size += len(entry.json)

    def rewrite(self, room: LiveRoom, entries: Sequence[Entry]) -> None:
        """Replace entries that were edited or taken back, where they are in memory."""
        before = room.stream.size
        for entry in entries:
            room.stream.rewrite(entry)
        self.size += room.stream.size - before

    def load(self, room: LiveRoom, log: RoomLog) -> None:
        """Take what the store has of a room in place of what is in memory."""
        self.size -= room.stream.size
        room.stream = Stream(first=log.first, top=log.top, epochs=log.epochs, tail=log.tail)
        self.size += room.stream.size

    def forget(self, name: str, first: int) -> None:
        """Drop all of a room below the offset ``first``, since the store has dropped it."""
        room = self.rooms.get(name)
        if room is not None:
            before = room.stream.size
            room.stream.forget(first)
            self.size += room.stream.size - before
            room.answers.clear()

    def bound(self) -> None:
        """Let go of what is too much."""
        if self.size > self._limit:
            self._trim(self._limit // 2)
        if len(self.rooms) > ROOMS_FOLLOWED:
            self._drop_quiet_rooms()

    def _trim(self, target: int) -> None:
        for room in self.rooms.values():
            size = room.stream.size
            room.stream.trim(max(0, size - (self.size - target)))
            self.size += room.stream.size - size
            if self.size <= target:
                break

    def _drop_quiet_rooms(self) -> None:
        quiet = [name for name, room in self.rooms.items() if not room.readers and not room.watchers]
        for name in quiet[: len(self.rooms) - ROOMS_FOLLOWED // 2]:
            room = self.rooms.pop(name)
            self._let_go(name)
            room.followed = False
            room.answers.clear()
            self.size -= room.stream.size
