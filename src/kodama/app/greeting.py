"""What ``kodama serve`` says when it is open: where, for whom else on the network, and a code for phones."""

from __future__ import annotations

import socket
from io import StringIO
from typing import Final
from urllib.parse import urlsplit

import segno

_EVERYWHERE: Final = ("0.0.0.0", "::")  # noqa: S104 - what stands for every address
_FAR: Final = ("192.0.2.1", 9)  # RFC 5737: nobody's; connecting a datagram socket sends nothing


def reachable(address: str) -> str | None:
    """Return where others on the network find the server that listens at ``address``, None if only
    this machine does."""
    parts = urlsplit(address)
    host = parts.hostname or ""
    if host in _EVERYWHERE:
        own = _own_address()
        return None if own is None else f"{parts.scheme}://{own}:{parts.port}/"
    if host == "localhost" or host == "::1" or host.startswith("127."):
        return None
    return address


def code(address: str) -> str:
    """Return ``address`` as a QR code that a terminal shows (ISO/IEC 18004), in half blocks."""
    drawn = StringIO()
    segno.make(address, micro=False).terminal(drawn, compact=True)
    return drawn.getvalue()


def _own_address() -> str | None:
    """Return the address by which this machine reaches others."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        try:
            asking.connect(_FAR)
        except OSError:
            return None
        found = str(asking.getsockname()[0])
    return None if found.startswith(("127.", "0.")) else found
