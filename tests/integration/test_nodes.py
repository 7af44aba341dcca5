"""Three real nodes on one PostgreSQL, over every bus, while everything in it fails: nothing is lost,
doubled or reordered, and whatever one node has acknowledged, each of them shows."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from kodama.app.verify import _loop_factory as loop_factory
from kodama.verify.report import Report
from kodama.verify.run import Plan, verify
from tests.cluster import Cluster
from tests.faults import (
    CALM,
    SOAK,
    Fault,
    crash_the_database,
    cut_a_node_off_the_broker,
    cut_a_node_off_the_database,
    freeze_a_node,
    freeze_the_broker,
    freeze_the_database,
    kill_a_node,
    nothing_but_the_loss,
    restart_every_node_in_turn,
    restart_the_broker,
)
from tests.recovery import Probe, Row


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


@pytest.mark.soak
@pytest.mark.parametrize("bus", sorted(QUICK))
def test_the_time_to_recover_is_bounded(bus: str, tmp_path: Path) -> None:
    """What `docs/how-to/several-nodes.md` has in its table is printed here."""
    faults = [nothing_but_the_loss, *(WITHOUT_A_BROKER if bus == "postgresql" else WITH_ONE)]

    async def whole() -> list[Row]:
        async with Cluster(tmp_path, bus=bus) as there, Probe(there) as probe:
            return [await probe.during(fault) for fault in faults]

    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        rows = runner.run(whole())
    print("\n".join([f"{bus}:", *map(str, rows)]))  # noqa: T201 - for whoever reads a soak
    assert all(row.after < 15 for row in rows)
