"""Programs in the room described: webhooks."""

from __future__ import annotations

from typing import Any, Final

from kodama.web.openapi.parameters import NONCE_FIELD, ROOM
from kodama.web.openapi.shape import NOBODY, SIGNED_IN, Content, Operation, Parameter, Reply
from kodama.web.openapi.writing import PUBLISHED
from kodama.wire import commands, hooks

_TOKEN: Final = Parameter(
    name="token", place="path", text="The secret end of the webhook's address.", example="kdh_x",
    schema={"type": "string", "minLength": 1, "pattern": "^[^/]+$"},
)  # fmt: skip
_HOOK: Final = Parameter(
    name="hook", place="path", text="The webhook's id.", example="9f2c4a7b1e08",
    schema={"type": "string", "minLength": 1, "pattern": "^[^/]+$"},
)  # fmt: skip
_SLACK: Final[Any] = {
    "text": "Deployed <https://example.com/42|release 42>",
    "attachments": [{"title": "Tests", "text": "*all* passed"}],
}
_ROOM_CODES: Final = ("bad_room_name", "forbidden", "not_found", "overloaded")
_FORM: Final = Content(
    media="application/x-www-form-urlencoded",
    schema={"type": "object", "properties": {"payload": {"type": "string"}}, "required": ["payload"]},
)

OPERATIONS: Final = (
    Operation(
        method="GET",
        path="/v1/rooms/{room}/hooks",
        name="hooks",
        tag="Programs",
        title="List webhooks",
        text="For the owner of the room. Addresses and secrets are not shown again.",
        parameters=(ROOM,),
        security=SIGNED_IN,
        replies=(Reply(status=200, text="All of the room.", content=(Content(shape=hooks.Hooks),)),),
        codes=_ROOM_CODES,
    ),
    Operation(
        method="POST",
        path="/v1/rooms/{room}/hooks",
        name="makeHook",
        tag="Programs",
        title="Make a webhook",
        text="For the owner of the room. An `incoming` one gets an `address` to which programs send messages;"
        " an `outgoing` one is told of messages at its `url`, of all, or of those that begin with `word` or"
        " mention it as `@word`. `address` and `secret` are shown this once. At most 20 a room.",
        parameters=(ROOM,),
        security=SIGNED_IN,
        body=(Content(shape=hooks.HookBody, example={"kind": "incoming", "name": "Builds"}),),
        replies=(Reply(status=201, text="It is made.", content=(Content(shape=hooks.Hook),)),),
        codes=(*_ROOM_CODES, "bad_json", "conflict", "rate_limited"),
    ),
    Operation(
        method="DELETE",
        path="/v1/rooms/{room}/hooks/{hook}",
        name="removeHook",
        tag="Programs",
        title="Remove a webhook",
        text="For the owner of the room. Its address works no more; nothing more is told.",
        parameters=(ROOM, _HOOK),
        security=SIGNED_IN,
        replies=(Reply(status=204, text="Done."),),
        codes=(*_ROOM_CODES, "rate_limited"),
    ),
    Operation(
        method="POST",
        path="/v1/hooks/{token}",
        name="hookMessage",
        tag="Programs",
        title="Speak through a webhook",
        text="A message as anywhere, plain text, or one made for Slack (`attachments`, `blocks`, or a form"
        " with `payload`), whose text is kept. It is said by a bot with the webhook's name.",
        parameters=(_TOKEN, NONCE_FIELD),
        security=NOBODY,
        body=(
            Content(shape=commands.MessageBody, example={"text": "Build 42 is green"}),
            Content(media="text/plain", schema={"type": "string", "minLength": 1}, example="Build 42"),
            _FORM,
        ),
        replies=PUBLISHED,
        codes=("bad_json", "conflict", "forbidden", "not_found", "rate_limited", "overloaded"),
    ),
    Operation(
        method="POST",
        path="/v1/hooks/{token}/slack",
        name="hookMessageAsSlack",
        tag="Programs",
        title="Speak through a webhook as if it were Slack's",
        text="The same for programs that expect Slack's answer. The text is always taken as Slack's markup.",
        parameters=(_TOKEN,),
        security=NOBODY,
        body=(Content(schema={"type": "object"}, example=_SLACK), _FORM),
        replies=(
            Reply(
                status=200, text="`ok`: stored.",
                content=(Content(media="text/plain", schema={"type": "string"}, example="ok"),),
            ),
        ),
        codes=("bad_json", "conflict", "forbidden", "not_found", "rate_limited", "overloaded"),
    ),
)  # fmt: skip
