"""`kodama verify` against a real server, honest or lying: each lie is reported under its name."""

from __future__ import annotations

import asyncio
import json
import shlex
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any

import pytest

from kodama.app.verify import _loop_factory as loop_factory
from kodama.client.aio import AsyncClient
from kodama.client.asks import Ask
from kodama.client.faults import ClientFault, Refused
from kodama.verify.report import Report
from kodama.verify.run import Plan, verify
from kodama.verify.server import ServerProcess
from kodama.verify.trouble import ALL
from kodama.verify.violations import Wrong
from kodama.verify.ways import Way
from tests.integration.forger import Forger, Forgery
from tests.ports import free_port

Answer = dict[str, Any]


def command(port: int, data: Path) -> str:
    return shlex.join([sys.executable, "-m", "kodama", "serve", "--port", str(port), "--data", str(data)])


def run(work: Awaitable[Report]) -> Report:
    async def whole() -> Report:
        return await work

    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        return runner.run(whole())


@pytest.mark.crash
def test_an_honest_server_is_clean_through_all_faults_and_restarts(tmp_path: Path) -> None:
    port = free_port()
    report = run(verify(
        Plan(url=f"http://127.0.0.1:{port}", seed=11, duration=10, faults=ALL, interval=0.4, rooms=3, readers=24,
             writers=6, command=command(port, tmp_path / "data")),
        progress=lambda scene, phase: None,
    ))  # fmt: skip
    assert report.clean, "\n".join(report.lines())
    assert set(report.figures.deliveries) == {way.value for way in report.ways}
    assert report.figures.restarts >= 1
    assert report.figures.messages > 100
    assert report.gaps == 0


def _field(line: str) -> tuple[str, str]:
    name, _, value = line.partition(": ")
    return name.lower(), value


class Liar:
    """Stands before an honest server and spoils what it says, as JSON. ``spoil`` sees each answer to a poll."""

    def __init__(self, upstream: str, lie: Callable[[Liar, str, Answer], None]) -> None:
        self._upstream = upstream
        self._lie = lie
        self.told = 0
        self.memory: dict[str, Any] = {}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass on one request after another."""
        client = AsyncClient(self._upstream, tries=3, random=Random(1))
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                method, target, _ = head.split(" ", 2)
                fields = dict(_field(line) for line in head.split("\r\n")[1:] if ": " in line)
                body = await reader.readexactly(int(fields.get("content-length", 0)))
                client.token = fields.get("authorization", "").removeprefix("Bearer ") or None
                status, answer = await self._passed(client, method, target, body)
                writer.write(b"HTTP/1.1 %d Lied\r\nContent-Type: application/json\r\n"
                             b"Content-Length: %d\r\n\r\n%b" % (status, len(answer), answer))  # fmt: skip
        except (asyncio.IncompleteReadError, asyncio.CancelledError, OSError, ClientFault):
            return
        finally:
            await client.close()
            writer.close()

    async def _passed(self, client: AsyncClient, method: str, target: str, body: bytes) -> tuple[int, bytes]:
        if "callback=" in target:
            return 404, b""
        try:
            return 200, await self._answer(client, method, target, body)
        except Refused as fault:
            return fault.status, json.dumps({"detail": str(fault), "code": fault.code}).encode()

    async def _answer(self, client: AsyncClient, method: str, target: str, body: bytes) -> bytes:
        if target.endswith("/messages") and method == "POST" and self._lie is acknowledges_without_storing:
            room = target.split("/")[3]
            last = self.memory[room] = self.memory.get(room, 0) + 1
            if last % 10 == 0:
                return json.dumps({"id": "none", "room": room, "offset": last, "epoch": "e", "time": "t"}).encode()
        if "/events" in target:
            await asyncio.sleep(0.02)  # a slow way, so that an answer has several events to lie about
        raw = await client.ask(Ask(method, target, body))
        if method != "GET" or "/events" not in target or "since=last" in target:
            return raw
        answer = json.loads(raw)
        if answer["events"] and "wait=0" not in target:  # the log at the end is read in truth
            self._lie(self, target, answer)
        return json.dumps(answer).encode()


def drops_one(liar: Liar, target: str, answer: Answer) -> None:
    if len(answer["events"]) > 2 and liar.told < 3:
        liar.told += 1
        del answer["events"][1]


def skips_a_hole(liar: Liar, target: str, answer: Answer) -> None:
    if answer["events"][0]["offset"] > 5 and liar.told < 3:
        liar.told += 1
        answer["events"] = []


def doubles_one(liar: Liar, target: str, answer: Answer) -> None:
    if liar.told < 3:
        liar.told += 1
        answer["events"].append(answer["events"][-1])


def swaps_two(liar: Liar, target: str, answer: Answer) -> None:
    events = answer["events"]
    if len(events) > 1 and liar.told < 3:
        liar.told += 1
        events[0], events[1] = events[1], events[0]


def serves_a_stale_cursor(liar: Liar, target: str, answer: Answer) -> None:
    since = target.split("since=")[1].split("&")[0]
    if since.startswith("k1.") and liar.told < 3:
        liar.told += 1
        answer["cursor"] = since


def gives_two_events_one_offset(liar: Liar, target: str, answer: Answer) -> None:
    if liar.told < 3:
        liar.told += 1
        answer["events"][0]["id"] = f"another-{liar.told}"


def changes_an_event(liar: Liar, target: str, answer: Answer) -> None:
    for event in answer["events"]:
        if event.get("text") and not event.get("edited") and event["type"] == "message" and liar.told < 30:
            liar.told += 1
            event["text"] += "!"


def tells_a_gap_that_is_none(liar: Liar, target: str, answer: Answer) -> None:
    first = answer["events"][0]
    if first["offset"] > 1 and liar.told < 3:
        liar.told += 1
        answer["events"][0] = {
            "type": "gap", "room": first["room"], "from": first["offset"], "to": first["offset"], "reason": "retention",
        }  # fmt: skip


def gives_a_foreign_event(liar: Liar, target: str, answer: Answer) -> None:
    if liar.told < 3:
        liar.told += 1
        answer["events"].append({**answer["events"][-1], "room": "elsewhere"})


def acknowledges_without_storing(liar: Liar, target: str, answer: Answer) -> None:
    """What it does is done where messages are posted."""


LIES = {
    drops_one: Wrong.HOLE,
    skips_a_hole: Wrong.HOLE,
    doubles_one: Wrong.DOUBLED,
    swaps_two: Wrong.REORDERED,
    serves_a_stale_cursor: Wrong.STALE,
    gives_two_events_one_offset: Wrong.COLLISION,
    changes_an_event: Wrong.CHANGED,
    tells_a_gap_that_is_none: Wrong.FALSE_GAP,
    gives_a_foreign_event: Wrong.FOREIGN,
    acknowledges_without_storing: Wrong.LOST,
}


@asynccontextmanager
async def honest(tmp_path: Path) -> AsyncIterator[str]:
    port = free_port()
    url = f"http://127.0.0.1:{port}"

    async def ready() -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            return False
        writer.close()
        return True

    server = ServerProcess(command(port, tmp_path / "data"), ready=ready)
    await server.start()
    try:
        yield url
    finally:
        await server.kill()
        await server.close()


async def verdict(tmp_path: Path, lie: Callable[[Liar, str, Answer], None], *, violations: int = 1) -> Report:
    async with honest(tmp_path) as upstream:
        liar = Liar(upstream, lie)
        server = await asyncio.start_server(liar.serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        plan = Plan(
            url=f"http://127.0.0.1:{port}", seed=5, duration=20, deliveries=300, rooms=2, readers=6, writers=4,
            ways=(Way.POLL,), violations=violations,
        )  # fmt: skip
        try:
            return await verify(plan, progress=lambda scene, phase: None)
        finally:
            server.close()


@pytest.mark.crash
@pytest.mark.parametrize("lie", LIES, ids=lambda lie: lie.__name__)
def test_a_lie_is_found_and_called_by_its_name(lie: Callable[[Liar, str, Answer], None], tmp_path: Path) -> None:
    report = run(verdict(tmp_path, lie))
    assert LIES[lie] in report.findings.counts, "\n".join(report.lines())


FORGERIES = {
    Forgery.NONE: None, Forgery.DROPPED: Wrong.HOLE, Forgery.DOUBLED: Wrong.DOUBLED, Forgery.SWAPPED: Wrong.REORDERED,
}  # fmt: skip


async def verdict_on_a_stream(tmp_path: Path, way: Way, forgery: Forgery) -> tuple[Report, Forger]:
    async with honest(tmp_path) as upstream, Forger(int(upstream.rpartition(":")[2]), forgery) as forger:
        plan = Plan(
            url=forger.url, seed=5, duration=20, deliveries=3000, rooms=2, readers=6, writers=4, ways=(way,),
            violations=1,
        )  # fmt: skip
        return await verify(plan, progress=lambda scene, phase: None), forger


@pytest.mark.crash
@pytest.mark.parametrize("forgery", FORGERIES)
@pytest.mark.parametrize("way", [Way.SSE, Way.NDJSON, Way.WEBSOCKET])
def test_what_is_done_to_a_stream_is_found(way: Way, forgery: Forgery, tmp_path: Path) -> None:
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        report, forger = runner.run(verdict_on_a_stream(tmp_path, way, forgery))
    assert forger.left < 3
    found, expected = report.findings.counts, FORGERIES[forgery]
    assert expected in found if expected else report.clean, "\n".join(report.lines())


@pytest.mark.soak
def test_a_million_deliveries_with_a_fault_every_second_keep_the_promise(tmp_path: Path) -> None:
    port = free_port()
    report = run(verify(
        Plan(url=f"http://127.0.0.1:{port}", seed=2026, duration=1500, deliveries=1_000_000, faults=ALL, interval=1.0,
             command=command(port, tmp_path / "data")),
        progress=lambda scene, phase: None,
    ))  # fmt: skip
    assert report.clean, "\n".join(report.lines())
    assert report.gaps == 0
    assert sum(report.figures.deliveries.values()) >= 1_000_000
    assert set(report.figures.faults) == set(ALL)
    assert set(report.figures.deliveries) == {way.value for way in Way}


def test_a_liar_that_tells_the_truth_is_clean(tmp_path: Path) -> None:
    report = run(verdict(tmp_path, lambda liar, target, answer: None, violations=0))
    assert report.clean, "\n".join(report.lines())
