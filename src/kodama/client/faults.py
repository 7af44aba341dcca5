"""What can go wrong for a client, in one family.

ClientFault
├── BadAddress     the text is not the address of a server
├── Refused        the server refused for good; asking again would not help
├── Superseded     a newer reader took over this one's place
└── Unreachable    every try failed; the last reason is in the message
"""

from __future__ import annotations

from typing import Any

import msgspec


class ClientFault(Exception):
    """Something that the caller has to know; its text is for a person."""


class BadAddress(ClientFault):
    """The text is not the address of a server."""

    def __init__(self, text: str) -> None:
        super().__init__(f"{text} is not the address of a server.")


class Refused(ClientFault):
    """The server refused for good. ``code`` is one of the stable codes of the protocol, or empty."""

    def __init__(self, detail: str, *, status: int, code: str) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code


class Superseded(ClientFault):
    """A newer reader of the same ``client`` took over; this one does not ask again."""


class Unreachable(ClientFault, OSError):
    """All tries failed."""


def may_pass(status: int) -> bool:
    """Tell whether an answer of ``status`` may be another one next time (408, 429, 5xx)."""
    return status in (408, 429) or status >= 500


def refused(status: int, body: bytes) -> Refused:
    """Return the refusal that an error answer words (RFC 9457), or a plain sentence for it."""
    try:
        return refused_as(msgspec.json.decode(body), status=status)
    except msgspec.DecodeError:
        return Refused(f"The server answered {status}.", status=status, code="")


def refused_as(problem: Any, *, status: int = 0) -> Refused:
    """Return the refusal in a decoded problem object."""
    if not isinstance(problem, dict):
        return Refused(f"The server answered {status}.", status=status, code="")
    given = problem.get("status")
    number = given if isinstance(given, int) else status
    detail = problem.get("detail") or problem.get("title")
    return Refused(
        detail if isinstance(detail, str) else f"The server answered {number}.",
        status=number, code=str(problem.get("code") or ""),
    )  # fmt: skip
