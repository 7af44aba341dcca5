"""Webhooks: programs that speak into a room, and programs that are told what was said in it.

Decided here: what is kept of them, and how a delivery is signed: as Standard Webhooks 1.0 wants
it, so that receivers need no library of ours.
"""

from __future__ import annotations

import hmac
from base64 import b64decode, b64encode, urlsafe_b64encode
from hashlib import sha256
from typing import Final, Literal

import msgspec

from kodama.core.event import Author
from kodama.core.who import Who

HOOK_PREFIX: Final = "kdh_"
HOOK_BYTES: Final = 24
SECRET_PREFIX: Final = "whsec_"  # noqa: S105 - what a secret begins with
SECRET_BYTES: Final = 32

INCOMING: Final = "hook-in"  # kinds of records
OUTGOING: Final = "hook-out"
PLACE: Final = "hook-place"


class IncomingHook(msgspec.Struct, frozen=True, kw_only=True):
    """A program that may speak in ``room`` as ``name``; kept under the digest of its token.

    ``id`` lists and removes it; ``created`` is in ms since 1970, ``by`` a user's id.
    """

    id: str
    room: str
    name: str
    created: int
    by: str

    @property
    def author(self) -> Author:
        """Return as whom it speaks."""
        return Author(f"b_{self.id}", self.name, "bot")

    @property
    def who(self) -> Who:
        """Return who that is to the room's policy."""
        return _speaker(self.id, self.author, self.room)


class OutgoingHook(msgspec.Struct, frozen=True, kw_only=True):
    """A program at ``url`` that is told of messages in ``room``; kept under its ``id``.

    ``on`` is ``all`` messages, or those with ``word`` as their first or as a mention.
    ``secret`` signs; it is shown once.
    """

    id: str
    room: str
    name: str
    url: str
    secret: str
    created: int
    by: str
    on: Literal["all", "word"] = "all"
    word: str = ""

    @property
    def author(self) -> Author:
        """Return as whom its answers are said."""
        return Author(f"b_{self.id}", self.name, "bot")

    @property
    def who(self) -> Who:
        """Return who that is to the room's policy."""
        return _speaker(self.id, self.author, self.room)

    def wants(self, *, kind: str, text: str | None) -> bool:
        """Return whether a message of an author of ``kind`` is for it. Bots are never told what bots
        say: two of them would never stop."""
        if kind == "bot":
            return False
        if self.on == "all":
            return True
        words = (text or "").casefold().split()
        word = self.word.casefold()
        return bool(words) and (words[0] == word or f"@{word}" in words)


class HookPlace(msgspec.Struct, frozen=True, kw_only=True):
    """How far an outgoing webhook has been told, and which node tells it until when (ms since 1970)."""

    epoch: str
    offset: int
    node: str
    until: int


def _speaker(id: str, author: Author, room: str) -> Who:  # noqa: A002 - a webhook's id
    rooms = frozenset((room,))
    return Who(session=f"hook:{id}", author=author, rooms=rooms, invited=rooms)


def write_token(random: bytes) -> str:
    """Return the token of an incoming webhook, made of `HOOK_BYTES` random bytes."""
    return HOOK_PREFIX + urlsafe_b64encode(random).decode()


def write_secret(random: bytes) -> str:
    """Return the secret of an outgoing webhook, made of `SECRET_BYTES` random bytes."""
    return SECRET_PREFIX + b64encode(random).decode()


def signature(body: bytes, *, id: str, seconds: int, secret: str) -> str:  # noqa: A002 - a delivery's id
    """Return the header field ``webhook-signature`` (Standard Webhooks 1.0, "Signature scheme") of
    a delivery that is sent at ``seconds`` since 1970."""
    key = b64decode(secret.removeprefix(SECRET_PREFIX))
    signed = b"%b.%d.%b" % (id.encode(), seconds, body)
    return "v1," + b64encode(hmac.new(key, signed, sha256).digest()).decode()
