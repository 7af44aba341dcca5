"""What systemd, or another supervisor, hands over and wants to hear (sd_listen_fds(3), sd_notify(3)).

Decided here: a supervisor that holds the listening socket keeps it open while a server is
replaced, so that a client who connects meanwhile waits in the queue and is not refused.
"""

from __future__ import annotations

import os
import socket
from collections.abc import MutableMapping
from typing import Final

FIRST: Final = 3  # SD_LISTEN_FDS_START


def inherited(environ: MutableMapping[str, str], *, process: int) -> int | None:
    """Return the listening socket that is meant for this process, None if there is none.

    Takes the variables away, so that no child believes it is meant. Raises OSError if there are
    several: one server listens on one.
    """
    meant, count = environ.pop("LISTEN_PID", ""), environ.pop("LISTEN_FDS", "")
    environ.pop("LISTEN_FDNAMES", None)
    if meant != str(process) or not count.isdecimal() or count == "0":
        return None
    if count != "1":
        raise OSError(f"{count} sockets were handed over; one is what can be listened on")
    os.set_inheritable(FIRST, False)  # noqa: FBT003 - the library's
    return FIRST


def family_of(descriptor: int) -> socket.AddressFamily:
    """Return the address family of a socket, which stays open."""
    with socket.socket(fileno=os.dup(descriptor)) as copy:
        return socket.AddressFamily(copy.family)


def notify(state: str, environ: MutableMapping[str, str]) -> None:
    """Tell the supervisor, if one listens: ``READY=1``, ``STOPPING=1``."""
    address = environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
        try:
            out.sendto(state.encode(), "\0" + address[1:] if address[0] == "@" else address)
        except OSError:
            return  # nobody listens, and nothing depends on it
