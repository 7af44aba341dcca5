"""What an HTTP connection waits for, and how that changes.

One request at a time is with the application; what a client sends ahead waits unparsed, at
most `Limits.held` bytes of it. Nobody who waits costs a parser, a timer or a task:

    HEAD ──head whole──▶ BODY ──body whole──▶ BUSY ──answer()──▶ HEAD
      │ refused            │ refused            │ close     └──switch()──▶ TUNNEL
      └────────────────────┴──▶ LINGER ◀────────┴─────────────────────────────┘

    BUSY ──park()──▶ PARKED ──Lot.answer()──▶ HEAD      PARKED ──recalled()──▶ BUSY
    HEAD ──what waits in an open lot already──▶ PARKED  PARKED ──close──▶ LINGER
"""

from __future__ import annotations

from enum import Enum, auto


class State(Enum):
    """What the connection waits for."""

    HEAD = auto()
    BODY = auto()
    BUSY = auto()
    PARKED = auto()
    LINGER = auto()
    TUNNEL = auto()
