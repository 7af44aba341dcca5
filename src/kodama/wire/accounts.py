"""Accounts on the wire: what is asked for and what is answered."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType
from msgspec.structs import replace

from kodama.core.account import Passkey, login_name
from kodama.core.errors import BadJson
from kodama.core.event import Author, timestamp
from kodama.core.names import display_name
from kodama.wire.answers import When
from kodama.wire.passkeys import NewPasskey
from kodama.wire.strict import decoded

Codes = Annotated[list[str], Meta(description="Each is good once, instead of the password; shown once.")]


class AccountBody(msgspec.Struct, frozen=True):
    """``POST /v1/accounts``; without ``name`` a guest keeps theirs."""

    login: str
    password: str
    name: str | None = None


class RecoverBody(msgspec.Struct, frozen=True):
    """``POST /v1/accounts/recover``: ``password`` is the new one."""

    login: str
    code: str
    password: str


class ChangeBody(msgspec.Struct, frozen=True):
    """``PATCH /v1/accounts``: ``password`` is the present one, needed for all but the ``name``;
    ``recovery`` asks for new codes."""

    name: str | None = None
    password: str | None = None
    new_password: str | None = None
    recovery: bool | None = None


class ForgetBody(msgspec.Struct, frozen=True):
    """``DELETE /v1/accounts``: ``password`` if there is an account, ``messages`` if they are to go."""

    password: str | None = None
    messages: bool = False


class OfferBody(msgspec.Struct, frozen=True):
    """``POST /v1/accounts/passkeys/new``."""

    password: str


class PasskeyBody(msgspec.Struct, frozen=True):
    """``POST /v1/accounts/passkeys``: what the browser has made, and what you call it."""

    passkey: NewPasskey
    name: str = "Passkey"


class AccountOpened(msgspec.Struct, frozen=True, kw_only=True):
    """A new session of an account, and its recovery codes when there are new ones."""

    token: str
    user: Author
    expires: When
    login: str
    recovery: Codes | UnsetType = UNSET


class PasskeyShown(msgspec.Struct, frozen=True, kw_only=True):
    """A passkey of yours."""

    id: str
    name: str
    created: When


class AccountShown(msgspec.Struct, frozen=True, kw_only=True):
    """Your account; `recovery` is how many codes are left."""

    user: Author
    login: str
    created: When
    recovery: int
    passkeys: list[PasskeyShown]


def account_body(body: bytes) -> AccountBody:
    """Read an account to be made. Raises `BadJson`, `BadRequest`."""
    given: AccountBody = decoded(body, AccountBody)
    name = None if given.name is None else display_name(given.name)
    return replace(given, login=login_name(given.login), name=name)


def recover_body(body: bytes) -> RecoverBody:
    """Read a recovery. Raises `BadJson`."""
    given: RecoverBody = decoded(body, RecoverBody)
    return given


def change_body(body: bytes) -> ChangeBody:
    """Read a change of an account. Raises `BadJson`, `BadRequest`."""
    given: ChangeBody = decoded(body, ChangeBody)
    if given.name is None and given.new_password is None and not given.recovery:
        raise BadJson("A name, a new_password or recovery is changed, nothing else.")
    return given if given.name is None else replace(given, name=display_name(given.name))


def forget_body(body: bytes) -> ForgetBody:
    """Read how somebody wants to be forgotten; nothing is read as the least. Raises `BadJson`."""
    given: ForgetBody = decoded(body or b"{}", ForgetBody)
    return given


def offer_body(body: bytes) -> OfferBody:
    """Read who wants to make a passkey. Raises `BadJson`."""
    given: OfferBody = decoded(body, OfferBody)
    return given


def passkey_body(body: bytes) -> PasskeyBody:
    """Read a passkey that was made. Raises `BadJson`, `BadRequest`."""
    given: PasskeyBody = decoded(body, PasskeyBody)
    return replace(given, name=display_name(given.name))


def passkey_shown(passkey: Passkey) -> PasskeyShown:
    """Return a passkey as its owner sees it."""
    return PasskeyShown(id=passkey.id, name=passkey.name, created=timestamp(passkey.created))
