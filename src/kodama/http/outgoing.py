"""Requests of ours to addresses that others name: webhooks, push services, link targets.

Decided here: an address that is not public is not dialled unless the operator allows it, so that
nobody reaches through us what only this machine can reach. A name is looked up once, and the
address that was judged is the one that is dialled; redirections are not followed; an answer is
bounded in time and size.
"""

from __future__ import annotations

from io import BytesIO
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Any, Final, NamedTuple

from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.internet.endpoints import HostnameEndpoint, wrapClientTLS
from twisted.internet.interfaces import IHostResolution, IResolutionReceiver, IStreamClientEndpoint
from twisted.internet.protocol import Protocol, connectionDone
from twisted.internet.ssl import optionsForClientTLS
from twisted.protocols.policies import ProtocolWrapper, WrappingFactory
from twisted.python.failure import Failure
from twisted.web.client import URI, Agent, FileBodyProducer, HTTPConnectionPool, ResponseDone
from twisted.web.http import PotentialDataLoss
from twisted.web.http_headers import Headers
from twisted.web.iweb import IAgentEndpointFactory, IResponse
from zope.interface import implementer

PATIENCE: Final = 10.0  # seconds for the whole exchange
REPLY_BYTES: Final = 64 * 1024
HEAD_BYTES: Final = 64 * 1024
_GLOBAL_UNICAST: Final = IPv6Network("2000::/3")
_TRANSLATED: Final = IPv6Network("64:ff9b::/96")  # RFC 6052 section 2.1


class NotPublic(Exception):
    """The address is this machine's or its network's own, or there is none."""


class BodyCut(Exception):
    """The body was longer than wanted, or ended too early."""


class Reply(NamedTuple):
    """What the other side said."""

    status: int
    headers: Headers
    body: bytes


class Outgoing:
    """Sends requests; ``private`` allows addresses that are not public."""

    def __init__(self, reactor: Any, *, private: bool) -> None:
        self._reactor = reactor
        self._pool = HTTPConnectionPool(reactor, persistent=True)
        self._pool.maxPersistentPerHost = 1
        endpoints = _Endpoints(reactor, private=private)
        self._agent = Agent.usingEndpointFactory(reactor, endpoints, pool=self._pool)

    def post(self, url: str, fields: Headers, body: bytes) -> Deferred[Reply]:
        """Return the reply to a POST; fails with whatever prevented it within `PATIENCE` seconds."""
        exchange: Deferred[Reply] = self._exchange(url.encode("ascii"), fields, body)
        return exchange.addTimeout(PATIENCE, self._reactor)

    def close(self) -> Deferred[None]:
        """Close the kept connections."""
        closing: Deferred[None] = self._pool.closeCachedConnections()
        return closing

    @inlineCallbacks
    def _exchange(self, url: bytes, fields: Headers, body: bytes) -> Any:
        response: IResponse = yield self._agent.request(b"POST", url, fields, FileBodyProducer(BytesIO(body)))
        said = yield bounded_body(response, limit=REPLY_BYTES)
        return Reply(response.code, response.headers, said)


def bounded_body(response: IResponse, *, limit: int) -> Deferred[bytes]:
    """Return the body of ``response``; fails with `BodyCut` beyond ``limit`` bytes. Cancelling it
    closes the connection."""
    gathering = _Gathering(limit)
    response.deliverBody(gathering)
    return gathering.whole


def is_public(address: str) -> bool:
    """Return whether an IP address may be dialled for anybody (RFC 6890 and its registries); of
    IPv6, what is global unicast (RFC 4291 section 2.4) or leads to such an IPv4 address."""
    found = ip_address(address.partition("%")[0])
    if isinstance(found, IPv6Address):
        inner = _inner(found)
        if inner is not None:
            return inner.is_global and not inner.is_multicast
        return found.is_global and found in _GLOBAL_UNICAST
    return found.is_global and not found.is_multicast


def _inner(address: IPv6Address) -> IPv4Address | None:
    """Return the IPv4 address to which an IPv6 one is translated or tunnelled, None if to none."""
    if address in _TRANSLATED:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)


class _Gathering(Protocol):
    """Gathers a body of at most ``limit`` bytes."""

    def __init__(self, limit: int) -> None:
        self.whole: Deferred[bytes] = Deferred(lambda _: self._abort())
        self._limit = limit
        self._got = bytearray()
        self._over = False

    def dataReceived(self, data: bytes) -> None:
        """Twisted: a piece has come."""
        self._got += data
        if len(self._got) > self._limit:
            self._abort()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Twisted: that was all."""
        if self._over:
            return
        self._over = True
        if len(self._got) > self._limit or not reason.check(ResponseDone, PotentialDataLoss):
            self.whole.errback(BodyCut("the answer is too long or was cut off"))
        else:
            self.whole.callback(bytes(self._got))

    def _abort(self) -> None:
        abort: Any = getattr(self.transport, "abortConnection", None) or getattr(
            self.transport, "loseConnection", None
        )
        if abort is not None:
            abort()


@implementer(IAgentEndpointFactory)
class _Endpoints:
    """Tells the agent how to reach an address."""

    def __init__(self, reactor: Any, *, private: bool) -> None:
        self._reactor = reactor
        self._private = private

    def endpointForURI(self, uri: URI) -> Any:
        """Twisted: return what connects to ``uri``."""
        endpoint = _Judged(self._reactor, uri.host.decode("ascii"), uri.port, private=self._private)
        if uri.scheme == b"https":
            return _Bounded(wrapClientTLS(optionsForClientTLS(uri.host.decode("ascii")), endpoint))
        return _Bounded(endpoint)


@implementer(IStreamClientEndpoint)
class _Bounded:
    """Connects as ``endpoint`` does, to somebody who may not send for ever."""

    def __init__(self, endpoint: Any) -> None:
        self._endpoint = endpoint

    def connect(self, factory: Any) -> Any:
        """Twisted: connect."""
        wrapped: Any = WrappingFactory(factory)
        wrapped.protocol = _Counted
        return self._endpoint.connect(wrapped).addCallback(lambda counted: counted.wrappedProtocol)


class _Counted(ProtocolWrapper):
    """Cuts a connection that sends more than one reply may have since it was last written to: the
    fields of a reply are gathered without a limit."""

    _got = 0

    def write(self, data: bytes) -> None:
        """Twisted: a piece goes out."""
        self._got = 0
        super().write(data)  # type: ignore[no-untyped-call]

    def writeSequence(self, data: Any) -> None:
        """Twisted: pieces go out."""
        self._got = 0
        super().writeSequence(data)  # type: ignore[no-untyped-call]

    def dataReceived(self, data: bytes) -> None:
        """Twisted: a piece has come."""
        self._got += len(data)
        if self._got > HEAD_BYTES + REPLY_BYTES:
            self.abortConnection()
        else:
            super().dataReceived(data)  # type: ignore[no-untyped-call]


@implementer(IStreamClientEndpoint)
class _Judged:
    """Looks a name up, judges what comes of it, and connects to just that."""

    def __init__(self, reactor: Any, host: str, port: int, *, private: bool) -> None:
        self._reactor = reactor
        self._host = host
        self._port = port
        self._private = private

    @inlineCallbacks
    def connect(self, factory: Any) -> Any:
        """Twisted: connect; fails with `NotPublic`."""
        found = yield _looked_up(self._reactor, self._host, self._port)
        allowed = [one for one in found if self._private or is_public(one)]
        if not allowed:
            raise NotPublic(f"{self._host} has no public address.")
        endpoint = HostnameEndpoint(self._reactor, allowed[0], self._port, timeout=PATIENCE)
        return (yield endpoint.connect(factory))


def _looked_up(reactor: Any, host: str, port: int) -> Deferred[list[str]]:
    """Return the addresses of ``host``, in the order of preference."""
    receiver = _Addresses()
    reactor.nameResolver.resolveHostName(receiver, host, port)
    return receiver.found


@implementer(IResolutionReceiver)
class _Addresses:
    """Gathers the addresses of a name."""

    def __init__(self) -> None:
        self.found: Deferred[list[str]] = Deferred()
        self._hosts: list[str] = []

    def resolutionBegan(self, resolution: IHostResolution) -> None:
        """Twisted: the look-up has begun."""

    def addressResolved(self, address: Any) -> None:
        """Twisted: there is one more."""
        self._hosts.append(address.host)

    def resolutionComplete(self) -> None:
        """Twisted: that was all."""
        self.found.callback(self._hosts)
