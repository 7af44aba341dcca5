"""Several real nodes on one PostgreSQL and one broker, each behind pipes of its own that can be cut,
so that everything in it can be killed, frozen, restarted, kept apart, or lose what it carries."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from random import Random
from typing import Self
from urllib.parse import urlsplit, urlunsplit

from tests import engines
from tests.apart import Apart, Link
from tests.ports import free_port

PATIENCE = 60.0
PIECE = 65536
RATES = ("WRITE_BURST", "WRITE_RATE", "READ_BURST", "READ_RATE", "SESSION_BURST", "SESSION_RATE",
         "ROOM_BURST", "ROOM_RATE", "TOKEN_BURST", "TOKEN_RATE")  # fmt: skip
Sieve = Callable[[bytes], bytes]



class Pipe:
    """Passes connections on to a loopback port. What is held back stays on its way, as in a network
    that is cut: nothing is refused, nothing is closed, and it arrives when the cut is mended."""

    def __init__(self, port: int, *, sieve: Callable[[], Sieve] | None = None, host: str = "127.0.0.1") -> None:
        self.upstream = port
        self.host = host
        self._sieve = sieve
        self._open = {"up": asyncio.Event(), "down": asyncio.Event()}
        self._tasks: set[asyncio.Task[None]] = set()
        self.mend()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, self.host, 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *reason: object) -> None:
        self._server.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut(self, *ways: str) -> None:
        """Hold back what goes ``up`` (from the node), ``down``, or both."""
        for way in ways or ("up", "down"):
            self._open[way].clear()

    def mend(self) -> None:
        """Let everything pass."""
        for way in self._open.values():
            way.set()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self.upstream)
        except OSError:
            writer.close()
            return
        sieve = self._sieve() if self._sieve else lambda data: data
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._carry(reader, back, "up", lambda data: data))
                group.create_task(self._carry(there, writer, "down", sieve))
        except* OSError:
            pass
        finally:
            writer.transport.abort()
            back.transport.abort()

    async def _carry(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, way: str, sieve: Sieve
    ) -> None:
        while data := await source.read(PIECE):
            await self._open[way].wait()
            sink.write(sieve(data))
            await sink.drain()
        raise ConnectionResetError


def losing(share: float, random: Random) -> Callable[[], Sieve]:
    """Return what loses a share of the messages that a NATS server delivers, and nothing else."""

    def begin() -> Sieve:
        held = bytearray()

        def pass_on(data: bytes) -> bytes:
            held.extend(data)
            passed = b""
            while b"\r\n" in held:
                line = bytes(held[: held.index(b"\r\n") + 2])
                size = len(line) + (int(line.split()[-1]) + 2 if line.startswith(b"MSG ") else 0)
                if len(held) < size:
                    break
                if size == len(line) or random.random() >= share:
                    passed += held[:size]
                del held[:size]
            return passed

        return pass_on

    return begin


class ServerNode:
    """One ``kodama serve``. Its port stays the same over restarts. If it is ``apart``, in a namespace of
    its own, what is cut are the links to it."""

    def __init__(
        self, name: str, folder: Path, environ: dict[str, str], *, pipes: dict[str, Pipe], apart: Apart | None
    ) -> None:
        self.port = free_port()
        self.host = "127.0.0.1" if apart is None else apart.links["clients"].inside
        self.url = f"http://{self.host}:{self.port}"
        self.pipes = pipes
        self.cuts: Mapping[str, Pipe | Link] = pipes if apart is None else apart.links
        self._before = () if apart is None else apart.command
        self._log = folder / f"{name}.log"
        self._environ = {**os.environ, **environ, "KODAMA_PORT": str(self.port), "KODAMA_DATA": str(folder / name)}
        self._environ["KODAMA_HOST"] = self.host
        self._clock = folder / f"{name}.clock"
        self._program: tuple[str, ...] = ("kodama",)

    def carry_a_clock(self) -> None:
        """Begin the next time with a clock that `set_clock` moves."""
        self.set_clock(0)
        self._program = ("tests.skewed", str(self._clock))

    def set_clock(self, seconds: int) -> None:
        """Let its clock be wrong by so many seconds, while it runs."""
        fresh = self._clock.with_suffix(".new")
        fresh.write_text(str(seconds))
        fresh.replace(self._clock)

    async def start(self) -> None:
        """Start and wait until it answers."""
        with self._log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *self._before, sys.executable, "-m", *self._program, "serve", env=self._environ, stdout=log, stderr=log,
            )  # fmt: skip
        loop = asyncio.get_running_loop()
        end = loop.time() + PATIENCE
        while not await self.answers():
            assert self.process.returncode is None, self._log.read_text()
            assert loop.time() < end, self._log.read_text()
            await asyncio.sleep(0.05)

    async def answers(self) -> bool:
        try:
            _, writer = await asyncio.open_connection(self.host, self.port)
        except OSError:
            return False
        writer.close()
        return True

    def send(self, which: signal.Signals) -> None:
        """Send a signal: SIGSTOP and SIGCONT freeze and wake it."""
        self.process.send_signal(which)

    async def kill(self) -> None:
        """End it as a power cut would."""
        if self.process.returncode is None:
            self.process.kill()
        await self.process.wait()

    async def restart(self) -> int:
        """Drain, end and start again; returns the exit code."""
        self.send(signal.SIGTERM)
        code = await self.process.wait()
        await self.start()
        return code


class Cluster:
    """``count`` nodes. ``bus``: ``nats``, ``redis`` or ``postgresql``; of NATS ``lost`` is the share that
    never arrives. The database has ``room`` for so much, if it is said. The first nodes, ``apart`` of them, are in network
    namespaces of their own."""

    def __init__(
        self, folder: Path, *, bus: str, count: int = 3, lost: float = 0.0, seed: int = 1, room: str = "",
        apart: int = 0,
    ) -> None:  # fmt: skip
        self._room = room
        self._apart = apart
        self._folder = folder
        self._bus = bus
        self._count = count
        self._sieve = losing(lost, Random(seed)) if lost else None
        self._stack = AsyncExitStack()
        self.nodes: list[ServerNode] = []
        self.broker: engines.Daemon | None = None

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            self.postgres = engines.Postgres()
            stack.callback(self.postgres.close)
            url = self.postgres.schema(tablespace=self.postgres.make_room(self._room) if self._room else "")
            if self._bus != "postgresql":
                self.broker = engines.nats_server() if self._bus == "nats" else engines.redis_server()
                stack.callback(self.broker.stop)
            for number in range(self._count):
                node = await self._node(stack, f"n{number}", url)
                stack.push_async_callback(node.kill)
                await node.start()
                self.nodes.append(node)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *reason: object) -> None:
        await self._stack.aclose()

    @property
    def urls(self) -> tuple[str, ...]:
        return tuple(node.url for node in self.nodes)

    async def fail_over(self) -> None:
        """Let a replica that had all that was acknowledged take the place of the database, which dies."""
        before = self.postgres
        self.postgres = await asyncio.to_thread(lambda: engines.Postgres(primary=before))
        self._stack.callback(self.postgres.close)
        await asyncio.to_thread(before.stop, "immediate")
        await asyncio.to_thread(self.postgres.take_over)
        for node in self.nodes:
            node.pipes["store"].upstream = self.postgres.port

    def freeze_postgres(self, which: signal.Signals) -> None:
        """Send a signal to every process of the database server."""
        for pid in _family(self.postgres.pid):
            os.kill(pid, which)

    async def _node(self, stack: AsyncExitStack, name: str, store: str) -> ServerNode:
        apart = None
        if len(self.nodes) < self._apart:
            apart = Apart()
            stack.callback(apart.close)
        host = {name: "127.0.0.1" if apart is None else apart.links[name].outside for name in ("store", "bus")}
        pipes = {"store": await stack.enter_async_context(Pipe(self.postgres.port, host=host["store"]))}
        environ = {"KODAMA_STORE": _through(store, pipes["store"]), "KODAMA_BUS": self._bus}
        if self._apart:  # clients are not all on loopback, who meet no rate
            environ |= {"KODAMA_HOSTS": "*", **{f"KODAMA_{rate}": "1000000" for rate in RATES}}
        if self.broker is not None:
            pipe = Pipe(self.broker.port, sieve=self._sieve, host=host["bus"])
            pipes["bus"] = await stack.enter_async_context(pipe)
            environ["KODAMA_BUS"] = _through(self.broker.url, pipes["bus"])
        return ServerNode(name, self._folder, environ, pipes=pipes, apart=apart)


def _through(url: str, pipe: Pipe) -> str:
    parts = urlsplit(url)
    user = f"{parts.username}@" if parts.username else ""
    return urlunsplit(parts._replace(netloc=f"{user}{pipe.host}:{pipe.port}"))


def _family(pid: int) -> list[int]:
    """Return a process and its children."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *map(int, children)]
