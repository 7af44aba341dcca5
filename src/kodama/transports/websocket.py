"""WebSocket: many rooms on one connection, and everything a client says on the same one.

Decided here: reading is a `Following` like any stream's; writing goes the way of HTTP, behind
the `Desk`. What one connection says and hears is a `Talk`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import inf
from typing import Protocol

from kodama.core.errors import Refused, Unauthorized
from kodama.core.position import Position
from kodama.core.returning import Returns
from kodama.core.who import Who
from kodama.http.deflate import Deflate
from kodama.http.frames import Message
from kodama.http.message import Answer
from kodama.http.websocket import WebSocket
from kodama.node import LiveRoom, Node
from kodama.transports.followers import Followers
from kodama.transports.reading import Batch, Verdict, cursor_of
from kodama.transports.talk import Talk
from kodama.wire import socket as wire
from kodama.wire.commands import MessageBody
from kodama.wire.problem import Problem

Told = Callable[[Answer], None]


class Desk(Protocol):
    """Serves what one connection asks for besides reading, as if it had been asked over HTTP."""

    @property
    def who(self) -> Who:
        """Return who is speaking."""

    def hello(self, token: str) -> None:
        """Speak as whom ``token`` proves; raises `Unauthorized`."""

    def reading(self) -> None:
        """Count that a reading begins; raises `RateLimited`."""

    def publish(self, room: str, body: MessageBody, told: Told) -> None:
        """Publish a message."""

    def typing(self, room: str, told: Told) -> None:
        """Pass on that somebody is typing."""


class Frames:
    """The framing for all who agreed to the same compression."""

    quiet = inf  # each socket is asked for a sign of life by itself
    keep_alive = b""

    def __init__(self, agreed: Deflate | None) -> None:
        self._agreed = agreed

    def text(self, json: bytes) -> bytes:
        """Return one text message as it is sent."""
        return Message(json).framed(self._agreed)

    def ready(self, cursor: str, started: Mapping[str, int]) -> bytes:
        """Return nothing: the answer to the subscribing says it."""
        return b""

    def batch(self, rooms: Sequence[LiveRoom], places: Sequence[Position], owed: Batch) -> bytes:
        """Return the events and the cursor after them."""
        return self.text(wire.events(cursor_of(rooms, owed.places), owed.events))

    def ephemeral(self, events: Sequence[bytes]) -> bytes:
        """Return events that have no place in the log."""
        return self.text(wire.ephemeral(events))

    def problem(self, given: Problem, cursor: str) -> bytes:
        """Return why the reading ends."""
        return self.text(wire.ended(given, cursor))

    def come_back(self, cursor: str, after: float) -> bytes:
        """Return when to come back."""
        return self.text(wire.come_back(cursor, after))


class WebSockets:
    """All sockets of a node. ``now`` is the time in ms since 1970."""

    def __init__(self, node: Node, followers: Followers, *, now: Callable[[], int]) -> None:
        self.node = node
        self.followers = followers
        self.now = now
        self._framings: dict[int | None, Frames] = {}

    @property
    def waiting(self) -> int:
        """Return how many sockets are open."""
        return self.followers.waiting

    def drain(self, returns: Returns) -> None:
        """Tell each client when to come back, and close."""
        self.followers.drain(returns)

    def review(self, verdict: Verdict) -> None:
        """Close the sockets of those whom ``verdict`` refuses: their token is worth nothing any more."""

        def unauthorized(who: Who) -> Refused | None:
            refusal = verdict(who)
            return None if refusal is None else Unauthorized(refusal.detail)

        self.followers.review(unauthorized)

    def listen(self, socket: WebSocket, desk: Desk) -> Talk:
        """Return the listener of a socket that has opened."""
        key = None if socket.agreed is None else socket.agreed.bits
        framing = self._framings.get(key)
        if framing is None:
            framing = self._framings[key] = Frames(socket.agreed)
        return Talk(self, socket, desk, framing)
