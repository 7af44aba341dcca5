"""Three real nodes on one PostgreSQL, over every bus, while everything in it fails: nothing is lost,
doubled or reordered, and whatever one node has acknowledged, each of them shows."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from kodama.app.verify import _loop_factory as loop_factory
from kodama.verify.report import Report
from kodama.verify.run import Plan, verify
from tests.cluster import Cluster

SOAK = os.environ.get("KODAMA_TEST_SIZE") == "soak"
FROZEN = 10.0 if SOAK else 2.5
CALM = 4.0 if SOAK else 0.7
Fault = Callable[[Cluster], Awaitable[None]]


async def kill_a_node(cluster: Cluster) -> None:
    await cluster.nodes[1].kill()
    await asyncio.sleep(CALM)
    await cluster.nodes[1].start()


async def restart_every_node_in_turn(cluster: Cluster) -> None:
    for node in cluster.nodes:
        assert await node.restart() == 0


async def freeze_a_node(cluster: Cluster) -> None:
    cluster.nodes[2].send(signal.SIGSTOP)
    await asyncio.sleep(FROZEN)
    cluster.nodes[2].send(signal.SIGCONT)


async def freeze_the_broker(cluster: Cluster) -> None:
    assert cluster.broker is not None
    cluster.broker.signal(signal.SIGSTOP)
    await asyncio.sleep(FROZEN)
    cluster.broker.signal(signal.SIGCONT)


async def restart_the_broker(cluster: Cluster) -> None:
    assert cluster.broker is not None
    cluster.broker.stop()
    await asyncio.sleep(CALM)
    await asyncio.to_thread(cluster.broker.start)


async def freeze_the_database(cluster: Cluster) -> None:
    cluster.freeze_postgres(signal.SIGSTOP)
    await asyncio.sleep(FROZEN)
    cluster.freeze_postgres(signal.SIGCONT)


async def crash_the_database(cluster: Cluster) -> None:
    await asyncio.to_thread(cluster.postgres.stop, "immediate")
    await asyncio.to_thread(cluster.postgres.start)


async def cut_a_node_off_the_broker(cluster: Cluster) -> None:
    pipe = cluster.nodes[0].pipes["bus"]
    for ways in ((), ("up",), ("down",)):
        pipe.cut(*ways)
        await asyncio.sleep(FROZEN / 2)
        pipe.mend()
        await asyncio.sleep(CALM)


async def cut_a_node_off_the_database(cluster: Cluster) -> None:
    pipe = cluster.nodes[0].pipes["store"]
    for ways in ((), ("up",), ("down",)):
        pipe.cut(*ways)
        await asyncio.sleep(FROZEN / 2)
        pipe.mend()
        await asyncio.sleep(CALM)


async def nothing_but_the_loss(cluster: Cluster) -> None:
    await asyncio.sleep(FROZEN)


async def judged(cluster: Cluster, faults: list[Fault]) -> Report:
    """Let writers and readers go to any node while ``faults`` happen, one after the other."""
    over = asyncio.Event()

    async def trouble() -> None:
        try:
            for fault in faults:
                await asyncio.sleep(CALM)
                await fault(cluster)
            await asyncio.sleep(CALM)
        finally:
            over.set()

    plan = Plan(
        url=cluster.urls[0], others=cluster.urls[1:], seed=7, duration=3600, rooms=3, readers=15, writers=4,
        faults=("cut", "delay", "duplicate", "overlap"), interval=0.5, over=over.is_set,
    )  # fmt: skip
    async with asyncio.TaskGroup() as group:
        group.create_task(trouble())
        return await verify(plan, progress=lambda scene, phase: None)


def judge(folder: Path, faults: list[Fault], **cluster: object) -> None:
    async def whole() -> Report:
        async with Cluster(folder, **cluster) as there:  # type: ignore[arg-type]
            return await judged(there, faults)

    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        report = runner.run(whole())
    print("\n".join(report.lines()))  # noqa: T201 - for whoever reads a soak
    assert report.clean, "\n".join(report.lines())
    assert report.gaps == 0
    assert report.figures.messages > 20


QUICK = {
    "nats": [kill_a_node, freeze_the_broker, crash_the_database],
    "redis": [freeze_a_node, restart_the_broker, cut_a_node_off_the_broker],
    "postgresql": [freeze_the_database, cut_a_node_off_the_database],
}
WITHOUT_A_BROKER = [
    kill_a_node, freeze_a_node, freeze_the_database, crash_the_database, cut_a_node_off_the_database,
    restart_every_node_in_turn,
]  # fmt: skip
WITH_ONE = [*WITHOUT_A_BROKER, freeze_the_broker, restart_the_broker, cut_a_node_off_the_broker]


@pytest.mark.crash
@pytest.mark.parametrize("bus", sorted(QUICK))
def test_nodes_keep_the_promise_whatever_fails(bus: str, tmp_path: Path) -> None:
    thorough = WITHOUT_A_BROKER if bus == "postgresql" else WITH_ONE
    judge(tmp_path, thorough if SOAK else QUICK[bus], bus=bus)


@pytest.mark.crash
def test_a_bus_that_loses_a_fifth_loses_nobody_a_message(tmp_path: Path) -> None:
    judge(tmp_path, [nothing_but_the_loss], bus="nats", lost=0.2)
