"""The newest entries of one room in memory, and what a reader at a position has missed.

The only place that decides whether a position is known, so "no reader is silently served from
the middle of a hole" is decided here. History below the tail is the store's to read; whether
there *is* history below it is known here, by the lowest offset that is kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from kodama.core.event import Entry
from kodama.core.position import Epochs, Position


class Reason(StrEnum):
    """Why a reader is told of a gap."""

    RETENTION = "retention"
    EPOCH = "epoch"
    UNKNOWN_CURSOR = "unknown_cursor"
    SLOW = "slow"


@dataclass(frozen=True, slots=True)
class Recovered:
    """All that was missed, in order (perhaps cut); ``position`` is the end of it."""

    entries: Sequence[Entry]
    position: Position
    more: bool


@dataclass(frozen=True, slots=True)
class Lost:
    """A hole: ``first`` to ``last`` are the lost offsets, None where not knowable.

    Reading goes on at ``resume``.
    """

    reason: Reason
    first: int | None
    last: int | None
    resume: Position


@dataclass(frozen=True, slots=True)
class Stored:
    """The entries after this known position are older than the tail: ask the store."""

    position: Position


class Stream:
    """The tail of one room's log and the epochs of all of it.

    ``first`` is the lowest offset that the store keeps (top + 1 if none is). Entries come by
    `append` in order without holes; `size` is the bytes of JSON held.
    """

    __slots__ = ("_entries", "_epochs", "first", "size", "top")

    def __init__(
        self, *, first: int = 1, top: int = 0,
        epochs: Sequence[tuple[int, str]] = (), tail: Iterable[Entry] = (),
    ) -> None:  # fmt: skip
        self._epochs = Epochs(epochs)
        self._entries = list(tail)
        self.first = first
        self.top = self._epochs.at(top)
        self.size = sum(len(entry.json) for entry in self._entries)

    def append(self, entry: Entry) -> None:
        """Add the next entry; raises ValueError if it is not the next."""
        if entry.offset != self.top.offset + 1:
            raise ValueError(f"offset {entry.offset} does not follow {self.top.offset}")
        self._epochs.extend(entry.offset, entry.epoch)
        self._entries.append(entry)
        self.top = Position(entry.epoch, entry.offset)
        self.size += len(entry.json)

    def rewrite(self, entry: Entry) -> None:
        """Put new bytes in the place of an older entry, if it is in the tail."""
        index = entry.offset - self._tail_start()
        if 0 <= index < len(self._entries):
            self.size += len(entry.json) - len(self._entries[index].json)
            self._entries[index] = entry

    def forget(self, first: int) -> None:
        """Retention has removed everything below ``first``."""
        self.first = max(self.first, first)
        self._drop(max(0, self.first - self._tail_start()))

    def trim(self, size: int) -> None:
        """Let go of the oldest entries in memory until at most ``size`` bytes are held."""
        excess, count = self.size - size, 0
        while excess > 0 and count < len(self._entries):
            excess -= len(self._entries[count].json)
            count += 1
        self._drop(count)

    def knows(self, position: Position) -> bool:
        """Return whether the event at that offset is of that epoch."""
        return position.offset <= self.top.offset and self._epochs.at(position.offset) == position

    def at(self, offset: int) -> Position | None:
        """Return the position after ``offset``, or None if no such event was ever given out."""
        return self._epochs.at(offset) if 0 <= offset <= self.top.offset else None

    def after(self, position: Position, *, limit: int, size: int) -> Recovered | Lost | Stored:
        """Return what a reader at ``position`` has missed, at most ``limit`` entries and
        ``size`` bytes but at least one, or that it is lost, or that the store must be asked."""
        if not self.knows(position):
            return self._diverged(position)
        if position.offset + 1 < self.first:
            return self.lost_at(position, self.first)
        start = position.offset + 1 - self._tail_start()
        if start < 0:
            return Stored(position)
        return self.cut(self._entries[start : start + limit], position, size=size)

    def cut(self, entries: Sequence[Entry], position: Position, *, size: int) -> Recovered:
        """Return ``entries``, which follow ``position``, as far as ``size`` bytes reach."""
        count = 0
        for entry in entries:
            size -= len(entry.json)
            if size < 0 and count:
                break
            count += 1
        if not count:
            return Recovered((), position, more=False)
        last = entries[count - 1]
        end = Position(last.epoch, last.offset)
        return Recovered(entries[:count], end, more=end.offset < self.top.offset)

    def lost_at(self, position: Position, first: int) -> Lost:
        """Return the gap of a reader at ``position`` when the store keeps nothing below ``first``."""
        return Lost(Reason.RETENTION, position.offset + 1, first - 1, self._epochs.at(first - 1))

    def beyond(self) -> Lost:
        """Return the gap of a reader whose place cannot be found at all."""
        return Lost(Reason.UNKNOWN_CURSOR, None, None, self._epochs.at(self.first - 1))

    def _diverged(self, position: Position) -> Lost:
        common = self._epochs.last_of(position.epoch)
        if common is None or not self.first - 1 <= common < position.offset:
            return Lost(Reason.EPOCH, None, None, self._epochs.at(self.first - 1))
        return Lost(Reason.EPOCH, common + 1, position.offset, self._epochs.at(common))

    def _tail_start(self) -> int:
        return self.top.offset + 1 - len(self._entries)

    def _drop(self, count: int) -> None:
        self.size -= sum(len(entry.json) for entry in self._entries[:count])
        del self._entries[:count]
