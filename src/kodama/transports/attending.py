"""An open connection whose reader is present in the rooms it reads, for as long as it is open.

Decided here: it is present from when it asks for ephemeral events until it ends, whatever ended
it; and what it was not told between two connections it is told when it begins.
"""

from __future__ import annotations

from collections.abc import Iterable

from kodama.core.lease import Lease
from kodama.core.who import Who
from kodama.people import People
from kodama.wire.polls import Since


class Attending:
    """The presence of one connection. Its reader is known by ``client``, or else by nothing."""

    __slots__ = ("_client", "_leases", "_people")

    def __init__(self, people: People, client: str | None) -> None:
        self._people = people
        self._client = client
        self._leases: dict[str, Lease] = {}

    def enter(self, room: str, who: Who, since: Since) -> bytes | None:
        """Be present in ``room``; returns the event that the reader has not heard of, if there is one."""
        if room in self._leases:
            return None
        lease = self._leases[room] = self._people.entered(room, who, self._client)
        return self._people.missed(lease, since)

    def leave(self, rooms: Iterable[str]) -> None:
        """Be present in these rooms no longer, wherever that was so."""
        for room in rooms:
            lease = self._leases.pop(room, None)
            if lease is not None:
                self._people.left(lease)

    def become(self, who: Who) -> None:
        """Be ``who`` wherever this reader is present."""
        rooms = tuple(self._leases)
        self.leave(rooms)
        for room in rooms:
            self._leases[room] = self._people.entered(room, who, self._client)

    def end(self) -> None:
        """Be present nowhere."""
        self.leave(tuple(self._leases))
