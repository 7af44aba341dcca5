"""Where the sessions of a person were cut: what was opened up to then is over, on every node.

Decided here: sessions are signed tokens of which no list exists, so they are ended by time. A cut
is kept as long as a session could outlast it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec

from kodama.core.account import CUT, Cut
from kodama.core.record import DropRecord, PutRecord, RecordChange
from kodama.core.session import SESSION_DAYS
from kodama.registry import Registry

SESSION_MS: Final = SESSION_DAYS * 86_400_000
_TIDIED: Final = 8  # old cuts that are dropped with each new one


class Cuts:
    """All cuts, in memory. ``ended`` is called when there is a new one; it is set once."""

    def __init__(self, registry: Registry) -> None:
        self._upto: dict[str, int] = {}
        self.ended: Callable[[], None] = _nobody_minds
        registry.follow(CUT, Cut, self._taken)

    def over(self, user: str | None, expires: int | None) -> bool:
        """Return whether a session of ``user`` was cut; ``expires`` (ms) says when it was opened."""
        upto = self._upto.get(user) if user is not None else None
        return upto is not None and expires is not None and expires - SESSION_MS <= upto

    def opening(self, user: str, now: int) -> int:
        """Return the time (ms) at which a new session of ``user`` is opened: after the last cut."""
        return max(now, self._upto.get(user, 0) + 1)

    def cut(self, user: str, now: int) -> list[RecordChange]:
        """Return what is to be written so that all sessions of ``user`` are over."""
        old = [one for one, upto in self._upto.items() if upto + SESSION_MS < now and one != user]
        put = PutRecord(kind=CUT, key=user, body=msgspec.json.encode(Cut(self.opening(user, now))))
        return [put, *[DropRecord(kind=CUT, key=one) for one in old[:_TIDIED]]]

    def _taken(self, key: str, cut: Cut | None) -> None:
        if cut is None:
            self._upto.pop(key, None)
            return
        self._upto[key] = cut.upto
        self.ended()


def _nobody_minds() -> None:
    pass
