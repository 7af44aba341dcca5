"""How long a fault is felt: messages are published all the time, each to any node, and every node is read.

A message that is not acknowledged within a second is tried at the next node, under the same nonce, as
a balancer and a client do.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from itertools import count, cycle
from math import inf
from typing import NamedTuple, Self

from kodama.client import asks
from kodama.client.aio import AsyncClient
from kodama.client.faults import ClientFault
from kodama.client.protocol import decoded, news_of
from tests.cluster import Cluster
from tests.faults import Fault

PERIOD = 0.05
TRY = 1.0
HOLD = 2.0
CALM = 8.0
ROOM = "probe"


class Row(NamedTuple):
    """Seconds: the fault lasted ``lasted``; the slowest message took ``written`` from the first try to
    its 201, ``most`` from there to all nodes but one, and ``all_`` to every node; ``after`` the end of
    the fault every node had all that was said during it."""

    fault: str
    lasted: float
    written: float
    most: float
    all_: float
    after: float

    def __str__(self) -> str:
        name = self.fault.replace("_", " ")
        times = (self.lasted, self.written, self.most, self.all_, self.after)
        return f"| {name} | {' | '.join(f'{one:.2f}' for one in times)} |"


class Probe:
    """A writer and, for each node, a reader."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._begun: dict[int, float] = {}
        self._acknowledged: dict[int, float] = {}
        self._seen: list[dict[int, float]] = [{} for _ in cluster.urls]
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        self._tasks = [asyncio.create_task(self._read(number)) for number in range(len(self._seen))]
        self._tasks.append(asyncio.create_task(self._write()))
        await asyncio.sleep(2)
        return self

    async def __aexit__(self, *reason: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def during(self, fault: Fault) -> Row:
        """Let ``fault`` happen and return how it was felt."""
        began = self._loop.time()
        await fault(self._cluster)
        ended = self._loop.time()
        await asyncio.sleep(CALM)
        sent = [
            number for number, at in self._begun.items()
            if at <= ended + CALM / 2 and self._acknowledged.get(number, inf) >= began
        ]  # fmt: skip
        missing = [number for number in sent if number not in self._acknowledged]
        assert not missing, f"{len(missing)} messages were never acknowledged"
        written = max(self._acknowledged[number] - self._begun[number] for number in sent)
        late = [max([self._lateness(seen, number) for number in sent], default=0.0) for seen in self._seen]
        after = max(
            max((seen[number] for number in sent if self._acknowledged[number] <= ended), default=ended)
            for seen in self._seen
        )
        *_, most, every = sorted(late)
        return Row(fault.__name__, ended - began, written, most, every, max(0.0, after - ended))

    def _lateness(self, seen: dict[int, float], number: int) -> float:
        return max(0.0, seen[number] - self._acknowledged[number])

    async def _write(self) -> None:
        nodes = cycle(self._cluster.urls)
        for number in count(1):
            self._begun[number] = self._loop.time()
            ask = asks.publish(ROOM, nonce=f"probe-{number:012d}", text=str(number))
            while not await self._asked(next(nodes), ask):
                await asyncio.sleep(PERIOD)
            self._acknowledged[number] = self._loop.time()
            await asyncio.sleep(PERIOD)

    async def _asked(self, url: str, ask: asks.Ask) -> bytes | None:
        client = AsyncClient(url, tries=1)
        with suppress(ClientFault, OSError):
            try:
                async with asyncio.timeout(TRY if ask.method == "POST" else HOLD + TRY):
                    return await client.ask(ask)
            finally:
                await client.close()
        return None

    async def _read(self, node: int) -> None:
        cursor = "all"
        while True:
            ask = asks.events((ROOM,), since=cursor, wait=HOLD, limit=1000)
            body = await self._asked(self._cluster.urls[node], ask)
            if body is None:
                await asyncio.sleep(PERIOD)
                continue
            news = news_of(decoded(body))
            now = self._loop.time()
            for event in news.events:
                self._seen[node].setdefault(int(event["text"]), now)
            cursor = news.cursor or cursor
