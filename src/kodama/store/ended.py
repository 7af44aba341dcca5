"""The sessions that have ended, as a store knows them by heart: asked at every request, so never read for it.

The one decision here: a session is remembered for the longest that anybody said, and forgotten when
its own time would have run out anyway.
"""

from __future__ import annotations

from collections.abc import Mapping


class EndedSessions:
    """``until`` says for each session when it may be forgotten, in ms since 1970."""

    def __init__(self, until: Mapping[str, int]) -> None:
        self._until = dict(until)
        self.names: frozenset[str] = frozenset(self._until)

    def add(self, session: str, *, until: int) -> None:
        """Remember that ``session`` has ended."""
        self._until[session] = max(until, self._until.get(session, until))
        self.names = frozenset(self._until)

    def hear(self, until: Mapping[str, int]) -> None:
        """Remember what others ended."""
        if not until.keys() <= self._until.keys():
            self._until |= until
            self.names = frozenset(self._until)

    def forget(self, *, now: int) -> None:
        """Forget those whose time has run out."""
        self._until = {session: until for session, until in self._until.items() if until >= now}
        self.names = frozenset(self._until)
