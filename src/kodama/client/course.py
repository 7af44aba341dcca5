"""A reader's way through transports, cuts and refusals, without I/O: what both faces do the same.

    open → line → take(bytes) … → over → pause → open …

Whoever drives it dials, sends `line.send()`, gives what came to `take`, and calls `passed` when
the events of a batch have been taken care of; only then does the cursor move.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from random import Random
from typing import Final

from kodama.client.backoff import Backoff
from kodama.client.event import Event
from kodama.client.faults import Refused, Superseded, may_pass
from kodama.client.ladder import Ladder, Transport
from kodama.client.lines import Line, PollLine, StreamLine, Wishes
from kodama.client.protocol import Ended, News, Reading, Refusal, State, Step
from kodama.client.websocket import SocketLine

BUFFERED: Final = 8.0  # a stream that is open this long without a word is held back on its way
BURST: Final = 50  # so many events at once mean there is a backlog
_PASSING: Final = frozenset(("rate_limited", "overloaded", "internal", "timeout"))


@dataclass(frozen=True, slots=True)
class Batch:
    """New events, and the news that they came in."""

    events: list[Event]
    news: News


class Course:
    """One reader from its first connection to its last. Times are seconds of one steady clock."""

    def __init__(
        self,
        reading: Reading,
        wishes: Wishes,
        ladder: Ladder,
        *,
        random: Random,
        told: Callable[[State], None],
    ) -> None:
        self.reading = reading
        self.wishes = wishes
        self.over = True
        self._ladder = ladder
        self._backoff = Backoff(random)
        self._told = told
        self._state = State("connecting")
        self._rung = Transport.POLL
        self._line: Line = PollLine(reading, wishes)
        self._opened = 0.0
        self._heard = False
        self._nudged = False
        self._pause = 0.0
        self._since_ready = 0
        self._head_asked = False

    @property
    def state(self) -> State:
        """Return how the reader is doing."""
        return self._state

    @property
    def patience(self) -> float:
        """Return the seconds to wait for bytes before calling `take` with None."""
        if not self._heard and self._rung is not Transport.POLL:
            return min(self._line.patience, BUFFERED)
        return self._line.patience / 2 if self._line.nudges else self._line.patience

    @property
    def wants_heads(self) -> bool:
        """Tell whether to find out how long the rooms are, see `heads_known`; true once per line."""
        if self._head_asked or self._since_ready < BURST:
            return False
        self._head_asked = True
        return True

    def heads_known(self, heads: dict[str, int]) -> None:
        """Note the newest offsets of rooms, to say how far behind the reader is."""
        self.reading.heads = heads

    def open(self, *, now: float) -> None:
        """Begin the next connection."""
        self._rung = self._ladder.choose(now=now)
        self._line = self._lines()
        self._opened, self._pause = now, 0.0
        self.over = self._heard = self._nudged = self._head_asked = False
        self._since_ready = 0
        self._say("connecting")

    def send(self) -> bytes:
        """Return what is to be sent now."""
        return b"" if self.over else self._line.send()

    def take(self, data: bytes | None, *, now: float) -> Iterator[Batch]:
        """Take what came (None: silence for `patience`), give what is new; raises `Refused`, `Superseded`."""
        if data is None:
            self._silence(now=now)
            return
        self._nudged = False
        for step in self._line.received(data):
            batch = self._step(step, now=now)
            if batch is not None:
                yield batch
            if self.over:
                return
        if not self._heard and self._rung is not Transport.POLL and now - self._opened > BUFFERED:
            self._leave_unfit(now=now)

    def nudge(self) -> bytes:
        """Return what to send after a silence that is not yet the end; empty if it was."""
        return b"" if self.over else self._line.nudge()

    def passed(self, batch: Batch, *, now: float) -> None:
        """Note that a batch was taken care of, and whether it is time to climb."""
        self.reading.passed(batch.news)
        climb = self._ladder.climb_at(self._rung)
        if climb is not None and climb <= now:
            self.over = True

    def failed(self, *, now: float) -> None:
        """Note that the connection could not be made (nothing was sent) or broke."""
        if self._heard:
            self._ladder.cut(self._rung, lasted=now - self._opened, now=now)
        self._pause = self._backoff.failed()
        self.over = True

    def pause(self) -> float:
        """Return the seconds to wait before the next `open`."""
        if self._pause:
            self._say("waiting")
        return self._pause

    def _lines(self) -> Line:
        match self._rung:
            case Transport.WEBSOCKET:
                return SocketLine(self.reading, self.wishes)
            case Transport.POLL:
                return PollLine(self.reading, self.wishes)
            case kind:
                return StreamLine(self.reading, self.wishes, kind=kind)

    def _silence(self, *, now: float) -> None:
        if not self._heard and self._rung is not Transport.POLL:
            self._leave_unfit(now=now)
        elif self._line.nudges and not self._nudged:
            self._nudged = True
        else:
            self.failed(now=now)

    def _leave_unfit(self, *, now: float) -> None:
        self._ladder.unfit(self._rung, now=now)
        self.over = True

    def _step(self, step: Step, *, now: float) -> Batch | None:
        match step:
            case News():
                return self._news(step, now=now)
            case Refusal():
                self._refused(step, now=now)
            case Ended(clean=True) if self._heard:
                self.over = True
            case Ended():
                self.failed(now=now)
        return None

    def _news(self, news: News, *, now: float) -> Batch:
        if news.superseded:
            raise Superseded("A newer reader took over.")
        self._heard = True
        self._backoff.succeeded()
        self._ladder.works(self._rung, lasted=now - self._opened)
        if news.ticket is not None:
            self.wishes = replace(self.wishes, ticket=news.ticket)
        if news.after is not None:
            self._pause, self.over = news.after, True
        batch = Batch(self.reading.fresh(news), news)
        self._since_ready += len(batch.events)
        behind = self.reading.behind()
        late = news.more or (behind is not None and behind > 0)
        self._say("catching up" if late else "live", behind=behind if late else None)
        return batch

    def _refused(self, refusal: Refusal, *, now: float) -> None:
        fault = refusal.fault
        if may_pass(fault.status) or fault.code in _PASSING:
            self._pause = self._backoff.failed(retry_after=refusal.retry_after)
            self.over = True
        elif self._heard or self._lowest() or fault.status == 401:
            raise fault
        else:  # the lowest rung has the last word on whether reader or transport is refused
            self._leave_unfit(now=now)

    def _lowest(self) -> bool:
        return self._ladder.lowest is self._rung

    def _say(self, phase: str, *, behind: int | None = None) -> None:
        state = State(phase, self._rung.value, behind)
        if state != self._state:
            self._state = state
            self._told(state)


def is_expired(fault: Refused) -> bool:
    """Tell whether a new token would help."""
    return fault.status == 401 or fault.code == "unauthorized"
