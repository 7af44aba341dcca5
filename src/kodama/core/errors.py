"""What a client did wrong, as one family of exceptions, each with its stable code.

Anything that is not a `Refused` is our own fault and reaches the client as ``internal``.
The status of each code is decided in one table, `kodama.wire.problem`.

    Refused
    ├── BadRequest ── BadJson · BadRoomName · BadCursor · BadCallback
    ├── Unauthorized · Forbidden · NotFound · MethodNotAllowed · NotAcceptable
    ├── Conflict · TooLarge · UnsupportedMedia · Misdirected · UpgradeRequired
    └── RateLimited · Overloaded          (both say when to come back)
"""

from __future__ import annotations

from typing import ClassVar


class Refused(Exception):
    """A request that cannot be served, with a sentence for the person who sent it.

    ``why`` is a word for what is in their way, where several things may be, and ``until`` (ms) when
    it will be out of it."""

    code: ClassVar[str] = "bad_request"
    why: str = ""
    until: int | None = None

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class BadRequest(Refused):
    """A parameter is missing, repeated, out of range or not of its kind."""


class BadJson(BadRequest):
    """The body is not JSON, or not JSON of the shape that is asked for."""

    code = "bad_json"


class BadRoomName(BadRequest):
    """The name breaks the rule for room names."""

    code = "bad_room_name"


class BadCursor(BadRequest):
    """``since`` is empty or malformed."""

    code = "bad_cursor"


class BadCallback(BadRequest):
    """The JSONP callback is not a plain dotted name."""

    code = "bad_callback"


class Unauthorized(Refused):
    """The token is not valid."""

    code = "unauthorized"


class Forbidden(Refused):
    """Known, understood, and not allowed."""

    code = "forbidden"

    def __init__(self, detail: str, *, why: str = "", until: int | None = None) -> None:
        super().__init__(detail)
        self.why = why
        self.until = until


class NotFound(Refused):
    """There is no such thing, or none that this reader may know of."""

    code = "not_found"


class MethodNotAllowed(Refused):
    """The resource exists but not for this method; ``allow`` lists those it has."""

    code = "method_not_allowed"

    def __init__(self, detail: str, *, allow: str) -> None:
        super().__init__(detail)
        self.allow = allow


class NotAcceptable(Refused):
    """None of the framings in ``Accept`` is served here."""

    code = "not_acceptable"


class Conflict(Refused):
    """The request contradicts what is stored: a nonce used twice, an edit of a deleted message."""

    code = "conflict"


class TooLarge(Refused):
    """The body is over the limit."""

    code = "too_large"


class UnsupportedMedia(Refused):
    """The Content-Type is not one that is read here."""

    code = "unsupported_media"


class Misdirected(Refused):
    """The Host is not one that this server answers for."""

    code = "misdirected"


class UpgradeRequired(Refused):
    """The address speaks WebSocket only."""

    code = "upgrade_required"


class RateLimited(Refused):
    """Too many requests; come back after ``retry_after`` seconds."""

    code = "rate_limited"

    def __init__(self, detail: str, *, retry_after: float, why: str = "") -> None:
        super().__init__(detail)
        self.retry_after = retry_after
        self.why = why


class Overloaded(Refused):
    """The server cannot do it now, and nothing was changed or it is not known to be stored."""

    code = "overloaded"

    def __init__(self, detail: str, *, retry_after: float) -> None:
        super().__init__(detail)
        self.retry_after = retry_after
