"""One run from beginning to end: find out what the server offers, make trouble, settle, compare."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from random import Random
from typing import Final

from kodama.client import asks
from kodama.client.address import Address
from kodama.client.aio import AsyncClient
from kodama.client.faults import ClientFault
from kodama.client.lines import Wishes
from kodama.client.protocol import Garbled, News, Reading, Refusal
from kodama.verify.audit import audit, top_of
from kodama.verify.history import History
from kodama.verify.proxy import Fault, FaultProxy
from kodama.verify.readers import Reader
from kodama.verify.report import Report
from kodama.verify.scene import Scene
from kodama.verify.server import CannotStart, ServerProcess
from kodama.verify.trouble import ON_THE_SERVER, Trouble
from kodama.verify.ways import Way, line_of
from kodama.verify.writers import Writer

SETTLE: Final = 60.0  # seconds without any progress after which a reader is given up
OPENED: Final = 5.0
MANY: Final = 10


class CannotRun(Exception):
    """There was nothing to check; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to do. ``deliveries`` 0: only ``duration`` counts. ``ways`` empty: all that the server offers.
    ``others`` are further nodes of the same server: connections go to any of them. ``over`` may end
    the writing earlier, and so do ``violations`` of them, if that is not 0: they are enough to know."""

    url: str
    others: tuple[str, ...] = ()
    seed: int
    duration: float = 30.0
    deliveries: int = 0
    rooms: int = 4
    readers: int = 40
    writers: int = 8
    ways: tuple[Way, ...] = ()
    faults: tuple[str, ...] = ()
    interval: float = 1.0
    command: str | None = None
    gaps_allowed: bool = False
    over: Callable[[], bool] = lambda: False
    violations: int = 0


Progress = Callable[[Scene, str], None]


async def verify(plan: Plan, *, progress: Progress) -> Report:
    """Carry out ``plan``; raises `CannotRun`. ``progress`` is called about five times a second."""
    try:
        address = Address.parse(plan.url)
        async with AsyncExitStack() as stack:
            return await _verify(plan, address, stack, progress)
    except (ClientFault, CannotStart, Garbled) as fault:
        raise CannotRun(str(fault)) from fault


async def _verify(plan: Plan, address: Address, stack: AsyncExitStack, progress: Progress) -> Report:
    random = Random(plan.seed)  # noqa: S311 - a run can be repeated by its seed
    direct = AsyncClient(plan.url, tries=5)
    stack.push_async_callback(direct.close)
    server = await _server(plan, address, stack)
    if not await _answers(address):
        raise CannotRun(f"Nothing answers at {plan.url}.")
    run = f"{random.getrandbits(40):010x}"
    scene = Scene(
        address=address, through=0, history=History(gaps_allowed=plan.gaps_allowed), random=random, run=run,
        rooms=tuple(f"verify-{run}-{number}" for number in range(1, plan.rooms + 1)),
    )  # fmt: skip
    ways, missing = await _ways(plan, scene)
    proxy = await stack.enter_async_context(
        FaultProxy(
            [(one.host, one.port) for one in (address, *map(Address.parse, plan.others))],
            random=random, told=lambda fault: _count(scene, fault),
        )
    )
    scene.through = proxy.port
    loop = asyncio.get_running_loop()
    began = loop.time()
    await _run(plan, scene, proxy, server, ways, direct, progress)
    await audit(direct, scene)
    findings = scene.history.finish()
    return Report(
        ", ".join((plan.url, *plan.others)), plan.seed, loop.time() - began, ways, missing, scene.figures,
        scene.history.gaps, findings,
    )


async def _run(
    plan: Plan, scene: Scene, proxy: FaultProxy, server: ServerProcess | None, ways: Sequence[Way],
    direct: AsyncClient, progress: Progress,
) -> None:  # fmt: skip
    readers = [
        Reader(scene, number, _rooms_of(number, scene.rooms), ways=ways)
        for number in range(1, plan.readers + 1)
    ]
    writers = [
        Writer(scene, number, scene.rooms[number % plan.rooms], name=f"W{number}" if number % 2 else None)
        for number in range(1, plan.writers + 1)
    ]
    loop = asyncio.get_running_loop()
    until = loop.time() + plan.duration

    def going() -> bool:
        enough = plan.deliveries and scene.history.deliveries >= plan.deliveries
        known = 0 < plan.violations <= scene.history.findings.counts.total()
        return loop.time() < until and not enough and not known and not plan.over()

    async with _company([reader.run() for reader in readers]):
        trouble = Trouble(scene, proxy, readers, server, plan.faults, plan.interval)
        async with _company([writer.run(going) for writer in writers]) as writing:
            async with _company([trouble.run()] if plan.faults else []) as made:
                while going():
                    progress(scene, "making trouble")
                    _raise_ended([*made, *writing])
                    await asyncio.sleep(0.2)
            await trouble.over()
            await proxy.quiet()
            await asyncio.gather(*writing)
        await _settle(scene, direct, progress)


async def _settle(scene: Scene, direct: AsyncClient, progress: Progress) -> None:
    """Wait until every reader has come to the end, or none has moved for a long time."""
    tops = {room: await top_of(direct, room) for room in scene.rooms}
    loop = asyncio.get_running_loop()
    seen, since = -1, loop.time()
    while any(
        scene.history.place(reader, room) < tops[room]
        for room, readers in scene.readers.items()
        for reader in readers
    ):
        if scene.history.deliveries != seen:
            seen, since = scene.history.deliveries, loop.time()
        if loop.time() - since > SETTLE:
            return
        progress(scene, "settling")
        await asyncio.sleep(0.1)


async def _server(plan: Plan, address: Address, stack: AsyncExitStack) -> ServerProcess | None:
    if plan.command is None:
        if any(fault in ON_THE_SERVER for fault in plan.faults):
            raise CannotRun("To end and start the server, --command has to say how it is started.")
        return None
    if await _answers(address):
        raise CannotRun(f"A server that --command did not start answers at {plan.url} already.")
    server = ServerProcess(plan.command, ready=lambda: _answers(address))
    stack.push_async_callback(server.close)
    await server.start()
    return server


async def _ways(plan: Plan, scene: Scene) -> tuple[tuple[Way, ...], tuple[Way, ...]]:
    """Return the transports to use and those that the server does not offer."""
    wanted = plan.ways or tuple(Way)
    answered = await asyncio.gather(*[_offers(way, scene) for way in wanted])
    offered = tuple(way for way, offers in zip(wanted, answered, strict=True) if offers)
    missing = tuple(way for way in wanted if way not in offered)
    if plan.ways and missing:
        raise CannotRun(f"The server does not offer {', '.join(way.value for way in missing)}.")
    if not offered:
        raise CannotRun("The server offers no transport that has a cursor.")
    return offered, missing


async def _offers(way: Way, scene: Scene) -> bool:
    wishes = Wishes(address=scene.address, wait=0)
    line = line_of(way, Reading((scene.rooms[0],), since="now"), wishes, random=scene.random)
    try:
        async with asyncio.timeout(OPENED):
            reader, writer = await scene.dial_directly(scene.address)
            try:
                while True:
                    writer.write(line.send())
                    data = await reader.read(65536)
                    for step in line.received(data):
                        if isinstance(step, News | Refusal):
                            return isinstance(step, News)
                    if not data:
                        return False
            finally:
                writer.transport.abort()
    except OSError:
        return False


async def _answers(address: Address) -> bool:
    client = AsyncClient(_url(address), tries=1)
    try:
        async with asyncio.timeout(OPENED):
            await client.ask(asks.events(("verify-ping",), since="now", wait=0))
    except (ClientFault, OSError):
        return False
    finally:
        await client.close()
    return True


def _url(address: Address) -> str:
    return f"{'https' if address.secure else 'http'}://{address.authority}{address.prefix}"


def _rooms_of(number: int, rooms: Sequence[str]) -> tuple[str, ...]:
    """Every third reader follows many rooms on one connection."""
    return tuple(rooms[:MANY]) if number % 3 == 0 else (rooms[number % len(rooms)],)


def _count(scene: Scene, fault: Fault) -> None:
    scene.figures.faults[fault.value] += 1


def _raise_ended(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        if task.done():
            task.result()


@asynccontextmanager
async def _company(whats: Sequence[object]) -> AsyncIterator[list[asyncio.Task[None]]]:
    """Run coroutines meanwhile; a fault of one of them is raised at the end."""
    tasks: list[asyncio.Task[None]] = []
    for what in whats:
        assert asyncio.iscoroutine(what)
        tasks.append(asyncio.create_task(what))
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
    for result in ended:
        if isinstance(result, BaseException) and not isinstance(result, asyncio.CancelledError):
            raise result
