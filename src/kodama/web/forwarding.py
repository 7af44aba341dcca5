"""What proxies say of a request: where it came from, and whether it came over TLS.

Of several fields only the one that the operator named is believed: a proxy sets one and passes
the others on as its client wrote them. Whether the one who says it is believed at all is decided
in `kodama.web.identity`. RFC 7239 for ``Forwarded``, custom for the ``X-`` fields.
"""

from __future__ import annotations

import re
from typing import Final

from kodama.http.message import Headers

BELIEVABLE: Final = ("x-forwarded-for", "x-real-ip", "forwarded")
_SIGNS: Final = (
    *(name.encode() for name in BELIEVABLE),
    b"x-forwarded-proto", b"x-forwarded-host", b"x-forwarded-port", b"via",
)  # fmt: skip
_NODE: Final = r"(?:\[([0-9a-f:.]+)\]|([0-9a-z_.-]+))(?::[0-9a-z_.-]+)?"
_FOR: Final = re.compile(rf'(?:^|[;,])\s*for="?{_NODE}"?', re.ASCII)
_PROTO: Final = re.compile(r'(?:^|[;,])\s*proto="?([a-z]+)"?', re.ASCII)


def hops(headers: Headers, believed: str) -> str | None:
    """Return the addresses a request is said to have come through, comma-separated, nearest last.

    ``believed`` is the one field of `BELIEVABLE` that is read. Empty if the request was forwarded
    but that field does not say for whom, None if it was not forwarded.
    """
    value = _text(headers, believed.encode())
    if value is None:
        return "" if any(headers.get(name) is not None for name in _SIGNS) else None
    if believed == "forwarded":
        return ",".join(six or four for six, four in _FOR.findall(value.lower()))
    return value


def over_tls(headers: Headers, believed: str) -> bool:
    """Return whether the nearest proxy says that its client spoke TLS; ``Forwarded`` says it only
    if it is the field ``believed``."""
    standard = _text(headers, b"forwarded") if believed == "forwarded" else None
    said = _PROTO.findall(standard.lower()) if standard is not None else []
    if not said:
        said = (_text(headers, b"x-forwarded-proto") or "").lower().split(",")
    return bool(said) and said[-1].strip() == "https"


def _text(headers: Headers, name: bytes) -> str | None:
    value = headers.get(name)
    return None if value is None else value.decode("latin-1")
