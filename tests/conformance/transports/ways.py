"""The list of all ways in, and how a scenario begins a reader of one."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conformance.transports.adapters import Adapter, Door, Jsonp, LongPoll, Ndjson, Sse, Text, WebSocket
from tests.conformance.transports.house import House
from tests.conformance.transports.reader import Reader, Wish

ADAPTERS: dict[str, list[type[Adapter]]] = {  # by the file in src/kodama/transports
    "longpoll": [LongPoll, Jsonp],
    "sse": [Sse],
    "ndjson": [Ndjson],
    "text": [Text],
    "legacy": [Door],
    "websocket": [WebSocket],
}
EVERY = [adapter for adapters in ADAPTERS.values() for adapter in adapters]
LOSSLESS = [adapter for adapter in EVERY if adapter.resumes]

Way = type[Adapter]
every = pytest.mark.parametrize("way", EVERY, ids=lambda way: way.name)
FREE = [adapter for adapter in EVERY if adapter is not Door]  # to read what they like from where they like
STREAMS = [adapter for adapter in FREE if not adapter.polls]
free = pytest.mark.parametrize("way", FREE, ids=lambda way: way.name)
streams = pytest.mark.parametrize("way", STREAMS, ids=lambda way: way.name)
lossless = pytest.mark.parametrize("way", LOSSLESS, ids=lambda way: way.name)


def reading(house: House, way: Way, **wish: Any) -> Reader:
    """Return a reader over ``way`` that has taken what there is."""
    return asking(house, way, **wish).read_on()


def asking(house: House, way: Way, **wish: Any) -> Reader:
    """Return a reader over ``way`` that has taken nothing yet."""
    return Reader(way(house, Wish(**wish)))
