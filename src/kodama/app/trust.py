"""Who is believed what, and how much of it: hosts, proxies, keys of sites, certificates and rates."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from kodama.app.settings import BadSetting, Settings
from kodama.app.tls import Certificate
from kodama.core.limits import Rate
from kodama.core.who import NOBODY, STRANGER
from kodama.metrics import Metrics
from kodama.web.identity import Policy
from kodama.web.jwks import JwkSet
from kodama.web.rates import Deed, Rates
from kodama.web.sites import BadKey, SiteKey, key_of


def policy_of(settings: Settings) -> Policy:
    """Return who may ask what: a listener on loopback answers for loopback names only, against
    DNS rebinding, unless the settings name others."""
    loopback = settings.host in ("localhost", "::1") or settings.host.startswith("127.")
    anybody = "*" in settings.hosts or (not loopback and not settings.hosts)
    return Policy(
        hosts=None if anybody else settings.hosts, origins=settings.origins,
        trusted_proxies=settings.trusted_proxies, forwarding=settings.forwarding_header,
        exempt=settings.limit_exempt == "loopback",
        nobody=NOBODY if settings.guests else STRANGER, user_header=settings.user_header.encode(),
    )  # fmt: skip


def rates_of(settings: Settings, metrics: Metrics) -> Rates:
    """Return the buckets that the settings describe."""
    return Rates(
        {
            Deed.WRITE: Rate(settings.write_burst, settings.write_rate),
            Deed.READ: Rate(settings.read_burst, settings.read_rate),
            Deed.SESSION: Rate(settings.session_burst, settings.session_rate),
            Deed.ROOM: Rate(settings.room_burst, settings.room_rate),
            Deed.TOKEN: Rate(settings.token_burst, settings.token_rate),
            Deed.LOGIN: Rate(settings.login_burst, settings.login_rate),
            Deed.UPLOAD: Rate(settings.upload_burst, settings.upload_rate),
        },
        metrics,
    )


def site_keys(settings: Settings) -> list[SiteKey]:
    """Return the fixed keys of sites that the settings name. Raises `BadSetting`."""
    given = [one.split() for one in settings.jwt_keys]
    try:
        return [key_of(*one) for one in given if one[1] != "JWKS"]
    except BadKey as error:
        raise BadSetting(f"KODAMA_JWT_KEYS: {error}.") from None


def key_sets(settings: Settings, reactor: Any, *, changed: Callable[[], None]) -> list[JwkSet]:
    """Return the sites' keys that are read again and again. Raises `BadSetting`."""
    sets = []
    for issuer, kind, source in (one.split() for one in settings.jwt_keys):
        if kind == "JWKS":
            local = urlsplit(source).hostname in ("localhost", "127.0.0.1", "::1")
            if source.startswith("http://") and not local:
                raise BadSetting("KODAMA_JWT_KEYS: keys are fetched over https only.")
            sets.append(JwkSet(issuer, source, reactor=reactor, changed=changed))
    return sets


def certificate(settings: Settings, reactor: Any) -> Certificate | None:
    """Return the certificate to show, None without TLS. Raises `BadSetting`."""
    if not settings.tls_cert and not settings.tls_key:
        return None
    if not settings.tls_cert or not settings.tls_key:
        raise BadSetting("KODAMA_TLS_CERT and KODAMA_TLS_KEY go together: one of them is missing.")
    return Certificate(Path(settings.tls_cert), Path(settings.tls_key), clock=reactor)
