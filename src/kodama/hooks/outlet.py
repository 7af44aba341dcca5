"""One outgoing webhook: a reader of a room whose every event is a request of ours.

Decided here: it reads from the log by its place, like any reader, and its place moves only when
the other side has said 2xx. So a receiver that is away for hours gets everything when it is back, in
order; after a crash it may get the last message twice, under the same ``webhook-id``.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any, Final

import msgspec
from twisted.internet.defer import CancelledError, Deferred, DeferredLock
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.http_headers import Headers

from kodama.core.change import Nonce, Publish
from kodama.core.errors import Refused
from kodama.core.hook import PLACE, HookPlace, OutgoingHook, signature
from kodama.core.position import START, Position, parse_cursor
from kodama.core.record import RecordMoved
from kodama.http.outgoing import Reply
from kodama.node import LiveRoom, Node
from kodama.registry import Registry
from kodama.store.interface import Stored, StoreUnavailable
from kodama.transports.reading import Bounds, Told, one_by_one, owed
from kodama.wire.commands import MessageBody, body_digest, message_body, text_body

AT_A_TIME: Final = 50
SKIPPED: Final = 500  # events that were not for it, before its place is kept again
FIRST_PAUSE: Final = 1.0
LONGEST_PAUSE: Final = 600.0
_log: Final = Logger()

Post = Callable[[str, Headers, bytes], Deferred[Reply]]


class Heard(msgspec.Struct, frozen=True):
    """What must be known of an event to tell it."""

    type: str
    id: str = ""
    offset: int = 0
    text: str | None = None
    deleted: bool = False
    author: dict[str, Any] = {}


class Outlet:
    """Tells one webhook from where its `HookPlace` says. ``name`` is our node's in the lease that is
    taken for ``lease`` ms at a time, 0 where there is no other node; ``now`` is in ms since 1970."""

    def __init__(
        self, hook: OutgoingHook, node: Node, registry: Registry, *, post: Post, clock: IReactorTime,
        now: Callable[[], int], random: Random, name: str, lease: int,
    ) -> None:  # fmt: skip
        self.hook = hook
        self.failures = 0
        self._node = node
        self._registry = registry
        self._post = post
        self._clock = clock
        self._now = now
        self._random = random
        self._name = name
        self._lease = lease
        self._place = START
        self._kept = 0  # the offset that is durable
        self._revision = 0
        self._writing = DeferredLock()
        self._waiting: Deferred[None] | None = None
        self._running: Deferred[None] | None = None

    @property
    def telling(self) -> bool:
        """Return whether it is at work."""
        return self._running is not None

    def start(self, place: HookPlace, revision: int) -> Deferred[None]:
        """Take over from ``place``, kept at ``revision``, and begin; fires when that is durable. Fails
        with `RecordMoved` if another node was faster."""
        self._place, self._kept, self._revision = Position(place.epoch, place.offset), place.offset, revision
        return self.keep().addCallback(self._begin)

    def keep(self) -> Deferred[None]:
        """Make the place durable, and ours for another while. Fails with `RecordMoved` if it is not."""

        async def write() -> None:
            until = self._now() + self._lease if self._lease else 0
            place = HookPlace(
                epoch=self._place.epoch, offset=self._place.offset, node=self._name, until=until
            )
            self._revision = await self._registry.put(PLACE, self.hook.id, place, expected=self._revision)
            self._kept = place.offset

        return self._writing.run(lambda: Deferred.fromCoroutine(write()))

    def stop(self) -> None:
        """Tell no more; what is under way may still arrive, and will be told again."""
        running, self._running = self._running, None
        if running is not None:
            running.cancel()

    def wake(self) -> None:
        """There is something new in the room."""
        waiting, self._waiting = self._waiting, None
        if waiting is not None and not waiting.called:
            waiting.callback(None)

    def _begin(self, _: None) -> None:
        self._running = running = Deferred.fromCoroutine(self._run())
        running.addErrback(self._ended)

    def _ended(self, failure: Failure) -> None:
        self._running = None
        if not failure.check(CancelledError, RecordMoved):
            _log.failure("webhook {id} stopped; it is taken up again", failure, id=self.hook.id)

    async def _run(self) -> None:
        """Tell what comes, as long as it is ours to tell."""
        while True:
            room = await self._node.room(self.hook.room)
            places = (self._place,)
            batch = owed(self._node, (room,), places, lost=(), bounds=Bounds(AT_A_TIME))
            if isinstance(batch, Deferred):
                batch = await batch
            if not batch.events:
                await self._woken(room)
                continue
            for told in one_by_one((room,), places, batch):
                arrived = await self._tell(told)
                self._place = parse_cursor(told.cursor).get(room.name) or self._place
                if arrived or self._place.offset - self._kept >= SKIPPED:
                    await self.keep()

    async def _woken(self, room: LiveRoom) -> None:
        waiting: Deferred[None] = Deferred()
        self._waiting = waiting
        room.readers[self] = None
        try:
            await waiting
        finally:
            room.readers.pop(self, None)

    async def _tell(self, told: Told) -> bool:
        """Deliver one event, however often it takes; return whether it was one to be told."""
        event = msgspec.json.decode(told.json, type=Heard)
        author = event.author.get("kind", "")
        if event.type == "gap":
            event = Heard("gap", id=f"gap_{told.cursor}")
        elif event.type != "message" or event.deleted or not self.hook.wants(kind=author, text=event.text):
            return False
        self.failures = 0
        while (pause := await self._try(told.json, event)) is not None:
            backoff = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(self.failures, 12))
            self.failures += 1
            await deferLater(self._clock, max(pause, backoff * (0.5 + self._random.random() / 2)))
        self.failures = 0
        return True

    async def _try(self, body: bytes, event: Heard) -> float | None:
        """Send one delivery; return None if it has arrived, else how many seconds to wait at least."""
        seconds = self._now() // 1000
        signed = signature(body, id=event.id, seconds=seconds, secret=self.hook.secret)
        fields = Headers({
            b"content-type": [b"application/json"], b"user-agent": [b"Kodama"],
            b"webhook-id": [event.id.encode()], b"webhook-timestamp": [b"%d" % seconds],
            b"webhook-signature": [signed.encode()],
        })  # fmt: skip
        try:
            reply = await self._post(self.hook.url, fields, body)
        except CancelledError:  # we were stopped
            raise
        except Exception as error:  # noqa: BLE001 - whatever the network brings is tried again
            _log.info("webhook {id}: {why}", id=self.hook.id, why=str(error) or type(error).__name__)
            return 0.0
        if 200 <= reply.status < 300:
            return None if await self._answer(reply, event) else FIRST_PAUSE
        _log.info("webhook {id} was answered {status}", id=self.hook.id, status=reply.status)
        return _retry_after(reply)

    async def _answer(self, reply: Reply, event: Heard) -> bool:
        """Say in the room what the other side answered, as a reply, if it may speak there as everybody
        may; a second time says nothing new. Return False if the store cannot take it now."""
        body = reply_of(reply)
        live = await self._node.room(self.hook.room)
        if body is None or event.type != "message" or not live.exists:
            return True
        nonce = Nonce(sender=self.hook.author.id, text=event.id, digest=body_digest(body))
        change = Publish(
            room=self.hook.room, author=self.hook.author, text=body.text, data={"reply": event.offset},
            nonce=nonce,
        )  # fmt: skip
        settled: Deferred[Stored | Exception] = Deferred()
        try:
            self._node.policy.weigh(live.facts, self.hook.who, network="", now=self._now())
            self._node.append(change, settled.callback)
            outcome = await settled
        except StoreUnavailable:
            return False
        except Refused as error:  # the room is locked, say: answers are not kept for later
            outcome = error
        if isinstance(outcome, Exception):
            _log.info("the answer of webhook {id} was not said: {why}", id=self.hook.id, why=str(outcome))
        return not isinstance(outcome, StoreUnavailable)


def reply_of(reply: Reply) -> MessageBody | None:
    """Return the message in the answer of a webhook: text, or JSON with ``text``; None if there is none."""
    media = (reply.headers.getRawHeaders("content-type") or [""])[0].partition(";")[0].strip().lower()
    if not reply.body.strip() or media not in ("text/plain", "application/json"):
        return None
    try:
        body = message_body(reply.body) if media == "application/json" else text_body(reply.body)
    except Refused:
        return None
    return body if body.text else None


def _retry_after(reply: Reply) -> float:
    """Return the seconds of Retry-After (RFC 9110 section 10.2.3); a date counts as none."""
    given = (reply.headers.getRawHeaders("retry-after") or [""])[0].strip()
    return min(float(given), LONGEST_PAUSE) if given.isascii() and given.isdigit() else 0.0
