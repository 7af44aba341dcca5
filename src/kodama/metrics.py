"""What the server counts about itself, cheap enough for the delivery path."""

from __future__ import annotations

from bisect import bisect_left
from typing import Final

SECONDS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
SIZES: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)


class Histogram:
    """Counts per bucket (upper bounds, then infinity) and the sum of all."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def observe(self, value: float, times: int = 1) -> None:
        """Count ``value``, ``times`` over."""
        self.counts[bisect_left(self.bounds, value)] += times
        self.total += value * times


class Metrics:
    """The numbers of one node. Times in seconds."""

    __slots__ = (
        "caught_up", "commit_size", "cursor_lag", "deliveries", "delivery_seconds", "ephemeral", "gaps",
        "limited", "loop_lag", "publish_seconds", "published", "pushed", "refused", "slow_readers", "waiting",
        "whispered",
    )  # fmt: skip

    def __init__(self) -> None:
        self.waiting = 0
        self.deliveries = 0
        self.published = 0
        self.gaps = 0
        self.ephemeral = 0
        self.whispered = 0
        self.slow_readers = 0
        self.caught_up = 0
        self.limited: dict[tuple[str, str], int] = {}
        self.refused: dict[str, int] = {}
        self.pushed = dict.fromkeys(("sent", "gone", "failed", "dropped"), 0)
        self.publish_seconds = Histogram(SECONDS)
        self.delivery_seconds = Histogram(SECONDS)
        self.loop_lag = Histogram(SECONDS)
        self.commit_size = Histogram(SIZES)
        self.cursor_lag = Histogram(SIZES)

    def push(self, outcome: str) -> None:
        """Count what became of a call by Web Push."""
        self.pushed[outcome] += 1

    def limit(self, what: str, step: str) -> None:
        """Count that a limit was met, and which step was taken."""
        self.limited[what, step] = self.limited.get((what, step), 0) + 1
