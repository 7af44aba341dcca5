"""What every store stamps on what it keeps: epochs, event ids, and the promise about time.

The one decision here: ids are UUIDv7 (RFC 9562, section 5.7), so that they sort by time in
anybody's database and still cannot be guessed.
"""

from __future__ import annotations

import os
import secrets
import string
from typing import Final

from kodama.core.change import Stamp
from kodama.core.event import timestamp

EPOCH_LENGTH: Final = 8
NONCE_KEPT_MS: Final = 86_400_000
SECRET_BYTES: Final = 32

_ALPHABET: Final = string.ascii_letters + string.digits


def new_epoch() -> str:
    """Return the name of a new stretch of writing, 47 random bits of it."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(EPOCH_LENGTH))


def new_id(ms: int) -> str:
    """Return a UUIDv7 of the moment ``ms``."""
    noise = int.from_bytes(os.urandom(10))
    low = (0b10 << 62) | (noise & 0x3FFF_FFFF_FFFF_FFFF)
    text = f"{(ms & 0xFFFF_FFFF_FFFF) << 16 | 0x7000 | (noise >> 68):016x}{low:016x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def stamp(offset: int, *, epoch: str, ms: int) -> Stamp:
    """Return the stamp of a new event."""
    return Stamp(offset=offset, epoch=epoch, id=new_id(ms), time=timestamp(ms))
