"""Events and log entries for the tests of the core, made in one line each."""

from __future__ import annotations

from typing import Any

from kodama.core.change import Stamp
from kodama.core.event import Author, Entry, Message, entry

AIKO = Author("g_aiko", "Aiko", "guest")
BEN = Author("g_ben", "Ben", "guest")


def message(offset: int, *, text: str | None = "hello", epoch: str = "e1", **more: Any) -> Message:
    """Return Aiko's message at ``offset``."""
    return Message(
        room="lobby", offset=offset, epoch=epoch, id=f"id{offset}", time="2026-01-01T00:00:00.000Z",
        author=AIKO, **{"text": text, "data": None, **more},
    )  # fmt: skip


def line(offset: int, *, epoch: str = "e1", text: str = "hello") -> Entry:
    """Return the log entry of a message at ``offset``."""
    return entry(message(offset, text=text, epoch=epoch), time=offset)


def stamp(offset: int) -> Stamp:
    """Return the stamp that a store would give the event at ``offset``."""
    return Stamp(offset=offset, epoch="e1", id=f"id{offset}", time="2026-01-01T00:00:00.000Z")
