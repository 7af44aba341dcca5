"""Origins of web sites, as a browser compares them: which are taken, and how they are written.

Decided here: what is kept can stand in a policy as it is (CSP Level 3, ``host-source``), so nothing
that could end one source and begin another is ever let in.
"""

from __future__ import annotations

import re
from typing import Final

from kodama.core.errors import BadRequest

ORIGIN_LIMIT: Final = 255

_ORIGIN: Final = re.compile(
    r"https?://(?:\*\.)?[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63})*(?::[0-9]{1,5})?", re.ASCII
)


def site_origin(given: str) -> str:
    """Return the origin of a site in lower case: scheme, host, and port if it is not the usual one.

    ``https://*.example.org`` stands for all below ``example.org``. Raises `BadRequest`.
    """
    origin = given.lower()
    if len(origin) > ORIGIN_LIMIT or not _ORIGIN.fullmatch(origin):
        raise BadRequest(
            "A site is an origin, as https://www.example.org: without a path, its name in ASCII."
        )
    scheme = origin.partition(":")[0]
    return origin.removesuffix({"http": ":80", "https": ":443"}[scheme])
