"""Who is asking: read once from a block of header fields and remembered with it.

A `Caller` holds for all requests with the same header bytes, so that a poll pays nothing for
it. What can change meanwhile (a session that ended or ran out) is looked at each time, and a
token that proved nothing is not remembered: it may yet.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from http.cookies import CookieError, SimpleCookie
from ipaddress import ip_address, ip_network
from typing import Final, NamedTuple

from kodama.core.errors import Forbidden, Misdirected, Refused, Unauthorized
from kodama.core.limits import network_of
from kodama.core.session import SESSION_DAYS
from kodama.core.ticket import TICKET_PREFIX
from kodama.core.vouched import vouched
from kodama.core.who import NOBODY, Who
from kodama.http.message import Fields, Headers, Request
from kodama.web.accept import Framing, framing
from kodama.web.cors import own, shared_with
from kodama.web.forwarding import hops, over_tls
from kodama.web.rates import LATEST, Deed, Rates, Sender
from kodama.web.tokens import Proof, Tokens
from kodama.wire.answers import Connection

SESSION_COOKIE: Final = "kodama_session"
# Asked by address, and safe to answer then: rebinding needs a name, and a browser sends the one it was given.
PROBES: Final = frozenset((b"/healthz", b"/readyz", b"/metrics"))
_NOT_OURS: Final = "This server answers for loopback names only; the setting KODAMA_HOSTS names further ones."
_ELSEWHERE: Final = (b"cross-site", b"same-site")
_JSON: Final = (Framing.JSON, Framing.PAGE)
_NO_PROOF: Final = Proof(NOBODY, None)
_LOOPBACK: Final = frozenset(("localhost", "127.0.0.1", "::1"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """What a block of header fields says.

    ``who`` is whom the token proves, ``until`` (ms since 1970) how long it does, ``generation``
    of which keys. ``fault`` is what to raise if the token is not valid; ``plain`` means nobody
    in particular, who takes JSON: nothing about such a caller can change. ``foreign`` is a page
    that may not write, ``unsafe`` one that came without TLS and may not write over it. ``sharing``
    are the fields that let a page of another site read. ``believed`` says whether the field with a
    proxy's user was, and is None if it is not there: other peers may send the same bytes.
    """

    who: Who
    until: int | None
    generation: int
    by_cookie: bool
    fault: Refused | None
    host: str
    foreign: bool
    unsafe: bool
    sharing: Fields
    forwarded: str | None
    accept: str
    framing: Framing
    plain: bool
    believed: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What the operator has settled.

    ``hosts``: names this server answers for, all if None; loopback names always. ``origins``:
    foreign sites that may write. ``forwarding``: the one field in which trusted proxies are
    believed, ``user_header`` (lower case) the one in which they name their signed-in user, empty for
    none. ``exempt``: whether loopback clients meet no rate. ``nobody``: who somebody without a token is.
    """

    hosts: tuple[str, ...] | None
    origins: tuple[str, ...]
    trusted_proxies: tuple[str, ...]
    forwarding: str
    exempt: bool
    nobody: Who = NOBODY
    user_header: bytes = b""


class _Shown(NamedTuple):
    """What somebody shows: ``proof`` of whom, None of nothing; ``ambient`` if a browser sends it unasked."""

    proof: Proof | None
    fault: Refused | None
    ambient: bool


_NOTHING: Final = _Shown(None, None, ambient=False)


class Identity:
    """Callers, hosts and origins of one server, and what each may ask how often."""

    def __init__(
        self, policy: Policy, tokens: Tokens, rates: Rates, *, seconds: Callable[[], float]
    ) -> None:
        self._policy = policy
        self._tokens = tokens
        self._rates = rates
        self._seconds = seconds
        self._trusted = [ip_network(one) for one in policy.trusted_proxies]
        self._trusts = lru_cache(maxsize=4096)(self._is_trusted)

    @property
    def nobody(self) -> Who:
        """Return who somebody without a token is."""
        return self._policy.nobody

    def caller(self, request: Request, *, now: int) -> Caller:
        """Return who is asking; raises `Misdirected`. ``now`` is in ms."""
        caller = request.headers.memo
        if (
            not isinstance(caller, Caller) or caller.generation != self._tokens.generation
            or (caller.believed is not None and caller.believed is not self._trusts(request.peer))
        ):  # fmt: skip
            host = _host(request.headers)
            answers = self._answers_for(host)
            if not answers and not (request.line.path in PROBES and _is_address(host)):
                raise Misdirected(_NOT_OURS)
            caller = self._read(request.headers, request.peer, now=now)
            request.headers.memo = caller if caller.fault is None and answers else None
        return caller

    def check_session(self, caller: Caller, *, now: int) -> None:
        """Raise `Unauthorized` if there is a token and it is not, or no longer, valid."""
        if caller.fault is not None:
            raise caller.fault
        refusal = self._tokens.refusal(caller.who, now=now)
        if refusal is not None:
            raise refusal
        if caller.until is not None and caller.until <= now:
            raise Unauthorized("This token has expired.")

    def by_ticket(self, caller: Caller, ticket: str, *, peer: str, now: int) -> Caller:
        """Return the caller as whom ``ticket`` stands for, whatever else it shows; raises
        `Unauthorized`, `RateLimited`."""
        if not ticket.startswith(TICKET_PREFIX):
            raise Unauthorized("This is not a ticket.")
        return self.by_token(caller, ticket, peer=peer, now=now)

    def by_token(self, caller: Caller, token: str, *, peer: str, now: int) -> Caller:
        """Return the caller as whom ``token`` proves from now on; raises `Unauthorized`,
        `RateLimited`."""
        sender = self._sender(peer, host=caller.host, forwarded=caller.forwarded)
        proof = self._prove(token, sender, now=now)
        return replace(caller, who=proof.who, until=proof.until, fault=None, by_cookie=False, plain=False)

    def _prove(self, token: str, sender: Sender | None, *, now: int) -> Proof:
        """Return whom ``token`` stands for, unless this sender has guessed too often."""
        self._rates.allow_guess(sender, now=self._seconds())
        try:
            return self._tokens.prove(token, now=now)
        except Unauthorized:
            self._rates.guessed(sender, now=self._seconds())
            raise

    def check_write(self, request: Request, caller: Caller, *, now: float) -> None:
        """Refuse a write from a foreign page, with what only reads, or one too many. ``now`` in
        seconds."""
        if caller.who.read_only:
            raise Forbidden("This token only reads.")
        self.check_request(request, caller, now=now)

    def check_request(
        self, request: Request, caller: Caller, *, now: float, deed: Deed = Deed.WRITE
    ) -> None:
        """Refuse what a foreign page may not ask for, or one time too many. ``now`` in seconds."""
        if self.foreign(request, caller):
            raise Forbidden("Pages of another site may not write here; KODAMA_ORIGINS names those that may.")
        self._rates.charge(deed, self.sender(request.peer, caller), now=now)

    def foreign(self, request: Request, caller: Caller) -> bool:
        """Return whether a page of another site asks; one that came without TLS is another's to a client
        that speaks TLS, since anybody on the way may have written it (RFC 6454 section 3.2)."""
        return caller.foreign or (caller.unsafe and self._over_tls(request))

    def check_room(self, peer: str, caller: Caller) -> None:
        """Refuse one new room too many."""
        self._rates.charge(Deed.ROOM, self.sender(peer, caller), now=self._seconds())

    def check_upload(self, peer: str, caller: Caller, size: int) -> None:
        """Refuse bytes of files that come too fast."""
        self._rates.charge(Deed.UPLOAD, self.sender(peer, caller), now=self._seconds(), tokens=size)

    def check_login(self, peer: str, caller: Caller, login: str) -> None:
        """Refuse one attempt too many to sign in as ``login``."""
        self._rates.charge_login(login, self.sender(peer, caller), now=self._seconds())

    def check_guesses(self, peer: str, caller: Caller) -> None:
        """Refuse whoever has shown too much that was not valid."""
        self._rates.allow_guess(self.sender(peer, caller), now=self._seconds())

    def guessed(self, peer: str, caller: Caller) -> None:
        """Note that what this sender showed was not valid."""
        self._rates.guessed(self.sender(peer, caller), now=self._seconds())

    def check_read(self, peer: str, caller: Caller) -> None:
        """Refuse one read too many: what cannot be put off, the opening of a stream for one."""
        self._rates.charge(Deed.READ, self.sender(peer, caller), now=self._seconds(), ahead=LATEST)

    def read_delay(self, request: Request, who: Who) -> float:
        """Return after how many seconds a poll that need not wait is to be answered. Raises
        `RateLimited`."""
        caller = request.headers.memo
        if not isinstance(caller, Caller):
            return 0.0  # its token has become void meanwhile; what comes next is refused
        sender = self.sender(request.peer, caller, session=who.session)
        return self._rates.read(sender, now=self._seconds())

    def sender(self, peer: str, caller: Caller, *, session: str | None = None) -> Sender | None:
        """Return who counts as one sender; None meets no rate."""
        found = self._sender(peer, host=caller.host, forwarded=caller.forwarded)
        return None if found is None else found._replace(session=session or caller.who.session)

    def party(self, peer: str) -> str | None:
        """Return what counts as one sender of connections; None is not counted: a trusted proxy
        speaks for many."""
        return None if not peer or self._trusts(peer) else network_of(peer)

    def address(self, request: Request, caller: Caller) -> str:
        """Return the client's address, believing forwarding fields from trusted proxies only."""
        return self._address(request.peer, caller.forwarded)

    def _address(self, peer: str, forwarded: str | None) -> str:
        if forwarded is None or not self._trusts(peer):
            return peer
        for hop in reversed(forwarded.split(",")):
            address = hop.strip()
            if address and not self._trusts(address):
                return address
        return peer

    def _sender(self, peer: str, *, host: str, forwarded: str | None) -> Sender | None:
        exempt = self._policy.exempt and forwarded is None
        if exempt and _is_loopback(host) and (not peer or _is_loopback(peer)):
            return None
        return Sender(network_of(self._address(peer, forwarded)), None)

    def seen(self, request: Request, caller: Caller) -> Connection:
        """Return what this server sees of its client: address, scheme, and whether it was forwarded."""
        tls = self._over_tls(request)
        return Connection(
            address=self.address(request, caller), scheme="https" if tls else "http",
            forwarded=caller.forwarded is not None,
        )  # fmt: skip

    def marked(self, request: Request, cookie: str) -> str:
        """Return a Set-Cookie value, ``Secure`` if the client spoke TLS with us or a trusted proxy."""
        secure = self._over_tls(request)
        return f"{cookie}; Secure" if secure else cookie

    def _over_tls(self, request: Request) -> bool:
        if request.secure:
            return True
        return self._trusts(request.peer) and over_tls(request.headers, self._policy.forwarding)

    def _read(self, headers: Headers, peer: str, *, now: int) -> Caller:
        host = (headers.get(b"host") or b"").decode("latin-1")
        name = _host(headers)
        accept = (headers.get(b"accept") or b"").decode("latin-1")
        forwarded = hops(headers, self._policy.forwarding)
        believed = self._trusts(peer) if self._names_user(headers) else None
        shown = (self._vouched(headers) if believed else None) or self._proof(
            headers, self._sender(peer, host=name, forwarded=forwarded), now=now
        )
        nobody = shown.proof is None
        proof = shown.proof or _NO_PROOF
        origin = _origin(headers)
        sharing = () if origin is None or own(origin, host) else shared_with(origin, self._policy.origins)
        return Caller(
            who=self._policy.nobody if nobody else proof.who, until=proof.until,
            generation=self._tokens.generation, by_cookie=shown.ambient, fault=shown.fault,
            host=name,
            foreign=self._foreign(headers, host, by_cookie=shown.ambient), sharing=sharing,
            unsafe=origin is not None and origin.lower().startswith("http:")
            and not self._listed(origin, by_cookie=shown.ambient),
            forwarded=forwarded,
            accept=accept, framing=framing(accept),
            plain=not sharing and nobody and self._policy.nobody is NOBODY and framing(accept) in _JSON
            and believed is None,
            believed=believed,
        )  # fmt: skip

    def _names_user(self, headers: Headers) -> bool:
        """Return whether the field in which a proxy names its user is there."""
        return bool(self._policy.user_header) and headers.get(self._policy.user_header) is not None

    def _vouched(self, headers: Headers) -> _Shown | None:
        """Return whom a trusted proxy names; None if it names nobody, or a token is shown, which an
        API key does that passes through. The browser sends unasked what the proxy believes, as it
        does a cookie."""
        values = [one for one in headers.all(self._policy.user_header) if one]
        if not values or headers.get(b"authorization") is not None:
            return None
        if len(values) > 1:
            return _Shown(_NO_PROOF, Unauthorized("The proxy names more than one user."), ambient=True)
        return _Shown(Proof(vouched(values[0].decode("utf-8", "surrogateescape")), None), None, ambient=True)

    def _proof(self, headers: Headers, sender: Sender | None, *, now: int) -> _Shown:
        token, by_cookie = _token(headers)
        if token is None:
            return _NOTHING
        try:
            return _Shown(self._prove(token, sender, now=now), None, ambient=by_cookie)
        except Refused as error:
            return _Shown(_NO_PROOF, error, ambient=by_cookie)

    def _answers_for(self, name: str) -> bool:
        hosts = self._policy.hosts
        # Without a name (HTTP/1.0) it was no browser, which is who rebinding would use.
        return hosts is None or not name or _is_loopback(name) or name in hosts

    def _foreign(self, headers: Headers, host: str, *, by_cookie: bool) -> bool:
        """Return whether a page of another site asks that may not write; `*` lets every page write,
        but not with a cookie, which its browser sends unasked."""
        origin = _origin(headers)
        if origin is None:
            return headers.get(b"sec-fetch-site") in _ELSEWHERE
        return not own(origin, host) and not self._listed(origin, by_cookie=by_cookie)

    def _listed(self, origin: str, *, by_cookie: bool) -> bool:
        origins = self._policy.origins
        return origin in origins or ("*" in origins and not by_cookie)

    def _is_trusted(self, address: str) -> bool:
        try:
            ip = ip_address(address)
        except ValueError:
            return False
        return any(ip.version == net.version and ip in net for net in self._trusted)


def _host(headers: Headers) -> str:
    """Return the name or address that the client asked for, in lower case, without its port."""
    host = (headers.get(b"host") or b"").decode("latin-1")
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
    return name.strip("[]").lower()


def _origin(headers: Headers) -> str | None:
    raw = headers.get(b"origin")
    return None if raw is None else raw.decode("latin-1")


def session_cookie(token: str) -> str:
    """Return the Set-Cookie value that carries ``token``."""
    return f"{SESSION_COOKIE}={token}; Path=/; Max-Age={SESSION_DAYS * 86_400}; HttpOnly; SameSite=Lax"


def ended_cookie() -> str:
    """Return the Set-Cookie value that takes the session away."""
    return f"{SESSION_COOKIE}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax"


def _token(headers: Headers) -> tuple[str | None, bool]:
    given = headers.get(b"authorization")
    if given is not None:
        scheme, _, token = given.decode("latin-1").partition(" ")
        return (token.strip() if scheme.lower() == "bearer" else ""), False
    raw = headers.get(b"cookie")
    if raw is None or SESSION_COOKIE.encode() not in raw:
        return None, False
    try:
        morsel = SimpleCookie(raw.decode("latin-1")).get(SESSION_COOKIE)
    except CookieError:
        return None, False
    return (morsel.value, True) if morsel is not None and morsel.value else (None, False)


def _is_address(name: str) -> bool:
    """Return whether ``name`` is an IP address."""
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def _is_loopback(name: str) -> bool:
    if name in _LOOPBACK or name.endswith(".localhost"):
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False
