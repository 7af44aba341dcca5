"""Belonging described: invitations, rooms of two people, how far one has read."""

from __future__ import annotations

from typing import Final

from kodama.web.openapi.order import DONE, IN_A_ROOM, shown
from kodama.web.openapi.parameters import PLAIN_WORD, ROOM
from kodama.web.openapi.shape import SIGNED_IN, Content, Operation, Parameter
from kodama.wire import belonging as wire

TAG: Final = "Rooms"
CODE: Final = Parameter(
    name="code",
    place="path",
    text="The invitation's code.",
    schema={"type": "string", "pattern": PLAIN_WORD % (1, 100)},
    example="u0Jx3hJ8kQm1Zy2w",
)
_SEEN: Final = ("bad_room_name", "forbidden", "not_found", "overloaded")

OPERATIONS: Final = (
    Operation(
        method="POST",
        path="/v1/rooms/{room}/invites",
        name="invite",
        tag=TAG,
        title="Make an invitation",
        text="For moderators; one that makes moderators, for owners. Good for `expires` seconds, a week if"
        " not given, and for `uses` people.",
        parameters=(ROOM,),
        security=SIGNED_IN,
        body=(Content(shape=wire.InviteBody, example={"expires": 86400, "uses": 25}),),
        replies=shown(wire.InviteShown, "Made.", status=201),
        codes=(*IN_A_ROOM, "bad_json"),
    ),
    Operation(
        method="GET",
        path="/v1/rooms/{room}/invites",
        name="invites",
        tag=TAG,
        title="Which invitations are good?",
        text="For moderators.",
        parameters=(ROOM,),
        security=SIGNED_IN,
        replies=shown(wire.InviteList, "These."),
        codes=_SEEN,
    ),
    Operation(
        method="DELETE",
        path="/v1/rooms/{room}/invites/{code}",
        name="revokeInvite",
        tag=TAG,
        title="Take an invitation back",
        text="For moderators. Who is inside stays.",
        parameters=(ROOM, CODE),
        security=SIGNED_IN,
        replies=DONE,
        codes=IN_A_ROOM,
    ),
    Operation(
        method="GET",
        path="/v1/invites/{code}",
        name="showInvite",
        tag=TAG,
        title="What is this an invitation to?",
        text="For whoever has the code.",
        parameters=(CODE,),
        replies=shown(wire.InvitedTo, "To this room."),
        codes=("not_found", "overloaded"),
    ),
    Operation(
        method="POST",
        path="/v1/invites/{code}",
        name="acceptInvite",
        tag=TAG,
        title="Come in",
        text="Whoever has that role or a higher one already uses nothing up. An invitation is as good as"
        " whoever made it still is.",
        parameters=(CODE,),
        security=SIGNED_IN,
        replies=shown(wire.Joined, "Inside."),
        codes=("forbidden", "not_found", "conflict", "rate_limited", "overloaded"),
    ),
    Operation(
        method="POST",
        path="/v1/direct",
        name="direct",
        tag=TAG,
        title="Talk to one person",
        text="The room of two people: secret, the same whoever of them asks first, and nobody else's.",
        security=SIGNED_IN,
        body=(Content(shape=wire.DirectBody, example={"user": "g_8fk2", "name": "Aiko"}),),
        replies=(*shown(wire.DirectRoom, "Made.", status=201), *shown(wire.DirectRoom, "It is there.")),
        codes=("bad_json", "forbidden", "rate_limited", "overloaded"),
    ),
    Operation(
        method="GET",
        path="/v1/rooms/{room}/read",
        name="readMark",
        tag=TAG,
        title="How far have I read?",
        text="The same on all devices. `unread` counts messages, to 1000.",
        parameters=(ROOM,),
        security=SIGNED_IN,
        replies=shown(wire.ReadMark, "So far."),
        codes=_SEEN,
    ),
    Operation(
        method="PUT",
        path="/v1/rooms/{room}/read",
        name="moveMark",
        tag=TAG,
        title="I have read this far",
        text="A mark only moves on, and not past the room's end.",
        parameters=(ROOM,),
        security=SIGNED_IN,
        body=(Content(shape=wire.ReadBody, example={"offset": 42}),),
        replies=shown(wire.ReadMark, "So far."),
        codes=(*IN_A_ROOM, "bad_json", "conflict"),
    ),
    Operation(
        method="DELETE",
        path="/v1/rooms/{room}/read",
        name="forgetMark",
        tag=TAG,
        title="This room is mine no longer",
        text="Takes the mark away, if there is one. A role in the room stays.",
        parameters=(ROOM,),
        security=SIGNED_IN,
        replies=DONE,
        codes=("bad_room_name", "forbidden", "rate_limited", "overloaded"),
    ),
    Operation(
        method="GET",
        path="/v1/unread",
        name="unread",
        tag=TAG,
        title="What is new to me?",
        text="In the rooms in which one has a mark, a role, or a share of two.",
        security=SIGNED_IN,
        replies=shown(wire.Unread, "This."),
        codes=("forbidden", "overloaded"),
    ),
)
