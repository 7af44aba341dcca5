"""Records: small durable facts beside the log, and what may be written as one.

Decided here: whatever is neither an event nor hot (members, bans, invites, accounts, webhooks) is
JSON under a key of its kind. A kind has a version that counts its changes; a record's revision is
its kind's version when it was written, so no revision comes twice, not even after a drop.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

RECORD_LIMIT: Final = 64 * 1024  # bytes of JSON: a fact, not a file
KEY_LIMIT: Final = 512  # bytes of UTF-8

_KIND: Final = re.compile(r"[a-z][a-z0-9-]{0,31}", re.ASCII)


class Record(NamedTuple):
    """One fact: JSON under a key, and the revision at which it was written."""

    key: str
    body: bytes
    revision: int


class Records(NamedTuple):
    """Records of one kind by key, at one moment; ``version`` is the kind's, 0 before the first."""

    version: int
    records: Sequence[Record]


@dataclass(frozen=True, slots=True, kw_only=True)
class PutRecord:
    """Write a record. ``expected`` is the revision that it must have now: 0 if it must not be
    there, None whatever it is."""

    kind: str
    key: str
    body: bytes
    expected: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DropRecord:
    """Forget a record; one that is not there is no fault unless it was ``expected``."""

    kind: str
    key: str
    expected: int | None = None


RecordChange = PutRecord | DropRecord


class RecordMoved(Exception):
    """A record is not at the expected revision: somebody else has changed it. Nothing was written."""


def check_record(change: RecordChange) -> None:
    """Raise `ValueError` for what is no record: a wrong name, a key or value that is too long."""
    if not _KIND.fullmatch(change.kind):
        raise ValueError(f"{change.kind!r} is no kind of record")
    if not 1 <= len(change.key.encode()) <= KEY_LIMIT or "\0" in change.key:
        raise ValueError(f"a key has 1 to {KEY_LIMIT} bytes and no null")
    if isinstance(change, PutRecord) and len(change.body) > RECORD_LIMIT:
        raise ValueError(f"a record has at most {RECORD_LIMIT} bytes")


def check_revision(change: RecordChange, *, found: int) -> None:
    """Raise `RecordMoved` unless the record stands where ``change`` expects it; 0 is not there."""
    if change.expected is not None and change.expected != found:
        raise RecordMoved(f"{change.kind} {change.key} is at {found}, not at {change.expected}")


class Shelf:
    """Records in memory: what other keepers of records are checked against."""

    def __init__(self) -> None:
        self._kept: dict[str, dict[str, Record]] = {}
        self.versions: dict[str, int] = {}

    def write(self, changes: Sequence[RecordChange]) -> list[int]:
        """Write all of ``changes`` or, raising `RecordMoved`, none; returns the version of its kind
        after each."""
        versions = dict(self.versions)
        written: dict[tuple[str, str], Record | None] = {}
        after: list[int] = []
        for change in changes:
            place = (change.kind, change.key)
            found = written[place] if place in written else self.get(*place)
            check_revision(change, found=0 if found is None else found.revision)
            version = versions[change.kind] = versions.get(change.kind, 0) + 1
            match change:
                case PutRecord():
                    written[place] = Record(change.key, change.body, version)
                case _:
                    written[place] = None
            after.append(version)
        self.versions = versions
        for place, record in written.items():
            self._keep(place, record)
        return after

    def get(self, kind: str, key: str) -> Record | None:
        """Return a record, None if it is not there."""
        return self._kept.get(kind, {}).get(key)

    def listed(self, kind: str, *, prefix: str, after: str, limit: int) -> Records:
        """Return records by key."""
        kept = self._kept.get(kind, {})
        keys = sorted(key for key in kept if key > after and key.startswith(prefix))
        return Records(self.versions.get(kind, 0), tuple(kept[key] for key in keys[:limit]))

    def _keep(self, place: tuple[str, str], record: Record | None) -> None:
        kind, key = place
        kept = self._kept.setdefault(kind, {})
        if record is None:
            kept.pop(key, None)
        else:
            kept[key] = record
