"""The bus of a single node: what it commits, it hears, at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from kodama.store.interface import Commit


class LocalBus:
    """Calls ``heard`` directly."""

    def __init__(self) -> None:
        self._heard: Callable[[Sequence[Commit]], None] | None = None

    def start(self, heard: Callable[[Sequence[Commit]], None]) -> None:
        """Begin."""
        self._heard = heard

    def tell(self, commits: Sequence[Commit]) -> None:
        """Pass on what was committed."""
        if self._heard is not None:
            self._heard(commits)

    def stop(self) -> None:
        """End."""
        self._heard = None
