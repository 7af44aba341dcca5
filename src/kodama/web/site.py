"""The application: a request is routed, its sender known, and every fault answered.

A request line is routed once: what came of it is remembered with the line, so that the
thousandth poll with the same line costs one look. Errors are answered here, in one place.
"""

from __future__ import annotations

from collections.abc import Callable
from secrets import token_hex
from typing import Final

from twisted.logger import Logger
from twisted.python.failure import Failure

from kodama.core.errors import (
    MethodNotAllowed,
    Overloaded,
    RateLimited,
    Refused,
)  # fmt: skip
from kodama.core.who import NOBODY
from kodama.http.message import Answer, Refusal, Request
from kodama.http.parser import METHODS
from kodama.metrics import Metrics
from kodama.store.interface import StoreUnavailable
from kodama.transports.longpoll import LongPolls
from kodama.web.answers import FIELDS, code_answer, problem_answer
from kodama.web.cors import Sharing, preflight
from kodama.web.identity import Caller, Identity
from kodama.web.reads import Reads, in_document
from kodama.web.routes import Methods, Route, Serve, shown
from kodama.web.table import Table
from kodama.wire import queries
from kodama.wire.jsonp import MEDIA_TYPE as JAVASCRIPT
from kodama.wire.jsonp import call, callback_name
from kodama.wire.problem import Problem, code_of_status, encode_problem, problem, problem_of

RETRY_CONNECTION: Final = 5.0
_CANNOT_STORE: Final = "The server cannot store this now; try again with the same nonce."
PATHS_LIMIT: Final = 1024  # a path costs about 1 KB
_ALL_METHODS: Final = ", ".join(sorted(method.decode() for method in METHODS))
_CANNOT_READ: Final = "The server cannot read this now."

_log: Final = Logger()


class Site:
    """The application: one method, `respond`, for the HTTP channel to call."""

    def __init__(
        self, table: Table, reads: Reads, polls: LongPolls, identity: Identity, *,
        metrics: Metrics, now: Callable[[], int], jsonp: bool,
    ) -> None:  # fmt: skip
        self._table = table
        self._reads = reads
        self._polls = polls
        self._identity = identity
        self._metrics = metrics
        self._now = now
        self._jsonp = jsonp
        self._paths: dict[bytes, Methods] = {}

    def respond(self, request: Request) -> None:
        """Serve one request; every fault of the client is answered."""
        try:
            route = request.line.memo
            if not isinstance(route, Route):
                route = request.line.memo = self._route(request)
            asked = route.asked
            if asked is not None and request.line.method == b"GET":  # a poll that was read before
                known = request.headers.memo
                if isinstance(known, Caller) and known.plain and asked.plain:
                    self._polls.serve(request, asked, NOBODY)
                    return
                caller = self._caller(request, None)
                self._reads.poll(request, caller, asked)
                return
            serve = route.methods.get(request.line.method)
            if serve is None:
                self._other_method(request, route)
            else:
                serve(request, self._caller(request, serve))
        except Refused as error:
            self._refused(request, error)

    def _caller(self, request: Request, serve: Serve | None) -> Caller:
        """Return who asks; a token that is not valid hinders nobody from opening a new session."""
        now = self._now()
        caller = self._shared(request, now=now)
        if b"ticket=" in request.line.query:
            ticket = queries.single(queries.parameters(request.line.query), "ticket")
            if ticket is not None:
                return self._identity.by_ticket(caller, ticket, peer=request.peer, now=now)
        if serve not in self._table.entrances:
            self._identity.check_session(caller, now=now)
        return caller

    def _shared(self, request: Request, *, now: int) -> Caller:
        """Return whom the fields prove, and let the page that asks read the answer if it is on the list."""
        caller = self._identity.caller(request, now=now)
        if caller.sharing and request.channel is not None:
            request.channel = Sharing(request.channel, caller.sharing)
        return caller

    def refuse(self, refusal: Refusal) -> Answer:
        """Word what the HTTP channel refuses by itself."""
        if refusal.status == 405:
            return problem_answer(MethodNotAllowed(refusal.detail, allow=_ALL_METHODS))
        if refusal.status == 429:
            self._metrics.limit("connection", "refused")
            return problem_answer(RateLimited(refusal.detail, retry_after=RETRY_CONNECTION))
        return code_answer(code_of_status(refusal.status), refusal.detail)

    def fault(self, request: Request, failure: Failure) -> Answer:
        """Log our own fault under an id and tell the client only that id."""
        number = token_hex(6)
        _log.failure("internal error {number} at {at}", failure, number=number, at=shown(request.line.path))
        return code_answer("internal", f"Something went wrong here; it is logged as {number}.")

    def fault_in_stream(self, failure: Failure) -> Problem:
        """Do the same for an answer that has begun."""
        if isinstance(failure.value, StoreUnavailable):
            return problem("overloaded", _CANNOT_READ)
        number = token_hex(6)
        _log.failure("internal error {number} in a stream", failure, number=number)
        return problem("internal", f"Something went wrong here; it is logged as {number}.")

    def fail(self, request: Request, failure: Failure) -> None:
        """Answer a request whose serving failed later."""
        error = failure.value
        if isinstance(error, StoreUnavailable):
            reads = request.line.method in (b"GET", b"HEAD")
            said = _CANNOT_READ if reads else _CANNOT_STORE
            error = Overloaded(said, retry_after=1)
        if isinstance(error, Refused):
            self._refused(request, error)
        else:
            request.answer(self.fault(request, failure))

    def _refused(self, request: Request, error: Refused) -> None:
        self._metrics.refused[error.code] = self._metrics.refused.get(error.code, 0) + 1
        callback = self._jsonp_callback(request)
        if callback is None:
            request.answer(problem_answer(error))
            return
        body = b'{"error":%b}' % encode_problem(problem_of(error))
        request.answer(Answer(200, call(callback, body), (("Content-Type", JAVASCRIPT), *FIELDS)))

    def _jsonp_callback(self, request: Request) -> str | None:
        """Return the callback of a JSONP read whose errors must come as a call, else None."""
        path = request.line.path
        if not self._jsonp or not path.startswith((b"/v1/", b"/r/")):
            return None
        if request.line.method != b"GET" or b"callback" not in request.line.query or in_document(request):
            return None
        try:
            name = queries.single(queries.parameters(request.line.query), "callback")
            return None if name is None else callback_name(name)
        except Refused:
            return None

    def _other_method(self, request: Request, route: Route) -> None:
        allowed = set(route.methods) | {b"OPTIONS"} | ({b"HEAD"} if b"GET" in route.methods else set())
        whole = request.line.path == b"*"  # the server, not a resource of it (RFC 9110 section 9.3.7)
        allow = _ALL_METHODS if whole else b", ".join(sorted(allowed)).decode()
        if request.line.method == b"OPTIONS":
            shared = preflight(allow) if self._shared(request, now=self._now()).sharing else ()
            request.answer(Answer(204, b"", (("Allow", allow), *FIELDS, *shared)))
        elif request.line.method == b"HEAD" and b"GET" in route.methods:
            route.methods[b"GET"](request, self._caller(request, route.methods[b"GET"]))
        else:
            self._shared(request, now=self._now())
            raise MethodNotAllowed("This resource does not have that method.", allow=allow)

    def _route(self, request: Request) -> Route:
        try:
            return self._known_route(request.line.path)
        except Refused:
            self._shared(request, now=self._now())  # a page on the list may read what is wrong
            raise

    def _known_route(self, path: bytes) -> Route:
        """Route by path; every message makes a new line of a path that was asked for before."""
        methods = self._paths.get(path)
        if methods is None:
            methods = self._table.methods(path)
            if len(self._paths) >= PATHS_LIMIT:
                self._paths.clear()
            self._paths[path] = methods
        return Route(methods)
