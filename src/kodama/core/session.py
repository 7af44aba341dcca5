"""A session as a signed token: nothing is stored until it is ended.

    kds_<base64url of [id, user, name, expires, kind, rooms]>.<base64url of HMAC-SHA256>

The token proves itself, so that a poll costs no look-up and a crowd of guests no row; only
ended sessions are remembered, until they would have expired anyway.
"""

from __future__ import annotations

from typing import Final

import msgspec

from kodama.core.errors import Unauthorized
from kodama.core.event import Author
from kodama.core.signed import proven, sign
from kodama.core.who import Who

SESSION_DAYS: Final = 30
SESSION_PREFIX: Final = "kds_"


class Session(msgspec.Struct, frozen=True, array_like=True):
    """One person's stay: ``expires`` in ms since 1970; ``rooms`` are all that is open to it, None
    for whatever is open to everybody. ``kind`` is the author's."""

    id: str
    user: str
    name: str
    expires: int
    kind: str = "guest"
    rooms: tuple[str, ...] | None = None

    @property
    def author(self) -> Author:
        """Return the session's person as the author of events."""
        return Author(self.user, self.name, self.kind)

    @property
    def who(self) -> Who:
        """Return whom the session stands for."""
        rooms = None if self.rooms is None else frozenset(self.rooms)
        return Who(
            session=self.id, author=self.author, expires=self.expires, rooms=rooms,
            invited=rooms or frozenset(),
        )  # fmt: skip


_encoder: Final = msgspec.json.Encoder()
_decoder: Final = msgspec.json.Decoder(Session)


def sign_session(session: Session, *, secret: bytes) -> str:
    """Return the token of ``session``."""
    return sign(_encoder.encode(session), prefix=SESSION_PREFIX, secret=secret)


def verify_session(token: str, *, secret: bytes, now: int) -> Session:
    """Return the session that ``token`` proves; raises `Unauthorized`. ``now`` is in ms."""
    session = _decoder.decode(proven(token, prefix=SESSION_PREFIX, secret=secret))
    if session.expires <= now:
        raise Unauthorized("This session has expired.")
    return session
