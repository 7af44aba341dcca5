"""What a node keeps of one room: the newest entries, who waits for more, and who listens.

Decided here: readers and watchers are what they are told by, not what they are; the node knows
nothing of transports.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Protocol

from twisted.internet.defer import Deferred

from kodama.core.event import Entry
from kodama.core.handover import Handover
from kodama.core.remembered import Budget, Remembered
from kodama.core.room import RoomFacts
from kodama.core.stream import Stream


class Company(Enum):
    """Whether other nodes write to the store, too."""

    NONE = False
    OTHERS = True


class Reader(Protocol):
    """Somebody who waits for a room."""

    def wake(self) -> None:
        """There is something new in one of the rooms, or they have changed."""
        ...


class Watcher(Protocol):
    """Somebody who asked for a room's ephemeral events."""

    def hear(self, room: LiveRoom, ephemeral: Sequence[bytes]) -> None:
        """Take events that have no offset and are kept nowhere, as JSON."""
        ...


class LiveRoom:
    """A room that this node follows. ``readers`` are woken by the next commit, ``watchers`` hear
    ephemeral events; ``answers`` holds what was put together for readers at the same place,
    until then."""

    __slots__ = (
        "answers", "asked", "exists", "facts", "followed", "handover", "mark", "name", "people", "readers",
        "rereading", "rewritten_early", "stream", "watchers",
    )  # fmt: skip

    def __init__(self, name: str, facts: RoomFacts, budget: Budget) -> None:
        self.name = name
        self.facts = facts
        self.mark = ""  # of the settings as they were read; none of what was put from here
        self.asked = 0  # when the settings were asked for: an older answer does not replace them
        self.people = 0  # how often it was changed who may read
        self.exists = False
        self.followed = True
        self.stream = Stream()
        self.handover = Handover()
        self.readers: dict[Reader, None] = {}
        self.watchers: dict[Watcher, None] = {}
        self.rereading: list[Deferred[None]] = []  # who waits for the room to be read anew
        self.rewritten_early: Sequence[Entry] = ()  # what was rewritten while the room was opened
        self.answers = Remembered(budget)

    def ask_again(self) -> None:
        """Let whoever waits look again whether they may, and what there is."""
        for reader in tuple(self.readers):
            reader.wake()
