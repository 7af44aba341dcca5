"""What a path leads to: a function for each method that it has."""

from __future__ import annotations

from collections.abc import Callable

from kodama.http.message import Request
from kodama.web.identity import Caller

Serve = Callable[[Request, Caller], None]
Methods = dict[bytes, Serve]
