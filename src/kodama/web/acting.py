"""How a route that only needs an answer is served: checked, done, answered.

Decided here: whoever writes is checked for rate, origin and token before anything is done, whatever
the subject is.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from kodama.http.message import Answer, Request
from kodama.web.answers import FIELDS
from kodama.web.census import Census
from kodama.web.identity import Caller, Identity

DONE = Answer(204, b"", FIELDS)
Work = Callable[[], Awaitable[Answer]]


class Acting:
    """What the routes of all such subjects share. ``fail`` answers a failure."""

    def __init__(
        self, identity: Identity, census: Census, *, seconds: Callable[[], float],
        fail: Callable[[Request, Failure], None],
    ) -> None:  # fmt: skip
        self.identity = identity
        self._census = census
        self._seconds = seconds
        self._fail = fail

    def ask(self, request: Request, caller: Caller, work: Work) -> None:
        """Answer with what ``work`` finds. Raises what the check does."""
        self.identity.check_read(request.peer, caller)
        self._answer(request, work)

    def act(self, request: Request, caller: Caller, work: Work) -> None:
        """Do ``work`` if ``caller`` may write, and answer. Raises what the check does."""
        self.identity.check_write(request, caller, now=self._seconds())
        self._answer(request, work)

    def begin_room(self, request: Request, caller: Caller) -> None:
        """Count a new room. Raises `Forbidden`, `RateLimited`."""
        self.identity.check_room(request.peer, caller)
        self._census.admit_one()

    def _answer(self, request: Request, work: Work) -> None:
        async def answer() -> None:
            request.answer(await work())

        Deferred.fromCoroutine(answer()).addErrback(lambda failure: self._fail(request, failure))
