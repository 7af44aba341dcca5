"""API keys of bots and backends: kept as a digest, shown once.

    kdm_<base64url of 32 random bytes>

A key is random enough that its plain SHA-256 gives nothing away and cannot be guessed, so that
a look-up costs one digest; passwords, which people choose, would need more.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from kodama.core.event import Author
from kodama.core.who import Who

KEY_PREFIX: Final = "kdm_"
KEY_BYTES: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """What is kept of a key. ``rooms`` are all that is open to it, whoever owns them; None for
    whatever is open to everybody. ``created`` is in ms since 1970."""

    digest: bytes
    name: str
    rooms: frozenset[str] | None
    read_only: bool
    created: int

    @property
    def id(self) -> str:
        """Return the name by which the key is listed and revoked."""
        return self.digest.hex()[:12]

    @property
    def who(self) -> Who:
        """Return whom the key stands for."""
        return Who(
            session=f"key:{self.id}", author=Author(f"b_{self.id}", self.name, "bot"), rooms=self.rooms,
            invited=self.rooms or frozenset(), read_only=self.read_only,
        )  # fmt: skip


def write_key(random: bytes) -> str:
    """Return the key made of `KEY_BYTES` random bytes."""
    return KEY_PREFIX + urlsafe_b64encode(random).rstrip(b"=").decode()


def digest_of(key: str) -> bytes:
    """Return what is kept of ``key``."""
    return sha256(key.encode("utf-8", "surrogateescape")).digest()
