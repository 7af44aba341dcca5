"""NDJSON: a stream for programs, one event a line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kodama.core.position import Position
from kodama.node import LiveRoom
from kodama.transports.reading import Batch, one_by_one
from kodama.transports.streaming import Wrap, come_back, problem, ready
from kodama.wire.ndjson import BLANK, MEDIA_TYPE, line, line_without_place
from kodama.wire.problem import Problem


class Ndjson:
    """The framing; ``wrap`` makes of each piece what the connection sends."""

    media_type = MEDIA_TYPE
    quiet = 12.0

    def __init__(self, wrap: Wrap) -> None:
        self._wrap = wrap
        self.keep_alive = wrap(BLANK)

    def ready(self, cursor: str, started: Mapping[str, int]) -> bytes:
        """Return the first line."""
        return self._wrap(line_without_place(ready(cursor, started)))

    def batch(self, rooms: Sequence[LiveRoom], places: Sequence[Position], owed: Batch) -> bytes:
        """Return one line an event."""
        lines = [line(told.json, told.cursor) for told in one_by_one(rooms, places, owed)]
        return self._wrap(b"".join(lines))

    def ephemeral(self, events: Sequence[bytes]) -> bytes:
        """Return lines without a cursor."""
        return self._wrap(b"".join([line_without_place(json) for json in events]))

    def problem(self, given: Problem, cursor: str) -> bytes:
        """Return the last line."""
        return self._wrap(line_without_place(problem(given, cursor)))

    def come_back(self, cursor: str, after: float) -> bytes:
        """Return the last line of a server that goes down."""
        return self._wrap(line_without_place(come_back(cursor, after)))
