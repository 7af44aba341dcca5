"""Operating described, and the whole document put together."""

from __future__ import annotations

from typing import Final

from kodama.web.openapi import (
    accounts,
    admin,
    belonging,
    files,
    moderation,
    notify,
    order,
    programs,
    reading,
    writing,
)
from kodama.web.openapi.shape import JSON, NOBODY, Content, Json, Operation, Reply, document
from kodama.wire import answers

PROMETHEUS: Final = "text/plain; version=0.0.4; charset=utf-8"
ABOUT: Final = {
    "title": "Kodama",
    "version": "1",
    "summary": "Chat and live events that lose nothing, come once and in order.",
    "description": "Rooms are logs of events; a reader is a position in them. Publish with `POST`, read with"
    " `GET` and the cursor of the last answer. All refusals are RFC 9457 problems with a stable `code`.",
    "license": {"name": "MIT", "identifier": "MIT"},
}
TAGS: Final = {
    "Reading": "Events of rooms, live and from history, in every framing with one cursor.",
    "Writing": "Messages, and what becomes of them.",
    "Rooms": "Which rooms there are, and their settings.",
    "Keeping order": "Who is what in a room, and what owners and moderators do.",
    "Presence": "Who is here, who is typing: not kept, and at a bounded cost.",
    "Being called": "What of a room somebody is notified of, and Web Push.",
    "Files": "Pictures and other files in rooms, sent in pieces that a cut does not undo.",
    "Programs": "Webhooks: programs that speak in a room, and programs that are told.",
    "Who is speaking": "Sessions, and how to be somebody.",
    "The contract of 2011": "What the system this one descends from answered, kept alive.",
    "The owner's console": "The whole server, for whoever owns it.",
    "Operating": "For probes, monitoring and tools.",
}
SECURITY: Final[Json] = {
    "token": {
        "type": "http",
        "scheme": "bearer",
        "description": "The token of a session. One that is not valid is refused, never quietly a guest.",
    },
    "cookie": {
        "type": "apiKey",
        "in": "cookie",
        "name": "kodama_session",
        "description": "The session's cookie, for the server's own pages.",
    },
}


def _plain(path: str, name: str, title: str, text: str, content: Content, *codes: str) -> Operation:
    return Operation(
        method="GET",
        path=path,
        name=name,
        tag="Operating",
        title=title,
        text=text,
        codes=codes,
        security=NOBODY,
        replies=(Reply(status=200, text="So it is.", content=(content,)),),
    )


OPERATIONS: Final = (
    *reading.OPERATIONS,
    *writing.OPERATIONS,
    *accounts.OPERATIONS,
    *programs.OPERATIONS,
    *order.OPERATIONS,
    *moderation.OPERATIONS,
    *belonging.OPERATIONS,
    *notify.OPERATIONS,
    *files.OPERATIONS,
    *admin.OPERATIONS,
    _plain(
        "/healthz",
        "health",
        "Is the process up?",
        "For a liveness probe.",
        Content(shape=answers.Condition, example={"status": "ok"}),
    ),
    _plain(
        "/readyz",
        "readiness",
        "Does it serve?",
        "For a readiness probe: 503 before the store answers and while the server drains.",
        Content(shape=answers.Condition, example={"status": "ready"}),
        "overloaded",
    ),
    _plain(
        "/metrics",
        "metrics",
        "What it counts",
        "In the text format of Prometheus.",
        Content(media=PROMETHEUS),
    ),
    Operation(
        method="GET",
        path="/v1/connection",
        name="connection",
        tag="Operating",
        title="What the server sees of me",
        text="My address, and whether a proxy said for whom it asks; `kodama doctor` looks at it.",
        replies=(
            Reply(
                status=200,
                text="So it is.",
                content=(
                    Content(
                        shape=answers.Connection,
                        example={"address": "203.0.113.7", "scheme": "https", "forwarded": True},
                    ),
                ),
            ),
        ),
    ),
    _plain(
        "/v1/openapi.json",
        "openapi",
        "This document",
        "OpenAPI 3.1, made from the types that validate.",
        Content(media=JSON, schema={"type": "object"}),
    ),
)


def describe() -> Json:
    """Return the OpenAPI document of this server."""
    return document(OPERATIONS, about=ABOUT, tags=TAGS, security=SECURITY)
