"""Whatever becomes of one process of several, nothing is lost, doubled or reordered."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Awaitable, Callable
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import pytest

from kodama.app.verify import _loop_factory as loop_factory
from kodama.verify.report import Report
from kodama.verify.run import Plan, verify
from tests.faults import CALM, SOAK
from tests.recovery import Probe, Row
from tests.workers import WRITER, Family

Fault = Callable[[Family], Awaitable[None]]
COUNT = 3 if SOAK else 2


async def followed(family: Family, number: int, pid: int) -> None:
    """Wait until another process serves in the place of ``pid``."""
    await asyncio.to_thread(family.until, lambda: family.pids().get(number, pid) != pid, "a successor")
    await asyncio.to_thread(family.until, family.all_serve, "all workers")


async def kill_a_worker(family: Family) -> None:
    await followed(family, 1, family.signal(1, signal.SIGKILL))


async def kill_the_writer(family: Family) -> None:
    await followed(family, WRITER, family.signal(WRITER, signal.SIGKILL))


async def freeze_the_writer(family: Family) -> None:
    await followed(family, WRITER, family.signal(WRITER, signal.SIGSTOP))


async def freeze_a_worker(family: Family) -> None:
    await followed(family, 2, family.signal(2, signal.SIGSTOP))


async def freeze_the_writer_for_a_moment(family: Family) -> None:
    family.signal(WRITER, signal.SIGSTOP)
    await asyncio.sleep(1.0)
    family.signal(WRITER, signal.SIGCONT)


async def reload(family: Family) -> None:
    before = family.pids()
    family.process.send_signal(signal.SIGHUP)
    for number in range(1, family.count + 1):
        await followed(family, number, before[number])


FAULTS: list[Fault] = [
    kill_a_worker, kill_the_writer, freeze_the_writer_for_a_moment, freeze_the_writer, freeze_a_worker, reload,
]  # fmt: skip
QUICK: list[Fault] = [kill_a_worker, kill_the_writer, freeze_the_writer, reload]


async def judged(family: Family, faults: list[Fault]) -> Report:
    """Let writers and readers go on while ``faults`` happen, one after the other."""
    over = asyncio.Event()

    async def trouble() -> None:
        try:
            for fault in faults:
                await asyncio.sleep(CALM)
                await fault(family)
            await asyncio.sleep(CALM)
        finally:
            over.set()

    plan = Plan(
        url=family.url, seed=7, duration=3600, rooms=3, readers=10, writers=4,
        faults=("cut", "delay", "duplicate", "overlap"), interval=0.5, over=over.is_set,
    )  # fmt: skip
    async with asyncio.TaskGroup() as group:
        group.create_task(trouble())
        return await verify(plan, progress=lambda scene, phase: None)


@pytest.mark.crash
def test_workers_keep_the_promise_whatever_fails(tmp_path: Path) -> None:
    faults = FAULTS * 5 if SOAK else QUICK
    with Family(tmp_path, count=COUNT) as family, asyncio.Runner(loop_factory=loop_factory()) as runner:
        report = runner.run(judged(family, faults))
    print("\n".join(report.lines()))  # noqa: T201 - for whoever reads a soak
    assert report.clean, "\n".join(report.lines())
    assert report.gaps == 0
    assert report.figures.messages > 20


def test_a_reload_refuses_no_connection_and_is_another_process_each(tmp_path: Path) -> None:
    answered: list[int] = []
    refused: list[OSError] = []
    over = threading.Event()

    def connect(port: int) -> None:
        while not over.wait(0.005):
            connection = HTTPConnection("127.0.0.1", port, timeout=60)
            try:
                connection.connect()
                connection.request("GET", "/healthz")
                answered.append(connection.getresponse().status)
            except (OSError, HTTPException) as error:
                refused.append(error)
            finally:
                connection.close()

    with Family(tmp_path) as family:
        before = family.pids()
        clients = [threading.Thread(target=connect, args=(family.port,)) for _ in range(2)]
        for client in clients:
            client.start()
        try:
            family.process.send_signal(signal.SIGHUP)
            family.until(
                lambda: all(family.pids().get(number) not in (None, before[number]) for number in (1, 2))
                and family.alone(), "the successors",
            )  # fmt: skip
            assert family.pids()[WRITER] == before[WRITER]
        finally:
            over.set()
            for client in clients:
                client.join(60)
    assert refused == []
    assert set(answered) == {200}


@pytest.mark.soak
def test_the_time_to_recover_is_bounded(tmp_path: Path) -> None:
    """What `docs/how-to/workers.md` has in its table is printed here."""

    async def whole(family: Family) -> list[Row]:
        async with Probe(family) as probe:
            return [await probe.during(fault) for fault in FAULTS]

    with Family(tmp_path) as family, asyncio.Runner(loop_factory=loop_factory()) as runner:
        rows = runner.run(whole(family))
    print("\n".join(map(str, rows)))  # noqa: T201 - for whoever reads a soak
    assert all(row.after < 15 for row in rows)
