"""PostgreSQL as a line, for those who want nothing beside their database: LISTEN and NOTIFY.

The one decision here: notifications are sent on a connection of their own, many in a statement, and
never inside the transaction that publishes, because NOTIFY makes committing transactions queue. All
channels are one for the schema (it wakes every listener anyway) and told apart here.
"""

from __future__ import annotations

import asyncio
from base64 import b85decode, b85encode
from collections.abc import Callable
from hashlib import md5
from typing import Any, Final

import psycopg

from kodama.bus.loop import FromThread, LoopLine, Up

TEXT_LIMIT: Final = 7_900  # NOTIFY refuses 8,000 bytes
PAYLOAD_LIMIT: Final = (TEXT_LIMIT - 32) * 4 // 5
AGAIN: Final = 0.25  # seconds between two tries to connect

Connection = psycopg.AsyncConnection[tuple[Any, ...]]


class Notifications:
    """A `kodama.bus.loop.Broker`."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._wanted: set[str] = set()
        self._sender: Connection | None = None
        self._listener: Connection | None = None
        self._listening: asyncio.Future[None] | None = None

    async def connect(self, received: Callable[[bytes], None], changed: Callable[[Up], None]) -> None:
        """Connect, and keep listening through every break."""
        self._received = received
        self._changed = changed
        self._listener = await self._listen()
        self._listening = asyncio.ensure_future(self._hear())

    async def subscribe(self, channel: str) -> None:
        """Let the channel through."""
        self._wanted.add(channel)

    async def unsubscribe(self, channel: str) -> None:
        """Let it through no more."""
        self._wanted.discard(channel)

    async def send(self, payloads: list[tuple[str, bytes]]) -> None:
        """Notify, all in one statement."""
        if self._sender is None or self._sender.broken or self._sender.closed:
            self._sender = await _open(self._url)
        texts = [f"{channel} {b85encode(payload).decode()}" for channel, payload in payloads]
        await self._sender.execute(
            "SELECT pg_notify(%s, said) FROM unnest(%s::text[]) AS said", (self._channel, texts)
        )

    async def close(self) -> None:
        """Disconnect."""
        if self._listening is not None:
            self._listening.cancel()
        for connection in (self._listener, self._sender):
            if connection is not None:
                await connection.close()

    async def _listen(self) -> Connection:
        connection = await _open(self._url)
        found = await (await connection.execute("SELECT current_schema()")).fetchone()
        self._channel = "kodama_" + md5(str(found).encode(), usedforsecurity=False).hexdigest()[:16]
        await connection.execute(f"LISTEN {self._channel}".encode())
        return connection

    async def _hear(self) -> None:
        while True:
            assert self._listener is not None
            try:
                async for said in self._listener.notifies():
                    channel, _, payload = said.payload.partition(" ")
                    if channel in self._wanted:
                        self._received(b85decode(payload))
            except (psycopg.Error, OSError):
                pass
            self._changed(False)  # noqa: FBT003 - up or down is all there is
            await self._again()

    async def _again(self) -> None:
        while True:
            await asyncio.sleep(AGAIN)
            try:
                self._listener = await self._listen()
            except (psycopg.Error, OSError):
                continue
            self._changed(True)  # noqa: FBT003
            return


async def _open(url: str) -> Connection:
    return await psycopg.AsyncConnection.connect(
        url, autocommit=True, connect_timeout=2, keepalives_idle=5, keepalives_interval=2, keepalives_count=3
    )


def postgres_line(url: str, reactor: FromThread) -> LoopLine:
    """Return a line over the database at ``url``."""
    return LoopLine(Notifications(url), limit=PAYLOAD_LIMIT, reactor=reactor)
