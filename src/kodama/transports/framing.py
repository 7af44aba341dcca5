"""What a stream needs of its transport: an outlet for bytes, and a framing that makes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from kodama.core.position import Position
from kodama.node import LiveRoom
from kodama.transports.reading import Batch
from kodama.wire.problem import Problem


class Outlet(Protocol):
    """Where a reader's bytes go. ``full`` is true while it does not keep up, and `send` is not
    called then; ``on_filled``, ``on_drained`` and ``on_gone`` are called when that begins, perhaps
    within `send`, when it ends, and when the reader is no more. `send` stays the same until then, and so
    does ``seat``, under which a `Fanout` writes what `send` would."""

    full: bool
    seat: int
    send: Callable[[bytes], None]
    on_drained: Callable[[], None]
    on_filled: Callable[[], None]
    on_gone: Callable[[], None]

    def finish(self) -> None:
        """End what was begun; nothing is sent after it."""
        ...


class Framing(Protocol):
    """How records are written; every method returns the bytes that an `Outlet` sends.

    ``quiet`` is how many seconds may pass without any before ``keep_alive`` is sent.
    """

    quiet: float
    keep_alive: bytes

    def ready(self, cursor: str, started: Mapping[str, int]) -> bytes:
        """Return the first record."""
        ...

    def batch(self, rooms: Sequence[LiveRoom], places: Sequence[Position], owed: Batch) -> bytes:
        """Return a batch that was taken at ``places`` in ``rooms``."""
        ...

    def ephemeral(self, events: Sequence[bytes]) -> bytes:
        """Return events that have no offset."""
        ...

    def problem(self, given: Problem, cursor: str) -> bytes:
        """Return why the reading ends."""
        ...

    def come_back(self, cursor: str, after: float) -> bytes:
        """Return that the server goes down, and in how many seconds to return."""
        ...
