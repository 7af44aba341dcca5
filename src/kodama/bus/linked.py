"""The bus of the processes of one machine: the writer they share passes everything on.

The one decision here: what was committed the writer says by itself, to everybody who follows the room
and has not heard of it as the one who appended; a node has only notices to say. So every node hears
commits in the order of commit, and hears of them even if the node that asked for one is dead by then.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import msgspec
from msgspec import Raw
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorTime

from kodama.bus.interface import Notice
from kodama.bus.remote import VERSION, Frame, RemoteBus, channel_of
from kodama.link.frames import pack
from kodama.link.hub import Hub, Peer
from kodama.link.reach import Reach
from kodama.store.interface import Commit

PAYLOAD_LIMIT: Final = 8 * 1024 * 1024
HEAR: Final = "hear"
SUBSCRIBE: Final = "subscribe"
UNSUBSCRIBE: Final = "unsubscribe"
SEND: Final = "send"
WRITER: Final = "writer"  # no node's name: those are digits

_channel: Final = msgspec.msgpack.Decoder(str)
_sent: Final = msgspec.msgpack.Decoder(tuple[str, bytes])
_payload: Final = msgspec.msgpack.Decoder(bytes)


class LinkLine:
    """A `kodama.bus.line.Line` to the writer at the other end of ``reach``."""

    limit = PAYLOAD_LIMIT

    def __init__(self, reach: Reach) -> None:
        self._reach = reach
        self._wanted: dict[str, None] = {}
        self._waiting: dict[str, list[Deferred[None]]] = {}
        self._was_up = False
        self.dropped = 0

    @property
    def up(self) -> bool:
        """Return whether the writer is there."""
        return self._reach.up

    def start(self, received: Callable[[bytes], None], restored: Callable[[], None]) -> None:
        """Begin; what is subscribed before the writer is reached will be then."""
        self._restored = restored
        self._reach.hear(HEAR, lambda given: received(_payload.decode(given)))
        self._reach.watch(opened=self._opened, lost=lambda: None)
        if self._reach.up:
            self._opened()
        self._reach.start()

    def subscribe(self, channel: str) -> Deferred[None]:
        """Receive what is sent to ``channel``; fires when the writer knows."""
        self._wanted[channel] = None
        waiting: Deferred[None] = Deferred()
        self._waiting.setdefault(channel, []).append(waiting)
        if self._reach.up:
            self._ask(channel)
        return waiting

    def unsubscribe(self, channel: str) -> None:
        """Receive it no more."""
        if self._wanted.pop(channel, self) is None:
            self._reach.say(UNSUBSCRIBE, pack(channel))

    def send(self, channel: str, payload: bytes) -> None:
        """Send to everybody else who subscribed, or drop it."""
        if self._reach.up:
            self._reach.say(SEND, pack((channel, payload)))
        else:
            self.dropped += 1

    def stop(self) -> Deferred[None]:
        """Disconnect."""
        return self._reach.stop()

    def _opened(self) -> None:
        for channel in self._wanted:
            self._ask(channel)
        if self._was_up:
            self._restored()
        self._was_up = True

    def _ask(self, channel: str) -> None:
        asking = self._reach.ask(SUBSCRIBE, pack(channel))
        asking.addCallbacks(lambda _: self._known(channel), lambda _: None)  # else once it is up again

    def _known(self, channel: str) -> None:
        for one in self._waiting.pop(channel, ()):
            one.callback(None)


class LinkedBus:
    """A `kodama.bus.interface.Bus` of a node whose store is the writer's, too: commits are told by it."""

    def __init__(self, line: LinkLine, *, node: str, clock: IReactorTime) -> None:
        self._bus = RemoteBus(line, node=node, clock=clock)
        self.follow = self._bus.follow
        self.unfollow = self._bus.unfollow
        self.notice = self._bus.notice
        self.healthy = self._bus.healthy
        self.counts = self._bus.counts
        self.stop = self._bus.stop

    def start(self, heard: Callable[[Sequence[Commit]], None], noticed: Callable[[Notice], None]) -> None:
        """Begin."""
        self._heard = heard
        self._bus.start(heard, noticed)

    def tell(self, commits: Sequence[Commit]) -> None:
        """Hear it here; the others have it from the writer."""
        self._heard(commits)


class Exchange:
    """The writer's side: who subscribed to what."""

    def __init__(self, hub: Hub) -> None:
        self._subscribed: dict[str, set[Peer]] = {}
        hub.attach(
            serve={SUBSCRIBE: self._subscribe},
            take={UNSUBSCRIBE: self._unsubscribe, SEND: self._send},
            gone=self._gone,
        )

    def told(self, commit: Commit, knowing: frozenset[Peer]) -> None:
        """Say what was committed to all who follow the room, but those who know it."""
        channel = channel_of(commit.room)
        others = self._subscribed.get(channel, set()) - knowing
        if others:
            payload = pack(pack(Frame(VERSION, WRITER, channel, 0, [commit], [])))
            for peer in others:
                peer.say(HEAR, payload)

    def _subscribe(self, peer: Peer, given: Raw) -> Deferred[None]:
        self._subscribed.setdefault(_channel.decode(given), set()).add(peer)
        return succeed(None)

    def _unsubscribe(self, peer: Peer, _: int, given: Raw) -> None:
        self._leave(peer, _channel.decode(given))

    def _send(self, peer: Peer, _: int, given: Raw) -> None:
        channel, payload = _sent.decode(given)
        packed = pack(payload)
        for other in self._subscribed.get(channel, set()) - {peer}:
            other.say(HEAR, packed)

    def _gone(self, peer: Peer) -> None:
        for channel in [name for name, peers in self._subscribed.items() if peer in peers]:
            self._leave(peer, channel)

    def _leave(self, peer: Peer, channel: str) -> None:
        peers = self._subscribed.get(channel, set())
        peers.discard(peer)
        if not peers:
            self._subscribed.pop(channel, None)
