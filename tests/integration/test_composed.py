"""The nodes of deploy/compose as processes: its Caddyfile, PostgreSQL and NATS, and a renewal of each node."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path
from threading import Event
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from kodama.client import Client, Wants
from tests.cluster import Cluster
from tests.engines import answers, until
from tests.integration.proxies import LEAVING, PLACES
from tests.ports import free_port

CADDYFILE = Path(__file__).parents[2] / "deploy" / "compose" / "Caddyfile"
PAUSE, MOST = 0.02, 20_000


@contextmanager
def before(nodes: Cluster, folder: Path) -> Iterator[str]:
    """Run Caddy with the published file; only its addresses and TLS are others. Yields its URL."""
    program = shutil.which("caddy", path=PLACES)
    if program is None:
        pytest.skip("caddy is not installed")
    port, text = free_port(), CADDYFILE.read_text("utf-8")
    places = {"{$SITE:localhost}": f"http://127.0.0.1:{port}"}
    places |= {
        f"kodama-{number}:8080": f"127.0.0.1:{node.port}" for number, node in enumerate(nodes.nodes, 1)
    }
    for old, new in places.items():
        assert text.count(old) == 1
        text = text.replace(old, new)
    config = folder / "Caddyfile"
    config.write_text(
        f"{{\n admin off\n storage file_system {folder}\n auto_https off\n grace_period 1s\n}}\n{text}"
    )
    with (folder / "caddy.log").open("w") as log:
        process = subprocess.Popen(
            [program, "run", "--config", str(config), "--adapter", "caddyfile"], cwd=folder, stdout=log, stderr=log,
            env={"HOME": str(folder), "PATH": PLACES},
        )  # fmt: skip
    try:
        until(lambda: process.poll() is not None or answers(port), "the start of Caddy")
        assert process.poll() is None, (folder / "caddy.log").read_text()
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        try:
            process.wait(LEAVING)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(LEAVING)


def status(url: str) -> int:
    try:
        with urlopen(url, timeout=10) as answer:
            return int(answer.status)
    except HTTPError as refused:
        return refused.code


def speak(url: str, over: Event) -> list[str]:
    """Say one thing after the other until it is over; what was acknowledged."""
    said: list[str] = []
    with Client(url, name="Aiko") as client:
        while not over.wait(PAUSE) and len(said) < MOST:
            client.room("composed").send(str(len(said)))
            said.append(str(len(said)))
    return said


async def renewed(folder: Path) -> None:
    async with Cluster(folder, bus="nats", count=2) as cluster:
        with before(cluster, folder) as url:
            assert await asyncio.to_thread(status, f"{url}/readyz") == 200
            assert await asyncio.to_thread(status, f"{url}/metrics") == 404
            over = Event()
            speaking = asyncio.create_task(asyncio.to_thread(speak, url, over))
            try:
                for node in cluster.nodes:
                    assert await node.restart() == 0
                    ready = f"{node.url}/readyz"
                    await asyncio.to_thread(until, lambda ready=ready: status(ready) == 200, "readiness")
            finally:
                over.set()
            said = await speaking
            assert said
            assert await asyncio.to_thread(read, url, len(said)) == said


def read(url: str, count: int) -> list[str]:
    with Client(url) as client, closing(iter(client.room("composed").read(Wants(since="all")))) as events:
        return [event.text for event in islice(events, count)]


def test_each_node_is_renewed_behind_the_composed_proxy_and_nothing_is_lost_or_doubled(
    tmp_path: Path,
) -> None:
    asyncio.run(renewed(tmp_path))
