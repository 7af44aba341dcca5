"""Many readers on every transport in one process: each keeps its place, and comes back when it is told to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from random import Random
from time import monotonic

from kodama.client.address import Address
from kodama.client.ladder import Transport
from kodama.client.lines import Line, PollLine, StreamLine, Wishes
from kodama.client.protocol import Ended, News, Reading, Refusal, Step
from kodama.client.websocket import SocketLine

KINDS = (Transport.POLL, Transport.SSE, Transport.WEBSOCKET)


class Member:
    """One reader of ``lobby`` from its first event on; ``wrong`` is what it got that it should not have."""

    def __init__(self, herd: Herd, kind: Transport) -> None:
        self._herd = herd
        self.kind = kind
        self.offset = 0
        self.wrong: list[str] = []
        self.told: float | None = None
        self.returned: float | None = None
        self.away = False
        self._reading = Reading(("lobby",), since="all")
        self._fails = 0

    async def run(self) -> None:
        """Read until cancelled."""
        while True:
            pause = await self._once()
            self.away = True
            if pause is None:
                self._fails += 1
                pause = 0.3 * 2 ** min(self._fails, 4) * self._herd.random.uniform(0.5, 1.0)
            await asyncio.sleep(pause)

    async def _once(self) -> float | None:
        """Read on one connection; return the seconds until the next, None if that is for us to say."""
        try:
            async with asyncio.timeout(30):
                reader, writer = await asyncio.open_connection("127.0.0.1", self._herd.address.port)
        except OSError:
            return None
        try:
            return await self._talk(self._line(), reader, writer)
        except OSError:
            return None
        finally:
            writer.transport.abort()

    async def _talk(
        self, line: Line, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> float | None:
        while True:
            writer.write(line.send())
            async with asyncio.timeout(line.patience):
                data = await reader.read(65536)
            for step in line.received(data):
                match self._step(step):
                    case Ended():
                        return None
                    case float(after):
                        return after

    def _line(self) -> Line:
        wishes = Wishes(address=self._herd.address, wait=60.0)
        match self.kind:
            case Transport.SSE:
                return StreamLine(self._reading, wishes, kind=self.kind)
            case Transport.WEBSOCKET:
                return SocketLine(self._reading, wishes, compress=False)
            case _:
                return PollLine(self._reading, wishes)

    def _step(self, step: Step) -> float | Ended | None:
        match step:
            case News():
                return self._news(step)
            case Refusal():
                if step.fault.status != 503:
                    self.wrong.append(f"refused: {step.fault}")
                return Ended(clean=False)
            case Ended():
                return step

    def _news(self, news: News) -> float | None:
        self._fails = 0
        if self.away and news.after is None:
            self.away = False
            if self._herd.stopped:
                self.returned = self.returned or monotonic()
        for event in news.events:
            if event.get("offset") != self.offset + 1:
                self.wrong.append(f"{event.get('type')} {event.get('offset')} after {self.offset}")
            self.offset = int(event.get("offset", self.offset))
        if news.cursor is not None:
            self._reading.cursor = news.cursor
        if news.after is not None:
            self.told = news.after
        return news.after


class Herd:
    """``size`` members, on the transports in turn."""

    def __init__(self, port: int, size: int, random: Random) -> None:
        self.address = Address.parse(f"http://127.0.0.1:{port}")
        self.random = random
        self.members = [Member(self, KINDS[number % len(KINDS)]) for number in range(size)]
        self.stopped = False  # set it when the server is told to stop
        self._tasks: Sequence[asyncio.Task[None]] = ()

    async def __aenter__(self) -> Herd:
        """Let them come, a few hundred at a time."""
        tasks = []
        for number, member in enumerate(self.members):
            tasks.append(asyncio.create_task(member.run()))
            if number % 200 == 199:
                await asyncio.sleep(0.1)
        self._tasks = tasks
        return self

    async def __aexit__(self, *reason: object) -> None:
        """Let them go; raises what one of them stumbled over."""
        for task in self._tasks:
            task.cancel()
        ended = await asyncio.gather(*self._tasks, return_exceptions=True)
        for outcome in ended:
            if outcome is not None and not isinstance(outcome, asyncio.CancelledError):
                raise outcome

    async def until(self, condition: Callable[[Member], bool], what: str, *, seconds: float) -> None:
        """Wait until it is true of every member."""
        end = monotonic() + seconds
        while left := [member for member in self.members if not condition(member)]:
            assert monotonic() < end, (
                f"{what}: {len(left)} members are not there yet, one at {left[0].offset}"
            )
            await asyncio.sleep(0.1)


def busiest(times: Sequence[float], *, seconds: float) -> int:
    """Return how many of ``times`` lie within the fullest stretch of so many seconds."""
    ordered = sorted(times)
    first = most = 0
    for number, time in enumerate(ordered):
        while time - ordered[first] > seconds:
            first += 1
        most = max(most, number - first + 1)
    return most
