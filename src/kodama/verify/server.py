"""The server under test as a process of ours: started, killed, told to stop, started again."""

from __future__ import annotations

import asyncio
import os
import shlex
import signal
import tempfile
from collections.abc import Awaitable, Callable
from typing import IO


class CannotStart(Exception):
    """The command did not bring up a server; the message holds the end of what it said."""


class ServerProcess:
    """What ``command`` starts, in a process group of its own. ``ready`` tells whether it answers."""

    def __init__(self, command: str, *, ready: Callable[[], Awaitable[bool]], patience: float = 30.0) -> None:
        self._words = shlex.split(command)
        self._ready = ready
        self._patience = patience
        self._process: asyncio.subprocess.Process | None = None
        self._said: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the server
        self.starts = 0

    async def start(self) -> None:
        """Start and wait until it answers; raises `CannotStart`."""
        try:
            self._process = await asyncio.create_subprocess_exec(
                *self._words, stdin=asyncio.subprocess.DEVNULL, stdout=self._said, stderr=self._said,
                start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            raise CannotStart(f"{self._words[0]} cannot be started: {error.strerror}.") from None
        self.starts += 1
        loop = asyncio.get_running_loop()
        until = loop.time() + self._patience
        while not await self._ready():
            if self._process.returncode is not None or loop.time() > until:
                raise CannotStart(f"The command did not bring up a server. It said: {self._end_of_words()}")
            await asyncio.sleep(0.05)

    async def kill(self) -> None:
        """Kill -9 the whole group, as a power cut would."""
        await self._signal(signal.SIGKILL)

    async def stop(self) -> int:
        """Send SIGTERM and return the exit code once it is gone."""
        return await self._signal(signal.SIGTERM)

    async def close(self) -> None:
        """Leave nothing behind."""
        if self._process is not None and self._process.returncode is None:
            await self.stop()
        self._said.close()

    async def _signal(self, which: signal.Signals) -> int:
        process = self._process
        if process is None or process.returncode is not None:
            return 0
        os.killpg(process.pid, which)
        try:
            async with asyncio.timeout(self._patience):
                return await process.wait()
        except TimeoutError:
            os.killpg(process.pid, signal.SIGKILL)
            return await process.wait()

    def _end_of_words(self) -> str:
        self._said.seek(0)
        return self._said.read()[-500:].decode("utf-8", "replace").strip() or "nothing"
