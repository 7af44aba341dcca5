"""The process that owns the store: serves it to the workers, and outlives them.

The one decision here: it listens only once the store is open, and hangs up last, so that a worker is
never told that the writer is there when it cannot write.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import Any, Final

from twisted.internet.defer import Deferred, inlineCallbacks, maybeDeferred

from kodama.app.ground import serve_store
from kodama.app.process import Process
from kodama.app.settings import Settings
from kodama.app.workers.part import OWN, Part, Pulse
from kodama.link.hub import Hub
from kodama.store.interface import Store

LEAVING: Final = 20.0  # seconds beyond the drain that workers may take to leave


def run_writer(settings: Settings, part: Part, process: Process) -> int:
    """Serve the store until told to stop; returns the exit code."""
    pulse = Pulse(process.reactor)

    def begin() -> None:
        pulse.start()
        hub = Hub(reactor=process.reactor)
        store = serve_store(settings, hub, process.reactor, lock=OWN)
        listening = _listen(part.link, hub, process.reactor)
        process.at_the_end(lambda: _stop(listening, hub, store, settings.drain + LEAVING, process.reactor))
        pulse.ready()

    return process.run(begin)


def _listen(path: str, hub: Hub, reactor: Any) -> Any:
    with suppress(FileNotFoundError):
        os.unlink(path)  # of one who died
    before = os.umask(0o177)
    try:
        return reactor.listenUNIX(path, hub, mode=0o600)
    finally:
        os.umask(before)


@inlineCallbacks
def _stop(listening: Any, hub: Hub, store: Store, patience: float, reactor: Any) -> Any:
    """Wait for the workers to leave, then close."""
    leaving: Deferred[None] = hub.empty()
    yield leaving.addTimeout(patience, reactor).addErrback(lambda _: None)
    yield maybeDeferred(listening.stopListening)
    yield store.stop()
