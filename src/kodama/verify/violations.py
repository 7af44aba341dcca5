"""What can be wrong with a server, each wrong under one name, and how often it was found."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import Enum
from typing import Final

SHOWN: Final = 100


class Wrong(Enum):
    """The kinds of broken promise; the value is the name in reports."""

    LOST = "lost"
    UNREADABLE = "unreadable"
    DOUBLED = "doubled"
    REORDERED = "reordered"
    HOLE = "silent hole"
    INCOMPLETE = "incomplete"
    STORED_TWICE = "stored twice"
    MOVED = "moved"
    COLLISION = "two events at one offset"
    CHANGED = "changed"
    STALE = "stale cursor"
    GAP = "gap"
    FALSE_GAP = "false gap"
    SPARSE = "offsets not dense"
    VANISHED = "vanished"
    INVENTED = "invented"
    SENDER_ORDER = "sender's order"
    EPOCH = "epoch returned"
    TIME = "time ran back"
    FOREIGN = "wrong room"
    REFUSED = "refused"
    GARBLED = "garbled"


MEANING: Final = {
    Wrong.LOST: "an event was acknowledged and is not in the log",
    Wrong.UNREADABLE: "an event was acknowledged and a read after that did not include it",
    Wrong.DOUBLED: "a reader got one event twice without asking for it again",
    Wrong.REORDERED: "a reader got an event after one that comes later in the room",
    Wrong.HOLE: "a reader was taken past an event without being told",
    Wrong.INCOMPLETE: "a reader never got the end of the log",
    Wrong.STORED_TWICE: "one nonce was stored at two offsets",
    Wrong.MOVED: "an event was acknowledged with one offset and stored at another",
    Wrong.COLLISION: "two different events were seen at one offset",
    Wrong.CHANGED: "one event was seen with different contents, without an edit",
    Wrong.STALE: "an answer carried a cursor that stands before its own events",
    Wrong.GAP: "a reader was told of a gap that nothing here explains",
    Wrong.FALSE_GAP: "a reader was told that events are gone which are in the log",
    Wrong.SPARSE: "the log itself leaves offsets out",
    Wrong.VANISHED: "an event was seen and is not in the log at the end",
    Wrong.INVENTED: "the log holds a message that nobody here sent, or not in these words",
    Wrong.SENDER_ORDER: "messages of one sender, sent one after another, are stored in another order",
    Wrong.EPOCH: "an epoch came back after another had begun",
    Wrong.TIME: "an event is older than the one before it",
    Wrong.FOREIGN: "a reader got an event of a room it had not asked for",
    Wrong.REFUSED: "the server refused a request that the protocol allows",
    Wrong.GARBLED: "an answer arrived whole and makes no sense",
}


@dataclass(frozen=True, slots=True)
class Violation:
    """One finding. ``where`` names the reader or writer; ``first`` and ``last`` are offsets, 0 for none."""

    kind: Wrong
    room: str
    where: str = ""
    first: int = 0
    last: int = 0
    detail: str = ""

    def __str__(self) -> str:
        """Return the finding as a line for a person."""
        place = f" {self.first}" if self.first == self.last else f" {self.first} to {self.last}"
        parts = [f"{self.kind.value}: room {self.room}{place if self.last else ''}", self.where, self.detail]
        return ", ".join(part for part in parts if part)


class Findings:
    """All violations counted, the first of them kept; bounded whatever a server does."""

    def __init__(self) -> None:
        self.counts: Counter[Wrong] = Counter()
        self.kept: list[Violation] = []

    def add(self, violation: Violation) -> None:
        """Note one."""
        self.counts[violation.kind] += 1
        if len(self.kept) < SHOWN:
            self.kept.append(violation)
