"""Answers as the API gives them: JSON and problems, with the fields that all of them carry."""

from __future__ import annotations

from typing import Final

import msgspec

from kodama.core.errors import MethodNotAllowed, Overloaded, RateLimited, Refused, UpgradeRequired
from kodama.http.handshake import REQUIRED
from kodama.http.message import Answer, Fields
from kodama.wire.problem import MEDIA_TYPE, encode_problem, problem, problem_of

FIELDS: Final[Fields] = (
    ("Cache-Control", "no-store"),
    ("X-Accel-Buffering", "no"),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Vary", "Accept, Origin"),
)


def json_answer(status: int, value: object, *, fields: Fields = ()) -> Answer:
    """Return ``value`` as JSON."""
    return raw_json_answer(status, msgspec.json.encode(value), fields=fields)


def raw_json_answer(status: int, body: bytes, *, fields: Fields = ()) -> Answer:
    """Return JSON that is encoded already."""
    return Answer(status, body, (("Content-Type", "application/json"), *FIELDS, *fields))


def problem_answer(error: Refused) -> Answer:
    """Return a client's fault as a problem."""
    fields: Fields = ()
    if isinstance(error, MethodNotAllowed):
        fields = (("Allow", error.allow),)
    elif isinstance(error, RateLimited | Overloaded):
        fields = (("Retry-After", str(max(1, round(error.retry_after + 0.5)))),)
    elif isinstance(error, UpgradeRequired):
        fields = REQUIRED
    elif error.code == "unauthorized":
        fields = (("WWW-Authenticate", "Bearer"),)
    given = problem_of(error)
    return Answer(given.status, encode_problem(given), (("Content-Type", MEDIA_TYPE), *FIELDS, *fields))


def code_answer(code: str, detail: str) -> Answer:
    """Return the problem of ``code``."""
    given = problem(code, detail)
    fields: Fields = (("Retry-After", "1"),) if code == "overloaded" else ()
    return Answer(given.status, encode_problem(given), (("Content-Type", MEDIA_TYPE), *FIELDS, *fields))
