"""Run one of Twisted's test modules on our reactor: ``run_twisted.py MODULE FOLDER RESULT``.

Writes ``{"passed": n, "skipped": n, "failed": {test: why}}``. What a test leaves behind is collected
before it ends, so that an error is told of the test that made it and not of a later one.
"""

from __future__ import annotations

import gc
import json
import os
import sys
from pathlib import Path
from typing import Any

from twisted.internet.test.reactormixins import ReactorBuilder

_PACKAGE = "twisted.internet.test."


def main(module: str, folder: str, result: str) -> None:
    ReactorBuilder._reactors = ["kodama.reactor.uvloop.UvloopReactor"]
    ReactorBuilder.timeout = 20
    prepare = ReactorBuilder.setUp

    def setup(self: Any) -> None:
        prepare(self)
        self.addCleanup(gc.collect)
        if "Adopt" in type(self).__name__:
            self.timeout = 3  # these are known to hang

    ReactorBuilder.setUp = setup

    from twisted.trial.reporter import TreeReporter
    from twisted.trial.runner import TestLoader, TrialRunner

    suite = TestLoader().loadByName(_PACKAGE + module)
    with open(os.devnull, "w") as nowhere:
        told = TrialRunner(TreeReporter, stream=nowhere, workingDirectory=folder).run(suite)
    failed = {
        test.id().removeprefix(_PACKAGE): failure.getTraceback()
        for test, failure in (*told.failures, *told.errors)
    }
    found = {"passed": told.successes, "skipped": len(told.skips), "failed": failed}
    Path(result).write_text(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
