"""Writing described: messages, what becomes of them, rooms, presence, sessions."""

from __future__ import annotations

from typing import Any, Final

from kodama.core.event import Delete, Edit, Reaction
from kodama.web.openapi.parameters import CLIENT, EMOJI, MESSAGE, NONCE_FIELD, ROOM
from kodama.web.openapi.reading import AIKO
from kodama.web.openapi.shape import JSON, NOBODY, SIGNED_IN, Content, Operation, Reply
from kodama.wire import answers, commands
from kodama.wire.moderation import Waiting

_IN_A_ROOM: Final = ("bad_room_name", "forbidden", "not_found", "rate_limited", "overloaded")
_TEXT: Final = Content(media="text/plain", schema={"type": "string", "minLength": 1}, example="hello")
_STORED: Final[Any] = {
    "id": "019a0000-0000-7000-8000-000000000000",
    "room": "lobby",
    "offset": 42,
    "epoch": "q3Zx9",
    "time": "2026-11-23T22:10:05.123Z",
}
PUBLISHED: Final = (
    Reply(
        status=201,
        text="Stored: it is durable and has its offset.",
        content=(Content(shape=answers.Published, example=_STORED),),
    ),
    Reply(
        status=200,
        text="It was stored before, under this nonce.",
        content=(Content(shape=answers.Published, example=_STORED),),
    ),
    Reply(
        status=202,
        text="It waits for a moderator, as new guests' messages do here; it gets its offset on release.",
        content=(Content(shape=Waiting, example={"held": "5f0c2a9be1d84c7a3b62", "room": "lobby"}),),
    ),
)
_MESSAGE: Final = Content(shape=commands.MessageBody, example={"text": "hello", "nonce": "c1-17-9fK2mPq7xW"})
_DONE: Final = (Reply(status=204, text="Done."),)


def _event(shape: object, text: str) -> tuple[Reply, ...]:
    return (Reply(status=200, text=text, content=(Content(shape=shape),)),)


OPERATIONS: Final = (
    Operation(
        method="POST",
        path="/v1/rooms/{room}/messages",
        name="publish",
        tag="Writing",
        title="Say something",
        text="201 means: it is durable, and a crash a moment later loses nothing. If the answer is lost"
        " or is a 5xx, send it again with the same nonce: one event is stored, however often it is sent. A"
        " first message creates the room, unless the server is set not to.",
        parameters=(ROOM, NONCE_FIELD),
        body=(_MESSAGE, _TEXT),
        replies=PUBLISHED,
        codes=(*_IN_A_ROOM, "bad_json", "conflict", "unsupported_media"),
    ),
    Operation(
        method="POST",
        path="/r/{room}",
        name="publishText",
        tag="Writing",
        title="Say something with curl",
        text="`curl -d hello …/r/lobby`: every Content-Type but JSON is taken as text.",
        parameters=(ROOM, NONCE_FIELD),
        body=(_TEXT, _MESSAGE),
        replies=PUBLISHED,
        codes=(*_IN_A_ROOM, "bad_json", "conflict"),
    ),
    Operation(
        method="PATCH",
        path="/v1/rooms/{room}/messages/{offset}",
        name="edit",
        tag="Writing",
        title="Edit a message",
        text="For its author. The message is served with its new text from now on.",
        parameters=(ROOM, MESSAGE),
        security=SIGNED_IN,
        body=(Content(shape=commands.EditBody, example={"text": "hello, all"}),),
        replies=_event(Edit, "The `edit` event; a repeat is the same one."),
        codes=(*_IN_A_ROOM, "bad_json", "conflict"),
    ),
    Operation(
        method="DELETE",
        path="/v1/rooms/{room}/messages/{offset}",
        name="delete",
        tag="Writing",
        title="Delete a message",
        parameters=(ROOM, MESSAGE),
        security=SIGNED_IN,
        text="For its author and the room's owner. Its place in the log stays, without what was said.",
        replies=_event(Delete, "The `delete` event; a repeat is the same one."),
        codes=(*_IN_A_ROOM, "conflict"),
    ),
    *(
        Operation(
            method=method,
            path="/v1/rooms/{room}/messages/{offset}/reactions/{emoji}",
            name=name,
            tag="Writing",
            title=title,
            text="A repeat changes nothing, and answers with the event that made it so.",
            parameters=(ROOM, MESSAGE, EMOJI),
            security=SIGNED_IN,
            replies=_event(Reaction, "The `reaction` event."),
            codes=(*_IN_A_ROOM, "conflict"),
        )
        for method, name, title in (
            ("PUT", "react", "React to a message"),
            ("DELETE", "unreact", "Take a reaction back"),
        )
    ),
    Operation(
        method="PUT",
        path="/v1/rooms/{room}",
        name="putRoom",
        tag="Rooms",
        title="Create or change a room",
        text="For its owner, who is whoever created it with a session. What is not given stays as it is."
        " A changed topic is an event.",
        parameters=(ROOM,),
        security=SIGNED_IN,
        body=(Content(shape=commands.RoomBody, example={"title": "Tea", "access": "members"}),),
        replies=tuple(
            [
                Reply(status=status, text=text, content=(Content(shape=answers.RoomSettings),))
                for status, text in ((201, "Created."), (200, "Changed."))
            ]
        ),
        codes=(*_IN_A_ROOM, "bad_json", "conflict"),
    ),
    Operation(
        method="PUT",
        path="/v1/rooms/{room}/typing",
        name="typing",
        tag="Presence",
        title="Say that you type",
        text="The others hear it at most every 2.5 s, and forget it after 6 s: say it again every 3 s while"
        " it is so.",
        parameters=(ROOM,),
        replies=_DONE,
        codes=_IN_A_ROOM,
    ),
    Operation(
        method="PUT",
        path="/v1/rooms/{room}/presence",
        name="mark",
        tag="Presence",
        title="Be here, or away from it",
        text="Counts as a poll: it keeps you present for 45 s. Without `client` it is said of all your"
        " readers.",
        parameters=(ROOM, CLIENT),
        replies=_DONE,
        codes=(*_IN_A_ROOM, "bad_json"),
        body=(Content(shape=commands.PresenceBody, example={"state": "idle"}),),
    ),
    Operation(
        method="DELETE",
        path="/v1/rooms/{room}/presence",
        name="depart",
        tag="Presence",
        title="Leave at once",
        text="Instead of when the lease is over. Without `client`, with all your readers.",
        parameters=(ROOM, CLIENT),
        replies=_DONE,
        codes=_IN_A_ROOM,
    ),
    Operation(
        method="POST",
        path="/v1/session",
        name="openSession",
        tag="Who is speaking",
        title="Open a session",
        text="The answer sets a cookie, too, for the server's own pages. It lasts 30 days.",
        body=(Content(shape=commands.SessionBody, example={"name": "Aiko"}),),
        security=NOBODY,
        replies=(
            Reply(
                status=201,
                text="Open.",
                fields={"Set-Cookie": "The session as a cookie."},
                content=(
                    Content(
                        shape=answers.SessionOpened,
                        example={
                            "token": "kds_…",
                            "user": AIKO,
                            "expires": "2026-12-23T22:10:05.123Z",
                        },
                    ),
                ),
            ),
        ),
        codes=("bad_json", "unauthorized", "forbidden", "rate_limited", "overloaded"),
    ),
    Operation(
        method="GET",
        path="/v1/session",
        name="showSession",
        tag="Who is speaking",
        title="Who am I?",
        text="404 without a session.",
        security=SIGNED_IN,
        codes=("not_found",),
        replies=(Reply(status=200, text="Who you are.", content=(Content(shape=answers.SessionShown),)),),
    ),
    Operation(
        method="DELETE",
        path="/v1/session",
        name="endSession",
        tag="Who is speaking",
        title="Log out",
        text="Also if there is no session. Connections of the session end within a second.",
        codes=("forbidden", "rate_limited", "overloaded"),
        replies=(Reply(status=204, text="Ended.", fields={"Set-Cookie": "Takes the cookie away."}),),
    ),
    Operation(
        method="POST",
        path="/v1/tickets",
        name="ticket",
        tag="Who is speaking",
        title="Get a ticket for a reader",
        text="For 60 seconds and reading only, for rooms that you may read yourself: where a reader cannot"
        " set header fields, it asks with `?ticket=`. A stream opened with it may outlive it.",
        body=(Content(shape=commands.TicketBody, example={"rooms": ["lobby"]}),),
        replies=(Reply(status=201, text="Issued.", content=(Content(shape=answers.TicketIssued),)),),
        codes=(*_IN_A_ROOM, "bad_json"),
    ),
    Operation(
        method="POST",
        path="/",
        name="post2011",
        tag="The contract of 2011",
        title="Post JSON to the lobby",
        text="Any JSON value, whatever the Content-Type says, is published to room `lobby` as `data`. Every"
        " path that is not the server's own does the same.",
        body=(Content(media=JSON, schema={}, example={"m": "hello"}),),
        replies=(Reply(status=200, text="Stored.", content=(Content(media="text/plain", example="OK"),)),),
        codes=("bad_json", "forbidden", "not_found", "rate_limited", "overloaded"),
    ),
)
