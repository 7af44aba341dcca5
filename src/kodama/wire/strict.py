"""JSON from clients, read strictly: its shape, its encoding and its depth, wrong in words for the sender.

The one decision here: how deep a value may be nested, counted before it is decoded.
"""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec

from kodama.core.errors import BadJson

DEPTH_LIMIT: Final = 64

# A string that never ends is taken to the end at once: looking for each quote's partner again
# would cost the square of the body's length.
_DEEP: Final = re.compile(rb'"(?:[^"\\]|\\.)*+"?|[\[{]|[\]}]', re.DOTALL)


def any_json(body: bytes) -> Any:
    """Read any JSON value of at most 64 levels; raises `BadJson`."""
    _check_depth(body, DEPTH_LIMIT)
    return decoded(body, Any)


def decoded(body: bytes, shape: Any) -> Any:
    """Return ``body`` as a ``shape``. Raises `BadJson`."""
    try:
        return msgspec.json.decode(body, type=shape)
    except msgspec.ValidationError as error:
        raise BadJson(f"The JSON is not what is asked for here: {error}.") from None
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raise BadJson("The body is not JSON in UTF-8.") from None


def check_depth(body: bytes) -> None:
    """Raise `BadJson` if ``body``, an object around what was sent, is nested too deep."""
    _check_depth(body, DEPTH_LIMIT + 1)


def _check_depth(body: bytes, limit: int) -> None:
    depth = 0
    for token in _DEEP.findall(body):
        if token in b"[{":
            depth += 1
            if depth > limit:
                raise BadJson(f"The JSON is nested more than {DEPTH_LIMIT} deep.")
        elif token in b"]}":
            depth -= 1
