"""A reader: one cursor over all transports, through every fault, for as long as the run lasts."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from kodama.client.faults import may_pass
from kodama.client.lines import Line, PollLine, Wishes
from kodama.client.protocol import Ended, News, Reading, Refusal, Step
from kodama.verify.observations import Told
from kodama.verify.samples import event_print
from kodama.verify.scene import HOLD, SILENCE, Scene
from kodama.verify.violations import Wrong
from kodama.verify.ways import Way, line_of

HOP: Final = (3, 400)
PIECE: Final = 65536
AGAIN: Final = (0.02, 0.4)
_MAY_PASS: Final = frozenset(("rate_limited", "overloaded", "internal", "timeout"))


class Reader:
    """Follows ``rooms`` from their first event on; ``number`` is its name in the history."""

    def __init__(self, scene: Scene, number: int, rooms: Sequence[str], *, ways: Sequence[Way]) -> None:
        self._scene = scene
        self._number = number
        self._ways = tuple(ways)
        self._reading = Reading(rooms, since="all")
        self._client = scene.new_client()
        self._left = 0
        self._begun = False
        self.overlap = 0
        scene.history.follow(number, rooms)
        for room in rooms:
            scene.readers.setdefault(room, []).append(number)

    async def run(self) -> None:
        """Read until cancelled."""
        scene = self._scene
        while True:
            way = scene.random.choice(self._ways)
            try:
                async with asyncio.timeout(10):
                    reader, writer = await scene.dial(scene.address)
            except OSError:
                await asyncio.sleep(scene.random.uniform(*AGAIN))
                continue
            try:
                pause = await self._connected(way, reader, writer)
            finally:
                writer.transport.abort()
            if pause:
                await asyncio.sleep(pause)

    async def _connected(self, way: Way, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> float:
        """Read on one connection and return the seconds to wait before the next."""
        scene = self._scene
        wishes = Wishes(
            address=scene.address, client=self._client, wait=HOLD, silence=SILENCE,
            limit=scene.random.choice((None, None, 1, 7, 1000)),
        )  # fmt: skip
        line = line_of(way, self._reading, wishes, random=scene.random)
        self._left, self._begun = scene.random.randint(*HOP), False
        while self._left > 0:
            asks = line.send()
            if asks and self.overlap and isinstance(line, PollLine):
                self.overlap = 0
                await self._poll_twice(asks, writer)
            else:
                writer.write(asks)
            data = await self._piece(line, reader, writer)
            if data is None:
                scene.figures.silences += 1
                return scene.random.uniform(*AGAIN)
            for step in line.received(data):
                pause = self._step(step, way)
                if pause is not None:
                    return pause
        scene.figures.hops += 1
        return 0.0

    async def _piece(
        self, line: Line, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bytes | None:
        for _ in range(2):
            asks = line.nudges
            try:
                async with asyncio.timeout(line.patience / (2 if asks else 1)):
                    return await reader.read(PIECE)
            except TimeoutError:
                if not asks:
                    return None
                writer.write(line.nudge())
            except OSError:
                return b""
        return None

    def _step(self, step: Step, way: Way) -> float | None:
        scene = self._scene
        match step:
            case News(superseded=True):
                scene.figures.superseded += 1
                self._client = scene.new_client()
                return 0.0
            case News():
                self._news(step, way)
                if step.after is not None:
                    scene.figures.drained += 1
                    return step.after
                return None
            case Refusal():
                return self._refused(step)
            case Ended():
                scene.figures.cuts += not step.clean
                if step.reason:
                    self._garbled(way, step.reason)
                return 0.0 if step.clean and self._begun else scene.random.uniform(*AGAIN)

    def _news(self, news: News, way: Way) -> None:
        history, number = self._scene.history, self._number
        first = not self._begun and news.after is None  # one may be sent away before it has begun
        if first and not news.ready and way not in (Way.POLL, Way.JSONP):
            self._garbled(way, "a stream did not begin with a cursor")
        self._begun = True
        logged = 0
        for event in news.events:
            offset, room = event.get("offset"), str(event.get("room"))
            if isinstance(offset, int):
                logged += 1
                history.saw(number, room, offset, event_print(event))
            elif event.get("type") == "gap":
                told = Told(number, room, event.get("from"), event.get("to"), str(event.get("reason")))
                history.told(told)
        self._scene.figures.deliveries[way.value] += logged
        self._left -= logged
        if news.cursor is not None:
            history.moved(number, news.cursor, with_events=logged > 0)
            self._reading.cursor = news.cursor
        elif logged:
            self._garbled(way, "an event came without a cursor")

    def _refused(self, step: Refusal) -> float:
        scene, fault = self._scene, step.fault
        scene.figures.refusals[f"{fault.status} {fault.code}".strip()] += 1
        if not may_pass(fault.status) and fault.code not in _MAY_PASS:
            scene.wrong(Wrong.REFUSED, self._rooms, f"reader {self._number}", f"{fault.status} {fault}")
            return 1.0
        return step.retry_after or scene.random.uniform(*AGAIN)

    async def _poll_twice(self, poll: bytes, writer: asyncio.StreamWriter) -> None:
        """Ask a second time under the same name, at once: the older poll has to end, if it waits at all."""
        scene = self._scene
        try:
            async with asyncio.timeout(1):
                reader, beside = await scene.dial(scene.address)
        except OSError:
            writer.write(poll)
            return
        try:
            writer.write(poll)
            beside.write(poll)
            async with asyncio.timeout(0.2):
                await reader.read(PIECE)
        except OSError:
            return
        finally:
            beside.transport.abort()

    def _garbled(self, way: Way, what: str) -> None:
        self._scene.wrong(Wrong.GARBLED, self._rooms, f"reader {self._number} by {way.value}", what)

    @property
    def _rooms(self) -> str:
        return ", ".join(self._reading.rooms)
