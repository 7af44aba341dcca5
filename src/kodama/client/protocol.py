"""What a reader knows and what an answer means, without I/O: the same on every transport.

The cursor moves only after the events before it were taken; asking with it is the
acknowledgement. Whatever the transport, an answer becomes `News`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from kodama.client.event import Event
from kodama.client.faults import Refused, refused_as


@dataclass(frozen=True, slots=True)
class News:
    """What one answer, record or frame brought; ``cursor`` stands after all its ``events``.

    ``more``: there is more at once. ``after``: seconds to stay away. ``superseded``: a newer
    reader took over. ``ticket``: a fresh one. ``ready``: the first record of a stream.
    ``started``: rooms that began at the end of their log, with its offset.
    """

    events: tuple[dict[str, Any], ...]
    cursor: str | None
    more: bool = False
    after: float | None = None
    superseded: bool = False
    ready: bool = False
    ticket: str | None = None
    started: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Refusal:
    """The server said no. ``retry_after`` is in seconds, None if it gave no time."""

    fault: Refused
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class Ended:
    """The connection is over, without a fault if ``clean``: come back at once with the same cursor.

    ``reason`` is what made no sense, empty if it was only cut off.
    """

    clean: bool
    reason: str = ""


Step = News | Refusal | Ended


class Garbled(Exception):
    """The other side does not speak the protocol; the connection is of no use any more."""


class CutOff(Garbled):
    """The connection ended in the middle of an answer, as connections do."""


def ended_by(error: Exception) -> Ended:
    """Return how a connection has ended, for a line to say."""
    return Ended(clean=False, reason="" if isinstance(error, CutOff) else str(error) or type(error).__name__)


def news_of(answer: Any) -> News:
    """Read the object of a long poll, a JSONP call or a WebSocket's frame; raises `Garbled`."""
    if not isinstance(answer, dict):
        raise Garbled("An answer is not an object.")
    events, cursor = answer.get("events"), answer.get("cursor")
    if not isinstance(events, list) or not isinstance(cursor, str):
        raise Garbled("An answer has no events or no cursor.")
    after = answer.get("after")
    ticket = answer.get("ticket")
    return News(
        tuple(one for one in events if isinstance(one, dict)), cursor,
        more=bool(answer.get("more")), superseded=bool(answer.get("superseded")),
        after=float(after) if isinstance(after, int | float) else None,
        ticket=ticket if isinstance(ticket, str) else None,
        started=started if isinstance(started := answer.get("started"), dict) else {},
    )  # fmt: skip


def step_of_record(record: Any, *, cursor: str | None) -> Step:
    """Read one record of a stream (SSE, NDJSON): ready, problem, come-back, or an event."""
    if not isinstance(record, dict):
        raise Garbled("A record is not an object.")
    kind = record.get("type")
    if kind == "ready":
        place = record.get("cursor", cursor)
        started = record.get("started")
        return News((), place, ready=True, started=started if isinstance(started, dict) else {})
    if kind == "problem":
        given = record.get("error", record)
        return Refusal(refused_as(given if isinstance(given, dict) else record))
    if kind == "come-back":
        after = record.get("after")
        return News((), cursor, after=float(after) if isinstance(after, int | float) else 1.0)
    return News((record,), cursor)


def decoded(text: bytes | str) -> Any:
    """Decode JSON; raises `Garbled`."""
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Garbled(f"That is not JSON: {error}") from None


@dataclass(frozen=True, slots=True)
class State:
    """How a reader is doing, in words for a person by `str`.

    ``phase``: connecting, catching up, live, waiting or closed. ``behind``: events still to come, if known.
    """

    phase: str
    transport: str = ""
    behind: int | None = None

    def __str__(self) -> str:
        """Return such as ``catching up, 120 behind``."""
        return self.phase if self.behind is None else f"{self.phase}, {self.behind} behind"


class Reading:
    """A reading of one or many rooms that goes on where it stopped.

    `fresh` says what of an answer is new, `passed` moves the cursor once that has been taken
    care of. An event that came before is dropped by its offset: with a right server that never
    happens, so it is counted in ``repeats``.
    """

    __slots__ = ("_last", "cursor", "heads", "repeats", "rooms")

    def __init__(self, rooms: Sequence[str], *, since: str) -> None:
        self.rooms = tuple(rooms)
        self.cursor = since
        self.repeats = 0
        self.heads: dict[str, int] = {}
        self._last: dict[str, int] = {}

    @property
    def placed(self) -> bool:
        """Tell whether the place is a cursor, from which nothing can be missed."""
        return self.cursor.startswith("k1.")

    def fresh(self, news: News) -> list[Event]:
        """Return the events that the reader has not had yet, in order."""
        return [Event(one) for one in news.events if self._is_new(one)]

    def passed(self, news: News) -> None:
        """Note that everything in ``news`` was taken care of."""
        if news.cursor is not None:
            self.cursor = news.cursor

    def behind(self) -> int | None:
        """Return how many events are still to come, None if the rooms' ends are not known."""
        if not self.heads:
            return None
        return sum(max(0, head - self._last.get(room, head)) for room, head in self.heads.items())

    def _is_new(self, event: dict[str, Any]) -> bool:
        offset, room = event.get("offset"), str(event.get("room"))
        if not isinstance(offset, int):
            if event.get("type") == "gap":
                self._last.pop(room, None)  # after a hole offsets may begin anew
            return True
        if offset <= self._last.get(room, -1):
            self.repeats += 1
            return False
        self._last[room] = offset
        return True
