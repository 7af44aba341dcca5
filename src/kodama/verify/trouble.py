"""What goes wrong, when, by chance: on the network, at the readers, or in the server itself."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from kodama.verify.proxy import Fault, FaultProxy
from kodama.verify.readers import Reader
from kodama.verify.scene import Scene
from kodama.verify.server import ServerProcess

OVERLAP: Final = "overlap"
KILL: Final = "kill"
TERM: Final = "term"
ON_THE_NETWORK: Final = tuple(fault.value for fault in Fault)
ON_THE_SERVER: Final = (KILL, TERM)
ALL: Final = (*ON_THE_NETWORK, OVERLAP, *ON_THE_SERVER)
SHARE: Final = 0.1
SERVER_EVERY: Final = 8  # seconds at least from one end of the server to the next


@dataclass(slots=True)
class Trouble:
    """Makes one of ``faults`` happen every ``interval`` seconds."""

    scene: Scene
    proxy: FaultProxy
    readers: Sequence[Reader]
    server: ServerProcess | None
    faults: Sequence[str]
    interval: float
    _ending: asyncio.Task[None] | None = field(default=None, init=False)

    async def run(self) -> None:
        """Go on until cancelled; raises `CannotStart` if the server does not come back."""
        loop = asyncio.get_running_loop()
        spared = loop.time() + self.interval * 3
        while True:
            await asyncio.sleep(self.interval)
            spare = loop.time() < spared
            choice = [one for one in self.faults if (one in ON_THE_SERVER) != spare] or self.faults
            fault = self.scene.random.choice(choice)
            if fault in ON_THE_SERVER:
                self._ending = asyncio.create_task(self._end_of_the_server(fault))
                await asyncio.shield(self._ending)
                spared = loop.time() + SERVER_EVERY
            elif fault == OVERLAP:
                self._overlap()
            else:
                self.proxy.inject(Fault(fault), self.scene.random, share=SHARE)

    async def over(self) -> None:
        """Wait until the server is there, if `run` was cancelled while it was not; raises `CannotStart`."""
        if self._ending is not None:
            await self._ending

    def _overlap(self) -> None:
        self.scene.figures.faults[OVERLAP] += 1
        for reader in self.scene.random.sample(list(self.readers), max(1, len(self.readers) // 10)):
            reader.overlap = 1

    async def _end_of_the_server(self, fault: str) -> None:
        if self.server is None:
            return
        self.scene.figures.faults[fault] += 1
        if fault == KILL:
            await self.server.kill()
        else:
            await self.server.stop()
        await self.server.start()
        self.scene.figures.restarts += 1
