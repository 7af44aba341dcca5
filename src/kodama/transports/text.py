"""Text for people with ``curl -N``: lines without a cursor, so outside the promise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kodama.core.position import Position
from kodama.node import LiveRoom
from kodama.transports.reading import Batch, one_by_one
from kodama.transports.streaming import Wrap
from kodama.wire.problem import Problem
from kodama.wire.text import MEDIA_TYPE, line, notice, room_mark


class Text:
    """The framing; ``wrap`` makes of each piece what the connection sends.

    A blank line disturbs a person, so there is one only where a proxy would cut the connection.
    """

    media_type = MEDIA_TYPE
    quiet = 50.0

    def __init__(self, wrap: Wrap) -> None:
        self._wrap = wrap
        self.keep_alive = wrap(b"\n")

    def ready(self, cursor: str, started: Mapping[str, int]) -> bytes:
        """Return nothing: the prompt of a person is the first message."""
        return b""

    def batch(self, rooms: Sequence[LiveRoom], places: Sequence[Position], owed: Batch) -> bytes:
        """Return one line an event, or more; of many rooms each with its room."""
        many = len(rooms) > 1
        lines = [
            line(told.kind, told.json, named=room_mark(told.room) if many else "")
            for told in one_by_one(rooms, places, owed)
        ]
        return self._wrap(b"".join(lines))

    def ephemeral(self, events: Sequence[bytes]) -> bytes:
        """Return nothing: who types is no line."""
        return b""

    def problem(self, given: Problem, cursor: str) -> bytes:
        """Return the last line."""
        return self._wrap(notice(given.detail))

    def come_back(self, cursor: str, after: float) -> bytes:
        """Return the last line of a server that goes down."""
        return self._wrap(notice(f"The server goes down; come back in {after:g} s."))
