"""Why a WebSocket ends: the close codes of RFC 6455 section 7.4 that a server gives by itself."""

from __future__ import annotations

from enum import IntEnum


class Code(IntEnum):
    """A close code."""

    NORMAL = 1000
    GOING_AWAY = 1001
    PROTOCOL = 1002
    UNSUPPORTED = 1003
    DATA = 1007
    TOO_LARGE = 1009
    FAULT = 1011


class Violation(Exception):
    """The client broke the protocol; the connection ends with ``code``."""

    def __init__(self, code: Code, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason
