"""One connection that reads, without I/O: the same three verbs for every transport.

    send        bytes to send now; ask after opening and after the news was taken
    received    bytes that came (none: the other side closed) → steps
    patience    seconds of silence after which the connection is dead

A `Reading` is shared from one line to the next, so that a change of transport is nothing special.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol

from kodama.client import asks
from kodama.client.address import Address
from kodama.client.asks import Ask
from kodama.client.faults import may_pass, refused, refused_as
from kodama.client.framing import LineReader, SseReader, TooLong, unwrapped
from kodama.client.http1 import Answer, Collector, Done, Head, Http, retry_after
from kodama.client.ladder import Transport
from kodama.client.protocol import (
    Ended,
    Garbled,
    News,
    Reading,
    Refusal,
    Step,
    decoded,
    ended_by,
    news_of,
    step_of_record,
)  # fmt: skip

SILENCE: Final = 35.0  # two keep-alives of a stream and a little
GRACE: Final = 15.0  # what a poll may take beyond its hold
SSE: Final = "text/event-stream"
NDJSON: Final = "application/x-ndjson"
ANYTHING: Final = "*/*"  # what a script element accepts


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """How to read: ``wait`` is the hold of a poll in seconds, ``client`` this reader's random id."""

    address: Address
    token: str | None = None
    ticket: str | None = None
    presence: bool = False
    client: str | None = None
    wait: float = 25.0
    limit: int | None = None
    silence: float = SILENCE


class Line(Protocol):
    """One connection's conversation."""

    @property
    def patience(self) -> float:
        """Return the seconds of silence after which the connection is dead."""

    def send(self) -> bytes:
        """Return what is to be sent now; empty if nothing is."""

    @property
    def nudges(self) -> bool:
        """Tell whether there is a question to send in a silence, see `nudge`."""

    def nudge(self) -> bytes:
        """Return a question that a living server answers; it must be sent. Empty if there is none."""

    def received(self, data: bytes) -> Iterator[Step]:
        """Take what came and give what it means; nothing follows `Ended`."""


class PollLine:
    """Long polls, one after another on one connection; with a ``callback`` answered as its calls (JSONP)."""

    __slots__ = ("_asked", "_callback", "_collector", "_http", "_over", "_reading", "_wait", "_wishes")

    def __init__(
        self, reading: Reading, wishes: Wishes, *, wait: float | None = None, callback: str | None = None
    ) -> None:
        self._callback = callback
        self._reading = reading
        self._wishes = wishes
        self._wait = wishes.wait if wait is None else wait
        self._http = Http(wishes.address, token=wishes.token)
        self._collector = Collector()
        self._asked = False
        self._over = False

    @property
    def patience(self) -> float:
        """Return the hold and what an answer may take."""
        return self._wait + GRACE

    def send(self) -> bytes:
        """Return the next poll, if none is under way."""
        if self._asked or self._over:
            return b""
        self._asked = True
        wishes = self._wishes
        return self._http.request(asks.events(
            self._reading.rooms, since=self._reading.cursor, wait=self._wait, limit=wishes.limit,
            client=wishes.client, ticket=wishes.ticket, presence=wishes.presence,
            accept=asks.JSON if self._callback is None else ANYTHING, callback=self._callback,
        ))  # fmt: skip

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
            answers = [got for part in self._http.received(data) if (got := self._collector.take(part))]
            for answer in answers:
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
        if self._callback is not None:
            step = _inside(answer.body, callback=self._callback)
        else:
            step = news_of(decoded(answer.body))
        if isinstance(step, News) and step.ticket is not None:
            self._wishes = replace(self._wishes, ticket=step.ticket)
        return step


class StreamLine:
    """A stream of server-sent events or of NDJSON."""

    __slots__ = ("_asked", "_head", "_http", "_ndjson", "_over", "_problem", "_reading", "_sse", "_wishes")

    def __init__(self, reading: Reading, wishes: Wishes, *, kind: Transport) -> None:
        self._reading = reading
        self._wishes = wishes
        self._http = Http(wishes.address, token=wishes.token)
        self._sse = SseReader() if kind is Transport.SSE else None
        self._ndjson = LineReader()
        self._head: Head | None = None
        self._problem = Collector()
        self._asked = False
        self._over = False

    @property
    def patience(self) -> float:
        """Return the longest silence of a healthy stream."""
        return self._wishes.silence

    def send(self) -> bytes:
        """Return the request, once."""
        if self._asked:
            return b""
        self._asked = True
        wishes = self._wishes
        return self._http.request(self._ask(wishes))

    def _ask(self, wishes: Wishes) -> Ask:
        return asks.events(
            self._reading.rooms, since=self._reading.cursor, client=wishes.client, ticket=wishes.ticket,
            presence=wishes.presence, accept=SSE if self._sse else NDJSON,
        )  # fmt: skip

    @property
    def nudges(self) -> bool:
        """Tell that there is nothing to ask in a silence."""
        return False

    def nudge(self) -> bytes:
        """Return nothing: this side has nothing to ask meanwhile."""
        return b""

    def received(self, data: bytes) -> Iterator[Step]:
        """Take a piece of the stream."""
        if self._over:
            return
        try:
            for part in self._http.received(data):
                yield from self._part(part)
        except (Garbled, TooLong) as error:
            yield from self._end(ended_by(error))

    def _part(self, part: Head | bytes | Done) -> Iterator[Step]:
        if isinstance(part, Head):
            self._head = part
        if self._head is not None and self._head.status != 200:
            answer = self._problem.take(part)
            if answer is not None:
                yield refusal_of(answer.status, answer.fields, answer.body)
                yield from self._end(Ended(clean=True))
        elif isinstance(part, bytes):
            yield from self._records(part)
        elif isinstance(part, Done):
            yield from self._end(Ended(clean=True))

    def _records(self, data: bytes) -> Iterator[Step]:
        if self._sse is None:
            for line in self._ndjson.feed(data):
                record = decoded(line)
                yield step_of_record(record, cursor=_cursor_in(record))
            return
        for block in self._sse.feed(data):
            yield step_of_record(decoded(block.data), cursor=block.id or None)

    def _end(self, ended: Ended) -> Iterator[Step]:
        self._over = True
        yield ended


def refusal_of(status: int, fields: dict[str, str], body: bytes) -> Refusal:
    """Return what an error answer says. A date in Retry-After is not used: lines have no wall clock."""
    wait = retry_after(fields) if may_pass(status) else None
    return Refusal(refused(status, body), retry_after=wait)


def _inside(body: bytes, *, callback: str) -> Step:
    """Return what a call says: news, or the refusal whose status a script could not see."""
    inside = unwrapped(body, callback=callback)
    if inside is None:
        raise Garbled("An answer is not a call of the callback.")
    value = decoded(inside)
    if isinstance(value, dict) and "error" in value:
        return Refusal(refused_as(value["error"]))
    return news_of(value)


def _cursor_in(record: Any) -> str | None:
    if not isinstance(record, dict) or record.get("type") == "ready":
        return None
    cursor = record.pop("cursor", None)
    return cursor if isinstance(cursor, str) else None
