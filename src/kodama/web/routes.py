"""What a path leads to: a function for each method that it has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from kodama.http.message import Request
from kodama.transports.reading import Asked
from kodama.web.identity import Caller

Serve = Callable[[Request, Caller], None]
Methods = dict[bytes, Serve]

SECRET: Final = (b"/v1/hooks/", b"/v1/invites/")  # what follows lets somebody in


def shown(path: bytes) -> bytes:
    """Return ``path`` without what nobody may find in a log."""
    return next((begin + b"..." for begin in SECRET if path.startswith(begin)), path)


class Route:
    """What a request line leads to; ``asked`` is shared by all polls with the same line."""

    __slots__ = ("asked", "methods")

    def __init__(self, methods: Methods) -> None:
        self.methods = methods
        self.asked: Asked | None = None
