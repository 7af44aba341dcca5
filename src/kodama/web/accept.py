"""Which framing ``Accept`` asks for (RFC 9110 section 12.5.1): highest q, then our own order.

``*/*`` stands for what a resource gives to those who do not say: long polling, or text at the
address that people share.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum, auto
from functools import lru_cache
from typing import Final


class Framing(Enum):
    """What can be asked for, in the order that decides between equals."""

    PAGE = auto()
    JSON = auto()
    SSE = auto()
    NDJSON = auto()
    TEXT = auto()
    NONE = auto()


_STREAMS: Final = {
    "application/json": Framing.JSON, "text/event-stream": Framing.SSE,
    "application/x-ndjson": Framing.NDJSON, "text/plain": Framing.TEXT,
}  # fmt: skip
_EVENTS: Final = {
    **_STREAMS, "*/*": Framing.JSON, "application/*": Framing.JSON, "text/*": Framing.SSE,
}  # fmt: skip
_SHARED: Final = {
    **_STREAMS, "*/*": Framing.TEXT, "application/*": Framing.JSON, "text/*": Framing.TEXT,
    "text/html": Framing.PAGE, "application/xhtml+xml": Framing.PAGE,
}  # fmt: skip
_Q: Final = re.compile(r"0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?", re.ASCII)


@lru_cache(maxsize=256)
def framing(accept: str) -> Framing:
    """Return the framing of the events resource that ``accept`` prefers."""
    return _preferred(accept, _EVENTS)


@lru_cache(maxsize=256)
def shared_framing(accept: str) -> Framing:
    """Return the same for ``/r/{room}``, which has a page, too."""
    return _preferred(accept, _SHARED)


def _preferred(accept: str, kinds: Mapping[str, Framing]) -> Framing:
    """A range that names a type says more than one with a star, whatever their order."""
    if not accept.strip():
        return kinds["*/*"]
    named: dict[Framing, float] = {}
    by_star: dict[Framing, float] = {}
    for part in accept.lower().split(","):
        media, *parameters = (piece.strip() for piece in part.split(";"))
        kind = kinds.get(media)
        if kind is not None:
            into = by_star if media.endswith("*") else named
            into[kind] = max(into.get(kind, 0.0), _quality(parameters))
    wanted = by_star | named
    best = max(wanted.values(), default=0.0)
    if best <= 0:
        return Framing.NONE
    return min((kind for kind, quality in wanted.items() if quality == best), key=lambda kind: kind.value)


def _quality(parameters: list[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            return float(value) if _Q.fullmatch(value.strip()) else 0.0
    return 1.0
