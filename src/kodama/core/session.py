"""A guest's session as a signed token: nothing is stored until it is ended.

    kds_<base64url of [id, user, name, expires]>.<base64url of HMAC-SHA256>

The token proves itself, so that a poll costs no look-up and a crowd of guests no row; only
ended sessions are remembered, until they would have expired anyway.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Final

import msgspec

from kodama.core.errors import Unauthorized
from kodama.core.event import Author

SESSION_DAYS: Final = 30
_PREFIX: Final = "kds_"


class Session(msgspec.Struct, frozen=True, array_like=True):
    """One person's stay: ``expires`` in ms since 1970."""

    id: str
    user: str
    name: str
    expires: int

    @property
    def author(self) -> Author:
        """Return the session's person as the author of events."""
        return Author(self.user, self.name, "guest")


_encoder: Final = msgspec.json.Encoder()
_decoder: Final = msgspec.json.Decoder(Session)


def sign_session(session: Session, *, secret: bytes) -> str:
    """Return the token of ``session``."""
    body = _encode(_encoder.encode(session))
    return f"{_PREFIX}{body}.{_mac(body, secret)}"


def verify_session(token: str, *, secret: bytes, now: int) -> Session:
    """Return the session that ``token`` proves; raises `Unauthorized`. ``now`` is in ms."""
    body, dot, mac = token.removeprefix(_PREFIX).partition(".")
    genuine = token.startswith(_PREFIX) and dot and token.isascii()
    if not genuine or not hmac.compare_digest(mac, _mac(body, secret)):
        raise Unauthorized("This token is not valid.")
    session = _decoder.decode(urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    if session.expires <= now:
        raise Unauthorized("This session has expired.")
    return session


def _mac(body: str, secret: bytes) -> str:
    return _encode(hmac.digest(secret, body.encode(), "sha256"))


def _encode(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()
