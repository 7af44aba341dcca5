"""Accounts described."""

from __future__ import annotations

from typing import Any, Final

from kodama.web.openapi.shape import ANYBODY, JSON, NOBODY, SIGNED_IN, Content, Operation, Parameter, Reply
from kodama.wire import accounts

_OPENED: Final[Any] = {
    "token": "kds_…", "user": {"id": "g_8fk2", "name": "Aiko", "kind": "user"},
    "expires": "2026-12-23T22:10:05.123Z", "login": "aiko", "recovery": ["n4xk-2b7q-ab3c-77fd"],
}  # fmt: skip
_PASSKEY: Final = Parameter(
    name="passkey", place="path", text="The passkey's id.", example="AbCdEf",
    schema={"type": "string", "minLength": 1, "pattern": "^[^/]+$"},
)  # fmt: skip
_OPTIONS: Final = Content(
    media=JSON,
    schema={"type": "object", "properties": {"publicKey": {"type": "object"}}, "required": ["publicKey"]},
)
_COOKIE: Final = {"Set-Cookie": "The session as a cookie."}


def _opened(status: int, text: str) -> Reply:
    content = (Content(shape=accounts.AccountOpened, example=_OPENED),)
    return Reply(status=status, text=text, fields=_COOKIE, content=content)


OPERATIONS: Final = (
    Operation(
        method="POST",
        path="/v1/accounts",
        name="makeAccount",
        tag="Who is speaking",
        title="Make an account",
        text="With a guest's session the guest becomes the account and keeps its id, its messages and,"
        " without `name`, its name; the guest's session is over. The recovery codes are shown this once.",
        security=ANYBODY,
        body=(
            Content(
                shape=accounts.AccountBody,
                example={"login": "aiko", "password": "a long sentence", "name": "Aiko"},
            ),
        ),
        replies=(_opened(201, "It is made, and open."),),
        codes=("bad_json", "forbidden", "conflict", "rate_limited", "overloaded"),
    ),
    Operation(
        method="GET",
        path="/v1/accounts",
        name="showAccount",
        tag="Who is speaking",
        title="Show my account",
        text="404 for whoever has none.",
        security=SIGNED_IN,
        replies=(Reply(status=200, text="Yours.", content=(Content(shape=accounts.AccountShown),)),),
        codes=("forbidden", "not_found", "rate_limited", "overloaded"),
    ),
    Operation(
        method="PATCH",
        path="/v1/accounts",
        name="changeAccount",
        tag="Who is speaking",
        title="Change my account",
        text="Its name, its password, or its recovery codes; all but the name need the present password. All"
        " sessions of the account are over; the answer has a new one.",
        security=SIGNED_IN,
        body=(
            Content(
                shape=accounts.ChangeBody,
                example={"password": "a long sentence", "new_password": "another sentence"},
            ),
        ),
        replies=(_opened(200, "It is changed."),),
        codes=("bad_json", "forbidden", "not_found", "conflict", "rate_limited", "overloaded"),
    ),
    Operation(
        method="DELETE",
        path="/v1/accounts",
        name="forgetMe",
        tag="Who is speaking",
        title="Forget me",
        text="For guests, too. An account needs its `password`; it and all its sessions are over. With"
        " `messages` everything said is deleted, message by message, and reactions, memberships and read"
        " marks go; that may take a while after the answer.",
        security=SIGNED_IN,
        body=(
            Content(shape=accounts.ForgetBody, example={"password": "a long sentence", "messages": True}),
        ),
        replies=(Reply(status=204, text="Done.", fields={"Set-Cookie": "Takes the cookie away."}),),
        codes=("bad_json", "forbidden", "not_found", "conflict", "rate_limited", "overloaded"),
    ),
    Operation(
        method="POST",
        path="/v1/accounts/recover",
        name="recoverAccount",
        tag="Who is speaking",
        title="Come back by a recovery code",
        text="Sets a new password. The code is good no more, and all sessions of the account are over.",
        security=NOBODY,
        body=(
            Content(
                shape=accounts.RecoverBody,
                example={"login": "aiko", "code": "n4xk-2b7q-ab3c-77fd", "password": "another sentence"},
            ),
        ),
        replies=(_opened(200, "It is open."),),
        codes=("bad_json", "unauthorized", "forbidden", "conflict", "rate_limited", "overloaded"),
    ),
    Operation(
        method="POST",
        path="/v1/accounts/passkeys/new",
        name="offerPasskey",
        tag="Who is speaking",
        title="Begin to make a passkey",
        text="What `navigator.credentials.create` takes, after `PublicKeyCredential."
        "parseCreationOptionsFromJSON` has read `publicKey`. Good for five minutes.",
        security=SIGNED_IN,
        body=(Content(shape=accounts.OfferBody, example={"password": "a long sentence"}),),
        replies=(Reply(status=200, text="For the browser.", content=(_OPTIONS,)),),
        codes=("bad_json", "forbidden", "not_found", "conflict", "rate_limited", "overloaded"),
    ),
    Operation(
        method="POST",
        path="/v1/accounts/passkeys",
        name="addPasskey",
        tag="Who is speaking",
        title="Add a passkey",
        text="What the browser has made, as `toJSON()` writes it, and what you call it. It must have asked"
        " for a finger, a face or a PIN. At most ten.",
        security=SIGNED_IN,
        body=(Content(shape=accounts.PasskeyBody),),
        replies=(Reply(status=201, text="Added.", content=(Content(shape=accounts.PasskeyShown),)),),
        codes=(
            "bad_json", "bad_request", "unauthorized", "forbidden", "not_found", "conflict", "rate_limited",
            "overloaded",
        ),
    ),
    Operation(
        method="DELETE",
        path="/v1/accounts/passkeys/{passkey}",
        name="removePasskey",
        tag="Who is speaking",
        title="Remove a passkey",
        text="All sessions of the account are over; the answer has a new one.",
        parameters=(_PASSKEY,),
        security=SIGNED_IN,
        replies=(_opened(200, "It is removed."),),
        codes=("forbidden", "not_found", "conflict", "rate_limited", "overloaded"),
    ),
    Operation(
        method="POST",
        path="/v1/accounts/passkeys/challenge",
        name="askPasskey",
        tag="Who is speaking",
        title="Begin to sign in with a passkey",
        text="What `navigator.credentials.get` takes; its answer goes to `POST /v1/session` as `passkey`.",
        security=ANYBODY,
        replies=(Reply(status=200, text="For the browser.", content=(_OPTIONS,)),),
        codes=("forbidden", "rate_limited", "overloaded"),
    ),
)
