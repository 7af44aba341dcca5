"""What proxies say of a request is read by RFC 7239 and by custom."""

from __future__ import annotations

import pytest

from kodama.http.message import Headers
from kodama.web.forwarding import hops, over_tls


def headers(*lines: str) -> Headers:
    return Headers("".join(f"\r\n{line}" for line in lines).encode() + b"\r\n\r\n")


@pytest.mark.parametrize(
    ("lines", "addresses"),
    [
        ((), None),
        (("X-Forwarded-For: 1.2.3.4, 5.6.7.8",), "1.2.3.4, 5.6.7.8"),
        (("X-Forwarded-For: 1.2.3.4", "X-Forwarded-For: 5.6.7.8"), "1.2.3.4, 5.6.7.8"),
        (("X-Real-IP: 1.2.3.4",), "1.2.3.4"),
        (("Forwarded: for=1.2.3.4",), "1.2.3.4"),
        (('Forwarded: by=x;For="[2001:db8::1]:4711";proto=https, for=1.2.3.4:80',), "2001:db8::1,1.2.3.4"),
        (("Forwarded: for=unknown, for=_hidden",), "unknown,_hidden"),
        (("Forwarded: proto=https",), ""),
        (("X-Forwarded-Proto: https",), ""),
        (("Via: 1.1 proxy",), ""),
    ],
)
def test_addresses_are_read_nearest_last(lines: tuple[str, ...], addresses: str | None) -> None:
    assert hops(headers(*lines)) == addresses


@pytest.mark.parametrize(
    ("lines", "secure"),
    [
        ((), False),
        (("X-Forwarded-Proto: https",), True),
        (("X-Forwarded-Proto: http",), False),
        (("X-Forwarded-Proto: https, http",), False),
        (("X-Forwarded-Proto: HTTPS",), True),
        (("Forwarded: for=1.2.3.4;proto=https",), True),
        (('Forwarded: proto="https", proto=http',), False),
        (("Forwarded: for=1.2.3.4", "X-Forwarded-Proto: https"), True),
    ],
)
def test_the_nearest_proxy_says_whether_it_was_tls(lines: tuple[str, ...], secure: bool) -> None:
    assert over_tls(headers(*lines)) is secure
