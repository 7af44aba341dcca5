"""Text that proves itself: who made it need not be looked up.

    <prefix><base64url of a body>.<base64url of its HMAC-SHA256>

The prefix says what it is and is not signed: each purpose has a secret of its own, so that
nothing made for one is taken for another.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode

from kodama.core.errors import Unauthorized


def sign(body: bytes, *, prefix: str, secret: bytes) -> str:
    """Return the text that proves ``body``."""
    text = _encode(body)
    return f"{prefix}{text}.{_mac(text, secret)}"


def proven(token: str, *, prefix: str, secret: bytes) -> bytes:
    """Return the body that ``token`` proves; raises `Unauthorized`."""
    text, dot, mac = token.removeprefix(prefix).partition(".")
    whole = token.startswith(prefix) and dot and token.isascii()
    if not whole or not hmac.compare_digest(mac, _mac(text, secret)):
        raise Unauthorized("This token is not valid.")
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _mac(text: str, secret: bytes) -> str:
    return _encode(hmac.digest(secret, text.encode(), "sha256"))


def _encode(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()
