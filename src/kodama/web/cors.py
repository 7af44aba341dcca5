"""Which pages of other sites may read and write here: one list, echoed and never guessed.

Decided here: an answer to a page on the list names exactly that page's origin; `*` on the list
lets every page in, and then without cookies (Fetch standard, "CORS protocol and credentials").
A page that is on no list is answered as anybody is, and its browser keeps the answer from it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, TypeVar

from kodama.http.message import Answer, Carrier, Fields, Holder, Request
from kodama.http.tunnel import Link, Tunnel

if TYPE_CHECKING:
    from kodama.http.lot import Lot
    from kodama.http.stream import Stream

T = TypeVar("T", bound=Tunnel)

PREFLIGHT_SECONDS: Final = 7200  # as long as browsers remember one at most
_EXPOSED: Final = ("Access-Control-Expose-Headers", "Retry-After, Allow")
_ASKED: Final = "Authorization, Content-Type, Idempotency-Key, Last-Event-ID"


def own(origin: str, host: str) -> bool:
    """Return whether a page at ``origin`` is this server's, as the client calls it in ``Host``."""
    scheme, _, place = origin.lower().partition("://")
    default = {"http": ":80", "https": ":443"}.get(scheme, "")
    return place.removesuffix(default) == host.lower().removesuffix(default)


def shared_with(origin: str, origins: tuple[str, ...]) -> Fields:
    """Return the fields by which a browser lets the page at ``origin`` read an answer; none if it
    may not."""
    if origin in origins:
        mine = ("Access-Control-Allow-Origin", origin)
        return (mine, ("Access-Control-Allow-Credentials", "true"), _EXPOSED)
    if "*" in origins:
        return (("Access-Control-Allow-Origin", "*"), _EXPOSED)
    return ()


def preflight(methods: str) -> Fields:
    """Return what a page on the list may ask of a resource that has ``methods``."""
    return (
        ("Access-Control-Allow-Methods", methods), ("Access-Control-Allow-Headers", _ASKED),
        ("Access-Control-Max-Age", str(PREFLIGHT_SECONDS)),
    )  # fmt: skip


class Sharing:
    """A `Carrier` that adds ``fields`` to whatever is answered: for requests of pages on the list."""

    __slots__ = ("_carrier", "_fields", "peer")

    def __init__(self, carrier: Carrier, fields: Fields) -> None:
        self._carrier = carrier
        self._fields = fields
        self.peer = carrier.peer

    @property
    def secure(self) -> bool:
        """Whether TLS ends here."""
        return self._carrier.secure

    def answer(self, request: Request, answer: Answer) -> None:
        """Send the answer with our fields."""
        self._carrier.answer(request, Answer(answer.status, answer.body, (*answer.fields, *self._fields)))

    def hold(self, holder: Holder, seconds: float | None) -> None:
        """Park the request."""
        self._carrier.hold(holder, seconds)

    def park(self, request: Request, lot: Lot, note: object) -> bool:
        """Return False: who waits in a lot gets the same bytes as all there."""
        return False

    def stream(self, request: Request, status: int, fields: Fields) -> Stream:
        """Begin an answer in pieces, with our fields."""
        return self._carrier.stream(request, status, (*fields, *self._fields))

    def switch(self, request: Request, fields: Fields, tunnel: Callable[[Link], T]) -> T:
        """Hand the connection over."""
        return self._carrier.switch(request, fields, tunnel)

    def close(self) -> None:
        """Close the connection."""
        self._carrier.close()
