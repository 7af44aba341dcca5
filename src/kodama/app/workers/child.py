"""One process of the family, as its supervisor sees it.

    STARTING ── it says that it serves ──▶ READY ── it ends ──▶ ENDED
        └────────────────── it ends ────────────────────────────▲

The one decision here: a process that has not been heard for some of the supervisor's own ticks is
frozen. Ticks are counted and not seconds: a machine that slept has made nobody late.
"""

from __future__ import annotations

import os
import sys
from enum import Enum
from typing import Any, Final

from twisted.internet.defer import Deferred
from twisted.internet.error import ProcessExitedAlready
from twisted.internet.protocol import ProcessProtocol
from twisted.logger import Logger

from kodama.app.workers.part import LIFELINE, OWN, PULSE, READY, Part

_log: Final = Logger()


class State(Enum):
    """How far a process is."""

    STARTING = "starting"
    READY = "ready"
    ENDED = "ended"


class Child(ProcessProtocol):
    """A process that is ``part``. ``ready`` fires with True, or False if it ended before; ``ended`` with the
    exit code (of one that a signal ended, the signal's number below 0)."""

    def __init__(self, part: Part, *, own: int, reactor: Any) -> None:
        self.part = part
        self.state = State.STARTING
        self.served = False
        self.heard = False
        self.unheard = 0
        self.began = reactor.seconds()
        self.ready: Deferred[bool] = Deferred()
        self.ended: Deferred[int] = Deferred()
        reactor.spawnProcess(
            self, sys.executable, [sys.executable, "-m", "kodama", *sys.argv[1:]],
            env=part.environ(os.environ), childFDs={0: 0, 1: 1, 2: 2, OWN: own, PULSE: "r", LIFELINE: "w"},
        )  # fmt: skip

    def signal(self, number: int) -> None:
        """Send a signal, if there is anybody to get it."""
        transport: Any = self.transport
        try:
            transport.signalProcess(number)
        except ProcessExitedAlready:
            return

    def childDataReceived(self, childFD: int, data: bytes) -> None:  # noqa: N803 - Twisted's names
        """Twisted: it lives."""
        self.heard = True
        self.unheard = 0
        if READY in data and self.state is State.STARTING:
            self.state = State.READY
            self.served = True
            self.ready.callback(True)  # noqa: FBT003 - what happened

    def processEnded(self, reason: Any) -> None:
        """Twisted: it is gone."""
        before, self.state = self.state, State.ENDED
        ended = reason.value
        code = int(ended.exitCode) if ended.signal is None else -int(ended.signal)
        _log.info("{name} has ended with {code}", name=self.part.name, code=code)
        if before is State.STARTING:
            self.ready.callback(False)  # noqa: FBT003 - what happened
        self.ended.callback(code)
