"""The bus of a single node: what it commits, it hears, at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from twisted.internet.defer import Deferred, succeed

from kodama.bus.interface import Notice
from kodama.store.interface import Commit


class LocalBus:
    """Calls ``heard`` and ``noticed`` directly."""

    def __init__(self) -> None:
        self._heard: Callable[[Sequence[Commit]], None] | None = None
        self._noticed: Callable[[Notice], None] | None = None

    def start(
        self, heard: Callable[[Sequence[Commit]], None], noticed: Callable[[Notice], None]
    ) -> None:
        """Begin."""
        self._heard = heard
        self._noticed = noticed

    def follow(self, room: str) -> Deferred[None]:
        """Return at once: everything is heard."""
        return succeed(None)

    def unfollow(self, room: str) -> None:
        """Do nothing."""

    def tell(self, commits: Sequence[Commit]) -> None:
        """Pass on what was committed."""
        if self._heard is not None:
            self._heard(commits)

    def notice(self, notice: Notice) -> None:
        """Pass on a notice."""
        if self._noticed is not None:
            self._noticed(notice)

    def healthy(self) -> bool:
        """Return True: there is nothing to break."""
        return True

    def counts(self) -> Mapping[str, int]:
        """Return nothing: nothing can happen."""
        return {}

    def stop(self) -> Deferred[None]:
        """End."""
        self._heard = self._noticed = None
        return succeed(None)
