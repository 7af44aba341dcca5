"""Moderation described: bans, mutes, removal, what waits, reports, the audit log."""

from __future__ import annotations

from typing import Any, Final

from kodama.web.openapi.order import DONE, IN_A_ROOM, PERSON, shown
from kodama.web.openapi.parameters import MESSAGE, PLAIN_WORD, ROOM, limit
from kodama.web.openapi.shape import SIGNED_IN, Content, Operation, Parameter, Reply
from kodama.wire import answers, queries
from kodama.wire import moderation as wire

TAG: Final = "Keeping order"
_SEEN: Final = ("bad_room_name", "forbidden", "not_found", "overloaded")
_ID: Final[dict[str, Any]] = {"type": "string", "pattern": PLAIN_WORD % (1, 100)}
ONE: Final = Parameter(name="id", place="path", text="Its id, from the list.", schema=_ID, example="42-g_1")
BEFORE: Final = Parameter(name="before", text="Only what is older than the line of this id.", schema=_ID)


def _act(
    method: str, path: str, name: str, title: str, text: str, shape: Any, example: object,
    *, replies: tuple[Reply, ...], parameters: tuple[Parameter, ...] = (ROOM,),
) -> Operation:  # fmt: skip
    body = () if shape is None else (Content(shape=shape, example=example),)
    return Operation(
        method=method,
        path=f"/v1/rooms/{{room}}/{path}",
        name=name,
        tag=TAG,
        title=title,
        text=text,
        parameters=parameters,
        security=SIGNED_IN,
        body=body,
        replies=replies,
        codes=(*IN_A_ROOM, "bad_json", "conflict") if body else IN_A_ROOM,
    )


def _list(path: str, name: str, title: str, text: str, shape: Any, *more: Parameter) -> Operation:
    return Operation(
        method="GET",
        path=f"/v1/rooms/{{room}}/{path}",
        name=name,
        tag=TAG,
        title=title,
        text=text,
        parameters=(ROOM, *more),
        security=SIGNED_IN,
        replies=shown(shape, "So it is."),
        codes=_SEEN,
    )


OPERATIONS: Final = (
    _list("bans", "bans", "Who is banned?", "For moderators.", wire.BanList),
    _act(
        "PUT", "bans/{person}", "ban", "Ban somebody",
        "They read and write no longer, and what they hold open ends within a second. For `minutes`, for"
        " ever without. With `network`, guests from where they write cannot write either, for a day at most.",
        wire.BanBody, {"minutes": 60, "network": True, "reason": "spam"},
        replies=shown(wire.BanShown, "Banned."), parameters=(ROOM, PERSON),
    ),
    _act(
        "DELETE", "bans/{person}", "liftBan", "Let somebody come back", "For moderators.", None, None,
        replies=DONE, parameters=(ROOM, PERSON),
    ),
    _list("mutes", "mutes", "Who is muted?", "For moderators.", wire.MuteList),
    _act(
        "PUT", "mutes/{person}", "mute", "Mute somebody",
        "They read, and write no longer: for `minutes`, for ever without.",
        wire.MuteBody, {"minutes": 10}, replies=shown(wire.MuteShown, "Muted."), parameters=(ROOM, PERSON),
    ),
    _act(
        "DELETE", "mutes/{person}", "unmute", "Let somebody write again", "For moderators.", None, None,
        replies=DONE, parameters=(ROOM, PERSON),
    ),
    _act(
        "POST", "kick", "kick", "Put somebody out",
        "What they hold open ends within a second, and they are no member any more. They may come back in a"
        " minute, if the room is open to them.",
        wire.KickBody, {"user": "g_8fk2"}, replies=shown(wire.BanShown, "Out, until then."),
    ),
    _act(
        "POST", "purge", "purge", "Take back what somebody said",
        "Deletes each message of the last `minutes`, a week at most, as if by hand, takes back reactions,"
        " and forgets what waits.",
        wire.PurgeBody, {"user": "g_8fk2", "minutes": 60}, replies=shown(wire.Purged, "Gone."),
    ),
    _list("held", "held", "What waits?", "Messages of new guests, oldest first.", wire.HeldList),
    _act(
        "POST", "held/{id}", "settleHeld", "Release or refuse what waits",
        "Released, it gets its offset, and its author's further messages need not wait.",
        wire.HeldBody, {"do": "release"},
        replies=(*shown(answers.Published, "Released."), *DONE), parameters=(ROOM, ONE),
    ),
    _act(
        "POST", "messages/{offset}/report", "report", "Report a message",
        "For everybody who reads the room with a session. Moderators see it.",
        wire.ReportBody, {"reason": "spam"},
        replies=shown(wire.ReportShown, "Reported.", status=201), parameters=(ROOM, MESSAGE),
    ),
    _list("reports", "reports", "What was reported?", "Oldest first.", wire.ReportList),
    _act(
        "DELETE", "reports/{id}", "dismissReport", "Take a report from the list", "It was seen to.",
        None, None, replies=DONE, parameters=(ROOM, ONE),
    ),
    _list(
        "audit", "audit", "What was done to keep order?", "Newest first.", wire.AuditPage, BEFORE,
        limit(queries.PAGE_DEFAULT, what="lines"),
    ),
)  # fmt: skip
