"""What is done to a cluster of nodes: one function for each fault, which returns when it is over."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable

from tests.cluster import Cluster

SOAK = os.environ.get("KODAMA_TEST_SIZE") == "soak"
FROZEN = 10.0 if SOAK else 1.5
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
