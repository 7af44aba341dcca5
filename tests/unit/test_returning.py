"""When clients come back: not before a restart is over, not at once, and in a time that people bear."""

from __future__ import annotations

from random import Random

import pytest

from kodama.core.returning import FIRST, Returns


@pytest.mark.parametrize(("clients", "seconds"), [(0, 2.5), (500, 2.5), (10_000, 10.0), (1_000_000, 60.0)])
def test_the_more_clients_there_are_the_longer_their_return_takes(clients: int, seconds: float) -> None:
    returns = Returns(clients, Random(1).random)
    times = sorted(returns.after() for _ in range(5000))
    assert FIRST <= times[0] < FIRST + 0.05 * seconds
    assert FIRST + 0.95 * seconds < times[-1] <= FIRST + seconds
    for part in range(10):
        within = [time for time in times if part / 10 <= (time - FIRST) / seconds < (part + 1) / 10]
        assert 350 < len(within) < 650
