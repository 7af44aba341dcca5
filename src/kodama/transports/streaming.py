"""What the streams over HTTP share: a request becomes an answer without end.

Decided here: everything that can be refused is refused with a status before the stream begins;
what comes later is a record. One object a framing, for chunks and for bare bytes (HTTP/1.0).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import msgspec
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure

from kodama.core.returning import Returns
from kodama.core.who import Who
from kodama.http.fanout import Fanout
from kodama.http.message import Fields, Request
from kodama.http.stream import chunk
from kodama.node import Node
from kodama.people import People
from kodama.transports.followers import Followers
from kodama.transports.following import Until
from kodama.transports.framing import Framing
from kodama.transports.reading import Asked, Plan, Verdict, find
from kodama.wire.problem import Problem

Wrap = Callable[[bytes], bytes]


class HttpFraming(Framing, Protocol):
    """A framing with the media type of its answers."""

    media_type: str


def bare(data: bytes) -> bytes:
    """Return ``data`` as it is: the close ends it."""
    return data


class Streams:
    """All streams of one framing. ``fail`` answers a request that cannot be served."""

    def __init__(
        self, framing: Callable[[Wrap], HttpFraming], node: Node, people: People, *, clock: IReactorTime,
        now: Callable[[], int], fields: Fields,
        fail: Callable[[Request, Failure], None], fault: Callable[[Failure], Problem],
        fanout: Fanout | None = None,
    ) -> None:  # fmt: skip
        self._node = node
        self._now = now
        self._fail = fail
        self._chunked = framing(chunk)
        self._bare = framing(bare)
        self._fields: Fields = (("Content-Type", self._bare.media_type), *fields)
        self._followers = Followers(node, people, clock=clock, now=now, fault=fault, fanout=fanout)

    def serve(self, request: Request, asked: Asked, who: Who) -> None:
        """Begin a stream."""
        finding = Deferred.fromCoroutine(find(self._node, asked.poll, now=self._now()))
        finding.addCallback(self._begin, request, who)
        finding.addErrback(lambda failure: self._fail(request, failure))

    def drain(self, returns: Returns) -> None:
        """Tell every reader when to come back, and end."""
        self._followers.drain(returns)

    def review(self, verdict: Verdict) -> None:
        """End the streams of those whom ``verdict`` refuses."""
        self._followers.review(verdict)

    @property
    def waiting(self) -> int:
        """Return how many streams there are."""
        return self._followers.waiting

    def _begin(self, plan: Plan, request: Request, who: Who) -> None:
        if request.answered:
            return
        for room in plan.rooms:
            self._node.policy.admit(room.facts, who)
        stream = request.stream(200, self._fields)
        if stream.silent:
            stream.finish()
            return
        framing = self._chunked if stream.chunked else self._bare
        following = self._followers.follow(
            stream, framing, who=who, limit=plan.poll.limit, until=Until(plan.poll.wait == 0)
        )
        first = framing.ready(plan.cursor, plan.started or {})
        if first:
            stream.send(first)
        if plan.poll.presence:
            following.attend(plan, plan.poll.client)
        following.add(plan)


def ready(cursor: str, started: Mapping[str, int]) -> bytes:
    """Return the first record: where the reader stands, and which rooms began at their end."""
    return _encode({"type": "ready", "cursor": cursor, "started": dict(started)})


def come_back(cursor: str, after: float) -> bytes:
    """Return the record of a drain; ``after`` is in seconds."""
    return _encode({"type": "come-back", "cursor": cursor, "after": after})


def problem(given: Problem, cursor: str) -> bytes:
    """Return the problem of section 8 as a record: its ``type`` is ``problem``."""
    return _encode({
        "type": "problem", "title": given.title, "status": given.status, "detail": given.detail,
        "code": given.code, "cursor": cursor,
    })  # fmt: skip


def _encode(value: Mapping[str, Any]) -> bytes:
    return msgspec.json.encode(value)
