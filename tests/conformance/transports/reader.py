"""A client of one way in, as the specification describes it, whatever the way.

What comes is taken as bytes, in any pieces; a connection may be lost at each of them. A reader keeps the last
cursor that came whole and comes back with it. What differs from way to way is an `Adapter`'s.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from tests.conformance.transports.house import Fields, House, Wire

ROUNDS = 500


@dataclass(frozen=True)
class Wish:
    """What a reader asks for."""

    rooms: tuple[str, ...] = ("lobby",)
    since: str = "now"
    who: Fields = field(default_factory=dict)
    presence: bool = False
    limit: int | None = None
    client: str | None = None
    hold: int | None = None


@dataclass(frozen=True)
class Record:
    """What came whole: events with the cursor after them, or the end."""

    events: Sequence[Mapping[str, Any]] = ()
    cursor: str | None = None
    started: Mapping[str, int] = field(default_factory=dict)
    problem: Mapping[str, Any] | None = None
    after: float | None = None
    ticket: str | None = None


class Adapter(ABC):
    """One way in: how it asks, and what its bytes mean."""

    name: str
    polls = False  # an answer is asked for each time
    resumes = True  # it shows a cursor

    def __init__(self, house: House, wish: Wish) -> None:
        self.house = house
        self.wish = wish

    @abstractmethod
    def connect(self, since: str, wire: Wire | None) -> Wire:
        """Ask, on ``wire`` if that is still open."""

    @abstractmethod
    def records(self, got: bytes) -> list[Record]:
        """Return all records that are whole in ``got``, which began when it was asked."""

    @abstractmethod
    def length(self, got: bytes) -> int | None:
        """Return the length of the answer that ``got`` begins with, None if it is not whole."""

    @abstractmethod
    def reply(self, wire: Wire, got: bytes) -> None:
        """Answer what wants an answer at once."""

    @abstractmethod
    def goodbye(self, wire: Wire) -> None:
        """The server has ended the reading: end the connection too, where that is the client's to do."""


class Reader:
    """One reader and all that it has seen, over all its connections."""

    def __init__(self, adapter: Adapter) -> None:
        self._adapter = adapter
        self.house = adapter.house
        self.events: list[Mapping[str, Any]] = []
        self.heard: list[Mapping[str, Any]] = []
        self.started: dict[str, int] = {}
        self.cursor: str | None = None
        self.problem: Mapping[str, Any] | None = None
        self.after: float | None = None
        self._counted = 0
        self._start = 0
        self.wire: Wire | None = None
        self._connect()

    @property
    def texts(self) -> list[str]:
        """Return what people have said."""
        return [event["text"] for event in self.events if event.get("text") is not None]

    @property
    def offsets(self) -> list[int]:
        """Return the offsets seen, in order."""
        return [event["offset"] for event in self.events if "offset" in event]

    @property
    def held(self) -> bool:
        """Return whether it is being served, and has nothing to do."""
        self.read_on()
        return self.wire is not None and self.wire.open and self.problem is None and self.after is None

    def read_on(self) -> Reader:
        """Take all that comes without time passing; ask again where one asks again."""
        for _ in range(ROUNDS):
            self.house.turn()
            if not self._take(None):
                return self
        raise AssertionError("a reader is answered without end")

    def cut(self, at: int) -> Reader:
        """Take at most ``at`` bytes of what has come, and lose the connection."""
        self._take(at)
        self.hang_up()
        return self

    @property
    def streams(self) -> bool:
        """Return whether it is connected to what goes on by itself."""
        return self.wire is not None and self.wire.open and not self._adapter.polls

    @property
    def untaken(self) -> int:
        """Return how many bytes the current answer has so far."""
        return 0 if self.wire is None else len(self.wire.got) - self._start

    def hang_up(self) -> None:
        """Lose the connection."""
        if self.wire is not None:
            self.wire.hang_up()
        self.wire = None

    def come_back(self, house: House | None = None) -> Reader:
        """Connect again with the last cursor."""
        self.hang_up()
        self._connect()
        return self.read_on()

    def change_to(self, adapter: Adapter) -> Reader:
        """Go on over another way, with the last cursor."""
        self.hang_up()
        self._adapter = adapter
        self._connect()
        return self

    def _connect(self) -> None:
        self.problem = self.after = None
        old = self.wire if self.wire is not None and self.wire.open else None
        since = self.cursor or self._adapter.wish.since
        self._start = 0 if old is None else len(old.got)
        self._counted = 0
        self.wire = self._adapter.connect(since, old)

    def _take(self, at: int | None) -> bool:
        """Take what has come; return whether it asked again."""
        if self.wire is None:
            return False
        got = self.wire.got[self._start :][:at]
        records = self._adapter.records(got)
        for record in records[self._counted :]:
            self._note(record)
        self._counted = len(records)
        self._adapter.reply(self.wire, got)
        if self.problem is not None or self.after is not None:
            self._adapter.goodbye(self.wire)
        if at is not None or not self._adapter.polls or self._adapter.length(got) is None:
            return False
        if self.problem is not None or self.after is not None:
            return False
        self._connect()
        return True

    def _note(self, record: Record) -> None:
        self.started |= record.started
        for event in record.events:
            ephemeral = event.get("type") in ("presence", "typing")
            (self.heard if ephemeral else self.events).append(event)
        self.cursor = record.cursor or self.cursor
        self.problem = record.problem or self.problem
        self.after = record.after or self.after
        if record.ticket is not None:
            self._adapter.wish = replace(self._adapter.wish, who={"ticket": record.ticket})
