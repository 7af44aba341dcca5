"""A restart among many readers: all are told when to come back, come back spread out, and miss nothing."""

from __future__ import annotations

import asyncio
import re
import shlex
import sys
from pathlib import Path
from random import Random
from time import monotonic

import pytest

from kodama.app.verify import _loop_factory as loop_factory
from kodama.client.aio import AsyncClient
from kodama.verify.server import ServerProcess
from tests.integration.herd import Herd, busiest
from tests.ports import free_port

PATIENCE = 60.0
WRITERS = 3


class Talkers:
    """Writers that go on whatever becomes of the server, but rest when they are asked to; ``top`` is the
    last acknowledged offset."""

    def __init__(self, port: int, herd: Herd) -> None:
        self._herd = herd
        self._url = f"http://127.0.0.1:{port}"
        self.top = 0
        self.going = True
        self.asked_to_rest = False
        self.resting = 0

    async def run(self, number: int) -> None:
        async with AsyncClient(self._url, name=f"writer {number}", random=Random(number)) as client:
            count = 0
            while self.going:
                count += 1
                stored = await client.room("lobby").send(f"{number}/{count}")
                self.top = max(self.top, stored.offset)
                await self._readers()
                await self._rest()

    async def _rest(self) -> None:
        self.resting += 1
        while self.going and self.asked_to_rest:
            await asyncio.sleep(0.02)
        self.resting -= 1

    async def _readers(self) -> None:
        """Let most of the readers that are there get it: they share the processor with the server."""
        end = monotonic() + 5
        while self.going and monotonic() < end:
            await asyncio.sleep(0.05)
            there = sorted(member.offset for member in self._herd.members if not member.away)
            if not there or there[len(there) // 2] >= self.top:
                return


async def all_wait(port: int, size: int) -> None:
    """Return when so many readers are held: none is between two polls."""
    end = monotonic() + PATIENCE
    while await waiting(port) < size:
        assert monotonic() < end, "readers do not come to rest"
        await asyncio.sleep(0.1)


async def waiting(port: int) -> int:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    text = (await reader.read()).decode()
    writer.close()
    return sum(int(float(count)) for count in re.findall(r"^kodama_waiting_clients\{.*\} (.+)$", text, re.MULTILINE))


async def answers(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


def serve(port: int, data: Path) -> list[str]:
    return [sys.executable, "-m", "kodama", "serve", "--port", str(port), "--data", str(data)]


async def restarted(size: int, data: Path) -> tuple[Herd, float, int, float]:
    """Restart a server under ``size`` readers and three writers; return who they were, when the
    stop began, the last offset, and how long the stop took."""
    port = free_port()
    server = ServerProcess(shlex.join(serve(port, data)), ready=lambda: answers(port), patience=PATIENCE)
    await server.start()
    try:
        async with Herd(port, size, Random(1)) as herd:
            talkers = Talkers(port, herd)
            writing = [asyncio.create_task(talkers.run(number)) for number in range(WRITERS)]
            patience = PATIENCE + size / 100
            await herd.until(lambda one: one.offset >= 10, "the first ten events", seconds=patience)
            talkers.asked_to_rest = True
            async with asyncio.timeout(patience):
                while talkers.resting < WRITERS:
                    await asyncio.sleep(0.02)
            await herd.until(lambda one: one.offset >= talkers.top, "all before the stop", seconds=patience)
            await all_wait(port, size)
            began, herd.stopped = monotonic(), True
            stop = asyncio.create_task(server.stop())
            await herd.until(lambda one: one.told is not None, "word of the return", seconds=patience)
            talkers.asked_to_rest = False
            assert await stop == 0
            stopping = monotonic() - began
            await server.start()
            await herd.until(lambda one: one.returned is not None, "the return", seconds=patience)
            later = talkers.top + 10
            await herd.until(lambda one: one.offset >= later, "ten more events", seconds=patience)
            talkers.going = False
            await asyncio.gather(*writing)
            await herd.until(lambda one: one.offset >= talkers.top, "the last event", seconds=patience)
            return herd, began, talkers.top, stopping
    finally:
        await server.kill()
        await server.close()


def check(size: int, data: Path, *, spread: float, at_most: int) -> None:
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        herd, began, top, stopping = runner.run(restarted(size, data))
    assert [wrong for member in herd.members for wrong in member.wrong] == []
    assert {member.offset for member in herd.members} == {top}
    told = [member.told for member in herd.members if member.told is not None]
    assert len(told) == size, "each was there, and was told"
    assert min(told) >= 0.5
    assert spread * 0.9 < max(told) - min(told) <= spread
    assert busiest(told, seconds=spread / 5) < 0.35 * len(told)
    returned = [member.returned - began for member in herd.members if member.returned is not None]
    arrived = busiest(returned, seconds=1)
    print(  # noqa: T201 - shown by -s: figures to quote
        f"{size} readers, {top} events: told {min(told):.1f} to {max(told):.1f} s, stopped in {stopping:.1f} s, "
        f"back after {min(returned):.1f} to {max(returned):.1f} s, at most {arrived} in one second"
    )
    assert arrived <= at_most


def test_500_readers_come_back_to_a_restarted_server_and_miss_nothing(tmp_path: Path) -> None:
    check(500, tmp_path / "data", spread=2.5, at_most=500)


@pytest.mark.soak
def test_10_000_readers_come_back_without_a_stampede(tmp_path: Path) -> None:
    check(10_000, tmp_path / "data", spread=10.0, at_most=2500)
