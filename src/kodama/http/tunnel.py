"""A connection that has left HTTP by an upgrade: what its two sides promise each other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol


class Tunnel(Protocol):
    """What speaks on the connection from now on."""

    def received(self, data: bytes) -> None:
        """Bytes have come."""

    def filled(self) -> None:
        """`Link.full` has become true."""

    def drained(self) -> None:
        """`Link.full` has become false."""

    def timed_out(self) -> None:
        """The time given to `Link.arm` is over."""

    def lost(self) -> None:
        """The connection is gone."""


class Link(Protocol):
    """The connection, as what speaks on it sees it."""

    @property
    def full(self) -> bool:
        """Whether the other side does not read what it is sent."""

    def send(self, data: bytes) -> None:
        """Write bytes."""

    @property
    def write(self) -> Callable[[bytes], None]:
        """What `send` calls, until the connection is gone."""

    @property
    def seat(self) -> int:
        """The seat under which a `kodama.http.fanout.Fanout` reaches the other side, or `NO_SEAT`."""

    def arm(self, seconds: float) -> None:
        """Let the tunnel hear when so many seconds are over, whatever was armed before."""

    def soon(self, call: Callable[[], None]) -> None:
        """Call after others have had their turn."""

    def stop_reading(self) -> None:
        """Take no bytes from the other side until `read_on`; its end is not noticed meanwhile."""

    def read_on(self) -> None:
        """Take bytes again."""

    def end(self) -> None:
        """Send what is written, end our side, and close; nothing more is received."""

    def abort(self) -> None:
        """Close at once."""
