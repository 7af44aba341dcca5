"""People for whom a proxy vouches: it has signed them in and says so in a header field.

Decided here: what the proxy writes is the person, character by character, and is shown to nobody: the
id is its digest, and of an address only what stands before the ``@`` is the name.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from hashlib import sha256
from typing import Final

from kodama.core.errors import BadRequest
from kodama.core.event import Author
from kodama.core.names import DISPLAY_NAME_LIMIT, GUEST_NAME, display_name
from kodama.core.who import Who

VOUCHED: Final = "proxy:"  # begins the sessions of such people, which end where they began


def vouched(value: str) -> Who:
    """Return the person whom a trusted proxy calls ``value``."""
    digest = urlsafe_b64encode(sha256(value.encode("utf-8", "surrogatepass")).digest()[:16])
    user = f"p_{digest.rstrip(b'=').decode()}"
    return Who(session=f"{VOUCHED}{user}", author=Author(user, _name(value), "user"))


def _name(value: str) -> str:
    try:
        return display_name(value.partition("@")[0].strip()[:DISPLAY_NAME_LIMIT])
    except BadRequest:
        return GUEST_NAME
