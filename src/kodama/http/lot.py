"""Requests that ask the same may wait together, and be answered with the same bytes.

Decided here: what a request costs that waits among thousands. A `Lot` hangs on a request line.
While it is open, a further GET with that line needs no application, no request object and no
timer of its own, if its header block was cleared: the channel enters itself in ``waiting``, and
that is all. Answering is one pass over ``waiting``. The application made the lot and speaks for
it: it opens it while all who ask this deserve the same, and answers or recalls everybody when
that ends. Whatever else can happen to one who waits (its hold runs out, its session is over, the
client goes) makes a request of it again, or nothing, and is not felt by the others.

With 1,000 waiting on a 2-core machine this took the user time of a delivery from 2.6 to 1.7 us.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable
from typing import Any, Protocol

from twisted.logger import Logger

from kodama.http.channel import Channel
from kodama.http.fanout import Fanout, spread
from kodama.http.message import Answer, Headers, Line, Request
from kodama.http.states import State
from kodama.http.timers import TICK

_log = Logger()
_HEAD = State.HEAD


class Keeper(Protocol):
    """The application's side of a lot."""

    def welcome(self, note: Any, channel: Channel, headers: Headers, now: float) -> bool:
        """Return whether somebody with something of their own in the line (`Own.memo` is ``note``), who
        asks again on ``channel`` under ``headers``, may wait here at once; ``now`` is in seconds."""

    def emptied(self) -> None:
        """Hear that the last of those who waited has left, unanswered; the lot is closed."""

    def expired(self, request: Request) -> None:
        """Hear that one hold has run out; the request does not wait any more."""


class Lot:
    """Where GETs with the request line ``line`` wait for the same answer.

    ``clearance`` is a token: a header block whose `Headers.cleared` is the same object needs no
    look before it waits here. ``seconds`` is how long each may wait; None asks ``hold`` for each.
    ``waiting`` has a note for each that the application parked itself or knows by its `Own`, and
    None for each other that came of its own accord.
    """

    __slots__ = ("clearance", "hold", "keeper", "line", "seconds", "waiting")

    def __init__(
        self, line: Line, keeper: Keeper, *, clearance: object, seconds: float | None,
        hold: Callable[[], float],
    ) -> None:  # fmt: skip
        self.line = line
        self.keeper = keeper
        self.clearance = clearance
        self.seconds = seconds
        self.hold = hold
        self.waiting: dict[Channel, object | None] = {}

    def open(self) -> None:
        """Let requests with this line and a cleared header block wait without being asked."""
        self.line.lot = self

    def close(self) -> None:
        """Let nobody in any more; those who wait go on waiting."""
        if self.line.lot is self:
            self.line.lot = None

    def answer(self, answer: Answer) -> None:
        """Close, and send ``answer`` to all who wait."""
        self.close()
        waiting, self.waiting = self.waiting, {}
        factory = next(iter(waiting)).factory if waiting else None
        if factory is None:
            return
        if factory.draining:
            for channel in waiting:
                channel.recalled(self).answer(answer)
            return
        idle = factory.seconds() + factory.limits.idle
        for channel in _send(waiting, answer.wire, fanout=factory.fanout, idle=idle):
            if channel._state is _HEAD:
                channel._next()

    def recall(self) -> list[tuple[Request, object | None]]:
        """Close, and return all who wait, with their notes, as requests to be answered singly."""
        self.close()
        waiting, self.waiting = self.waiting, {}
        return [(channel.recalled(self), note) for channel, note in waiting.items()]

    def recall_one(self, channel: Channel) -> Request:
        """Return one who waits as a request; it waits here no longer."""
        request = channel.recalled(self)
        self.leave(channel)
        return request

    def leave(self, channel: Channel) -> None:
        """Forget one who waits."""
        self.waiting.pop(channel, None)
        if not self.waiting:
            self.close()
            self.keeper.emptied()

    def run_out(self, channel: Channel) -> None:
        """Let go of one whose hold has run out."""
        self.keeper.expired(self.recall_one(channel))


def _send(
    waiting: dict[Channel, object | None], wire: bytes, *, fanout: Fanout | None, idle: float
) -> list[Channel]:
    """Send ``wire`` to all of ``waiting`` and return those who have sent ahead meanwhile.

    Written out rather than asked of each channel: a call for each would be a fifth of the user
    time of a delivery.
    """
    ahead = []
    last = idle / TICK
    for channel in waiting:
        channel._holder = None
        channel._state = _HEAD
        channel.deadline = idle
        if channel._buffer is not None or channel.slot > last:
            ahead.append(channel)
    channels = list(waiting)
    for index, took in spread(fanout, array("i", [channel._seat for channel in channels]), wire):
        channel = channels[index]
        try:
            channel.sit()  # from its second answer on it is reached with the others
            channel._write(wire[took:])
        except Exception:  # noqa: BLE001 - one failing client keeps no answer from the others
            _log.failure("a client could not be answered")
            channel.transport.abortConnection()
    return ahead
