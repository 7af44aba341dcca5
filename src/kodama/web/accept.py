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
_SHARED: Final = {**_STREAMS, "text/html": Framing.PAGE, "application/xhtml+xml": Framing.PAGE}
# What a range with a star may stand for, the best first. Never the page, which browsers name.
_EVENTS_RANGES: Final = {
    "text/*": (Framing.SSE, Framing.TEXT), "application/*": (Framing.JSON, Framing.NDJSON),
    "*/*": (Framing.JSON, Framing.SSE, Framing.NDJSON, Framing.TEXT),
}  # fmt: skip
_SHARED_RANGES: Final = {
    "text/*": (Framing.TEXT, Framing.SSE), "application/*": (Framing.JSON, Framing.NDJSON),
    "*/*": (Framing.TEXT, Framing.JSON, Framing.SSE, Framing.NDJSON),
}  # fmt: skip
_Q: Final = re.compile(r"0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?", re.ASCII)


@lru_cache(maxsize=256)
def framing(accept: str) -> Framing:
    """Return the framing of the events resource that ``accept`` prefers."""
    return _preferred(accept, _STREAMS, _EVENTS_RANGES)


@lru_cache(maxsize=256)
def shared_framing(accept: str) -> Framing:
    """Return the same for ``/r/{room}``, which has a page, too."""
    return _preferred(accept, _SHARED, _SHARED_RANGES)


def _preferred(
    accept: str, kinds: Mapping[str, Framing], ranges: Mapping[str, tuple[Framing, ...]]
) -> Framing:
    """A range that names more says more, whatever their order; one with a star stands for the best
    of what those have left to it."""
    asked = _asked(accept if accept.strip() else "*/*")
    wanted: dict[Framing, float] = {}
    for media, kind in kinds.items():
        if media in asked:
            wanted[kind] = max(wanted.get(kind, 0.0), asked[media])
    for media, covered in ranges.items():
        left = [kind for kind in covered if kind not in wanted]
        if media in asked and left:
            wanted |= dict.fromkeys(left if asked[media] == 0 else left[:1], asked[media])
    best = max(wanted.values(), default=0.0)
    if best <= 0:
        return Framing.NONE
    return min((kind for kind, quality in wanted.items() if quality == best), key=lambda kind: kind.value)


def _asked(accept: str) -> dict[str, float]:
    """Return the highest quality of each range."""
    asked: dict[str, float] = {}
    for part in accept.lower().split(","):
        media, *parameters = (piece.strip() for piece in part.split(";"))
        asked[media] = max(asked.get(media, 0.0), _quality(parameters))
    return asked


def _quality(parameters: list[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            return float(value) if _Q.fullmatch(value.strip()) else 0.0
    return 1.0
