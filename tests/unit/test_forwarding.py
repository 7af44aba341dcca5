"""What proxies say of a request is read by RFC 7239 and by custom."""

from __future__ import annotations

import pytest

from kodama.http.message import Headers
from kodama.web.forwarding import BELIEVABLE, hops, over_tls

X_FOR = "x-forwarded-for"
STANDARD = "forwarded"


def headers(*lines: str) -> Headers:
    return Headers("".join(f"\r\n{line}" for line in lines).encode() + b"\r\n\r\n")


@pytest.mark.parametrize(
    ("believed", "lines", "addresses"),
    [
        (X_FOR, (), None),
        (X_FOR, ("X-Forwarded-For: 1.2.3.4, 5.6.7.8",), "1.2.3.4, 5.6.7.8"),
        (X_FOR, ("X-Forwarded-For: 1.2.3.4", "X-Forwarded-For: 5.6.7.8"), "1.2.3.4, 5.6.7.8"),
        ("x-real-ip", ("X-Real-IP: 1.2.3.4",), "1.2.3.4"),
        (STANDARD, ("Forwarded: for=1.2.3.4",), "1.2.3.4"),
        (
            STANDARD, ('Forwarded: by=x;For="[2001:db8::1]:4711";proto=https, for=1.2.3.4:80',),
            "2001:db8::1,1.2.3.4",
        ),
        (STANDARD, ("Forwarded: for=unknown, for=_hidden",), "unknown,_hidden"),
        (STANDARD, ("Forwarded: proto=https",), ""),
        (X_FOR, ("X-Forwarded-Proto: https",), ""),
        (X_FOR, ("Via: 1.1 proxy",), ""),
    ],
)  # fmt: skip
def test_addresses_are_read_nearest_last(believed: str, lines: tuple[str, ...], addresses: str | None) -> None:
    assert hops(headers(*lines), believed) == addresses


@pytest.mark.parametrize("believed", BELIEVABLE)
def test_of_several_fields_only_the_named_one_is_believed(believed: str) -> None:
    true, forged = "203.0.113.7", "198.51.100.9"
    said = {name: true if name == believed else forged for name in BELIEVABLE}
    lines = [f"{name}: {'for=' if name == STANDARD else ''}{address}" for name, address in said.items()]
    assert hops(headers(*lines), believed) == true
    others = [line for line in lines if not line.startswith(f"{believed}:")]
    assert hops(headers(*others), believed) == ""


@pytest.mark.parametrize(
    ("believed", "lines", "secure"),
    [
        (X_FOR, (), False),
        (X_FOR, ("X-Forwarded-Proto: https",), True),
        (X_FOR, ("X-Forwarded-Proto: http",), False),
        (X_FOR, ("X-Forwarded-Proto: https, http",), False),
        (X_FOR, ("X-Forwarded-Proto: HTTPS",), True),
        (X_FOR, ("Forwarded: for=1.2.3.4;proto=https",), False),
        (X_FOR, ("Forwarded: proto=https", "X-Forwarded-Proto: http"), False),
        (STANDARD, ("Forwarded: for=1.2.3.4;proto=https",), True),
        (STANDARD, ('Forwarded: proto="https", proto=http',), False),
        (STANDARD, ("Forwarded: for=1.2.3.4", "X-Forwarded-Proto: https"), True),
    ],
)
def test_the_nearest_proxy_says_whether_it_was_tls(believed: str, lines: tuple[str, ...], secure: bool) -> None:
    assert over_tls(headers(*lines), believed) is secure
