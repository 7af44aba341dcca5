"""The records of a node: written through it, and kept in mind by whoever is asked often.

The one decision here: what is asked at every write is held in memory and never asked of the store.
Whoever follows a kind is told every record at the start, before anybody is served, and from then
on every change: by the write itself on this node, by a notice on the others, and by the regular
look at the kinds' versions if a notice was lost. The first two read single records, the last all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Generic, TypeVar

import msgspec
from twisted.internet.defer import Deferred, DeferredList, succeed
from twisted.logger import Logger
from twisted.python.failure import Failure

from kodama.bus.interface import RecordsChanged
from kodama.core.record import DropRecord, PutRecord, Record, RecordChange, Records
from kodama.node import Node

SINGLY: Final = 50  # keys: more than that are read with all the others
T = TypeVar("T")
Taken = Callable[[str, T | None], None]
_log: Final = Logger()


class Registry:
    """Small durable facts, shared by all nodes."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._followed: dict[str, list[_Followed[Any]]] = {}
        node.records_changed = self._noticed

    def follow(self, kind: str, shape: type[T], taken: Taken[T]) -> None:
        """Tell ``taken`` every record of ``kind`` when it is there, changed or, as None, gone. To be
        asked for before `start`."""
        self._followed.setdefault(kind, []).append(_Followed(kind, shape, taken))

    def revision(self, kind: str, key: str) -> int:
        """Return at which revision a record of a followed kind is known here, 0 if it is not."""
        return self._followed[kind][0].revision(key)

    def start(self) -> None:
        """Learn what is followed; waits for the store. After the node's start."""
        for one in self._all():
            one.take_all(self._node.store.records_now(one.kind))

    def put(self, kind: str, key: str, value: Any, *, expected: int | None = None) -> Deferred[int]:
        """Write one record and return its revision; `write` says the rest."""
        change = PutRecord(kind=kind, key=key, body=msgspec.json.encode(value), expected=expected)
        return self.write((change,)).addCallback(lambda revisions: revisions[0])

    def drop(self, kind: str, key: str, *, expected: int | None = None) -> Deferred[None]:
        """Forget one record; `write` says the rest."""
        return self.write((DropRecord(kind=kind, key=key, expected=expected),)).addCallback(lambda _: None)

    def write(self, changes: Sequence[RecordChange]) -> Deferred[Sequence[int]]:
        """Write records, all or none; fires when followers on this node have been told.

        Raises `ValueError` for what is no record; fails with `RecordMoved`, `StoreUnavailable`.
        """

        def written(versions: Sequence[int]) -> Deferred[Sequence[int]]:
            told = [self._written(kind, changes, versions) for kind in {one.kind for one in changes}]
            return DeferredList(told, fireOnOneErrback=True, consumeErrors=True).addCallback(
                lambda _: versions
            )

        return self._node.store.write_records(changes).addCallback(written)

    def look(self) -> Deferred[None]:
        """Ask, by one question, whether other nodes have changed what is followed; catch up."""
        return self._node.store.versions().addCallback(self.compare)

    def compare(self, versions: Mapping[str, int]) -> Deferred[None]:
        """Catch up with what is followed, as far as ``versions`` of kinds say that it was changed."""
        return _all_of([self._reach(one, versions.get(one.kind, 0)) for one in self._all()])

    def _all(self) -> list[_Followed[Any]]:
        return [one for some in self._followed.values() for one in some]

    def _written(self, kind: str, changes: Sequence[RecordChange], versions: Sequence[int]) -> Deferred[None]:
        mine = [(one, version) for one, version in zip(changes, versions, strict=True) if one.kind == kind]
        after = mine[-1][1]
        told: list[Deferred[None]] = []
        for one in self._followed.get(kind, ()):
            one.take_written(mine)
            told.append(self._reach(one, after))
        if kind in self._followed:  # what nobody keeps in mind, nobody needs to hear of
            self._node.tell(_notice(kind, mine))
        return _all_of(told)

    def _noticed(self, notice: RecordsChanged) -> None:
        for one in self._followed.get(notice.kind, ()):
            one.note(notice.before, notice.after, notice.keys)
            self._reach(one, notice.after).addErrback(_log_failure)

    def _reach(self, one: _Followed[Any], version: int) -> Deferred[None]:
        """Fire when ``one`` has been told all up to ``version``."""
        one.target = max(one.target, version)
        if one.version >= one.target:
            return succeed(None)
        waiting: Deferred[None] = Deferred()
        one.waiting.append(waiting)
        if len(one.waiting) == 1:
            Deferred.fromCoroutine(self._catch_up(one)).addBoth(one.caught_up)
        return waiting

    async def _catch_up(self, one: _Followed[Any]) -> None:
        store = self._node.store
        while one.version < one.target:
            if one.noted < one.target or len(one.keys) > SINGLY:
                one.take_all(await store.records(one.kind))
                continue
            upto, keys, one.keys = one.noted, one.keys, set()
            try:
                for key in keys:
                    one.take(key, await store.record(one.kind, key))
            except BaseException:
                one.noted = one.version  # what was noted is not known: all is read next time
                raise
            one.version = max(one.version, upto)


class _Followed(Generic[T]):
    """One kind as one follower knows it: all up to ``version``. What changed from there up to
    ``noted`` is under ``keys``; ``target`` is as far as the kind is known to be."""

    def __init__(self, kind: str, shape: type[T], taken: Taken[T]) -> None:
        self.kind = kind
        self.version = self.noted = self.target = 0
        self.keys: set[str] = set()
        self.waiting: list[Deferred[None]] = []
        self._taken = taken
        self._revisions: dict[str, int] = {}
        self._decoder = msgspec.json.Decoder(shape)

    def revision(self, key: str) -> int:
        """Return at which revision a record is known, 0 if it is not."""
        return self._revisions.get(key, 0)

    def note(self, before: int, after: int, keys: Sequence[str]) -> None:
        """Remember which records changed, if nothing was missed before."""
        if before <= self.noted < after:
            self.noted = after
            self.keys.update(keys)

    def take_written(self, changes: Sequence[tuple[RecordChange, int]]) -> None:
        """Take this node's own changes if nothing is between; else have them read."""
        before, after = _span(changes)
        if self.waiting or before != self.version:
            self.note(before, after, [change.key for change, _ in changes])
            return
        for change, version in changes:
            match change:
                case PutRecord():
                    self.take(change.key, Record(change.key, change.body, version))
                case DropRecord():
                    self.take(change.key, None)
        self.version = self.noted = self.target = max(self.version, after)

    def take_all(self, found: Records) -> None:
        """Take all records as they were at one moment."""
        if found.version <= self.version:
            return
        there = {one.key: one for one in found.records}
        for key in [key for key in self._revisions if key not in there]:
            self.take(key, None)
        for key, record in there.items():
            self.take(key, record)
        self.version = found.version
        self.noted = max(self.noted, found.version)
        self.target = max(self.target, found.version)

    def take(self, key: str, record: Record | None) -> None:
        """Take one record as it is now, or was a moment ago."""
        if record is None:
            if self._revisions.pop(key, None) is not None:
                self._taken(key, None)
        elif record.revision > self._revisions.get(key, 0):
            try:
                value = self._decoder.decode(record.body)
            except msgspec.MsgspecError:
                _log.error("{kind} {key} cannot be read; another version wrote it", kind=self.kind, key=key)
                return
            self._revisions[key] = record.revision
            self._taken(key, value)

    def caught_up(self, outcome: None | Failure) -> None:
        """Tell whoever waited."""
        told, self.waiting = self.waiting, []
        for one in told:
            one.callback(outcome)


def _all_of(some: Sequence[Deferred[None]]) -> Deferred[None]:
    """Fire when all have, or with the first failure."""
    return DeferredList(some, fireOnOneErrback=True, consumeErrors=True).addCallback(lambda _: None)


def _span(changes: Sequence[tuple[RecordChange, int]]) -> tuple[int, int]:
    """Return the versions of the kind before and after ``changes``."""
    return changes[0][1] - 1, changes[-1][1]


def _notice(kind: str, changes: Sequence[tuple[RecordChange, int]]) -> RecordsChanged:
    keys = list(dict.fromkeys(change.key for change, _ in changes))
    before, after = _span(changes)
    if len(keys) > SINGLY:
        return RecordsChanged(kind, after, after, [])
    return RecordsChanged(kind, before, after, keys)


def _log_failure(failure: Failure) -> None:
    _log.failure("reading records failed", failure)
