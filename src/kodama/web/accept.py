"""Which framing ``Accept`` asks for (RFC 9110 section 12.5.1): highest q, then our own order."""

from __future__ import annotations

from enum import Enum, auto
from functools import lru_cache


class Framing(Enum):
    """What can be asked for."""

    JSON = auto()
    SSE = auto()
    NDJSON = auto()
    TEXT = auto()
    PAGE = auto()
    NONE = auto()


_KINDS = {
    "application/json": Framing.JSON, "*/*": Framing.JSON, "application/*": Framing.JSON,
    "text/event-stream": Framing.SSE, "application/x-ndjson": Framing.NDJSON,
    "text/plain": Framing.TEXT, "text/*": Framing.SSE, "text/html": Framing.PAGE,
}  # fmt: skip


@lru_cache(maxsize=256)
def framing(accept: str) -> Framing:
    """Return the framing that ``accept`` prefers; an absent field means long polling.

    ``text/html`` counts as the page, which only shared addresses serve.
    """
    if not accept:
        return Framing.JSON
    best, chosen = 0.0, Framing.NONE
    for position, part in enumerate(accept.lower().split(",")):
        media, *parameters = (piece.strip() for piece in part.split(";"))
        kind = _KINDS.get(media)
        quality = _quality(parameters)
        if kind is None or quality <= 0:
            continue
        rank = quality - kind.value / 1000 - position / 1_000_000
        if rank > best:
            best, chosen = rank, kind
    return chosen


def _quality(parameters: list[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name == "q":
            try:
                return min(1.0, max(0.0, float(value)))
            except ValueError:
                return 0.0
    return 1.0
