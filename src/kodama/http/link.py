"""An HTTP connection as what speaks on it after an upgrade sees it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kodama.http.channel import Channel


class ChannelLink:
    """The `Link` to a channel that has handed over."""

    __slots__ = ("_channel",)

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    @property
    def full(self) -> bool:
        """Return whether the other side does not read what it is sent."""
        return self._channel.full

    @property
    def write(self) -> Callable[[bytes], None]:
        """Return how bytes are written, without a frame between."""
        return self._channel.write

    @property
    def seat(self) -> int:
        """Return under which seat a `Fanout` reaches the other side."""
        return self._channel.sit()

    def send(self, data: bytes) -> None:
        """Write bytes."""
        self._channel.write(data)

    def arm(self, seconds: float) -> None:
        """Let the tunnel hear when so many seconds are over."""
        factory = self._channel.factory
        factory.wheel.arm(self._channel, factory.seconds() + seconds)

    def soon(self, call: Callable[[], None]) -> None:
        """Call after others have had their turn."""
        self._channel.factory.clock.callLater(0, call)

    def stop_reading(self) -> None:
        """Let what the client sends wait in its kernel and ours."""
        self._channel.transport.pauseProducing()

    def read_on(self) -> None:
        """Take what the client sends again."""
        self._channel.transport.resumeProducing()

    def end(self) -> None:
        """End our side once everything is written."""
        self._channel.end()

    def abort(self) -> None:
        """Cut the connection."""
        self._channel.transport.abortConnection()
