"""What is asked and answered about being called: levels of rooms, and browsers to be called.

Every wrong thing is one of `kodama.core.errors`, worded for the person who sent it.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode
from typing import Annotated, Final
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

from kodama.core.errors import BadRequest
from kodama.core.notify import Level
from kodama.wire.order import decode

ENDPOINT_LIMIT: Final = 1000
_ADDRESS: Final = re.compile(r"https?://[!-~]{1,990}", re.ASCII)
_KEY: Final = re.compile(r"[A-Za-z0-9_-]{1,100}", re.ASCII)
_POINT_BYTES: Final = 65  # RFC 8291 section 3.1: an uncompressed point of P-256
_AUTH_BYTES: Final = 16  # section 3.2


class LevelBody(msgspec.Struct, frozen=True):
    """``PUT …/notify``: for which messages of a room one wants to be called."""

    level: Level


class LevelShown(msgspec.Struct, frozen=True, kw_only=True):
    """For which messages of a room one is called."""

    room: str
    level: Level


class PushKeys(msgspec.Struct, frozen=True):
    """A browser's keys in base64url, as its `PushSubscription` gives them."""

    p256dh: str
    auth: str


class SubscriptionBody(msgspec.Struct, frozen=True):
    """``POST /v1/push``: what `PushSubscription.toJSON()` gives."""

    endpoint: Annotated[str, Meta(min_length=1, max_length=ENDPOINT_LIMIT)]
    keys: PushKeys


class EndpointBody(msgspec.Struct, frozen=True):
    """``DELETE /v1/push``: which of one's browsers is not to be called any more."""

    endpoint: Annotated[str, Meta(min_length=1, max_length=ENDPOINT_LIMIT)]


class PushShown(msgspec.Struct, frozen=True, kw_only=True):
    """`key` is the server's, for `PushManager.subscribe()`; `subscriptions` counts one's own."""

    key: str
    subscriptions: int


class PushTried(msgspec.Struct, frozen=True, kw_only=True):
    """What push services said to a call: how many took it, and how many did not."""

    sent: int
    failed: int


def level_body(body: bytes) -> Level:
    """Read a level. Raises `BadJson`."""
    given: LevelBody = decode(body, LevelBody)
    return given.level


def subscription_body(body: bytes) -> SubscriptionBody:
    """Read a browser's subscription. Raises `BadJson`, `BadRequest`."""
    given: SubscriptionBody = decode(body, SubscriptionBody)
    if not _can_be_asked(given.endpoint):
        raise BadRequest("endpoint is an http or https address in ASCII, without a name or password in it.")
    key = _bytes(given.keys.p256dh)
    if len(key) != _POINT_BYTES or key[0] != 4:
        raise BadRequest("keys.p256dh is an uncompressed point of P-256 in base64url.")
    if len(_bytes(given.keys.auth)) != _AUTH_BYTES:
        raise BadRequest("keys.auth is 16 bytes in base64url.")
    return given


def endpoint_body(body: bytes) -> str:
    """Read which browser it is. Raises `BadJson`."""
    given: EndpointBody = decode(body, EndpointBody)
    return given.endpoint


def _bytes(text: str) -> bytes:
    """Return the bytes of base64url without padding, none if it is something else."""
    text = text.rstrip("=")
    if not _KEY.fullmatch(text) or len(text) % 4 == 1:
        return b""
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _can_be_asked(given: str) -> bool:
    """Return whether ``given`` is an http(s) address that can be asked as it is."""
    try:
        parts = urlsplit(given)
        there = bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    return there and parts.username is None and bool(_ADDRESS.fullmatch(given))
