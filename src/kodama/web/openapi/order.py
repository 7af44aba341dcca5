"""Keeping order described: members and roles, and what moderators do."""

from __future__ import annotations

from typing import Any, Final

from kodama.web.openapi.parameters import PLAIN_WORD, ROOM
from kodama.web.openapi.reading import AIKO
from kodama.web.openapi.shape import SIGNED_IN, Content, Operation, Parameter, Reply
from kodama.wire import answers, order

IN_A_ROOM: Final = ("bad_room_name", "forbidden", "not_found", "rate_limited", "overloaded")
DONE: Final = (Reply(status=204, text="Done."),)
PERSON: Final = Parameter(
    name="person",
    place="path",
    example="g_8fk2",
    text="The person's id, as in `author.id`.",
    schema={"type": "string", "pattern": PLAIN_WORD % (1, order.USER_LIMIT)},
)


def shown(shape: Any, text: str, *, status: int = 200) -> tuple[Reply, ...]:
    """Return the one reply of an operation that answers with ``shape``."""
    return (Reply(status=status, text=text, content=(Content(shape=shape),)),)


OPERATIONS: Final = (
    Operation(
        method="GET",
        path="/v1/rooms/{room}",
        name="showRoom",
        tag="Rooms",
        title="A room's settings",
        text="And what the asker is there.",
        parameters=(ROOM,),
        replies=shown(answers.RoomSettings, "So it is."),
        codes=("bad_room_name", "forbidden", "not_found", "overloaded"),
    ),
    Operation(
        method="GET",
        path="/v1/rooms/{room}/members",
        name="members",
        tag="Keeping order",
        title="Who has a role here?",
        text="For readers of the room. Owners first; `role` is the asker's own.",
        parameters=(ROOM,),
        replies=shown(order.MemberList, "They are."),
        codes=("bad_room_name", "forbidden", "not_found", "overloaded"),
    ),
    Operation(
        method="PUT",
        path="/v1/rooms/{room}/members/{person}",
        name="putMember",
        tag="Keeping order",
        title="Join, let somebody in, give a role",
        text="Anybody joins a public room; moderators let people in; owners give roles, to whoever stands"
        " below them. The room's log tells of it. `name` is how somebody is called who is not known yet.",
        parameters=(ROOM, PERSON),
        security=SIGNED_IN,
        body=(Content(shape=order.MemberBody, example={"role": "moderator", "name": "Aiko"}),),
        replies=shown(order.MemberShown, "So it is."),
        codes=(*IN_A_ROOM, "bad_json", "conflict"),
    ),
    Operation(
        method="DELETE",
        path="/v1/rooms/{room}/members/{person}",
        name="removeMember",
        tag="Keeping order",
        title="Leave, or take somebody out",
        text="Oneself, or, for moderators, whoever stands below. Who may read the room no longer is cut off"
        " within a second. The last owner cannot leave.",
        parameters=(ROOM, PERSON),
        security=SIGNED_IN,
        replies=DONE,
        codes=(*IN_A_ROOM, "conflict"),
    ),
    Operation(
        method="POST",
        path="/v1/owner",
        name="ownServer",
        tag="Keeping order",
        title="Own the server",
        text="With the code of the link that `kodama serve` prints while nobody owns the server; it works"
        " once. The server's owner is an owner of every room, but of other people's direct ones.",
        security=SIGNED_IN,
        body=(Content(shape=order.OwnerBody, example={"code": "Gsqsn0sZxHlHywDDu9pg"}),),
        replies=(
            Reply(
                status=200,
                text="You are.",
                content=(Content(shape=order.ServerOwner, example={"user": AIKO}),),
            ),
        ),
        codes=("bad_json", "forbidden", "not_found", "rate_limited", "overloaded"),
    ),
)
