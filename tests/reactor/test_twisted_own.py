"""Twisted's own reactor tests, each module in a process of its own."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.reactor.applicable import MODULES, NOT_APPLICABLE, not_applicable


@pytest.mark.reactor
@pytest.mark.parametrize("module", MODULES)
def test_the_reactor_passes_the_tests_of_twisted_that_apply(module: str, tmp_path: Path) -> None:
    result = tmp_path / "result.json"
    code = [sys.executable, str(Path(__file__).with_name("run_twisted.py")), module, str(tmp_path / "trial"), str(result)]
    ended = subprocess.run(code, capture_output=True, text=True, cwd=tmp_path, timeout=110, check=False)
    assert result.exists(), ended.stdout + ended.stderr
    found = json.loads(result.read_text())
    excepted = {name for name in not_applicable() if name.startswith(module + ".")}
    wrong = {name: why for name, why in found["failed"].items() if name not in excepted}
    assert not wrong, "\n".join(f"{name}\n{why}" for name, why in wrong.items())
    assert excepted <= set(found["failed"]), "these pass now and are listed as not applicable"
    assert found["passed"]


def test_the_reference_lists_the_modules_and_what_does_not_apply() -> None:
    page = (Path(__file__).parents[2] / "docs/reference/reactor.md").read_text()
    rows = dict(re.findall(r"^\| `(test_\S+)` \| (.+) \|$", page, re.MULTILINE))
    assert rows == NOT_APPLICABLE
    assert set(re.findall(r"`(test_[a-z]+)`", page)) == {*MODULES}
