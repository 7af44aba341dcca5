"""Twisted's own reactor tests, each module in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

_RUN = """
import sys
from twisted.internet.test.reactormixins import ReactorBuilder
ReactorBuilder._reactors = ["kodama.reactor.uvloop.UvloopReactor"]
ReactorBuilder.timeout = 20
from twisted.scripts.trial import run
sys.argv = ["trial", "twisted.internet.test." + sys.argv[1]]
run()
"""


@pytest.mark.reactor
@pytest.mark.parametrize(
    "module", ["test_core", "test_threads", "test_time", "test_unix", "test_udp", "test_sigchld"]
)
def test_the_reactor_passes_the_tests_of_twisted(module: str, tmp_path: Path) -> None:
    code = [sys.executable, "-c", _RUN, module]
    ended = subprocess.run(code, capture_output=True, text=True, cwd=tmp_path, timeout=110, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
