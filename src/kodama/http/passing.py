"""A carrier in front of another: what an application puts between a request and its connection.

Decided here: what is answered through one is never shared with others who wait for the same, so
such a request waits alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from kodama.http.message import Answer, Carrier, Fields, Holder, Request
from kodama.http.tunnel import Link, Tunnel

if TYPE_CHECKING:
    from kodama.http.lot import Lot
    from kodama.http.stream import Stream

T = TypeVar("T", bound=Tunnel)


class Passing:
    """A `Carrier` that passes everything on; what differs is overridden."""

    __slots__ = ("carrier", "peer")

    def __init__(self, carrier: Carrier) -> None:
        self.carrier = carrier
        self.peer = carrier.peer

    @property
    def secure(self) -> bool:
        """Whether TLS ends here."""
        return self.carrier.secure

    def answer(self, request: Request, answer: Answer) -> None:
        """Send the answer."""
        self.carrier.answer(request, answer)

    def hold(self, holder: Holder, seconds: float | None) -> None:
        """Park the request."""
        self.carrier.hold(holder, seconds)

    def park(self, request: Request, lot: Lot, note: object) -> bool:
        """Return False: who waits in a lot gets the same bytes as all there."""
        return False

    def stream(self, request: Request, status: int, fields: Fields) -> Stream:
        """Begin an answer in pieces."""
        return self.carrier.stream(request, status, fields)

    def switch(self, request: Request, fields: Fields, tunnel: Callable[[Link], T]) -> T:
        """Hand the connection over."""
        return self.carrier.switch(request, fields, tunnel)

    def close(self) -> None:
        """Close the connection."""
        self.carrier.close()


class Drawn(Passing):
    """A `Carrier` whose answers are drawn first, or drawn and sent later if ``draw`` returns None."""

    __slots__ = ("_draw",)

    def __init__(self, carrier: Carrier, draw: Callable[[Answer], Answer | None]) -> None:
        super().__init__(carrier)
        self._draw = draw

    def answer(self, request: Request, answer: Answer) -> None:
        """Send the drawing of ``answer``."""
        request.channel = self.carrier  # once: what is answered from now on is a drawing
        drawn = self._draw(answer)
        if drawn is not None:
            request.answer(drawn)
