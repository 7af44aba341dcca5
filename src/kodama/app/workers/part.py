"""What a process of the family is told when it starts, and what it lets its supervisor know.

The one decision here: a part is started with the same command line as its supervisor, so that it reads the
same settings, anew at each start; what it is comes in the environment, what it needs as open files.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping, MutableMapping
from contextlib import suppress
from threading import Event, Thread
from typing import Any, Final

import msgspec
from twisted.internet.task import LoopingCall
from twisted.logger import FileLogObserver, LogEvent, formatEventAsClassicLogText, globalLogBeginner

VARIABLE: Final = "KODAMA_PART"
OWN: Final = 3  # a worker's listening socket, the writer's lock
PULSE: Final = 4  # written to: "r" once it serves, and "." again and again
LIFELINE: Final = 5  # read from: ends with the supervisor
PULSE_SECONDS: Final = 0.25
READY: Final = b"r"
ALIVE: Final = b"."
WRITER: Final = 0


class Part(msgspec.Struct, frozen=True):
    """What a process is: worker ``number``, or with 0 the writer. ``link`` is the path at which the writer
    listens, ``greets`` whether it prints the address for the person who started the server."""

    number: int
    link: str
    greets: bool = False

    @property
    def name(self) -> str:
        """Return what it is called in the logs."""
        return f"worker {self.number}" if self.number else "writer"

    def environ(self, environ: Mapping[str, str]) -> dict[str, str]:
        """Return the environment that tells a process what it is."""
        ours = ("NOTIFY_SOCKET", "LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES")  # the supervisor's own
        kept = {name: value for name, value in environ.items() if name not in ours}
        return {**kept, VARIABLE: msgspec.json.encode(self).decode()}


def part_of(environ: MutableMapping[str, str]) -> Part | None:
    """Return what this process is, None if nobody supervises it; no child believes that it is meant."""
    told = environ.pop(VARIABLE, None)
    return None if told is None else msgspec.json.decode(told, type=Part)


class Pulse:
    """Lets the supervisor know that this process lives, and notices when the supervisor does not.

    While it starts, a thread says so: opening a large store may take longer than a frozen process is
    waited for. From then on the reactor does, so that one that hangs is seen.
    """

    def __init__(self, reactor: Any) -> None:
        os.set_blocking(PULSE, False)
        self._serves = Event()
        self._beating = LoopingCall(_say, ALIVE)
        self._beating.clock = reactor

    def start(self) -> None:
        """Begin to beat; ends this process as a signal does, if the supervisor is gone."""
        Thread(target=self._beat, name="kodama-pulse", daemon=True).start()
        Thread(target=_watch, name="kodama-lifeline", daemon=True).start()

    def ready(self) -> None:
        """Say that this process serves."""
        self._serves.set()
        _say(READY)
        self._beating.start(PULSE_SECONDS)

    def _beat(self) -> None:
        _say(ALIVE)
        while not self._serves.wait(PULSE_SECONDS):
            _say(ALIVE)


def _say(what: bytes) -> None:
    with suppress(OSError):  # it does not read, or is gone
        os.write(PULSE, what)


def _watch() -> None:
    with suppress(OSError):
        os.read(LIFELINE, 1)
    os.kill(os.getpid(), signal.SIGTERM)


def log_as(name: str, out: Any) -> None:
    """Begin to log to ``out``, each line with the ``name`` of this process."""

    def line(event: LogEvent) -> str | None:
        system = event.get("log_system") or event.get("log_namespace") or "-"
        return formatEventAsClassicLogText({**event, "log_system": f"{name}: {system}"})

    globalLogBeginner.beginLoggingTo([FileLogObserver(out, line)], redirectStandardIO=False)
