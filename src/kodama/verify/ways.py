"""Every way into a room that has a cursor, as the client's lines; JSONP, which no program needs, is here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from enum import Enum
from random import Random
from typing import Final

from kodama.client import asks
from kodama.client.faults import refused_as
from kodama.client.framing import unwrapped
from kodama.client.http1 import Answer, Collector, Http
from kodama.client.ladder import Transport
from kodama.client.lines import GRACE, Line, PollLine, StreamLine, Wishes, refusal_of
from kodama.client.protocol import Ended, Garbled, Reading, Refusal, Step, decoded, ended_by, news_of
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
            return CallLine(reading, replace(wishes, token=None))
        case Way.SSE:
            return StreamLine(reading, wishes, kind=Transport.SSE)
        case Way.NDJSON:
            return StreamLine(reading, wishes, kind=Transport.NDJSON)
        case Way.WEBSOCKET:
            return SocketLine(reading, wishes, compress=random.random() < 0.5)


class CallLine:
    """Long polls that are answered as calls of a function."""

    def __init__(self, reading: Reading, wishes: Wishes) -> None:
        self._reading = reading
        self._wishes = wishes
        self._http = Http(wishes.address)
        self._collector = Collector()
        self._asked = False
        self._over = False

    @property
    def patience(self) -> float:
        """Return the hold and what an answer may take."""
        return self._wishes.wait + GRACE

    def send(self) -> bytes:
        """Return the next poll, if none is under way."""
        if self._asked or self._over:
            return b""
        self._asked = True
        wishes = self._wishes
        ask = asks.events(
            self._reading.rooms, since=self._reading.cursor, wait=wishes.wait, limit=wishes.limit,
            client=wishes.client,
        )  # fmt: skip
        return self._http.request(replace(ask, target=f"{ask.target}&callback={CALLBACK}", accept="*/*"))

    @property
    def nudges(self) -> bool:
        """Tell that there is nothing to ask in a silence."""
        return False

    def nudge(self) -> bytes:
        """Return nothing: this side has nothing to ask meanwhile."""
        return b""

    def received(self, data: bytes) -> Iterator[Step]:
        """Take a piece of an answer."""
        try:
            for answer in [got for part in self._http.received(data) if (got := self._collector.take(part))]:
                yield self._read(answer)
                self._asked = False
                if not answer.reusable:
                    self._over = True
                    yield Ended(clean=True)
        except Garbled as error:
            self._over = True
            yield ended_by(error)

    def _read(self, answer: Answer) -> Step:
        if answer.status != 200:
            return refusal_of(answer.status, answer.fields, answer.body)
        inside = unwrapped(answer.body, callback=CALLBACK)
        if inside is None:
            raise Garbled("An answer is not a call of the callback.")
        value = decoded(inside)
        if isinstance(value, dict) and "error" in value:
            return Refusal(refused_as(value["error"]))
        return news_of(value)
