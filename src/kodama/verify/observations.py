"""What a run of the checker notes down: facts, each of one kind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class Print(NamedTuple):
    """An event as numbers: who it is, what never changes about it, and its contents (0: may have changed)."""

    identity: int
    facts: int
    body: int


@dataclass(frozen=True, slots=True)
class Sent:
    """A sender is about to send its message ``number`` (1, 2, 3 …), whose contents have this ``body``."""

    room: str
    sender: int
    number: int
    body: int


@dataclass(frozen=True, slots=True)
class Acked:
    """The server says that the message is stored at ``offset``."""

    room: str
    sender: int
    number: int
    offset: int


@dataclass(frozen=True, slots=True)
class Amended:
    """The server says that this event, an edit, deletion or reaction, is stored."""

    room: str
    offset: int
    identity: int


@dataclass(frozen=True, slots=True)
class Saw:
    """A reader got an event."""

    reader: int
    room: str
    offset: int
    event: Print


@dataclass(frozen=True, slots=True)
class Told:
    """A reader was told of a hole."""

    reader: int
    room: str
    first: int | None
    last: int | None
    reason: str


@dataclass(frozen=True, slots=True)
class Moved:
    """An answer gave a reader this cursor; ``with_events`` if there were events before it."""

    reader: int
    cursor: str
    with_events: bool


@dataclass(frozen=True, slots=True)
class Logged:
    """What the log itself holds at the end, offsets rising; ``sender`` 0 if it is not a message of ours."""

    room: str
    offset: int
    event: Print
    epoch: str
    time: str
    sender: int = 0
    number: int = 0


Observation = Sent | Acked | Amended | Saw | Told | Moved | Logged
