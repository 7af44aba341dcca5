"""What was seen, to what is wrong: pure, and fed one observation at a time.

Memory is bounded by the length of the logs: a few numbers for each offset of a room, and for each
reader its place and the ranges it has missed so far. `check` is the whole as one function.
"""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Iterable
from typing import Final

from kodama.verify.observations import Acked, Amended, Logged, Moved, Observation, Print, Saw, Sent, Told
from kodama.verify.violations import Findings, Violation, Wrong

CURSORS_REMEMBERED: Final = 32


class Numbers:
    """64-bit numbers by position, 0 where nothing was set; it grows by itself."""

    __slots__ = ("_items",)

    def __init__(self) -> None:
        self._items = array("Q")

    def __len__(self) -> int:
        """Return one more than the highest position that was set."""
        return len(self._items)

    def get(self, position: int) -> int:
        """Return the number at ``position``."""
        return self._items[position] if position < len(self._items) else 0

    def set(self, position: int, value: int) -> None:
        """Keep a number."""
        short = position + 1 - len(self._items)
        if short > 0:
            self._items.extend([0] * short)
        self._items[position] = value


class RoomLog:
    """What all readers together have seen of one room, and what its senders were told."""

    __slots__ = (
        "acked", "amended", "bodies", "epochs", "facts", "first", "identities", "sent", "stored",
        "time", "top",
    )  # fmt: skip

    def __init__(self) -> None:
        self.identities = Numbers()
        self.facts = Numbers()
        self.bodies = Numbers()
        self.sent: dict[int, Numbers] = {}
        self.acked: dict[int, Numbers] = {}
        self.stored: dict[int, Numbers] = {}
        self.amended: dict[int, int] = {}
        self.first = 1  # of what the log holds at the end
        self.top = 0
        self.epochs: list[str] = []
        self.time = ""

    def compare(self, offset: int, event: Print) -> Wrong | None:
        """Say what is wrong with ``event`` at ``offset``, seen what was seen there before."""
        known = self.identities.get(offset)
        if not known:
            self.identities.set(offset, event.identity)
            self.facts.set(offset, event.facts)
            self.bodies.set(offset, event.body)
            return None
        if known != event.identity:
            return Wrong.COLLISION
        body = self.bodies.get(offset)
        if not body:
            self.bodies.set(offset, event.body)
        elif event.body and body != event.body:
            return Wrong.CHANGED
        return Wrong.CHANGED if self.facts.get(offset) != event.facts else None


class Track:
    """One reader's way through one room: its place, and what it has been taken past so far."""

    __slots__ = ("last", "missing", "open_gap", "rewound", "told")

    def __init__(self, last: int) -> None:
        self.last = last
        self.missing: list[tuple[int, int]] = []
        self.told: list[tuple[int, int, str]] = []
        self.open_gap: Told | None = None
        self.rewound = False

    def step(self, offset: int) -> Wrong | None:
        """Move on to ``offset`` and say what is wrong about coming there now; a hole is not yet one."""
        expected = self.last + 1
        if offset >= expected:
            if offset > expected or self.open_gap is not None:
                self._leap(expected, offset)
            self.last = offset
            self.rewound = False
            return None
        for index, (first, last) in enumerate(self.missing):
            if first <= offset <= last:
                self.missing[index : index + 1] = [
                    part for part in ((first, offset - 1), (offset + 1, last)) if part[0] <= part[1]
                ]
                return Wrong.REORDERED
        return None if self.rewound else Wrong.DOUBLED

    def gap(self, told: Told) -> None:
        """Note that the reader was told of a hole before the next event."""
        if told.last is not None:
            self._excuse(self.last + 1 if told.first is None else told.first, told.last, told.reason)
        else:
            self.open_gap = told

    def _leap(self, expected: int, offset: int) -> None:
        if self.open_gap is not None:
            first = expected if self.open_gap.first is None else self.open_gap.first
            self._excuse(first, offset - 1, self.open_gap.reason)
            self.open_gap = None
        if offset > self.last + 1:
            self.missing.append((self.last + 1, offset - 1))

    def _excuse(self, first: int, last: int, reason: str) -> None:
        if last < first:
            return
        self.told.append((first, last, reason))
        if first > self.last + 1:
            self.missing.append((self.last + 1, first - 1))
        self.last = max(self.last, last)


class History:
    """Everything that was observed so far, and everything found wrong with it.

    A gap is a violation unless ``gaps_allowed``, or unless its reason is retention and the log
    really has lost what it says.
    """

    def __init__(self, *, gaps_allowed: bool = False) -> None:
        self.findings = Findings()
        self.deliveries = 0
        self.gaps = 0
        self._gaps_allowed = gaps_allowed
        self._rooms: dict[str, RoomLog] = {}
        self._tracks: dict[int, dict[str, Track]] = {}
        self._cursors: dict[int, deque[str]] = {}

    def follow(self, reader: int, rooms: Iterable[str], *, after: int = 0) -> None:
        """Begin a reader that is owed every event of ``rooms`` above ``after``."""
        self._tracks[reader] = {room: Track(after) for room in rooms}
        self._cursors[reader] = deque(maxlen=CURSORS_REMEMBERED)

    def place(self, reader: int, room: str) -> int:
        """Return the highest offset that ``reader`` has come to."""
        return self._tracks[reader][room].last

    def take(self, seen: Observation) -> None:
        """Take one observation of any kind."""
        match seen:
            case Saw():
                self.saw(seen.reader, seen.room, seen.offset, seen.event)
            case Moved():
                self.moved(seen.reader, seen.cursor, with_events=seen.with_events)
            case Told():
                self.told(seen)
            case Sent():
                self._room(seen.room).sent.setdefault(seen.sender, Numbers()).set(seen.number, seen.body)
            case Acked():
                self._room(seen.room).acked.setdefault(seen.sender, Numbers()).set(seen.number, seen.offset)
            case Amended():
                self._room(seen.room).amended[seen.offset] = seen.identity
            case Logged():
                self._logged(seen)

    def saw(self, reader: int, room: str, offset: int, event: Print) -> None:
        """Take one delivery."""
        self.deliveries += 1
        track = self._tracks[reader].get(room)
        if track is None:
            self._wrong(Wrong.FOREIGN, room, reader, offset)
            return
        wrong = track.step(offset)
        if wrong is not None:
            self._wrong(wrong, room, reader, offset)
        wrong = self._room(room).compare(offset, event)
        if wrong is not None:
            self._wrong(wrong, room, reader, offset)

    def moved(self, reader: int, cursor: str, *, with_events: bool) -> None:
        """Take the cursor of an answer: after events it is a new one, else the newest or a new one."""
        known = self._cursors[reader]
        if cursor in known and (with_events or known[-1] != cursor):
            self._wrong(Wrong.STALE, ", ".join(self._tracks[reader]), reader, 0)
            for track in self._tracks[reader].values():
                track.rewound = True  # what comes again now was asked for again
        if not known or known[-1] != cursor:
            known.append(cursor)

    def told(self, gap: Told) -> None:
        """Take a gap."""
        self.gaps += 1
        track = self._tracks[gap.reader].get(gap.room)
        if track is None:
            self._wrong(Wrong.FOREIGN, gap.room, gap.reader, gap.first or 0)
            return
        track.gap(gap)
        if not self._gaps_allowed and gap.reason != "retention":
            self._wrong(Wrong.GAP, gap.room, gap.reader, gap.first or 0, gap.last or 0, detail=gap.reason)

    def finish(self) -> Findings:
        """Compare everybody's view with the log; call once, after all of it was given."""
        for name, room in self._rooms.items():
            for reader, tracks in self._tracks.items():
                if name in tracks:
                    self._finish_reader(name, room, reader, tracks[name])
            self._finish_senders(name, room)
            self._finish_amended(name, room)
            for offset in range(room.top + 1, len(room.identities)):
                if room.identities.get(offset):
                    self._wrong(Wrong.VANISHED, name, None, offset)
        return self.findings

    def _logged(self, seen: Logged) -> None:
        room = self._room(seen.room)
        if not room.top:
            room.first = seen.offset
            if not self._was_told_of(seen.room, 1, seen.offset - 1):
                self._wrong(Wrong.SPARSE, seen.room, None, 1, seen.offset - 1)
        elif seen.offset != room.top + 1:
            self._wrong(Wrong.SPARSE, seen.room, None, room.top + 1, max(room.top + 1, seen.offset - 1))
        self._epoch_and_time(room, seen)
        room.top = max(room.top, seen.offset)
        wrong = room.compare(seen.offset, seen.event)
        if wrong is not None:
            self._wrong(wrong, seen.room, None, seen.offset, detail="the log at the end has another one")
        if seen.sender:
            self._message(room, seen)

    def _epoch_and_time(self, room: RoomLog, seen: Logged) -> None:
        if not room.epochs or room.epochs[-1] != seen.epoch:
            if seen.epoch in room.epochs:
                self._wrong(Wrong.EPOCH, seen.room, None, seen.offset, detail=seen.epoch)
            room.epochs.append(seen.epoch)
        if seen.time < room.time:
            self._wrong(Wrong.TIME, seen.room, None, seen.offset)
        room.time = max(room.time, seen.time)

    def _message(self, room: RoomLog, seen: Logged) -> None:
        sent = room.sent.get(seen.sender, Numbers()).get(seen.number)
        if not sent or (seen.event.body and sent != seen.event.body):
            self._wrong(Wrong.INVENTED, seen.room, None, seen.offset)
            return
        stored = room.stored.setdefault(seen.sender, Numbers())
        if stored.get(seen.number):
            self._wrong(Wrong.STORED_TWICE, seen.room, None, stored.get(seen.number), seen.offset)
            return
        if len(stored) > seen.number:
            self._wrong(Wrong.SENDER_ORDER, seen.room, None, seen.offset)
        stored.set(seen.number, seen.offset)

    def _finish_reader(self, name: str, room: RoomLog, reader: int, track: Track) -> None:
        for first, last in track.missing:
            self._wrong(Wrong.HOLE, name, reader, first, last)
        if track.last < room.top:
            self._wrong(Wrong.INCOMPLETE, name, reader, track.last + 1, room.top)
        for first, last, reason in track.told:
            if reason == "retention" and max(first, room.first) <= min(last, room.top):
                self._wrong(Wrong.FALSE_GAP, name, reader, max(first, room.first), min(last, room.top))

    def _finish_senders(self, name: str, room: RoomLog) -> None:
        for sender, acked in room.acked.items():
            stored = room.stored.get(sender, Numbers())
            for number in range(1, len(acked)):
                said, found = acked.get(number), stored.get(number)
                if said and not found:
                    if said >= room.first:
                        whose = f"message {number} of writer {sender}"
                        self._wrong(Wrong.LOST, name, None, said, detail=whose)
                elif said and said != found:
                    self._wrong(Wrong.MOVED, name, None, said, found)

    def _finish_amended(self, name: str, room: RoomLog) -> None:
        for offset, identity in room.amended.items():
            if offset > room.top or room.identities.get(offset) != identity:
                self._wrong(Wrong.LOST, name, None, offset, detail="an edit, deletion or reaction")

    def _was_told_of(self, name: str, first: int, last: int) -> bool:
        if last < first:
            return True
        return any(
            told[0] <= first and told[1] >= last
            for tracks in self._tracks.values() if name in tracks
            for told in tracks[name].told
        )  # fmt: skip

    def _room(self, name: str) -> RoomLog:
        room = self._rooms.get(name)
        if room is None:
            room = self._rooms[name] = RoomLog()
        return room

    def _wrong(
        self, kind: Wrong, room: str, reader: int | None, first: int, last: int = 0, *, detail: str = ""
    ) -> None:
        where = "" if reader is None else f"reader {reader}"
        self.findings.add(Violation(kind, room, where, first, last or first, detail))


def check(observations: Iterable[Observation], *, readers: dict[int, list[str]]) -> list[Violation]:
    """Return what is wrong with a history; ``readers`` are owed every event of their rooms."""
    history = History()
    for reader, rooms in readers.items():
        history.follow(reader, rooms)
    for seen in observations:
        history.take(seen)
    return history.finish().kept
