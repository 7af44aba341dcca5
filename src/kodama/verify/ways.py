"""Every way into a room that has a cursor, as the client's lines."""

from __future__ import annotations

from dataclasses import replace
from enum import Enum
from random import Random
from typing import Final

from kodama.client.ladder import Transport
from kodama.client.lines import Line, PollLine, StreamLine, Wishes
from kodama.client.protocol import Reading
from kodama.client.websocket import SocketLine

CALLBACK: Final = "verify.take"


class Way(Enum):
    """A transport; the value is its name on the command line."""

    POLL = "poll"
    JSONP = "jsonp"
    SSE = "sse"
    NDJSON = "ndjson"
    WEBSOCKET = "websocket"


def line_of(way: Way, reading: Reading, wishes: Wishes, *, random: Random) -> Line:
    """Return a new connection's conversation that goes on where ``reading`` stands."""
    match way:
        case Way.POLL:
            return PollLine(reading, wishes)
        case Way.JSONP:
            return PollLine(reading, replace(wishes, token=None), callback=CALLBACK)
        case Way.SSE:
            return StreamLine(reading, wishes, kind=Transport.SSE)
        case Way.NDJSON:
            return StreamLine(reading, wishes, kind=Transport.NDJSON)
        case Way.WEBSOCKET:
            return SocketLine(reading, wishes, compress=random.random() < 0.5)
