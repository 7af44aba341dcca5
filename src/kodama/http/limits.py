"""What one connection may ask for, each number with its reason."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes in bytes, times in seconds.

    ``header_bytes``: 32 KiB, above the 16 KiB of node and the 8 KiB of nginx, since cookies of
    a whole site come along. ``fields``: 100, as Apache. ``body``: 64 KiB, above any typed
    message. ``idle``: 75 s, as nginx. ``header_time`` and ``body_time``: what a phone on a bad
    line needs, and no more than a slow-loris may have. ``held``: bytes a client may send ahead
    of an answer. ``turn``: requests that one client is served before others have their turn;
    a read of 256,000 bytes can hold 10,000. ``line``: a longer request line is not remembered.
    ``remembered``: a header block above this is parsed anew each time, so that
    waiting clients cannot pin memory. ``linger``: how long a refused client may still talk, so
    that the refusal is not destroyed by a reset. ``closing``: how long
    the last answer may take to be read before the connection is cut. ``pause``: who was answered
    so lately is about to ask again, and a drain leaves it the time to be told. ``connections``:
    beyond it new ones are closed. ``together``: those of one party, see `HttpFactory`; one more is
    told so, and closed.
    """

    header_bytes: int = 32 * 1024
    fields: int = 100
    body: int = 64 * 1024
    idle: float = 75.0
    header_time: float = 10.0
    body_time: float = 30.0
    held: int = 16 * 1024
    turn: int = 32
    line: int = 2048
    remembered: int = 4096
    linger: float = 2.0
    closing: float = 30.0
    pause: float = 1.0
    connections: int = 15_000
    together: int = 1000
