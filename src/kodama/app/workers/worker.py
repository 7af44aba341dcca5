"""One of several processes that serve: an ordinary node whose store and bus are the writer's."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from kodama.app.assemble import assemble
from kodama.app.descriptors import fitted
from kodama.app.ground import linked_ground
from kodama.app.process import Process
from kodama.app.service import KodamaService
from kodama.app.settings import Settings
from kodama.app.workers.part import OWN, Part, Pulse
from kodama.link.reach import Reach


def run_worker(
    settings: Settings, part: Part, process: Process, *, greet: Callable[[KodamaService], None]
) -> int:
    """Serve until told to stop; returns the exit code. Waits for the writer first."""
    reactor: Any = process.reactor
    pulse = Pulse(reactor)
    reach = Reach(part.link, name=part.name, reactor=reactor)
    begun: list[KodamaService] = []

    def reached() -> None:
        if not begun:
            process.attempt(serve)

    def serve() -> None:
        service = assemble(
            fitted(settings), reactor, inherited=OWN, ground=linked_ground(reach, reactor, worker=part.number)
        )
        begun.append(service)
        service.startService()
        os.close(OWN)  # it listens on a copy, which the drain closes
        pulse.ready()
        if part.greets:
            greet(service)

    def begin() -> None:
        pulse.start()
        reach.watch(opened=reached, lost=lambda: None)
        process.at_the_end(lambda: begun[0].stopService() if begun and begun[0].running else None)
        reach.start()

    return process.run(begin)
