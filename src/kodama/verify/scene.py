"""What all parts of a run share: where the server is, what is observed, what is counted."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from random import Random

from kodama.client.address import Address
from kodama.client.aio import Streams, dial_tcp
from kodama.client.wants import new_nonce
from kodama.verify.history import History
from kodama.verify.violations import Violation, Wrong

HOLD = 4.0
SILENCE = 20.0  # a stream speaks at least every 15 s


@dataclass(slots=True)
class Figures:
    """What happened, for the report."""

    deliveries: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)
    messages: int = 0
    amendments: int = 0
    connections: int = 0
    cuts: int = 0
    silences: int = 0
    hops: int = 0
    superseded: int = 0
    drained: int = 0
    restarts: int = 0


@dataclass(slots=True)
class Scene:
    """One run. ``through`` is the port of the fault proxy on loopback."""

    address: Address
    through: int
    history: History
    random: Random
    run: str
    rooms: tuple[str, ...]
    figures: Figures = field(default_factory=Figures)
    heads: dict[str, int] = field(default_factory=dict)
    readers: dict[str, list[int]] = field(default_factory=dict)

    async def dial(self, address: Address) -> Streams:
        """Connect through the fault proxy; raises OSError."""
        self.figures.connections += 1
        if address.secure:
            import ssl

            return await asyncio.open_connection(
                "127.0.0.1", self.through, ssl=ssl.create_default_context(), server_hostname=address.host
            )
        return await asyncio.open_connection("127.0.0.1", self.through)

    async def dial_directly(self, address: Address) -> Streams:
        """Connect past the proxy; raises OSError."""
        return await dial_tcp(address)

    def new_client(self) -> str:
        """Return a reader's random id."""
        return new_nonce(self.random)

    def wrong(self, kind: Wrong, room: str, where: str, detail: str) -> None:
        """Note a violation that no history is needed for."""
        self.history.findings.add(Violation(kind, room, where, detail=detail))

    def behind(self, room: str) -> int:
        """Return how far the readers of ``room`` in the middle are behind its newest acknowledged event."""
        places = sorted(self.history.place(reader, room) for reader in self.readers.get(room, ()))
        return self.heads.get(room, 0) - places[len(places) // 2] if places else 0
