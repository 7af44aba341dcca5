"""What is done to a cluster of nodes: one function for each fault, which returns when it is over."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime
from time import time

from kodama.client.aio import AsyncClient
from kodama.client.asks import Ask
from kodama.client.protocol import decoded
from kodama.core.session import SESSION_DAYS
from tests.cluster import Cluster

SOAK = os.environ.get("KODAMA_TEST_SIZE") == "soak"
FROZEN = 10.0 if SOAK else 1.5
LONG = 60.0 if SOAK else 3.0
WRONG = 300  # seconds
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


async def freeze_a_node_for_a_minute(cluster: Cluster) -> None:
    """It comes back with what it knew then, and writes, reads and tells as if no time had passed."""
    cluster.nodes[2].send(signal.SIGSTOP)
    await asyncio.sleep(LONG)
    cluster.nodes[2].send(signal.SIGCONT)


async def set_a_clock_wrong(cluster: Cluster) -> None:
    node = cluster.nodes[1]
    node.carry_a_clock()
    assert await node.restart() == 0
    for seconds in (WRONG, -WRONG, 0):
        node.set_clock(seconds)
        assert abs(await ahead(node.url) - seconds) < WRONG / 2, "the clock is not what it was set to"
        await asyncio.sleep(FROZEN / 2)


async def ahead(url: str) -> float:
    """Return by how many seconds a node's clock is ahead of ours."""
    client = AsyncClient(url)
    session = decoded(await client.ask(Ask("POST", "/v1/session", b'{"name":"Clock"}')))
    await client.close()
    return datetime.fromisoformat(session["expires"]).timestamp() - time() - SESSION_DAYS * 86_400


async def fill_the_database(cluster: Cluster) -> None:
    room = cluster.postgres.room
    assert room is not None
    filler = room / "filler"
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while file.write(bytes(65536)):
            pass
    await asyncio.sleep(FROZEN)
    filler.unlink()
    assert b"No space left on device" in (cluster.postgres.folder / "log").read_bytes()


async def fail_over_to_a_replica(cluster: Cluster) -> None:
    await cluster.fail_over()


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
    pipe = cluster.nodes[0].cuts["bus"]
    for ways in ((), ("up",), ("down",)):
        pipe.cut(*ways)
        await asyncio.sleep(FROZEN / 2)
        pipe.mend()
        await asyncio.sleep(CALM)


async def cut_a_node_off_the_database(cluster: Cluster) -> None:
    pipe = cluster.nodes[0].cuts["store"]
    for ways in ((), ("up",), ("down",)):
        pipe.cut(*ways)
        await asyncio.sleep(FROZEN / 2)
        pipe.mend()
        await asyncio.sleep(CALM)


async def nothing_but_the_loss(cluster: Cluster) -> None:
    await asyncio.sleep(FROZEN)
