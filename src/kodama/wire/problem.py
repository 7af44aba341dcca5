"""Errors as RFC 9457 ``application/problem+json``: the one table of codes and statuses."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec
from msgspec import UNSET, Meta, UnsetType

from kodama.core.errors import Refused
from kodama.core.event import timestamp

MEDIA_TYPE: Final = "application/problem+json"

STATUSES: Final[dict[str, tuple[int, str]]] = {
    "bad_request": (400, "Bad request"),
    "bad_json": (400, "Bad JSON"),
    "bad_room_name": (400, "Bad room name"),
    "bad_cursor": (400, "Bad cursor"),
    "bad_callback": (400, "Bad callback"),
    "unauthorized": (401, "Unauthorized"),
    "forbidden": (403, "Forbidden"),
    "not_found": (404, "Not found"),
    "method_not_allowed": (405, "Method not allowed"),
    "not_acceptable": (406, "Not acceptable"),
    "timeout": (408, "Request timeout"),
    "conflict": (409, "Conflict"),
    "too_large": (413, "Content too large"),
    "unsupported_media": (415, "Unsupported media type"),
    "misdirected": (421, "Misdirected request"),
    "upgrade_required": (426, "Upgrade required"),
    "rate_limited": (429, "Too many requests"),
    "headers_too_large": (431, "Request header fields too large"),
    "internal": (500, "Internal error"),
    "overloaded": (503, "Overloaded"),
}

_BY_STATUS: Final = {
    400: "bad_request", 405: "method_not_allowed", 408: "timeout", 413: "too_large",
    417: "bad_request", 431: "headers_too_large", 503: "overloaded",
}  # fmt: skip


class Problem(msgspec.Struct, frozen=True):
    """The problem details object; ``type`` is a relative reference into the documentation.

    ``why`` is there where several things may be in the way: `banned`, `muted`, `locked`, `network`,
    `slow`; ``until`` if what is in the way ends by itself."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    why: str | UnsetType = UNSET
    until: Annotated[str, Meta(extra_json_schema={"format": "date-time"})] | UnsetType = UNSET


def problem(code: str, detail: str) -> Problem:
    """Return the problem of ``code``, which is in `STATUSES`."""
    status, title = STATUSES[code]
    return Problem(f"/docs/errors#{code}", title, status, detail, code)


def problem_of(error: Refused) -> Problem:
    """Return the problem of a client's fault."""
    given = problem(error.code, error.detail)
    if not error.why:
        return given
    return msgspec.structs.replace(
        given, why=error.why, until=UNSET if error.until is None else timestamp(error.until)
    )


def code_of_status(status: int) -> str:
    """Return the code of a status that the HTTP layer refuses with by itself."""
    return _BY_STATUS.get(status, "bad_request")


def encode_problem(given: Problem) -> bytes:
    """Return the object as JSON."""
    return msgspec.json.encode(given)
