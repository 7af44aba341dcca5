"""``/embed/{room}`` and ``/widget.js``: a room on the pages of other sites.

Decided here: the page is the same as at ``/r/{room}``, and whether a site may show it is said to the
browser by ``frame-ancestors`` alone (CSP Level 3, section 6.4.2): this server, the sites that its
operator names, and those that the room's owner does. What asks from within the frame comes from this
server's own origin and would prove nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from importlib.resources import files
from typing import Final

from kodama.core.policy import Policy
from kodama.http.message import Fields, Request
from kodama.web.assets import Asset, Assets, page_fields
from kodama.web.modules import without_comments

LOADER: Final = "widget.js"
REMEMBERED: Final = 256  # lists of sites, each with its own page of some kilobytes

_SCRIPT: Final = "text/javascript; charset=utf-8"
_LOADER_FIELDS: Final[Fields] = (
    ("Cache-Control", "public, max-age=3600"), ("X-Content-Type-Options", "nosniff"),
    ("Vary", "Accept-Encoding"), ("Cross-Origin-Resource-Policy", "cross-origin"),
    ("Access-Control-Allow-Origin", "*"),
)  # fmt: skip


def lean(source: bytes) -> bytes:
    """Return a script without its documentation comments and indentation, which is all that is done to it."""
    lines = (line.strip() for line in without_comments(source).splitlines())
    return b"\n".join(line for line in lines if line)


class Embeds:
    """What other sites' pages load. ``sites`` may show every room."""

    def __init__(self, assets: Assets, policy: Policy, *, sites: Sequence[str]) -> None:
        self._loader = Asset(
            lean((files("kodama.web") / "static" / LOADER).read_bytes()), _SCRIPT, fields=_LOADER_FIELDS
        )
        self._policy = policy
        self._sites = tuple(sites)
        self._framed = assets.framed
        self._page_for = lru_cache(maxsize=REMEMBERED)(self._allowing)

    def page(self, request: Request, room: str) -> None:
        """``GET /embed/{room}``."""
        sites = self._policy.look(room).order.sites
        request.answer(self._page_for((*self._sites, *sites)).answer(request))

    def loader(self, request: Request) -> None:
        """``GET /widget.js``."""
        request.answer(self._loader.answer(request))

    def _allowing(self, sites: tuple[str, ...]) -> Asset:
        ancestors = " ".join(dict.fromkeys(("'self'", *sites)))
        return self._framed.with_fields(page_fields(ancestors))
