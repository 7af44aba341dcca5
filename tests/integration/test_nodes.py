"""Three real nodes on one PostgreSQL, over every bus, while everything in it fails: nothing is lost,
doubled or reordered, and whatever one node has acknowledged, each of them shows."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from kodama.app.verify import _loop_factory as loop_factory
from kodama.client.aio import AsyncClient
from kodama.client.asks import Ask
from kodama.verify.report import Report
from kodama.verify.run import Plan, verify
from tests.apart import may_be_apart, may_mount
from tests.cluster import Cluster
from tests.faults import (
    CALM,
    SOAK,
    Fault,
    crash_the_database,
    cut_a_node_off_the_broker,
    cut_a_node_off_the_database,
    fail_over_to_a_replica,
    fill_the_database,
    freeze_a_node,
    freeze_a_node_for_a_minute,
    freeze_the_broker,
    freeze_the_database,
    kill_a_node,
    nothing_but_the_loss,
    restart_every_node_in_turn,
    restart_the_broker,
    set_a_clock_wrong,
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
        url=cluster.urls[0], others=cluster.urls[1:], seed=7, duration=3600, rooms=3, readers=10, writers=4,
        faults=("cut", "delay", "duplicate", "overlap"), interval=0.5, over=over.is_set,
    )  # fmt: skip
    async with asyncio.TaskGroup() as group:
        group.create_task(trouble())
        return await verify(plan, progress=lambda scene, phase: None)


def judge(folder: Path, faults: list[Fault], **cluster: object) -> None:
    async def whole() -> Report:
        async with Cluster(folder, **cluster) as there:
            return await judged(there, faults)

    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        report = runner.run(whole())
    clean(report)


def clean(report: Report) -> None:
    print("\n".join(report.lines()))  # noqa: T201 - for whoever reads a soak
    assert report.clean, "\n".join(report.lines())
    assert report.gaps == 0
    assert report.figures.messages > 20


HOW = ("the_session_ends", "the_room_is_secret")
LOOK = 3.0
SLOW = 1.0  # what a shared machine may add
QUICK = {
    "nats": [kill_a_node, freeze_the_broker, crash_the_database, set_a_clock_wrong],
    "redis": [freeze_a_node_for_a_minute, restart_the_broker, cut_a_node_off_the_broker, fail_over_to_a_replica],
    "postgresql": [freeze_the_database, cut_a_node_off_the_database, fill_the_database],
}
ROOM = "64m"  # what the database has, of which the tables of a test take a small part
WITHOUT_A_BROKER = [
    kill_a_node, freeze_a_node, freeze_the_database, crash_the_database, cut_a_node_off_the_database,
    restart_every_node_in_turn, freeze_a_node_for_a_minute, set_a_clock_wrong, fill_the_database,
    fail_over_to_a_replica,
]  # fmt: skip
WITH_ONE = [*WITHOUT_A_BROKER, freeze_the_broker, restart_the_broker, cut_a_node_off_the_broker]


def ground() -> dict[str, Any]:
    """Return what a cluster is put on here: where we may, links that lose packets, and little room."""
    return {"room": ROOM if may_mount() else "", "apart": int(may_be_apart())}


def possible(faults: list[Fault]) -> list[Fault]:
    return [one for one in faults if one is not fill_the_database or may_mount()]


@pytest.mark.crash
@pytest.mark.parametrize("bus", sorted(QUICK))
def test_nodes_keep_the_promise_whatever_fails(bus: str, tmp_path: Path) -> None:
    thorough = WITHOUT_A_BROKER if bus == "postgresql" else WITH_ONE
    judge(tmp_path, possible(thorough if SOAK else QUICK[bus]), bus=bus, **ground())


async def ended(url: str, target: str, token: str, going: asyncio.Event) -> float:
    """Read a stream until it ends and return when that was; ``going`` is set once it has begun."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
    writer.write(
        f"GET {target} HTTP/1.1\r\nHost: localhost\r\nAccept: application/x-ndjson\r\n"
        f"Authorization: Bearer {token}\r\n\r\n".encode()
    )
    said = b""
    while b'"problem"' not in said:
        piece = await reader.read(65536)
        assert piece, said
        said += piece
        if b'"ready"' in said:
            going.set()
    writer.close()
    return asyncio.get_running_loop().time()


async def time_to_lose(cluster: Cluster, how: str) -> float:
    """Return after how many seconds the readers of all nodes have lost what one node took from them."""
    owner, stranger = AsyncClient(cluster.urls[0]), AsyncClient(cluster.urls[1])
    for client, name in ((owner, "Aiko"), (stranger, "Ben")):
        client.token = (await client.open_session(name=name)).token
    room = how.replace("_", "-")
    settings = {"access": "public"}
    await owner.ask(Ask("PUT", f"/v1/rooms/{room}", json.dumps(settings).encode()))
    begun = [asyncio.Event() for _ in cluster.urls]
    readings = [
        asyncio.create_task(ended(url, f"/v1/rooms/{room}/events", str(stranger.token), going))
        for url, going in zip(cluster.urls, begun, strict=True)
    ]
    await asyncio.gather(*(going.wait() for going in begun))
    at = asyncio.get_running_loop().time()
    if how == "the_session_ends":
        await stranger.close_session()
    else:
        settings["access"] = "secret"
        await owner.ask(Ask("PUT", f"/v1/rooms/{room}", json.dumps(settings).encode()))
    times = await asyncio.gather(*readings)
    for client in (owner, stranger):
        await client.close()
    return max(times) - at


@pytest.mark.crash
def test_a_bus_that_loses_a_fifth_loses_nobody_a_message_and_gives_nobody_access(tmp_path: Path) -> None:
    async def whole() -> tuple[Report, list[float]]:
        async with Cluster(tmp_path, bus="nats", lost=0.2) as there:
            report = await judged(there, [nothing_but_the_loss])
            return report, [await time_to_lose(there, how) for how in HOW]

    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        report, (ends, closed) = runner.run(whole())
    clean(report)
    assert ends < 1.0 + SLOW
    assert closed < LOOK + SLOW


@pytest.mark.soak
@pytest.mark.parametrize(("lost", "secret"), [(0.0, 1.0), (1.0, LOOK)])
def test_access_that_one_node_takes_is_lost_on_all_of_them_in_time(
    lost: float, secret: float, tmp_path: Path
) -> None:
    """Within a second, over a bus that works; and within the time of a look, over one that loses everything."""

    async def whole() -> list[float]:
        async with Cluster(tmp_path, bus="nats", lost=lost) as there:
            return [await time_to_lose(there, how) for how in HOW]

    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        ends, closed = runner.run(whole())
    print(f"lost {lost:.0%}: a session {ends:.2f} s, a room {closed:.2f} s")  # noqa: T201 - for a soak
    assert ends < 1.0 + SLOW
    assert closed < secret + SLOW


@pytest.mark.soak
@pytest.mark.parametrize("bus", sorted(QUICK))
def test_the_time_to_recover_is_bounded(bus: str, tmp_path: Path) -> None:
    """What `docs/how-to/several-nodes.md` has in its table is printed here."""
    faults = possible([nothing_but_the_loss, *(WITHOUT_A_BROKER if bus == "postgresql" else WITH_ONE)])

    async def whole() -> list[Row]:
        async with Cluster(tmp_path, bus=bus, **ground()) as there, Probe(there) as probe:
            return [await probe.during(fault) for fault in faults]

    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        rows = runner.run(whole())
    print("\n".join([f"{bus}:", *map(str, rows)]))  # noqa: T201 - for whoever reads a soak
    assert all(row.after < 15 for row in rows)
