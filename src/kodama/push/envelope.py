"""What Web Push asks of a server's keys: payloads sealed for one browser, requests signed for its service.

Decided here: the server's key is made of a secret that its store keeps, so that all nodes have the
same one and nobody registers anywhere; a signature is used again for an hour.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Final
from urllib.parse import urlsplit

import http_ece  # type: ignore[import-untyped]
import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

CURVE: Final = ec.SECP256R1()
ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # of P-256, SP 800-186
VALID: Final = 12 * 3600  # seconds; RFC 8292 section 2 allows 24 hours
AGAIN: Final = 3600  # seconds in which a signature is used again
REMEMBERED: Final = 100  # signatures


class Vapid:
    """The server as push services see it (RFC 8292). ``secret`` has 32 bytes."""

    def __init__(self, secret: bytes) -> None:
        self._key = ec.derive_private_key(int.from_bytes(secret) % (ORDER - 1) + 1, CURVE)
        self.public = encoded(point(self._key.public_key()))
        self._signed: dict[tuple[str, str], tuple[int, str]] = {}

    def authorization(self, endpoint: str, *, site: str, now: int) -> str:
        """Return the header field for a request to ``endpoint``. ``site`` is where the server is
        reached and whom to ask about it; ``now`` is in seconds since 1970."""
        parts = urlsplit(endpoint)
        place = (f"{parts.scheme}://{parts.netloc}", site)
        made, field = self._signed.get(place, (-AGAIN, ""))
        if not made <= now < made + AGAIN:
            claims: dict[str, object] = {"aud": place[0], "exp": now + VALID}
            if site.startswith(("https:", "mailto:")):
                claims["sub"] = site
            token = jwt.encode(claims, self._key, algorithm="ES256")
            field = f"vapid t={token}, k={self.public}"
            if len(self._signed) >= REMEMBERED:
                self._signed.clear()
            self._signed[place] = (now, field)
        return field


def sealed(
    payload: bytes, *, p256dh: str, auth: str, salt: bytes | None = None,
    key: ec.EllipticCurvePrivateKey | None = None,
) -> bytes:  # fmt: skip
    """Return ``payload`` as only the browser that made ``p256dh`` and ``auth`` reads it (RFC 8291).

    ``salt`` and ``key`` are made anew unless a test gives them. Raises `ValueError` for a point that is
    not on the curve.
    """
    body: bytes = http_ece.encrypt(
        payload, salt=salt, private_key=key or ec.generate_private_key(CURVE), dh=decoded(p256dh),
        auth_secret=decoded(auth), version="aes128gcm",
    )  # fmt: skip
    return body


def check_key(p256dh: str) -> None:
    """Raise `ValueError` unless ``p256dh`` is a point of the curve."""
    ec.EllipticCurvePublicKey.from_encoded_point(CURVE, decoded(p256dh))


def point(key: ec.EllipticCurvePublicKey) -> bytes:
    """Return a public key as its uncompressed point."""
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def encoded(raw: bytes) -> str:
    """Return bytes as base64url without padding (RFC 7515 section 2)."""
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def decoded(text: str) -> bytes:
    """Return the bytes of `encoded`. Raises `ValueError`."""
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
