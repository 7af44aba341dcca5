"""A small, repeatable part of the fuzzing in each run, and a while of it with new seeds in `make fuzz`."""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path
from random import randrange

import pytest

from tests.fuzz.drive import batches, run

TARGETS = sorted(path.stem for path in Path(__file__).parent.glob("fuzz_*.py"))
SECONDS = float(os.environ.get("KODAMA_FUZZ_SECONDS", "60"))


@pytest.mark.fuzz
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("target", TARGETS)
def test_nothing_random_breaks_what_reads_it(target: str, seed: int) -> None:
    run(import_module(f"tests.fuzz.{target}").check, seed=seed, rounds=400)


@pytest.mark.fuzz
@pytest.mark.skipif(os.environ.get("KODAMA_TEST_SIZE") != "fuzz", reason="only in make fuzz")
@pytest.mark.parametrize("target", TARGETS)
def test_nothing_random_breaks_it_for_a_while(target: str) -> None:
    assert batches(import_module(f"tests.fuzz.{target}").check, seconds=SECONDS, seed=randrange(2**32))
