"""What the owner's console may see of the process and how it was started.

Decided here: of a setting that can hold a secret nobody is shown more than that it is set; an
address of a store or bus is shown without its password.
"""

from __future__ import annotations

import os
import re
import resource
import sys
from pathlib import Path
from typing import Final

from kodama.app.settings import SETTINGS, Settings
from kodama.wire.admin import SettingSeen

HIDDEN: Final = "***"
_SECRET: Final = frozenset(("jwt_keys",))
_PLAIN: Final = re.compile(r"[a-z]+")  # sqlite, memory, local: not an address
_STATM: Final = Path("/proc/self/statm")


def settings_shown(settings: Settings) -> list[SettingSeen]:
    """Return all settings as the console shows them."""
    return [
        SettingSeen(
            name=one.env, value=_value(one.name, getattr(settings, one.name)), help=one.help,
            default=getattr(settings, one.name) == one.default,
        )
        for one in SETTINGS
    ]  # fmt: skip


def resident() -> int:
    """Return how many bytes of this process are in memory; where the system tells only the most
    there ever were, those."""
    try:
        return int(_STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most if sys.platform == "darwin" else most * 1024


def _value(name: str, value: object) -> str:
    if name in _SECRET:
        return HIDDEN if value else ""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case tuple():
            return ",".join(map(str, value))
    text = str(value)
    if name in ("store", "bus") and not _PLAIN.fullmatch(text):
        return _without_secrets(text)
    return text


def _without_secrets(address: str) -> str:
    """Return the scheme and place of an address: a password may stand before the place, or among
    the parameters behind it."""
    scheme, _, rest = address.partition("://")
    place = rest.rpartition("@")[2].split("?")[0]  # a password may have any of both in it
    return f"{scheme}://{HIDDEN}@{place}" if "@" in rest or "?" in rest else address
