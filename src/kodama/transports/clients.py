"""Readers who name themselves by ``client``: of each, the newest poll is the one that waits.

The server forgets them with their last poll; what it knows of one only saves work when it asks again.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Protocol
from weakref import WeakValueDictionary

from twisted.internet.interfaces import IReactorTime

from kodama.core.errors import BadRequest
from kodama.core.lease import Lease
from kodama.core.who import Who
from kodama.http.channel import Channel
from kodama.http.message import Headers, Request
from kodama.transports.held import Held
from kodama.wire.polls import Poll


class Place(Protocol):
    """Where several wait together."""

    def supersede(self, regular: Regular) -> None:
        """End the poll of ``regular``, if it waits here."""


class Regular:
    """A reader who polls again and again: one ``client`` of one session.

    ``channel``, ``headers`` and ``place`` are where, how and for what it asked last; its session
    was good then and is until ``until`` (seconds), while ``trust`` is that of today. ``lease`` is
    its presence in one room.
    """

    __slots__ = (
        "__weakref__", "channel", "client", "headers", "lease", "place", "trust", "until", "who",
    )  # fmt: skip

    def __init__(self, who: Who, client: str | None) -> None:
        self.who = who
        self.client = client
        self.channel: Channel | None = None
        self.trust: object | None = None
        self.headers: Headers | None = None
        self.lease: Lease | None = None
        self.place: Place | None = None
        self.until = inf


class Clients:
    """The clients of a node; ``superseded`` answers a poll whose newer one has come.

    ``clock`` gives seconds without jumps, ``now`` ms since 1970, in which sessions expire.
    """

    def __init__(
        self, *, clock: IReactorTime, now: Callable[[], int], superseded: Callable[[Held], None]
    ) -> None:
        self._clock = clock
        self._now = now
        self._superseded = superseded
        self._newest: dict[tuple[str | None, str], Held] = {}
        self._regulars: WeakValueDictionary[tuple[str | None, str], Regular] = WeakValueDictionary()

    def arrived(self, held: Held) -> None:
        """Take ``held`` for the newest poll of its client, if it names one."""
        if held.client is not None:
            key = (held.who.session, held.client)
            self._supersede(key)
            self._newest[key] = held

    def done(self, held: Held) -> None:
        """Forget ``held``, which is answered or gone."""
        client = held.client
        if client is not None and self._newest.get((held.who.session, client)) is held:
            del self._newest[held.who.session, client]

    def regular(self, request: Request, who: Who, client: str | None, *, trust: object) -> Regular:
        """Return who asks, so that it is known when it asks again; its older poll, if any, is over."""
        regular = None
        if client is not None:
            self._supersede((who.session, client))
            regular = self._regulars.get((who.session, client))
        if regular is None:
            regular = Regular(who, client)
            if client is not None:
                self._regulars[who.session, client] = regular
        regular.who = who
        regular.channel = request.channel if isinstance(request.channel, Channel) else None
        regular.headers = request.headers
        regular.trust = trust
        if who.expires is not None:
            regular.until = self._clock.seconds() + (who.expires - self._now()) / 1000
        if request.own is not None:
            request.own.memo = regular
        return regular

    def _supersede(self, key: tuple[str | None, str]) -> None:
        older = self._newest.get(key)
        if older is not None and not older.request.answered:
            older.leave()
            self._superseded(older)
        regular = self._regulars.get(key)
        if regular is not None:
            if regular.place is not None:
                regular.place.supersede(regular)
            regular.channel = None  # where it asked last is not where it asks now


def client_of(request: Request, poll: Poll) -> str | None:
    """Return the reader's ``client``, whether it was cut out of the line or is in the parameters.
    Raises `BadRequest`."""
    own = request.own
    if own is None:
        return poll.client
    if poll.client is not None:
        raise BadRequest("client is given more than once.")
    return own.value.decode("ascii")
