"""The bus of many nodes over any line: what is sent, to which channel, and what comes of it.

The one decision here: a commit goes once to the channel of its room, so that only nodes with
somebody in the room hear it, and rooms share a bounded number of names by a digest of theirs.
Frames are numbered per sender and channel, only to count what the broker lost.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from hashlib import blake2b
from typing import Any, Final

import msgspec
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from kodama.bus.interface import Ahead, Around, LookAgain, Notice
from kodama.bus.line import Line
from kodama.store.interface import Commit

EVERYBODY: Final = "all"
SUBSCRIBING: Final = 2.0  # seconds until a room is opened although the broker has not answered
SENDERS: Final = 10_000  # (node, channel) whose numbers are remembered
_log: Final = Logger()


class Frame(msgspec.Struct, frozen=True, array_like=True):
    """What travels. ``version`` is of this shape: nodes ignore frames of a shape they do not know."""

    version: int
    node: str
    channel: str
    number: int
    commits: list[Commit]
    notices: list[Notice]


VERSION: Final = 1
_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final = msgspec.msgpack.Decoder(Frame)


class RemoteBus:
    """A `kodama.bus.interface.Bus` over ``line``. ``node`` is this node's own random name."""

    def __init__(self, line: Line, *, node: str, clock: IReactorTime) -> None:
        self._line = line
        self._node = node
        self._clock: Any = clock
        self._followed: dict[str, int] = {}
        self._sent: dict[str, int] = {}
        self._seen: dict[tuple[str, str], int] = {}
        self.missed = 0
        self.received = 0
        self.breaks = 0
        self.unread = 0

    def counts(self) -> Mapping[str, int]:
        """Return what was received, what the broker lost or did not take, and how often it broke."""
        return {
            "received": self.received, "missed": self.missed, "dropped": self._line.dropped,
            "breaks": self.breaks, "unread": self.unread,
        }  # fmt: skip

    def start(
        self, heard: Callable[[Sequence[Commit]], None], noticed: Callable[[Notice], None]
    ) -> None:
        """Connect and begin."""
        self._heard = heard
        self._noticed = noticed
        self._line.start(self._received, self._restored)
        self._line.subscribe(EVERYBODY)

    def follow(self, room: str) -> Deferred[None]:
        """Subscribe to the room's channel; goes on without an answer after two seconds."""
        channel = channel_of(room)
        self._followed[channel] = self._followed.get(channel, 0) + 1
        waiting: Deferred[None] = self._line.subscribe(channel)
        waiting.addTimeout(SUBSCRIBING, self._clock).addErrback(lambda _: None)
        return waiting

    def unfollow(self, room: str) -> None:
        """Leave the room's channel once no other room needs it."""
        channel = channel_of(room)
        left = self._followed.get(channel, 0) - 1
        if left > 0:
            self._followed[channel] = left
        elif self._followed.pop(channel, None) is not None:
            self._line.unsubscribe(channel)

    def tell(self, commits: Sequence[Commit]) -> None:
        """Hear it here, then send it."""
        self._heard(commits)
        for commit in commits:
            channel = channel_of(commit.room)
            if not self._send(channel, [commit], []):
                offset = max(entry.offset for entry in (*commit.entries, *commit.rewritten))
                self._send(channel, [], [Ahead(commit.room, offset)])

    def notice(self, notice: Notice) -> None:
        """Hear it here, then send it."""
        self._noticed(notice)
        channel = channel_of(notice.room) if isinstance(notice, Around) else EVERYBODY
        self._send(channel, [], [notice])

    def healthy(self) -> bool:
        """Return whether the broker is connected."""
        return self._line.up

    def stop(self) -> Deferred[None]:
        """Disconnect."""
        return self._line.stop()

    def _send(self, channel: str, commits: list[Commit], notices: list[Notice]) -> bool:
        number = self._sent.get(channel, 0) + 1
        payload = _encoder.encode(Frame(VERSION, self._node, channel, number, commits, notices))
        if len(payload) > self._line.limit:
            return False
        self._sent[channel] = number
        self._line.send(channel, payload)
        return True

    def _received(self, payload: bytes) -> None:
        try:
            frame = _decoder.decode(payload)
        except msgspec.MsgspecError:
            self._not_read()
            return
        if frame.version != VERSION:
            self._not_read()
            return
        if frame.node == self._node:
            return
        self.received += 1
        self._count(frame)
        if frame.commits:
            self._heard(frame.commits)
        for notice in frame.notices:
            self._noticed(notice)

    def _not_read(self) -> None:
        """Pass over what another version says; what matters of it is in the store."""
        self.unread += 1
        if self.unread == 1:
            _log.warn("a frame on the bus could not be read; another version is running, perhaps")

    def _count(self, frame: Frame) -> None:
        sender = (frame.node, frame.channel)
        before = self._seen.pop(sender, None)
        self._seen[sender] = max(frame.number, before or 0)
        if before is not None and frame.number > before + 1:
            self.missed += frame.number - before - 1
        if len(self._seen) > SENDERS:
            del self._seen[next(iter(self._seen))]

    def _restored(self) -> None:
        self.breaks += 1
        self._noticed(LookAgain())


def channel_of(room: str) -> str:
    """Return the channel of ``room``: 64 bits of its digest, whatever characters it has."""
    return "r" + blake2b(room.encode(), digest_size=8).hexdigest()
