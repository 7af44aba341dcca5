"""What nodes cost the database and the bus: every statement that the database is told is read in its log."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from pathlib import Path

from kodama.app.assemble import LOOK_SECONDS
from kodama.app.verify import _loop_factory as loop_factory
from kodama.client import asks
from kodama.client.aio import AsyncClient
from kodama.client.asks import Ask
from kodama.client.protocol import decoded, news_of
from tests.cluster import Cluster

PATIENCE = 60.0
_SAID = re.compile(r"LOG:  (?:statement|execute [^:]+): (.*)")
LOOK = "UNION ALL SELECT kind"


class Statements:
    """What the database is told from now on."""

    def __init__(self, cluster: Cluster) -> None:
        self._log = cluster.postgres.folder / "log"
        self._from = self._log.stat().st_size

    @property
    def told(self) -> list[str]:
        with self._log.open("rb") as log:
            log.seek(self._from)
            return _SAID.findall(log.read().decode())

    @property
    def looks(self) -> int:
        return sum(LOOK in one for one in self.told)

    @property
    def others(self) -> list[str]:
        return [one for one in self.told if LOOK not in one]


async def until(condition: Callable[[], object], what: str) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():
            await asyncio.sleep(0.05)
    assert condition(), what


def held(url: str, rooms: list[str], since: str = "now") -> asyncio.Task[bytes]:
    """Begin to wait for news of ``rooms`` for longer than a test lasts."""

    async def wait() -> bytes:
        client = AsyncClient(url)
        try:
            return await client.ask(asks.events(rooms, since=since, wait=110, limit=100))
        finally:
            await client.close()

    return asyncio.create_task(wait())


async def numbers(url: str) -> dict[str, float]:
    """Return the metrics of a node."""
    client = AsyncClient(url)
    text = (await client.ask(Ask("GET", "/metrics"))).decode()
    await client.close()
    lines = [line.rpartition(" ") for line in text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in lines}


async def waiting(url: str) -> float:
    return (await numbers(url))['kodama_waiting_clients{transport="longpoll"}']


async def parked(cluster: Cluster, count: int) -> None:
    for url in cluster.urls:
        while await waiting(url) < count:
            await asyncio.sleep(0.05)


async def an_idle_node(folder: Path) -> None:
    async with Cluster(folder, bus="nats", count=1) as there:
        url = there.urls[0]
        polls = [held(url, [f"r{n * 100 + m}" for m in range(100)]) for n in range(10)]
        await parked(there, len(polls))
        await asyncio.to_thread(there.postgres.log_statements)
        await asyncio.sleep(2 * LOOK_SECONDS)  # what was under way is over
        statements, loop = Statements(there), asyncio.get_running_loop()
        began = loop.time()
        await until(lambda: statements.looks >= 3, "looks at the store")
        assert statements.others == []
        assert statements.looks <= (loop.time() - began) / LOOK_SECONDS + 2
        for poll in polls:
            poll.cancel()
        await asyncio.gather(*polls, return_exceptions=True)


async def one_message(folder: Path) -> None:
    async with Cluster(folder, bus="nats") as there:
        writer = AsyncClient(there.urls[0])
        await writer.ask(asks.publish("lobby", nonce="a-nonce-of-16-letters", text="before"))
        polls = [held(url, ["lobby"]) for url in there.urls for _ in range(3)]
        await parked(there, 3)
        await asyncio.to_thread(there.postgres.log_statements)
        await asyncio.sleep(2 * LOOK_SECONDS)
        statements = Statements(there)
        before = [(await numbers(url))['kodama_bus_frames_total{what="received"}'] for url in there.urls]
        told = json.loads(await writer.ask(asks.publish("lobby", nonce="b-nonce-of-16-letters", text="news")))
        answers = [news_of(decoded(body)).events for body in await asyncio.gather(*polls)]
        assert [[event["offset"] for event in events] for events in answers] == [[told["offset"]]] * 9
        after = [(await numbers(url))['kodama_bus_frames_total{what="received"}'] for url in there.urls]
        await writer.close()
        inserts = [one for one in statements.others if one.startswith("INSERT INTO kodama_events")]
        reads = [one for one in statements.others if one.startswith("SELECT") and "FOR UPDATE" not in one]
        assert len(inserts) == 1
        assert len(reads) <= len(there.nodes) + 1, reads  # the nonce, and where the room stands now
        assert [new - old for new, old in zip(after, before, strict=True)] == [0, 1, 1]


def run(whole: Callable[[Path], object], folder: Path) -> None:
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(whole(folder))


def test_an_idle_node_with_a_thousand_rooms_asks_the_database_one_question_a_look(tmp_path: Path) -> None:
    run(an_idle_node, tmp_path)


def test_a_message_is_one_insert_and_one_frame_to_each_node_that_has_readers(tmp_path: Path) -> None:
    run(one_message, tmp_path)
