"""From history to live: register first, read second, and let offsets decide.

Whoever follows a room is registered for live entries *before* its history is read; the
handover holds what comes early, drops what history contained already, and notices a hole in
what comes live (a bus may lose things), which is closed by reading again.

    READING ──history() reaches what is held──▶ LIVE
       ▲                                          │
       └──────── live() skips an offset ──────────┘
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum, auto
from typing import Final

from kodama.core.event import Entry

HELD_LIMIT: Final = 1024


class Mode(Enum):
    """Whether the handover waits for history or passes live entries on."""

    READING = auto()
    LIVE = auto()


class Handover:
    """Delivers every entry above ``offset`` once and in order, whatever comes twice, late or early.

    ``offset`` is the last one delivered, None until the first history says where the log
    stands. At most ``limit`` early entries are held; those above are dropped and read again.
    """

    __slots__ = ("_dropped", "_held", "_limit", "mode", "offset")

    def __init__(self, *, offset: int | None = None, limit: int = HELD_LIMIT) -> None:
        self.offset = offset
        self.mode = Mode.READING
        self._held: dict[int, Entry] = {}
        self._limit = limit
        self._dropped = 0  # the highest offset that came early and was not held

    def live(self, entry: Entry) -> Sequence[Entry]:
        """Take an entry that came live and return those that can be delivered now.

        If an offset was skipped, the mode becomes READING: history after ``offset`` is wanted.
        """
        if self.offset is not None and entry.offset <= self.offset:
            return ()
        if self.mode is Mode.LIVE and self.offset is not None and entry.offset == self.offset + 1:
            self.offset = entry.offset
            return (entry,)
        self.mode = Mode.READING
        if len(self._held) < self._limit:
            self._held[entry.offset] = entry
        else:
            self._dropped = max(self._dropped, entry.offset)
        return ()

    def history(self, entries: Sequence[Entry], *, top: int) -> Sequence[Entry]:
        """Take what was read: ``entries`` in order, after which nothing up to ``top`` is missing.

        Returns what can be delivered now. The mode becomes LIVE unless early entries leave a
        hole after ``top`` or some could not be held; then the rest is to be read again.
        """
        after = self.offset
        ready = [entry for entry in entries if after is None or entry.offset > after]
        self.offset = top if after is None else max(after, top)
        for offset in sorted(self._held):
            if offset > self.offset + 1:
                self.mode = Mode.READING
                return ready
            entry = self._held.pop(offset)
            if offset == self.offset + 1:
                ready.append(entry)
                self.offset = offset
        self.mode = Mode.READING if self._dropped > self.offset else Mode.LIVE
        return ready
