"""Reading described: events in all framings, history, rooms, and who is here."""

from __future__ import annotations

from typing import Any, Final

from kodama.web.openapi.parameters import (
    CALLBACK,
    FOUND_BEFORE,
    FOUND_FROM,
    FOUND_IN,
    FOUND_LIMIT,
    OFFSET,
    QUERY,
    READING,
    ROOM,
    ROOMS,
    TICKET,
    limit,
)
from kodama.web.openapi.shape import Content, Operation, Parameter, Reply
from kodama.wire import answers, polls, queries
from kodama.wire.ephemeral import PresenceList
from kodama.wire.jsonp import MEDIA_TYPE as JAVASCRIPT
from kodama.wire.ndjson import MEDIA_TYPE as NDJSON
from kodama.wire.sse import MEDIA_TYPE as SSE
from kodama.wire.text import MEDIA_TYPE as TEXT

AIKO: Final = {"id": "g_8fk2", "name": "Aiko", "kind": "guest"}
MESSAGE: Final = {
    "type": "message",
    "room": "lobby",
    "offset": 42,
    "epoch": "q3Zx9",
    "id": "019a0000-0000-7000-8000-000000000000",
    "time": "2026-11-23T22:10:05.123Z",
    "author": AIKO,
    "text": "hello",
    "data": None,
}
_BATCH: Final = {"cursor": "k1.lobby~q3Zx9~42", "events": [MESSAGE], "more": False}
_JSONP: Final = Content(
    media=JAVASCRIPT, example='/**/fn({"cursor":"k1.lobby~q3Zx9~42","events":[],"more":false});'
)
_STREAMS: Final = (
    Content(
        media=SSE,
        example='id: k1.lobby~q3Zx9~42\nevent: message\ndata: {"type":"message","offset":42}\n\n',
    ),
    Content(media=NDJSON, example='{"type":"ready","cursor":"k1.lobby~q3Zx9~42","started":{}}\n'),
    Content(media=TEXT, example="22:10 Aiko: hello\n"),
)
_EVENTS: Final = (Content(shape=answers.Events, example=_BATCH), _JSONP, *_STREAMS)
_POSTED: Final = (_EVENTS[0], *_STREAMS)
_REFUSED: Final = (
    "bad_room_name",
    "bad_cursor",
    "bad_callback",
    "forbidden",
    "not_found",
    "not_acceptable",
    "rate_limited", "overloaded",
)
_HOW: Final = (
    'Come back with the `cursor` of the last answer: it says "I have seen everything up to here", and no'
    " event is lost or comes twice, whatever the framing and however often the connection breaks. The framing"
    " is chosen by `callback`, then by `Accept`. A poll that has nothing new is held, and answered empty with"
    " the same place when the hold is over. The streams (server-sent events, NDJSON, text for people) begin"
    " with a record `ready` and go on until one side ends them; with `wait=0` they end when all is told."
)


def _events(path: str, name: str, title: str, text: str, parameters: tuple[Parameter, ...]) -> Operation:
    return Operation(
        method="GET",
        path=path,
        name=name,
        tag="Reading",
        title=title,
        text=f"{text} {_HOW}",
        parameters=parameters,
        codes=_REFUSED,
        replies=(Reply(status=200, text="What is new, or nothing after a hold.", content=_EVENTS),),
    )


def _place(name: str, text: str) -> Parameter:
    return Parameter(name=name, text=f"Messages {text} this offset.", schema=OFFSET)


_TALLY: Final[Any] = {"target": 42, "emoji": "👍", "count": 1, "by": [AIKO], "offset": 43}
_PAGE: Final[Any] = {
    "messages": [MESSAGE],
    "more": True,
    "reactions": [_TALLY],
    "cursor": "k1.lobby~q3Zx9~42",
}
_FOUND: Final[Any] = {"messages": [MESSAGE], "more": True, "next": "1795551005123~42~lobby"}
_PRESENT: Final[Any] = {"here": [AIKO], "count": 4, "guests": 3, "version": 1795551318007}

OPERATIONS: Final = (
    _events(
        "/v1/rooms/{room}/events",
        "readRoom",
        "Read a room",
        "Events of one room, in order, each once.",
        (ROOM, *READING),
    ),
    _events(
        "/v1/events",
        "readRooms",
        "Read many rooms",
        "Events of up to 100 rooms with one cursor; an answer that is cut takes from them in turn.",
        (ROOMS, *READING),
    ),
    Operation(
        method="POST",
        path="/v1/events",
        name="readRoomsByPost",
        tag="Reading",
        title="Read many rooms, asked in a body",
        codes=(*_REFUSED, "bad_json"),
        text=f"The same as the GET, for more rooms than fit into an address. {_HOW}",
        body=(Content(shape=polls.EventsBody, example={"rooms": ["lobby", "tea"], "since": "last:20"}),),
        replies=(Reply(status=200, text="What is new.", content=_POSTED),),
    ),
    Operation(
        method="GET",
        path="/v1/ws",
        name="socket",
        tag="Reading",
        title="Open a WebSocket",
        text="Reads rooms and writes to them on one connection (RFC 6455, version 13, subprotocol"
        " `kodama.v1`). Both sides send JSON objects as text: `subscribe`, `unsubscribe`, `publish`,"
        " `typing`, `ping` and `hello` one way, answers and `events` with their `cursor` the other. Pages of"
        " other sites connect if `KODAMA_ORIGINS` names them. What is no upgrade is told so by 426.",
        parameters=(TICKET,),
        codes=("upgrade_required", "forbidden", "rate_limited", "overloaded"),
        replies=(Reply(status=101, text="From here on it is a WebSocket."),),
    ),
    Operation(
        method="GET",
        path="/r/{room}",
        name="sharedAddress",
        tag="Reading",
        title="The address people share",
        text="With `text/html` in `Accept` the chat page; else the events of the room, from `last:20` on if"
        " `since` is not given.",
        parameters=(ROOM, *READING),
        codes=_REFUSED,
        replies=(
            Reply(
                status=200,
                text="The page, or events.",
                content=(Content(media="text/html; charset=utf-8"), *_EVENTS),
            ),
            Reply(status=304, text="The browser has the page already."),
        ),
    ),
    Operation(
        method="GET",
        path="/v1/rooms/{room}/messages",
        name="history",
        tag="Reading",
        title="Read back",
        text="A page of messages, oldest first, with edits and deletes folded in. At most one of `before`,"
        " `after` and `around`; without any, the newest page, whose `cursor` is exactly the end of the log at"
        " which it was folded: read on from it, live.",
        parameters=(
            ROOM,
            _place("before", "below"),
            _place("after", "above"),
            _place("around", "around and at"),
            limit(queries.PAGE_DEFAULT, what="messages"),
        ),
        codes=("bad_room_name", "forbidden", "not_found", "rate_limited", "overloaded"),
        replies=(
            Reply(status=200, text="A page.", content=(Content(shape=answers.HistoryPage, example=_PAGE),)),
        ),
    ),
    Operation(
        method="GET",
        path="/v1/search",
        name="search",
        tag="Reading",
        title="Search",
        text="Messages of the rooms that you may read, the newest first, as they are now: an edited one is"
        " found by its new words, a deleted one not at all. Japanese, Chinese, Korean and Thai are found by"
        " any run of characters. Signs and emoji are not looked for; a query of nothing else finds nothing.",
        parameters=(QUERY, FOUND_IN, FOUND_FROM, FOUND_BEFORE, FOUND_LIMIT),
        codes=("bad_room_name", "forbidden", "not_found", "rate_limited", "overloaded"),
        replies=(
            Reply(
                status=200,
                text="What was found.",
                content=(Content(shape=answers.SearchPage, example=_FOUND),),
            ),
        ),
    ),
    Operation(
        method="GET",
        path="/v1/rooms",
        name="rooms",
        tag="Rooms",
        title="List rooms",
        text="The rooms that you may know of: public ones and those of members for everybody, secret ones for"
        " those who may read them.",
        codes=("overloaded",),
        replies=(
            Reply(
                status=200,
                text="The rooms.",
                content=(
                    Content(
                        shape=answers.RoomList,
                        example={
                            "rooms": [
                                {"room": "lobby", "title": "", "topic": "", "access": "public", "last": 42}
                            ],
                        },
                    ),
                ),
            ),
        ),
    ),
    Operation(
        method="GET",
        path="/v1/rooms/{room}/presence",
        name="presence",
        tag="Presence",
        title="Who is here",
        text="People in the order in which they came; one who is idle on all connections has `state`. `count`"
        " includes `guests`, who are counted without a name. Fetch it again when the `version` of a presence"
        " event is a jump.",
        parameters=(ROOM, limit(queries.NAMES_DEFAULT, what="names")),
        codes=("bad_room_name", "forbidden", "not_found", "overloaded"),
        replies=(
            Reply(status=200, text="Who is here.", content=(Content(shape=PresenceList, example=_PRESENT),)),
        ),
    ),
    Operation(
        method="GET",
        path="/",
        name="front",
        tag="The contract of 2011",
        title="The page, or the next message",
        text="Without `callback` the chat page. With it, the door of 2011: waits without limit for the next"
        " message of room `lobby` and answers `fn(<JSON>)`. Every path that is not the server's own does the"
        " same.",
        parameters=(CALLBACK,),
        codes=("bad_callback", "forbidden", "not_found", "rate_limited", "overloaded"),
        replies=(
            Reply(
                status=200,
                text="The page, or a call.",
                content=(
                    Content(media="text/html; charset=utf-8"),
                    Content(media="application/javascript", example='fn({"m":"hello"})'),
                ),
            ),
            Reply(status=304, text="The browser has the page already."),
        ),
    ),
)
