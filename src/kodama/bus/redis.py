"""Redis (or Valkey) as a line: plain PUBLISH and SUBSCRIBE."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError

from kodama.bus.loop import FromThread, LoopLine, Up

PAYLOAD_LIMIT = 8 * 1024 * 1024
PREFIX = "kodama."
AGAIN = 0.25  # seconds between two tries to connect
ANSWER = 5.0


class RedisBroker:
    """A `kodama.bus.loop.Broker`: one connection listens, others send."""

    def __init__(self, url: str) -> None:
        self._sender: Any = Redis.from_url(url, socket_timeout=ANSWER, socket_connect_timeout=2)
        self._listener: Any = Redis.from_url(url, socket_connect_timeout=2, health_check_interval=5)
        self._channels: dict[str, asyncio.Future[None]] = {}
        self._listening: asyncio.Future[None] | None = None

    async def connect(self, received: Callable[[bytes], None], changed: Callable[[Up], None]) -> None:
        """Connect, and keep listening through every break."""
        self._received = received
        self._changed = changed
        await self._sender.ping()
        self._pubsub = self._listener.pubsub()
        await self._pubsub.subscribe(PREFIX)  # listening needs one channel
        self._listening = asyncio.ensure_future(self._listen())

    async def subscribe(self, channel: str) -> None:
        """Subscribe, and hear from the server that it knows."""
        known = self._channels.get(channel)
        if known is None:
            known = self._channels[channel] = asyncio.get_running_loop().create_future()
            await self._pubsub.subscribe(PREFIX + channel)
        await asyncio.shield(known)

    async def unsubscribe(self, channel: str) -> None:
        """Unsubscribe."""
        if self._channels.pop(channel, None) is not None:
            await self._pubsub.unsubscribe(PREFIX + channel)

    async def send(self, payloads: list[tuple[str, bytes]]) -> None:
        """Send all in one pipeline."""
        async with self._sender.pipeline(transaction=False) as pipeline:
            for channel, payload in payloads:
                pipeline.publish(PREFIX + channel, payload)
            await pipeline.execute()

    async def close(self) -> None:
        """Disconnect."""
        if self._listening is not None:
            self._listening.cancel()
            await self._pubsub.aclose()
        await self._listener.aclose()
        await self._sender.aclose()

    async def _listen(self) -> None:
        while True:
            try:
                async for message in self._pubsub.listen():
                    self._heard(message)
            except (RedisError, OSError, asyncio.IncompleteReadError):
                self._changed(False)  # noqa: FBT003 - up or down is all there is
                await self._again()

    async def _again(self) -> None:
        while True:
            await asyncio.sleep(AGAIN)
            try:
                await self._pubsub.aclose()
                self._pubsub = self._listener.pubsub()
                await self._pubsub.subscribe(PREFIX, *(PREFIX + channel for channel in self._channels))
            except (RedisError, OSError):
                continue
            self._changed(True)  # noqa: FBT003
            return

    def _heard(self, message: dict[str, Any]) -> None:
        if message["type"] == "message":
            self._received(message["data"])
        elif message["type"] == "subscribe":
            waiting = self._channels.get(message["channel"].decode().removeprefix(PREFIX))
            if waiting is not None and not waiting.done():
                waiting.set_result(None)


def redis_line(url: str, reactor: FromThread) -> LoopLine:
    """Return a line to the Redis or Valkey server at ``url`` (``redis://host:6379``)."""
    return LoopLine(RedisBroker(url), limit=PAYLOAD_LIMIT, reactor=reactor)
