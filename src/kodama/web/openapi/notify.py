"""Being called described: levels of rooms, and Web Push."""

from __future__ import annotations

from typing import Any, Final

from kodama.web.openapi.order import DONE, IN_A_ROOM, shown
from kodama.web.openapi.parameters import ROOM
from kodama.web.openapi.shape import SIGNED_IN, Content, Operation
from kodama.wire import notify as wire

TAG: Final = "Being called"
_SUBSCRIPTION: Final[Any] = {
    "endpoint": "https://push.example.net/JzLQ3raZJfFBR0aqvOMsLrt54w4rJUsV",
    "keys": {
        "p256dh": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
        "auth": "BTBZMqHH6r4Tts7J_aSIgg",
    },
}
_WRITING: Final = ("bad_json", "forbidden", "rate_limited", "overloaded")

OPERATIONS: Final = (
    Operation(
        method="GET",
        path="/v1/rooms/{room}/notify",
        name="notifyLevel",
        tag=TAG,
        title="What of this room am I called for?",
        text="`all` messages, `mentions`, or `none`. Who has not chosen is called for mentions, in a room of"
        " two for all.",
        parameters=(ROOM,),
        security=SIGNED_IN,
        replies=shown(wire.LevelShown, "For these."),
        codes=("bad_room_name", "forbidden", "not_found", "overloaded"),
    ),
    Operation(
        method="PUT",
        path="/v1/rooms/{room}/notify",
        name="chooseNotifyLevel",
        tag=TAG,
        title="Call me for these",
        text="For all of one's devices.",
        parameters=(ROOM,),
        security=SIGNED_IN,
        body=(Content(shape=wire.LevelBody, example={"level": "all"}),),
        replies=shown(wire.LevelShown, "For these."),
        codes=(*IN_A_ROOM, "bad_json"),
    ),
    Operation(
        method="GET",
        path="/v1/push",
        name="push",
        tag=TAG,
        title="The server's key",
        text="The `applicationServerKey` of Web Push (RFC 8292), and how many of one's browsers are called.",
        replies=shown(wire.PushShown, "This."),
        codes=("overloaded",),
    ),
    Operation(
        method="POST",
        path="/v1/push",
        name="subscribePush",
        tag=TAG,
        title="Call this browser",
        text="Again at each visit: it renews the subscription, which is forgotten after 60 days, with the"
        " session, or when its push service knows it no more. At most 10 a person; the oldest gives way.",
        security=SIGNED_IN,
        body=(Content(shape=wire.SubscriptionBody, example=_SUBSCRIPTION),),
        replies=shown(wire.PushShown, "It will be.", status=201),
        codes=_WRITING,
    ),
    Operation(
        method="DELETE",
        path="/v1/push",
        name="unsubscribePush",
        tag=TAG,
        title="Do not call this browser",
        text="One that is not known is no fault.",
        security=SIGNED_IN,
        body=(Content(shape=wire.EndpointBody, example={"endpoint": _SUBSCRIPTION["endpoint"]}),),
        replies=DONE,
        codes=_WRITING,
    ),
    Operation(
        method="POST",
        path="/v1/push/test",
        name="testPush",
        tag=TAG,
        title="Call me now",
        text="On all of one's browsers, to see that it works; answered when the push services have.",
        security=SIGNED_IN,
        replies=shown(wire.PushTried, "They said so."),
        codes=("conflict", "forbidden", "rate_limited", "overloaded"),
    ),
)
