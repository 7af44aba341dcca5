"""What the channels of one site share, and the factory that makes them."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.interfaces import IAddress, IReactorTime
from twisted.internet.protocol import Factory
from twisted.python.failure import Failure

from kodama.http.channel import Channel
from kodama.http.fanout import Fanout
from kodama.http.limits import Limits
from kodama.http.message import Answer, Refusal, Request
from kodama.http.remembered import Remembered
from kodama.http.timers import Wheel


def _nobody_counts(_peer: str) -> str | None:
    """Return None: no address has a limit of its own."""
    return None


class HttpFactory(Factory):
    """Makes the channels of one site and holds what they share.

    ``respond`` gets each request; ``refuse`` words what the channel refuses by itself;
    ``fault`` logs an exception that ``respond`` let out, and words the answer; ``own`` is which
    parameter of a query is each client's own, see `Remembered`; ``party`` says which addresses
    count together for `Limits.together`, None for one that does not count; ``fanout`` writes the
    same to many at once, if the transports' reactor can.
    """

    noisy = False

    def __init__(
        self, respond: Callable[[Request], None], *, refuse: Callable[[Refusal], Answer],
        fault: Callable[[Request, Failure], Answer], clock: IReactorTime, limits: Limits,
        own: bytes | None = None, party: Callable[[str], str | None] = _nobody_counts,
        fanout: Fanout | None = None,
    ) -> None:  # fmt: skip
        self.respond = respond
        self.refuse = refuse
        self.fault = fault
        self.clock = clock
        self.seconds = clock.seconds
        self.limits = limits
        self.wheel = Wheel(clock)
        self.draining = False
        self.fanout = fanout
        self._channels: set[Channel] = set()
        self._party = party
        self._parties: dict[str, int] = {}
        self.remembered = remembered = Remembered(limits.line, block_limit=limits.remembered, own=own)
        self.lines = remembered.lines  # looked into at each poll, and so without a detour
        self.line = remembered.line
        self.split = remembered.split
        self.headers = remembered.headers
        self.head = remembered.head

    @property
    def connections(self) -> int:
        """Return how many connections are open."""
        return len(self._channels)

    def buildProtocol(self, addr: IAddress | None) -> Channel:  # type: ignore[override]
        """Twisted: somebody connects."""
        return Channel(self)

    def opened(self, channel: Channel) -> bool:
        """Count a connection; False if there are too many, and this one is closed."""
        if len(self._channels) >= self.limits.connections:
            channel.transport.abortConnection()
            return False
        party = self._party(channel.peer)
        if party is not None:
            count = self._parties.get(party, 0)
            if count >= self.limits.together:
                refusal = Refusal(429, "Too many connections from this address.")
                channel.transport.write(self.refuse(refusal).closing)
                channel.close()
                return False
            self._parties[party] = count + 1
        self._channels.add(channel)
        return True

    def closed(self, channel: Channel) -> None:
        """Forget a connection."""
        if channel not in self._channels:
            return
        self._channels.discard(channel)
        party = self._party(channel.peer)
        if party is not None:
            left = self._parties[party] - 1
            if left:
                self._parties[party] = left
            else:
                del self._parties[party]

    def drain(self) -> int:
        """Close idle connections, and each other one after its answer; return how many ask yet.

        To be called again and again: whoever was answered a moment ago is about to poll again.
        """
        self.draining = True
        for channel in tuple(self._channels):
            channel.close_if_idle(for_seconds=self.limits.pause)
        return sum(channel.asking for channel in self._channels)

    def hurry(self) -> None:
        """Refuse every request that has begun but not arrived."""
        for channel in tuple(self._channels):
            channel.refuse_unless_whole()
