"""What senders took from their buckets on this node, so that the other nodes take it, too.

Decided here: a rate holds for all nodes together, by telling. A token that one node gave is taken on
every other a moment later, below zero if need be; so whoever goes to all nodes at once may have a
burst on each of them, once, and pays it back before anything more. Nobody is asked before a write,
and a node that hears nothing limits by itself. Told are those who took most of their burst, as many
as one notice holds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from kodama.core.limits import Buckets

BYTES_TOLD: Final = 4_000  # of names: a notification of PostgreSQL has room for 6,000
_ENTRY: Final = 20


class Taken(NamedTuple):
    """How many tokens a sender took from the buckets called ``what``."""

    what: str
    sender: str
    tokens: int


class Ledger:
    """The buckets of one node by name."""

    def __init__(self, buckets: Mapping[str, Buckets]) -> None:
        self._buckets = dict(buckets)
        for one in self._buckets.values():
            one.taken = {}

    def due(self) -> Sequence[Taken]:
        """Return what was taken since this was asked last; what is beyond `BYTES_TOLD` is let go, the
        smallest parts of a burst first."""
        found: list[Taken] = []
        for what, buckets in self._buckets.items():
            if buckets.taken:
                found += [Taken(what, sender, count) for sender, count in buckets.taken.items()]
                buckets.taken = {}
        found.sort(key=lambda one: -one.tokens / self._buckets[one.what].burst)
        size = 0
        for number, one in enumerate(found):
            size += _ENTRY + len(one.what) + len(one.sender.encode())
            if size > BYTES_TOLD:
                return found[:number]
        return found

    def heard(self, taken: Taken, *, now: float) -> None:
        """Take what another node gave; a name that is not known here is another version's."""
        buckets = self._buckets.get(taken.what)
        if buckets is not None:
            buckets.owe(taken.sender, taken.tokens, now=now)
