"""The owner's console described."""

from __future__ import annotations

from typing import Any, Final

from kodama.web.openapi.order import DONE, PERSON, shown
from kodama.web.openapi.parameters import PLAIN_WORD, limit
from kodama.web.openapi.shape import SIGNED_IN, Content, Operation, Parameter
from kodama.wire import admin as wire
from kodama.wire import queries

TAG: Final = "The owner's console"
KEY: Final = Parameter(
    name="id",
    place="path",
    text="The key's id, not the key.",
    schema={"type": "string", "pattern": PLAIN_WORD % (1, 100)},
    example="9f2c1a7b3d4e",
)


def _after(name: str, text: str) -> tuple[Parameter, ...]:
    more = Parameter(name=name, text=f"Go on below: {text} of the last line.", schema={"type": "string"})
    return more, limit(queries.PAGE_DEFAULT, what="lines")


def _look(
    path: str, title: str, text: str, shape: Any, *parameters: Parameter, wrong: tuple[str, ...] = ()
) -> Operation:
    return Operation(
        method="GET",
        path=f"/v1/admin/{path}",
        name=f"admin{path.title()}",
        tag=TAG,
        title=title,
        text=f"{text} For the server's owner only.",
        parameters=parameters,
        security=SIGNED_IN,
        replies=shown(shape, "So it is."),
        codes=("forbidden", "rate_limited", "overloaded", *wrong),
    )


_NAMED: Final = ("bad_room_name",)
OPERATIONS: Final = (
    _look("metrics", "This node's numbers", "What the charts are drawn from.", wire.Numbers),
    _look(
        "rooms", "All rooms with their sizes", "Rooms of two people are only counted.", wire.RoomsSeen,
        *_after("after", "the `room`"), wrong=_NAMED,
    ),
    _look(
        "people", "Who has a role anywhere", "And who owns the server.", wire.PeopleSeen,
        *_after("after", "`{room}/{person}`"), wrong=_NAMED,
    ),
    _look(
        "bans", "The bans of all rooms", "Those that hold.", wire.BansSeen,
        *_after("after", "`{room}/{person}`"), wrong=_NAMED,
    ),
    _look(
        "invites", "The invitations to all rooms", "Those that have not run out.", wire.InvitesSeen,
        *_after("after", "the `code`"),
    ),
    _look(
        "hooks", "The webhooks of all rooms", "Without their secrets.", wire.HooksSeen,
        *_after("after", "`{room}/{id}`"), wrong=_NAMED,
    ),
    _look(
        "audit", "What was done to keep order anywhere", "Newest first.", wire.AuditSeen,
        *_after("before", "the `id`"),
    ),
    _look("settings", "What this node was started with", "Without secrets.", wire.SettingsSeen),
    _look("keys", "All API keys", "Not the keys themselves.", wire.KeysSeen),
    Operation(
        method="DELETE", path="/v1/admin/owners/{person}", name="adminDisown", tag=TAG,
        title="Let somebody own the server no longer",
        text="The last owner stays. For the server's owner only.",
        parameters=(PERSON,), security=SIGNED_IN, replies=DONE,
        codes=("forbidden", "not_found", "conflict", "rate_limited", "overloaded"),
    ),
    Operation(
        method="POST", path="/v1/admin/keys", name="adminMakeKey", tag=TAG, title="Make an API key",
        text="Its token is shown this once. For the server's owner only.", security=SIGNED_IN,
        body=(Content(shape=wire.KeyBody, example={"name": "Mirror", "rooms": ["lobby"]}),),
        replies=shown(wire.KeyMade, "Made.", status=201),
        codes=("bad_json", "bad_room_name", "forbidden", "rate_limited", "overloaded"),
    ),
    Operation(
        method="DELETE", path="/v1/admin/keys/{id}", name="adminRevokeKey", tag=TAG,
        title="Revoke an API key",
        text="What is held open with it ends within a second. For the server's owner only.",
        parameters=(KEY,), security=SIGNED_IN, replies=DONE,
        codes=("forbidden", "not_found", "rate_limited", "overloaded"),
    ),
)  # fmt: skip
