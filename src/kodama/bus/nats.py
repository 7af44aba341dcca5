"""NATS as a line: core NATS only, one subject a channel."""

from __future__ import annotations

from collections.abc import Callable

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from kodama.bus.loop import FromThread, LoopLine, Up

PAYLOAD_LIMIT = 1_000_000  # NATS refuses above 1 MiB unless set otherwise
PREFIX = "kodama."


class Nats:
    """A `kodama.bus.loop.Broker`."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._client = Client()
        self._subscriptions: dict[str, Subscription] = {}

    async def connect(self, received: Callable[[bytes], None], changed: Callable[[Up], None]) -> None:
        """Connect; the client itself connects again, and subscribes again, for ever."""
        self._received = received

        async def up() -> None:
            changed(True)  # noqa: FBT003 - up or down is all there is

        async def down() -> None:
            changed(False)  # noqa: FBT003

        async def ignored(_: Exception) -> None:
            """Errors show as a broken connection."""

        await self._client.connect(
            self._url, name="kodama", reconnected_cb=up, disconnected_cb=down, error_cb=ignored,
            max_reconnect_attempts=-1, reconnect_time_wait=0.25, connect_timeout=2, ping_interval=5,  # type: ignore[arg-type]
            max_outstanding_pings=2, no_echo=True, pending_size=0,
        )  # fmt: skip

    async def subscribe(self, channel: str) -> None:
        """Subscribe, and hear from the server that it knows."""
        if channel not in self._subscriptions:
            self._subscriptions[channel] = await self._client.subscribe(PREFIX + channel, cb=self._came)
            await self._client.flush()

    async def unsubscribe(self, channel: str) -> None:
        """Unsubscribe."""
        subscription = self._subscriptions.pop(channel, None)
        if subscription is not None:
            await subscription.unsubscribe()

    async def send(self, payloads: list[tuple[str, bytes]]) -> None:
        """Send all in one write."""
        for channel, payload in payloads:
            await self._client.publish(PREFIX + channel, payload)

    async def close(self) -> None:
        """Disconnect."""
        await self._client.close()

    async def _came(self, message: Msg) -> None:
        self._received(message.data)


def nats_line(url: str, reactor: FromThread) -> LoopLine:
    """Return a line to the NATS server or cluster at ``url`` (``nats://host:4222``)."""
    return LoopLine(Nats(url), limit=PAYLOAD_LIMIT, reactor=reactor)
