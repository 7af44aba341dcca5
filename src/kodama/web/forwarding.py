"""What proxies say of a request: where it came from, and whether it came over TLS.

Only read here; whether the one who says it is believed is decided in `kodama.web.identity`.
RFC 7239 for ``Forwarded``, custom for the ``X-`` fields.
"""

from __future__ import annotations

import re
from typing import Final

from kodama.http.message import Headers

_OTHERS: Final = (b"x-forwarded-proto", b"x-forwarded-host", b"x-forwarded-port", b"via")
_NODE: Final = r"(?:\[([0-9a-f:.]+)\]|([0-9a-z_.-]+))(?::[0-9a-z_.-]+)?"
_FOR: Final = re.compile(rf'(?:^|[;,])\s*for="?{_NODE}"?', re.ASCII)
_PROTO: Final = re.compile(r'(?:^|[;,])\s*proto="?([a-z]+)"?', re.ASCII)


def hops(headers: Headers) -> str | None:
    """Return the addresses a request is said to have come through, comma-separated, nearest last.

    Empty if it was forwarded by somebody who does not say for whom, None if it was not forwarded.
    """
    standard = _text(headers, b"forwarded")
    if standard is not None:
        return ",".join(six or four for six, four in _FOR.findall(standard.lower()))
    for name in (b"x-forwarded-for", b"x-real-ip"):
        value = _text(headers, name)
        if value is not None:
            return value
    return "" if any(headers.get(name) is not None for name in _OTHERS) else None


def over_tls(headers: Headers) -> bool:
    """Return whether the nearest proxy says that its client spoke TLS."""
    standard = _text(headers, b"forwarded")
    said = _PROTO.findall(standard.lower()) if standard is not None else []
    if not said:
        said = (_text(headers, b"x-forwarded-proto") or "").lower().split(",")
    return bool(said) and said[-1].strip() == "https"


def _text(headers: Headers, name: bytes) -> str | None:
    value = headers.get(name)
    return None if value is None else value.decode("latin-1")
