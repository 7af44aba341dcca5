"""What a broker is to us: a line that carries bytes to whoever subscribed to a channel.

The one decision here: everything a broker can do beyond that (streams, acknowledgements, its own
history) is left alone. A broker is a file of some hundred lines, and any of them does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from twisted.internet.defer import Deferred


class Line(Protocol):
    """One connection to a broker, made again whenever it breaks. All on the reactor's thread.

    ``limit`` is the largest payload in bytes.
    """

    @property
    def limit(self) -> int: ...  # noqa: D102 - the class says it

    @property
    def up(self) -> bool:
        """Return whether the broker is connected."""
        ...

    @property
    def dropped(self) -> int:
        """Return how many payloads were given up because the broker did not take them."""
        ...

    def start(self, received: Callable[[bytes], None], restored: Callable[[], None]) -> None:
        """Connect and begin. Payloads are given to ``received``; ``restored`` is called when the
        connection is there again after a break. Raises `BusUnavailable`."""
        ...

    def subscribe(self, channel: str) -> Deferred[None]:
        """Receive what is sent to ``channel`` from now on; fires when the broker knows."""
        ...

    def unsubscribe(self, channel: str) -> None:
        """Receive it no more."""
        ...

    def send(self, channel: str, payload: bytes) -> None:
        """Send to everybody who subscribed, or drop it."""
        ...

    def stop(self) -> Deferred[None]:
        """Disconnect."""
        ...
