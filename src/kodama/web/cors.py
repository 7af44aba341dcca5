"""Which pages of other sites may read and write here: one list, echoed and never guessed.

Decided here: an answer to a page on the list names exactly that page's origin; `*` on the list
lets every page in, and then without cookies (Fetch standard, "CORS protocol and credentials").
A page that is on no list is answered as anybody is, and its browser keeps the answer from it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kodama.http.message import Answer, Carrier, Fields, Request
from kodama.http.passing import Passing

if TYPE_CHECKING:
    from kodama.http.stream import Stream

PREFLIGHT_SECONDS: Final = 7200  # as long as browsers remember one at most
_EXPOSED: Final = (
    "Access-Control-Expose-Headers",
    "Retry-After, Allow, Location, Upload-Offset, Upload-Length, Tus-Resumable",
)
_ASKED: Final = (
    "Authorization, Content-Type, Idempotency-Key, Last-Event-ID, "
    "Tus-Resumable, Upload-Length, Upload-Metadata, Upload-Offset"
)


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


class Sharing(Passing):
    """A `Carrier` that adds ``fields`` to whatever is answered: for requests of pages on the list."""

    __slots__ = ("_fields",)

    def __init__(self, carrier: Carrier, fields: Fields) -> None:
        super().__init__(carrier)
        self._fields = fields

    def answer(self, request: Request, answer: Answer) -> None:
        """Send the answer with our fields."""
        super().answer(request, Answer(answer.status, answer.body, (*answer.fields, *self._fields)))

    def stream(self, request: Request, status: int, fields: Fields) -> Stream:
        """Begin an answer in pieces, with our fields."""
        return super().stream(request, status, (*fields, *self._fields))
