"""What the facts mean, and which line in which proxy's configuration changes them. Pure.

The one decision here: a finding is about what a *user* of the server would notice, and its advice is
the line to write, for nginx, HAProxy and Caddy.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

BUFFERED: Final = 2.0  # seconds after which the first record of a stream should long be here
KEPT_ALIVE: Final = 17.0  # streams say something at least every 15 s


class Verdict(StrEnum):
    """How a finding turned out."""

    WELL = "well"
    ILL = "ill"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; ``advice`` is the line to write, by proxy, empty if all is well."""

    topic: str
    verdict: Verdict
    seen: str
    advice: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Seen:
    """What the server says of a request of ours: the client's address, the scheme, whether forwarded."""

    address: str
    scheme: str
    forwarded: bool


@dataclass(slots=True, kw_only=True)
class Facts:
    """What was measured; None where it could not be. Times in seconds.

    ``failed`` is why the server could not be reached at all. ``claimed`` is what the server
    believed when the client lied about its address. ``ready`` is when the first record of an event
    stream came. ``poll`` is how long the server's answer to a poll of ``patience`` took, ``poll_status``
    its status (0: cut). ``silence`` is the longest pause in a stream, ``cut`` when it was cut.
    """

    secure: bool
    patience: float
    failed: str | None = None
    seen: Seen | None = None
    proxy: str | None = None
    claimed: str | None = None
    claim: str = ""
    ready: float | None = None
    streamed: str | None = None
    silence: float | None = None
    cut: float | None = None
    poll: float | None = None
    poll_status: int | None = None
    socket: int | None = None


BUFFERING: Final = {
    "nginx": "proxy_buffering off;",
    "HAProxy": "no option http-buffer-request  # and no compression on text/event-stream",
    "Caddy": "flush_interval -1  # inside reverse_proxy",
}
PATIENCE: Final = {
    "nginx": "proxy_read_timeout 150s;",
    "HAProxy": "timeout server 150s  # and timeout client 150s, timeout tunnel 1h",
    "Caddy": "transport http { read_timeout 150s }  # inside reverse_proxy; remove a shorter one",
}
UPGRADE: Final = {
    "nginx": 'proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; '
             'proxy_set_header Connection $connection_upgrade;',
    "HAProxy": "timeout tunnel 1h  # upgrades pass by themselves in mode http",
    "Caddy": "reverse_proxy passes upgrades by itself; look for a header_up that removes Upgrade",
}  # fmt: skip
FORWARDED: Final = {
    "nginx": "proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header X-Forwarded-Proto $scheme;",
    "HAProxy": "http-request set-header X-Forwarded-For %[src]  # and X-Forwarded-Proto if { ssl_fc }",
    "Caddy": "reverse_proxy sets X-Forwarded-For and -Proto by itself; remove header_up lines of yours",
    "Kodama": "KODAMA_TRUSTED_PROXIES=<the network the proxy connects from>",
}
HOST: Final = {
    "nginx": "proxy_set_header Host $host;",
    "HAProxy": "HAProxy passes Host by itself; look for an http-request set-header Host",
    "Caddy": "reverse_proxy passes Host by itself; look for a header_up Host",
    "Kodama": "KODAMA_HOSTS=<the name that browsers use>",
}


def diagnose(facts: Facts) -> tuple[Finding, ...]:
    """Return what is well and what is not, in the order in which to mend it."""
    if facts.seen is None:
        told = facts.failed or "There is no answer."
        return (Finding("reachable", Verdict.ILL, told, _unreachable(facts)),)
    return (
        Finding("reachable", Verdict.WELL, _way(facts)),
        *_address(facts, facts.seen),
        *_scheme(facts, facts.seen),
        _streaming(facts),
        _long_poll(facts),
        _keeping(facts),
        _websocket(facts),
    )


def _unreachable(facts: Facts) -> Mapping[str, str]:
    return HOST if facts.failed is not None and "421" in facts.failed else {}


def _way(facts: Facts) -> str:
    return f"There is {facts.proxy} in between." if facts.proxy else "No proxy names itself on the way."


def _address(facts: Facts, seen: Seen) -> Iterator[Finding]:
    if facts.proxy and not seen.forwarded:
        told = f"The server takes all for {seen.address}: the proxy does not say for whom it asks."
        yield Finding("client address", Verdict.ILL, told, FORWARDED)
    elif seen.forwarded and facts.claimed is not None and facts.claimed == facts.claim:
        told = "A client can claim any address: the proxy passes on what the client says of itself."
        yield Finding("client address", Verdict.ILL, told, FORWARDED)
    else:
        yield Finding("client address", Verdict.WELL, f"The server sees {seen.address}.")


def _scheme(facts: Facts, seen: Seen) -> Iterator[Finding]:
    if facts.secure and seen.scheme != "https":
        told = "The server does not know of the TLS before it, so its cookies are not marked Secure."
        yield Finding("TLS", Verdict.ILL, told, FORWARDED)


def _streaming(facts: Facts) -> Finding:
    if facts.ready is None:
        told = facts.streamed or "No record of a stream came through."
        return Finding("streaming", Verdict.ILL, told, BUFFERING)
    if facts.ready > BUFFERED:
        told = f"The first record of a stream came after {facts.ready:.1f} s: something buffers."
        return Finding("streaming", Verdict.ILL, told, BUFFERING)
    return Finding("streaming", Verdict.WELL, f"The first record came after {facts.ready * 1000:.0f} ms.")


def _long_poll(facts: Facts) -> Finding:
    if facts.poll is None or facts.poll_status is None:
        return Finding("long poll", Verdict.UNKNOWN, "It was not tried.")
    if facts.poll_status != 200:
        ended = f"answered {facts.poll_status}" if facts.poll_status else "cut"
        told = f"A poll of {facts.patience:g} s was {ended} after {facts.poll:.1f} s."
        return Finding("long poll", Verdict.ILL, told, PATIENCE)
    return Finding("long poll", Verdict.WELL, f"A poll of {facts.patience:g} s was answered.")


def _keeping(facts: Facts) -> Finding:
    if facts.cut is not None:
        told = f"A quiet stream was cut after {facts.cut:.1f} s."
        return Finding("quiet streams", Verdict.ILL, told, PATIENCE)
    if facts.silence is None:
        return Finding("quiet streams", Verdict.UNKNOWN, "There was no stream to watch.")
    if facts.silence > KEPT_ALIVE:
        told = f"Nothing came for {facts.silence:.0f} s: keep-alives are held back."
        return Finding("quiet streams", Verdict.ILL, told, BUFFERING)
    return Finding("quiet streams", Verdict.WELL, f"A quiet stream lived for {facts.patience:g} s.")


def _websocket(facts: Facts) -> Finding:
    if facts.socket == 101:
        return Finding("WebSocket", Verdict.WELL, "The upgrade came through.")
    told = f"The upgrade was answered {facts.socket}." if facts.socket else "The upgrade was not answered."
    return Finding("WebSocket", Verdict.ILL, told, UPGRADE)
