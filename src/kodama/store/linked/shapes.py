"""How what a store is told and asked looks on the link.

The one decision here: msgspec packs our own facts by their types as they are; only where one of several
kinds may stand (a change, a place in history), the kind's name goes before it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import msgspec
from msgspec import Raw

from kodama.core.change import Change, DeleteMessage, EditMessage, Publish, React, SetTopic, TellMember
from kodama.core.errors import Conflict, Forbidden, NotFound
from kodama.core.record import DropRecord, PutRecord, RecordChange, RecordMoved
from kodama.link.frames import pack
from kodama.store.interface import (
    After,
    Around,
    Before,
    Newest,
    RoomMoved,
    Stored,
    StoreUnavailable,
    Where,
)

APPEND: Final = "append"
GROUP: Final = "group"
STATE: Final = "state"  # the epoch, the ended sessions, whether the last write succeeded

Refusal = tuple[str, str]  # the name of the exception, its sentence
Outcome = tuple[int, Stored | None, Refusal | None]  # the number of the append, how it ended
Named = tuple[str, Raw]

_CHANGES: Final[dict[str, type[Change]]] = {
    kind.__name__: kind for kind in (Publish, EditMessage, DeleteMessage, React, SetTopic, TellMember)
}
_PLACES: Final[dict[str, type[Where]]] = {kind.__name__: kind for kind in (Before, After, Around, Newest)}
_RECORDS: Final[dict[str, type[RecordChange]]] = {kind.__name__: kind for kind in (PutRecord, DropRecord)}
_REFUSALS: Final[dict[str, type[Exception]]] = {
    kind.__name__: kind
    for kind in (NotFound, Forbidden, Conflict, StoreUnavailable, RoomMoved, RecordMoved, ValueError)
}
_named: Final = msgspec.msgpack.Decoder(Named)


class WriterFailed(Exception):
    """The writer could not do it, for a reason of its own; nothing was stored."""


def pack_change(change: Change) -> bytes:
    """Return ``change`` for `unpack_change`; its data is made JSON here, once for both processes."""
    if isinstance(change, Publish) and change.data is not None:
        change = replace(change, data=msgspec.json.encode(change.data))
    return pack((type(change).__name__, change))


def unpack_change(packed: Raw) -> Change:
    """Return the change that `pack_change` packed."""
    name, fields = _named.decode(packed)
    change: Change = msgspec.msgpack.decode(fields, type=_CHANGES[name])
    if isinstance(change, Publish) and change.data is not None:
        return replace(change, data=Raw(change.data))
    return change


def named(value: Where | RecordChange) -> tuple[str, Any]:
    """Return ``value`` with its kind before it."""
    return type(value).__name__, value


def place(packed: Named) -> Where:
    """Return the place that `named` named."""
    found: Where = msgspec.msgpack.decode(packed[1], type=_PLACES[packed[0]])
    return found


def record_change(packed: Named) -> RecordChange:
    """Return the change of a record that `named` named."""
    found: RecordChange = msgspec.msgpack.decode(packed[1], type=_RECORDS[packed[0]])
    return found


def refused(name: str, sentence: str) -> Exception:
    """Return the exception that the writer met."""
    return _REFUSALS[name](sentence) if name in _REFUSALS else WriterFailed(f"{name}: {sentence}")
