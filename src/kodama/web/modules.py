"""Which modules a page will ask for, so that its head can name them all at once.

Decided here: what is imported statically, from one module on, is found in the text of the modules
themselves; a list kept by hand would be wrong sooner or later. What is imported later is left out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from posixpath import dirname, normpath
from typing import Final

_COMMENT: Final = re.compile(rb"^[ \t]*/\*\*(?:(?!\*/)[\s\S])*\*/[ \t]*$", re.MULTILINE)
_IMPORT: Final = re.compile(rb"""^(?:import|export)\b[^;'"]*?\bfrom\s*["'](\.[^"']+)["']""", re.MULTILINE)


def without_comments(source: bytes) -> bytes:
    """Return a module without its documentation comments, line for line as long as it was."""
    return _COMMENT.sub(lambda match: b"\n" * match[0].count(b"\n"), source)


def reached(start: str, files: Mapping[str, bytes]) -> list[str]:
    """Return the names of ``start`` and of all modules it imports, nearest first.

    Raises `KeyError` if one of them is not among ``files``.
    """
    found = {start: None}
    waiting = [start]
    while waiting:
        name = waiting.pop(0)
        for match in _IMPORT.finditer(files[name]):
            other = normpath(f"{dirname(name)}/{match[1].decode()}")
            if other not in found:
                found[other] = None
                waiting.append(other)
    return list(found)
