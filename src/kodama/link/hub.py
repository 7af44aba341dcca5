"""The writer's side of the link: who is connected, and who answers what they ask.

The one decision here: what is asked is a name and MessagePack; whoever serves it is looked up by the
name, so that the store and the bus share one connection without knowing each other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec
from msgspec import Raw
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.protocol import Factory
from twisted.logger import Logger
from twisted.python.failure import Failure

from kodama.link.frames import ANSWER, REFUSAL, Link, Message, Turns, pack
from kodama.link.reach import GREETING, VERSION

_log: Final = Logger()
_greeting: Final = msgspec.msgpack.Decoder(tuple[int, str])

Serve = Callable[["Peer", Raw], Any]  # what is packed as the answer, or a Deferred of it
Take = Callable[["Peer", int, Raw], None]  # for what answers in its own time


class Peer:
    """A process at the other end. ``name`` is what it calls itself."""

    def __init__(self, hub: Hub, reactor: Turns) -> None:
        self._hub = hub
        self.name = ""
        self.link = Link(reactor, heard=lambda message: hub.heard(self, message), lost=lambda: hub.lost(self))

    def say(self, what: str, given: bytes) -> None:
        """Say what answers nothing."""
        self.link.say(0, what, given)


class Hub(Factory):
    """Serves every process that connects. ``serve`` answers, ``take`` hears what has no answer of its own."""

    noisy = False

    def __init__(self, *, reactor: Turns) -> None:
        self._reactor = reactor
        self._serve: dict[str, Serve] = {}
        self._take: dict[str, Take] = {}
        self._gone: list[Callable[[Peer], None]] = []
        self._empty: list[Deferred[None]] = []
        self.peers: set[Peer] = set()

    def attach(
        self, *, serve: Mapping[str, Serve], take: Mapping[str, Take], gone: Callable[[Peer], None]
    ) -> None:
        """Serve these, too; ``gone`` hears of each process that has left."""
        self._serve.update(serve)
        self._take.update(take)
        self._gone.append(gone)

    def buildProtocol(self, addr: Any) -> Link:  # noqa: N802 - Twisted's name
        """Serve one more process."""
        peer = Peer(self, self._reactor)
        self.peers.add(peer)
        return peer.link

    def empty(self) -> Deferred[None]:
        """Fire when nobody is connected."""
        waiting: Deferred[None] = Deferred()
        self._empty.append(waiting)
        self._tell_if_empty()
        return waiting

    def heard(self, peer: Peer, message: Message) -> None:
        """Serve what ``peer`` asks."""
        if message.what in self._take:
            self._take[message.what](peer, message.number, message.given)
            return
        serve = self._greet if message.what == GREETING else self._serve[message.what]
        asking: Deferred[Any] = maybeDeferred(serve, peer, message.given)
        asking.addCallback(pack).addCallbacks(
            lambda answer: peer.link.say(message.number, ANSWER, answer),
            lambda failure: _refuse(peer, message.number, failure),
        )

    def lost(self, peer: Peer) -> None:
        """Forget a process that has left."""
        self.peers.discard(peer)
        for call in self._gone:
            call(peer)
        self._tell_if_empty()

    def _greet(self, peer: Peer, given: Raw) -> int:
        version, peer.name = _greeting.decode(given)
        if version != VERSION:
            raise ValueError(f"it speaks version {version} of the link, this writer {VERSION}: restart both")
        return VERSION

    def _tell_if_empty(self) -> None:
        if not self.peers:
            told, self._empty = self._empty, []
            for one in told:
                one.callback(None)


def _refuse(peer: Peer, number: int, failure: Failure) -> None:
    peer.link.say(number, REFUSAL, pack(refusal_of(failure.value)))


def refusal_of(error: BaseException | None) -> tuple[str, str]:
    """Return an exception as a name and a sentence."""
    return type(error).__name__, str(error)
