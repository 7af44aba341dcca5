"""Server-sent events: a stream that browsers read, and come back to, by themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random
from typing import Final

from kodama.core.position import Position
from kodama.node import LiveRoom
from kodama.transports.reading import Batch, one_by_one
from kodama.transports.streaming import Wrap, come_back, problem, ready
from kodama.wire.events import kind_in
from kodama.wire.problem import Problem
from kodama.wire.sse import COMMENT, MEDIA_TYPE, record, record_without_place, with_retry

RETRY_MS: Final = (1000, 3000)


class Sse:
    """The framing; ``wrap`` makes of each piece what the connection sends."""

    media_type = MEDIA_TYPE
    quiet = 12.0

    def __init__(self, wrap: Wrap, *, random: Random) -> None:
        self._wrap = wrap
        self._random = random
        self.keep_alive = wrap(COMMENT)

    def ready(self, cursor: str, started: Mapping[str, int]) -> bytes:
        """Return the first record, with the time after which to connect again."""
        block = record("ready", ready(cursor, started), cursor)
        return self._wrap(with_retry(block, ms=self._random.randint(*RETRY_MS)))

    def batch(self, rooms: Sequence[LiveRoom], places: Sequence[Position], owed: Batch) -> bytes:
        """Return one record an event."""
        told = one_by_one(rooms, places, owed)
        return self._wrap(b"".join([record(kind, json, cursor) for _, kind, json, cursor in told]))

    def ephemeral(self, events: Sequence[bytes]) -> bytes:
        """Return records without ``id``, so that a reader comes back to its place in the log."""
        return self._wrap(b"".join([record_without_place(kind_in(json), json) for json in events]))

    def problem(self, given: Problem, cursor: str) -> bytes:
        """Return the last record."""
        return self._wrap(record_without_place("problem", problem(given, cursor)))

    def come_back(self, cursor: str, after: float) -> bytes:
        """Return the last record: a browser connects again after ``retry``."""
        block = record("come-back", come_back(cursor, after), cursor)
        return self._wrap(with_retry(block, ms=round(after * 1000)))
