"""Loopback ports for servers that tests start.

Below the range from which the kernel serves outgoing connections, so that no client takes a port between
its choice here and the server's start; and each of several test processes chooses among its own.
"""

from __future__ import annotations

import os
import socket
from random import SystemRandom

FIRST = 10_000
EACH = 2_500  # of at most eight processes: the kernel's own begin at 32,768
_given: set[int] = set()


def free_port() -> int:
    """Return a loopback port that nobody listens on and that was not returned before."""
    first = FIRST + EACH * (int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:]) % 8)
    for _ in range(1000):
        port = first + SystemRandom().randrange(EACH)
        if port not in _given and _free(port):
            _given.add(port)
            return port
    raise OSError(f"no port is free from {first} on")


def _free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
