"""Takes calls to push services, a few at a time.

Decided here: what waits is bounded and what fails is not tried again for long: a call is worth
something while it is fresh, and the messages themselves are in the log. A service that knows a
subscription no more (404, 410) has it forgotten.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Callable
from enum import Enum
from hashlib import sha256
from typing import Final

from twisted.internet.defer import Deferred, DeferredSemaphore
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.web.http_headers import Headers

from kodama.http.outgoing import NotPublic, Reply
from kodama.push.envelope import Vapid, sealed
from kodama.push.subscriptions import Subscription

TOGETHER: Final = 8
WAITING: Final = 10_000
TRIES: Final = 3
PAUSE: Final = 5.0  # seconds before the second try; the third waits five times as long
KEPT: Final = 86_400  # seconds that a push service keeps a call for a browser that is off
GONE: Final = frozenset((404, 410))
_log: Final = Logger()

Post = Callable[[str, Headers, bytes], Deferred[Reply]]


class Outcome(Enum):
    """What became of a call."""

    SENT = "sent"
    GONE = "gone"
    FAILED = "failed"
    DROPPED = "dropped"


class Sender:
    """Sends calls. ``now`` gives ms since 1970, ``secret`` what the store keeps under a
    name, ``count`` counts outcomes."""

    def __init__(
        self, *, post: Post, secret: Callable[[str], bytes], clock: IReactorTime, now: Callable[[], int],
        count: Callable[[str], None],
    ) -> None:  # fmt: skip
        self._post = post
        self._secret = secret
        self._known: Vapid | None = None
        self._clock = clock
        self._now = now
        self._count = count
        self._turns = DeferredSemaphore(TOGETHER)
        self._waiting = 0

    @property
    def key(self) -> str:
        """Return the server's public key."""
        return self._vapid.public

    @property
    def _vapid(self) -> Vapid:
        """Return the server's keys, made at their first use."""
        if self._known is None:
            self._known = Vapid(self._secret("push"))
        return self._known

    async def send(self, one: Subscription, payload: bytes, *, topic: str, urgency: str) -> Outcome:
        """Take ``payload`` to one browser when its turn comes. A later one on the same ``topic`` takes its
        place if it was not delivered (RFC 8030 section 5.4)."""
        outcome = Outcome.DROPPED
        if self._waiting < WAITING:
            self._waiting += 1
            try:
                outcome = await self._turns.run(
                    lambda: Deferred.fromCoroutine(self._send(one, payload, topic, urgency))
                )
            finally:
                self._waiting -= 1
        self._count(outcome.value)
        return outcome

    async def _send(self, one: Subscription, payload: bytes, topic: str, urgency: str) -> Outcome:
        try:
            body = sealed(payload, p256dh=one.p256dh, auth=one.auth)
        except ValueError:
            return Outcome.GONE
        for tries in range(TRIES):
            status = await self._try(one, body, topic, urgency)
            if status in GONE:
                return Outcome.GONE
            if 200 <= status < 300:
                return Outcome.SENT
            if 400 <= status < 500 and status != 429:
                return Outcome.FAILED
            if tries + 1 < TRIES:
                await deferLater(self._clock, PAUSE * 5**tries)
        return Outcome.FAILED

    async def _try(self, one: Subscription, body: bytes, topic: str, urgency: str) -> int:
        """Return the status of one request, 0 if there is none."""
        signed = self._vapid.authorization(one.endpoint, site=one.site, now=self._now() // 1000)
        fields = Headers({
            b"authorization": [signed.encode()], b"content-encoding": [b"aes128gcm"],
            b"content-type": [b"application/octet-stream"], b"ttl": [b"%d" % KEPT],
            b"urgency": [urgency.encode()], b"topic": [topic.encode()], b"user-agent": [b"Kodama"],
        })  # fmt: skip
        try:
            reply = await self._post(one.endpoint, fields, body)
        except NotPublic:
            return 404  # not to be asked again, either
        except Exception as error:  # noqa: BLE001 - whatever the network brings
            _log.info("a push service was not reached: {why}", why=str(error) or type(error).__name__)
            return 0
        if reply.status >= 300:
            _log.info("a push service answered {status}", status=reply.status)
        return reply.status


def topic_of(room: str) -> str:
    """Return the topic of a room's calls: at most 32 characters of base64url (RFC 8030 section 5.4)."""
    return urlsafe_b64encode(sha256(room.encode()).digest()[:18]).decode()
