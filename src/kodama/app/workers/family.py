"""Runs the supervisor: takes the port and the store's file, and has the rest started.

Decided here: what several workers cannot share is refused by name before anything is started.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, Final

from twisted.logger import Logger

from kodama.app.ground import hold_store
from kodama.app.process import Process
from kodama.app.settings import BadSetting, Settings
from kodama.app.systemd import notify
from kodama.app.workers.part import log_as
from kodama.app.workers.sockets import listening
from kodama.app.workers.supervisor import Supervisor

LINK_FILE: Final = "kodama.link"
PATH_LIMIT: Final = 100  # bytes of the path of a UNIX socket: sun_path, unix(7)
_log: Final = Logger()


def check(settings: Settings) -> None:
    """Raise `BadSetting` for what several workers cannot share."""
    if settings.store == "memory":
        raise BadSetting("KODAMA_WORKERS: a store in memory cannot be shared; use KODAMA_STORE=sqlite.")
    if settings.store != "sqlite":
        raise BadSetting(
            "KODAMA_WORKERS: on PostgreSQL every process is a node; start several servers instead."
        )
    if settings.bus != "local":
        raise BadSetting(
            "KODAMA_WORKERS: workers hear of each other by their writer; leave KODAMA_BUS alone."
        )


def run_family(settings: Settings, process: Process, *, inherited: int | None) -> int:
    """Supervise until told to stop; returns the exit code. Raises `BadSetting` at once."""
    check(settings)
    log_as("supervisor", sys.stderr)

    def begin() -> None:
        lock = hold_store(settings)
        sockets = _sockets(settings, inherited)
        supervisor = Supervisor(
            sockets=sockets, lock=lock, link=_link_of(settings), drain=settings.drain,
            reactor=process.reactor, ready=lambda: notify("READY=1", os.environ), failed=process.fail,
        )  # fmt: skip
        process.at_the_end(lambda: _stop(supervisor))
        signal.signal(signal.SIGHUP, lambda *_: process.reactor.callFromThread(supervisor.reload))
        supervisor.start().addErrback(lambda failure: process.fail(failure.getErrorMessage()))

    return process.run(begin)


def _stop(supervisor: Supervisor) -> Any:
    notify("STOPPING=1", os.environ)
    return supervisor.stop()


def _sockets(settings: Settings, inherited: int | None) -> list[socket.socket]:
    if inherited is None:
        return listening(settings.host, settings.port, count=settings.workers)
    given = socket.socket(fileno=inherited)
    return [given] * settings.workers  # systemd holds one: whoever is free takes from its queue


def _link_of(settings: Settings) -> str:
    """Return where the writer listens: in the data directory, if the path is not too long for that."""
    path = str((Path(settings.data) / LINK_FILE).absolute())
    if len(os.fsencode(path)) <= PATH_LIMIT:
        return path
    return str(Path(mkdtemp(prefix="kodama-")) / LINK_FILE)
