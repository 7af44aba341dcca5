"""A small, repeatable part of the WebSocket fuzzing."""

from __future__ import annotations

import pytest

from tests.fuzz.fuzz_websocket import run


@pytest.mark.fuzz
@pytest.mark.parametrize("seed", range(3))
def test_frames_mean_the_same_however_they_are_cut(seed: int) -> None:
    run(seed=seed, rounds=300)
