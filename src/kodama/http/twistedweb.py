"""The same application under any `twisted.web` site: `root.putChild(b"chat", HttpResource(...))`.

Decided here: what of a `twisted.web` request an application may see. Paths are relative to the
mount; framing, limits on heads and time-outs are those of the site that it is mounted in.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from twisted.internet.interfaces import IDelayedCall, IPushProducer, IReactorTime
from twisted.python.failure import Failure
from twisted.web.iweb import IRequest
from twisted.web.resource import IResource
from twisted.web.server import NOT_DONE_YET
from zope.interface import implementer

from kodama.http.limits import Limits
from kodama.http.message import Answer, Fields, Headers, Holder, Line, NoTunnel, Refusal, Request, T
from kodama.http.stream import Stream
from kodama.http.tunnel import Link

if TYPE_CHECKING:
    from kodama.http.lot import Lot

_FRAMING = frozenset((b"content-length", b"transfer-encoding", b"connection", b"date"))


@implementer(IResource)
class HttpResource:
    """Serve ``respond`` for every path at and below the mount; arguments as of `HttpFactory`."""

    isLeaf = True

    def __init__(
        self, respond: Callable[[Request], None], *, refuse: Callable[[Refusal], Answer],
        fault: Callable[[Request, Failure], Answer], clock: IReactorTime, limits: Limits,
    ) -> None:  # fmt: skip
        self._respond = respond
        self._refuse = refuse
        self._fault = fault
        self._clock = clock
        self._limits = limits

    def getChildWithDefault(self, name: bytes, request: IRequest) -> HttpResource:
        """twisted.web: never called on a leaf."""
        return self

    def putChild(self, path: bytes, child: IResource) -> None:
        """twisted.web: a leaf has no children."""
        raise ValueError("what is served here has no children of other kinds")

    def render(self, request: IRequest) -> int:
        """twisted.web: serve one request."""
        foreign: Any = request
        carried = Carried(foreign, clock=self._clock)
        foreign.notifyFinish().addErrback(carried.lost)
        ours = Request(carried, _line(foreign), _headers(foreign), body=foreign.content.read(
            self._limits.body + 1), minor=int(foreign.clientproto.endswith(b"1.1")), keep=True)  # fmt: skip
        carried.request = ours
        if len(ours.body) > self._limits.body:
            ours.answer(self._refuse(Refusal(413, f"The body is larger than {self._limits.body} bytes.")))
            return NOT_DONE_YET
        try:
            self._respond(ours)
        except Exception:  # noqa: BLE001 - the application words its own faults
            answer = self._fault(ours, Failure())
            if carried.streaming:
                carried.close()
            else:
                ours.answer(answer)
        return NOT_DONE_YET


@implementer(IPushProducer)
class Carried:
    """One request of `twisted.web`, answered with our answers."""

    def __init__(self, foreign: Any, *, clock: IReactorTime) -> None:
        self.peer: str = getattr(foreign.getClientAddress(), "host", "")
        self.request: Request | None = None
        self.secure: bool = foreign.isSecure()
        self._foreign = foreign
        self._clock = clock
        self._holder: Holder | None = None
        self._timer: IDelayedCall | None = None

    @property
    def streaming(self) -> bool:
        """Return whether an answer in pieces has begun."""
        return isinstance(self._holder, Stream)

    def answer(self, request: Request, answer: Answer) -> None:
        """Send the whole answer."""
        self._let_go()
        self._begin(answer.status, answer.fields)
        if answer.status not in (204, 304):
            self._foreign.setHeader(b"content-length", b"%d" % len(answer.body))
        if not request.keep:
            self._foreign.setHeader(b"connection", b"close")
        if request.line.method != b"HEAD":
            self._foreign.write(answer.body)
        self._foreign.finish()

    def hold(self, holder: Holder, seconds: float | None) -> None:
        """Park the request."""
        self._let_go()
        self._holder = holder
        if seconds is not None:
            self._timer = self._clock.callLater(seconds, self._expired)

    def park(self, request: Request, lot: Lot, note: object) -> bool:
        """Wait alone: `twisted.web` keeps its own requests."""
        return False

    def stream(self, request: Request, status: int, fields: Fields) -> Stream:
        """Begin an answer in pieces; `twisted.web` frames them."""
        self._let_go()
        self._begin(status, fields)
        stream = Stream.framed_elsewhere(self, request, status=status, send=self._foreign.write)
        self._holder = stream
        self._foreign.registerProducer(self, True)
        self._foreign.write(b"")
        return stream

    def switch(self, request: Request, fields: Fields, tunnel: Callable[[Link], T]) -> T:
        """Refuse: the connection is the site's, which may have more requests on it."""
        raise NoTunnel

    def finished(self) -> None:
        """The stream has ended."""
        self._holder = None
        self._foreign.unregisterProducer()
        self._foreign.finish()

    def close(self) -> None:
        """Close the connection without an answer."""
        self._foreign.transport.abortConnection()

    def lost(self, reason: Failure) -> None:
        """twisted.web: the client has gone."""
        holder, request = self._holder, self.request
        self._let_go()
        if request is not None:
            request.channel = None
            request.gone = True
            if holder is not None:
                holder.gone(request)

    def pauseProducing(self) -> None:
        """Twisted: the client does not keep up."""
        if isinstance(self._holder, Stream):
            self._holder.filled()

    def resumeProducing(self) -> None:
        """Twisted: there is room again."""
        if isinstance(self._holder, Stream):
            self._holder.drained()

    def stopProducing(self) -> None:
        """Twisted: the client has gone; `lost` follows."""

    def _begin(self, status: int, fields: Fields) -> None:
        self._foreign.setResponseCode(status)
        if not any(name.lower() == "content-type" for name, _ in fields):
            self._foreign.defaultContentType = None
        for name, value in fields:
            self._foreign.responseHeaders.addRawHeader(name.encode("latin-1"), value.encode("latin-1"))

    def _expired(self) -> None:
        self._timer = None
        holder, request, self._holder = self._holder, self.request, None
        if holder is not None and request is not None:
            holder.expired(request)

    def _let_go(self) -> None:
        self._holder = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _line(foreign: Any) -> Line:
    """Return the request line with the path below the mount."""
    query = foreign.uri.partition(b"?")
    path = b"/" + b"/".join(query[0].split(b"/")[len(foreign.prepath) + 1 :])
    return Line(foreign.method, path + query[1] + query[2])


def _headers(foreign: Any) -> Headers:
    """Return the fields as the block that they came in, or one that means the same."""
    fields = (
        b"%b: %b\r\n" % (name, value)
        for name, values in foreign.requestHeaders.getAllRawHeaders()
        if name.lower() not in _FRAMING
        for value in values
    )
    return Headers(b"\r\n" + b"".join(fields) + b"\r\n")
