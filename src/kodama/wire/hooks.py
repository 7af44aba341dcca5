"""Webhooks on the wire: what is asked for, what programs send, what is answered."""

from __future__ import annotations

import re
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

import msgspec
from msgspec import UNSET, Meta, UnsetType

from kodama.core.errors import BadRequest
from kodama.core.names import display_name
from kodama.wire.commands import MessageBody, message_body, text_body
from kodama.wire.slack import slack_body
from kodama.wire.strict import any_json, decoded

_SLACK_ONLY: Final = frozenset(("attachments", "blocks", "username"))
_WORD: Final = re.compile(r"\S{1,32}")
_ADDRESS: Final = re.compile(r"[!-~]{1,2000}", re.ASCII)


class HookBody(msgspec.Struct, frozen=True):
    """``POST /v1/rooms/{room}/hooks``: ``url`` is where an outgoing one sends to, and ``word`` what
    it is told of if not of all messages."""

    kind: Literal["incoming", "outgoing"]
    name: str
    url: str | None = None
    word: str | None = None


class Hook(msgspec.Struct, frozen=True, kw_only=True):
    """A webhook as it is listed."""

    id: str
    kind: Literal["incoming", "outgoing"]
    name: str
    room: str
    url: str | UnsetType = UNSET
    word: str | UnsetType = UNSET
    failures: Annotated[
        int, Meta(description="How often the delivery under way has failed.")
    ] | UnsetType = UNSET
    address: Annotated[
        str, Meta(description="Where programs send to; shown once.")
    ] | UnsetType = UNSET
    secret: Annotated[
        str, Meta(description="What deliveries are signed with; shown once.")
    ] | UnsetType = UNSET


class Hooks(msgspec.Struct, frozen=True):
    """The webhooks of a room."""

    hooks: list[Hook]


def hook_command(body: bytes) -> HookBody:
    """Read a webhook to be made. Raises `BadJson`, `BadRequest`."""
    given: HookBody = decoded(body, HookBody)
    named: HookBody = msgspec.structs.replace(given, name=display_name(given.name))
    if given.kind == "incoming":
        if given.url is not None or given.word is not None:
            raise BadRequest("An incoming webhook has neither url nor word.")
        return named
    if not _can_be_asked(given.url or ""):
        raise BadRequest("url is an http or https address in ASCII, without a name or password in it.")
    if given.word is not None and not _WORD.fullmatch(given.word):
        raise BadRequest("A webhook's word is 1 to 32 characters without spaces.")
    return named


def hook_message(body: bytes, *, form: str) -> MessageBody:
    """Read what a program sends to an incoming webhook: our own message, text, or one for Slack.

    Raises `BadJson`, `BadRequest`.
    """
    if form == "text/plain":
        return text_body(body)
    if form == "application/x-www-form-urlencoded":
        return slack_body(body, form=form)
    given = any_json(body)
    if isinstance(given, dict) and given.keys() & _SLACK_ONLY:
        return slack_body(body, form=form)
    return message_body(body)


def _can_be_asked(given: str) -> bool:
    """Return whether ``given`` is an http(s) address that can be asked as it is."""
    try:
        parts = urlsplit(given)
        there = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    return there and parts.username is None and bool(_ADDRESS.fullmatch(given))
