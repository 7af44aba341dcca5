"""Challenges of passkeys (WebAuthn Level 3, 13.4.3): random, good for a few minutes, for one purpose.

Decided here: a challenge proves itself, so that nothing is stored of the many that nobody answers;
whoever takes one remembers it until it would be void anyway.
"""

from __future__ import annotations

import hmac
from typing import Final

from kodama.core.errors import Unauthorized

CHALLENGE_SECONDS: Final = 300
CHALLENGE_BYTES: Final = 16
_UNTIL: Final = slice(CHALLENGE_BYTES, CHALLENGE_BYTES + 8)
_HEAD: Final = CHALLENGE_BYTES + 8


def write_challenge(purpose: str, *, random: bytes, now: int, secret: bytes) -> bytes:
    """Return a challenge made of `CHALLENGE_BYTES` random bytes; ``now`` is in ms."""
    head = random + (now + CHALLENGE_SECONDS * 1000).to_bytes(8)
    return head + _mac(head, purpose, secret)


def challenge_end(challenge: bytes, purpose: str, *, now: int, secret: bytes) -> int:
    """Return until when (ms) ``challenge`` is good for ``purpose``. Raises `Unauthorized`."""
    head = challenge[:_HEAD]
    if not hmac.compare_digest(challenge[_HEAD:], _mac(head, purpose, secret)):
        raise Unauthorized("This challenge is not ours, or for something else.")
    until = int.from_bytes(head[_UNTIL])
    if until <= now:
        raise Unauthorized("This took too long; begin again.")
    return until


def _mac(head: bytes, purpose: str, secret: bytes) -> bytes:
    return hmac.digest(secret, head + purpose.encode(), "sha256")[:16]
