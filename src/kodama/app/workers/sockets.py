"""The listening sockets of several workers: one each, on one port.

The one decision here: the supervisor holds them. The kernel shares new connections out among them
(SO_REUSEPORT, socket(7)); a worker that dies or is replaced leaves its queue to its successor, so that
nobody who connects meanwhile is refused or cut off.
"""

from __future__ import annotations

import socket
import sys
from typing import Final

BACKLOG: Final = 4096


def listening(host: str, port: int, *, count: int) -> list[socket.socket]:
    """Return ``count`` listening sockets on one port; the same one again where the system does not share
    connections out. Raises OSError, also if somebody else listens there."""
    family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    with socket.socket(family, kind) as alone:  # SO_REUSEPORT alone would join whoever is there
        alone.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        alone.bind(address)
        alone.listen(1)
        taken = alone.getsockname()
    if not sys.platform.startswith("linux"):
        return [_bound(family, taken, shared=False)] * count
    return [_bound(family, taken, shared=True) for _ in range(count)]


def _bound(family: int, address: tuple[str, int], *, shared: bool) -> socket.socket:
    one = socket.socket(family, socket.SOCK_STREAM)
    try:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        one.bind(address)
        one.listen(BACKLOG)
        one.setblocking(False)  # noqa: FBT003 - the library's
    except BaseException:
        one.close()
        raise
    return one
