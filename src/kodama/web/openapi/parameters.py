"""The parameters that several operations share, described once."""

from __future__ import annotations

from typing import Final

from kodama.web.openapi.shape import Parameter
from kodama.wire import commands, polls, queries, searching

PLAIN_WORD: Final = r"^[A-Za-z0-9._~-]{%d,%d}$"
OFFSET: Final = {"type": "integer", "minimum": 0, "maximum": 2**53 - 1}

ROOM: Final = Parameter(
    name="room",
    place="path",
    example="lobby",
    text="The room's name: 1 to 64 letters, marks, digits, `.`, `_` or `-` of any script, not beginning"
    " with `.`; upper and lower case, and other spellings of the same letters, are one.",
    schema={"type": "string", "minLength": 1, "format": "kodama-room"},
)
MESSAGE: Final = Parameter(
    name="offset", place="path", text="The message's offset in its room.", schema=OFFSET, example=42
)
EMOJI: Final = Parameter(
    name="emoji",
    place="path",
    example="👍",
    text="One emoji or short name, at most 64 bytes in UTF-8.",
    schema={"type": "string", "minLength": 1, "maxLength": commands.EMOJI_LIMIT, "format": "kodama-emoji"},
)
CLIENT: Final = Parameter(
    name="client",
    example="tab-8Kq2vPz1",
    schema={"type": "string", "pattern": PLAIN_WORD % (8, 64)},
    text="Made at random by each reader (each tab), and the same in all its requests: a newer poll of the"
    " same session and `client` ends the older one, and presence tells readers apart by it.",
)
SINCE: Final = Parameter(
    name="since",
    example="last:20",
    schema={"type": "string", "format": "kodama-since", "default": "now"},
    text="Where to begin: a cursor; `now`; `all`; `last:N`, the newest N events; a duration such as `10m`,"
    " `2h`, `3d`, from the first event not older; `after:812`, all above that offset, for one room only.",
)
WAIT: Final = Parameter(
    name="wait",
    schema={"type": "number", "minimum": 0, "maximum": polls.WAIT_LIMIT},
    text="Seconds to hold the poll when there is nothing new; 0 answers at once. Not given: about 25.",
    example=25,
)
CALLBACK: Final = Parameter(
    name="callback",
    text="Answer as JSONP, as a call of this function.",
    schema={
        "type": "string",
        "maxLength": 128,
        "pattern": r"^[A-Za-z_$][A-Za-z0-9_$]*(\.[A-Za-z_$][A-Za-z0-9_$]*)*$",
    },
)
PRESENCE: Final = Parameter(
    name="presence",
    text="`1`: ephemeral events (who comes and goes, who types) too, and this reader counts as present.",
    schema={"type": "string", "enum": ["0", "1"], "default": "0"},
)
TICKET: Final = Parameter(
    name="ticket",
    schema={"type": "string"},
    text="A ticket of `POST /v1/tickets`, where header fields cannot be set.",
)
ROOMS: Final = Parameter(
    name="room",
    example=["lobby", "tea"],
    text="The rooms to read, repeated for each.",
    schema={
        "type": "array",
        "items": {"type": "string", "minLength": 1, "format": "kodama-room"},
        "minItems": 1,
        "maxItems": commands.ROOMS_LIMIT,
    },
)
QUERY: Final = Parameter(
    name="q",
    example='deploy in:lobby -"not yet"',
    schema={"type": "string", "maxLength": searching.QUERY_LIMIT},
    text="Words, all of which a message has, each as a word or its beginning (in scripts without spaces:"
    ' anywhere); `"a phrase"`; `-word` for what it does not have; and `from:`, `in:`, `has:link|file|code`,'
    " `before:`, `after:`. May be left out if `room` or `from` is given.",
)
FOUND_IN: Final = Parameter(
    name="room",
    example="lobby",
    text="Only in this room.",
    schema={"type": "string", "minLength": 1, "format": "kodama-room"},
)
FOUND_FROM: Final = Parameter(
    name="from",
    schema={"type": "string", "minLength": 1},
    text="Only by the author with this id or name.",
)
FOUND_BEFORE: Final = Parameter(
    name="before",
    example="2026-11-24T09:30Z",
    schema={"type": "string"},
    text="Only older than this date or time (UTC if no zone is named); below this offset, if a room is"
    " given; or the `next` of an answer, for what follows it.",
)
FOUND_LIMIT: Final = Parameter(
    name="limit",
    text="At most so many messages.",
    schema={"type": "integer", "minimum": 1, "maximum": searching.FOUND_LIMIT}
    | {"default": searching.FOUND_DEFAULT},
)
NONCE_FIELD: Final = Parameter(
    name="Idempotency-Key",
    place="header",
    schema={"type": "string", "pattern": PLAIN_WORD % (16, 64)},
    text="The nonce, if the body has none. Without a session it has at least 16 characters.",
)


def limit(default: int, *, what: str) -> Parameter:
    """Return the parameter that bounds an answer."""
    schema = {"type": "integer", "minimum": 1, "maximum": queries.EVENTS_LIMIT, "default": default}
    return Parameter(name="limit", text=f"At most so many {what}.", schema=schema)


READING: Final = (
    SINCE,
    WAIT,
    limit(polls.EVENTS_DEFAULT, what="events"),
    CALLBACK,
    PRESENCE,
    CLIENT,
    TICKET,
)
