"""JSONP: which callback names are safe, and an answer as a call of one."""

from __future__ import annotations

import re
from typing import Final

from kodama.core.errors import BadCallback

CALLBACK_LIMIT: Final = 128
MEDIA_TYPE: Final = "application/javascript; charset=utf-8"
_NAME: Final = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*(?:\.[A-Za-z_$][A-Za-z0-9_$]*)*", re.ASCII)


def callback_name(given: str) -> str:
    """Return ``given`` if it is a plain dotted ASCII name of at most 128 characters.

    Raises `BadCallback`.
    """
    if len(given) > CALLBACK_LIMIT or not _NAME.fullmatch(given):
        raise BadCallback("The callback is a dotted JavaScript name of at most 128 characters.")
    return given


def call(name: str, json: bytes) -> bytes:
    """Return ``/**/name(json);``: the comment keeps the answer from starting with the name."""
    return b"/**/" + bare_call(name, json) + b";"


def bare_call(name: str, json: bytes) -> bytes:
    """Return ``name(json)`` as in 2011; U+2028 and U+2029 are escaped, since they end a line
    in JavaScript before ECMAScript 2019 but not in JSON."""
    safe = json.replace(b"\xe2\x80\xa8", b"\\u2028").replace(b"\xe2\x80\xa9", b"\\u2029")
    return name.encode() + b"(" + safe + b")"
