"""The promise of a bus: it carries commits to every node, perhaps twice, late, or never.

The node notices holes by offsets and reads the store, so no bus can lose a message.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from kodama.store.interface import Commit


class Bus(Protocol):
    """One node's way to hear of commits, its own included."""

    def start(self, heard: Callable[[Sequence[Commit]], None]) -> None:
        """Begin; each commit is given to ``heard`` on the reactor's thread."""
        ...

    def tell(self, commits: Sequence[Commit]) -> None:
        """Pass on what this node has committed."""
        ...

    def stop(self) -> None:
        """End."""
        ...
