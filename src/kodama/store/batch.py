"""A group of changes becomes rows: the part of a transaction that is the same in every database.

The one decision here is how little the database is asked while the transaction is open. Heads of
rooms are asked for once; events and nonces are gathered and inserted many at a time; only a
change that looks at older events has the gathered rows written first. What a database does for it
is `Rows`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from kodama.core.change import (
    Amendment,
    Change,
    Fact,
    Nonce,
    Publish,
    SetTopic,
    TellMember,
    Unchanged,
    amend,
    mark_of,
    target_of,
    written,
)
from kodama.core.errors import Conflict, NotFound
from kodama.core.event import Entry, Logged, decode, encode, entry
from kodama.core.room import RoomFacts
from kodama.store.interface import Commit, Stored
from kodama.store.stamps import stamp

NonceKey = tuple[str, str, str]  # room, sender, nonce


@dataclass(frozen=True, slots=True)
class Head:
    """Where a room's log ends; ``epoch`` is that of its newest event, "" before the first."""

    id: int
    top: int
    time: int
    epoch: str


class Known(NamedTuple):
    """What was stored under a nonce."""

    id: str
    offset: int
    epoch: str
    time: int
    digest: bytes


class EventRow(NamedTuple):
    """One event as a row; ``target`` and ``mark`` are None unless it aims at another."""

    room_id: int
    offset: int
    epoch: str
    time: int
    kind: str
    target: int | None
    mark: str | None
    json: bytes


class NonceRow(NamedTuple):
    """One nonce as a row."""

    room_id: int
    sender: str
    nonce: str
    id: str
    offset: int
    epoch: str
    time: int
    digest: bytes


class Rows(Protocol):
    """What a database does for a batch, all of it in the transaction that is open.

    ``fault`` is the exception by which the database itself fails: it ends the batch, while any
    other exception refuses one change. ``epoch`` is the one that new events carry.
    """

    @property
    def fault(self) -> type[Exception]: ...  # noqa: D102 - the class says it

    @property
    def epoch(self) -> str: ...  # noqa: D102 - the class says it

    def now(self) -> int:
        """Return the time in ms since 1970."""
        ...

    def head(self, room: str) -> Head | None:
        """Return where the room's log ends, None if there is no such room."""
        ...

    def create(self, facts: RoomFacts) -> Head:
        """Create the room, or return the head of the one that somebody created meanwhile."""
        ...

    def known(self, keys: Sequence[tuple[int, str, str]]) -> Mapping[tuple[int, str, str], Known]:
        """Return what was stored under (room number, sender, nonce), as far as anything was."""
        ...

    def at(self, head: Head, offset: int) -> Entry | None:
        """Return the entry at ``offset`` if it is kept."""
        ...

    def related(self, head: Head, *, target: int, mark: str) -> Sequence[bytes]:
        """Return the JSON of the events that aim at ``target`` under ``mark``, oldest first."""
        ...

    def rewrite(self, head: Head, *, offset: int, json: bytes) -> None:
        """Replace the bytes of the entry at ``offset``."""
        ...

    def set_topic(self, head: Head, topic: str) -> None:
        """Keep the room's topic."""
        ...

    def begin_epoch(self, head: Head, *, offset: int, epoch: str) -> None:
        """Note that the event at ``offset`` is the room's first in ``epoch``."""
        ...

    def insert(self, events: Sequence[EventRow], nonces: Sequence[NonceRow]) -> None:
        """Insert what was gathered."""
        ...


@dataclass(slots=True)
class Batch:
    """One group of changes on its way into ``rows``; afterwards, what it did to each room."""

    rows: Rows
    heads: dict[str, Head] = field(default_factory=dict)
    _entries: dict[str, dict[int, Entry]] = field(default_factory=dict)
    _rewritten: dict[str, dict[int, Entry]] = field(default_factory=dict)
    _nonces: dict[NonceKey, Known] = field(default_factory=dict)
    _event_rows: list[EventRow] = field(default_factory=list)
    _nonce_rows: list[NonceRow] = field(default_factory=list)

    def take(self, changes: Sequence[Change]) -> list[Stored | Exception]:
        """Write ``changes``; return how each is to be settled once the transaction is durable."""
        self._learn_nonces(changes)
        results: list[Stored | Exception] = []
        for change in changes:
            try:
                results.append(self._take(change))
            except self.rows.fault:
                raise
            except Exception as refusal:  # noqa: BLE001 - whoever appended is told, whatever it is
                results.append(refusal)
        self._flush()
        return results

    def commits(self) -> list[Commit]:
        """Return what the batch did, room by room."""
        rooms = dict.fromkeys([*self._entries, *self._rewritten])
        return [
            Commit(
                room,
                tuple(self._entries.get(room, {}).values()),
                tuple(self._rewritten.get(room, {}).values()),
            )
            for room in rooms
        ]

    def _flush(self) -> None:
        events, self._event_rows = self._event_rows, []
        nonces, self._nonce_rows = self._nonce_rows, []
        if events or nonces:
            self.rows.insert(events, nonces)

    def _take(self, change: Change) -> Stored:
        match change:
            case Publish():
                return self._publish(change)
            case SetTopic():
                head = self._existing(change.room)
                stored = self._write(change, head)
                self.rows.set_topic(head, change.topic)
                return stored
            case TellMember():
                return self._write(change, self._existing(change.room))
            case _:
                return self._amend(change, self._existing(change.room))

    def _publish(self, change: Publish) -> Stored:
        nonce = change.nonce
        if nonce is not None:
            known = self._nonces.get((change.room, nonce.sender, nonce.text))
            if known is not None:
                return self._repeated(change.room, known=known, nonce=nonce)
        stored = self._write(change, self._head(change.room))
        if nonce is not None:
            line = stored.entry
            known = Known(stored.id, line.offset, line.epoch, line.time, nonce.digest)
            self._nonces[change.room, nonce.sender, nonce.text] = known
            self._nonce_rows.append(NonceRow(self.heads[change.room].id, nonce.sender, nonce.text, *known))
        return stored

    def _write(self, change: Fact, head: Head | None) -> Stored:
        if head is None:
            self._written(change, None)  # what cannot be encoded fails here, before any trace of it
            born = change.newborn if isinstance(change, Publish) else RoomFacts(name=change.room)
            head = self.rows.create(born)
        event, line = self._written(change, head)
        self._keep(event, line, head)
        return Stored(line, event.id, fresh=True)

    def _written(self, change: Fact, head: Head | None) -> tuple[Logged, Entry]:
        time = max(self.rows.now(), head.time if head else 0)
        event = written(change, stamp(head.top + 1 if head else 1, epoch=self.rows.epoch, ms=time))
        return event, entry(event, time=time)

    def _amend(self, change: Amendment, head: Head) -> Stored:
        self._flush()
        time = max(self.rows.now(), head.time)
        aimed_at = self.rows.at(head, change.target)
        related = self.rows.related(head, target=change.target, mark=change.mark)
        outcome = amend(
            change,
            decode(aimed_at.json) if aimed_at else None,
            related=[decode(json) for json in related],
            stamp=stamp(head.top + 1, epoch=self.rows.epoch, ms=time),
        )
        if isinstance(outcome, Unchanged):
            place = self.rows.at(head, outcome.event.offset)
            return Stored(place or entry(outcome.event, time=time), outcome.event.id, fresh=False)
        line = entry(outcome.event, time=time)
        anew = [(changed.offset, encode(changed)) for changed in outcome.rewritten]
        for offset, json in anew:
            self._rewrite(change.room, head, offset=offset, json=json)
        self._keep(outcome.event, line, head)
        return Stored(line, outcome.event.id, fresh=True)

    def _keep(self, event: Logged, line: Entry, head: Head) -> None:
        if head.epoch != line.epoch:
            self.rows.begin_epoch(head, offset=line.offset, epoch=line.epoch)
        target = target_of(event)
        mark = None if target is None else mark_of(event)
        self._event_rows.append(
            EventRow(head.id, line.offset, line.epoch, line.time, line.kind, target, mark, line.json)
        )
        self.heads[event.room] = Head(head.id, line.offset, line.time, line.epoch)
        self._entries.setdefault(event.room, {})[line.offset] = line

    def _rewrite(self, room: str, head: Head, *, offset: int, json: bytes) -> None:
        """Replace an entry's bytes, also in what this very group is about to show."""
        self.rows.rewrite(head, offset=offset, json=json)
        new = self._entries.get(room, {})
        if offset in new:
            new[offset] = new[offset]._replace(json=json)
            return
        line = self.rows.at(head, offset)
        if line is not None:
            self._rewritten.setdefault(room, {})[offset] = line

    def _repeated(self, room: str, *, known: Known, nonce: Nonce) -> Stored:
        if known.digest != nonce.digest:
            raise Conflict("The nonce was used for another message.")
        new = self._entries.get(room, {}).get(known.offset)
        head = self._existing(room)
        gone = Entry(known.offset, known.epoch, known.time, "message", b"")
        return Stored(new or self.rows.at(head, known.offset) or gone, known.id, fresh=False)

    def _existing(self, room: str) -> Head:
        head = self._head(room)
        if head is None:
            raise NotFound("There is no such room.")
        return head

    def _head(self, room: str) -> Head | None:
        head = self.heads.get(room)
        if head is None:
            head = self.rows.head(room)
            if head is not None:
                self.heads[room] = head
        return head

    def _learn_nonces(self, changes: Iterable[Change]) -> None:
        """Ask once for all nonces of the group whether they were used before."""
        asked: dict[tuple[int, str, str], NonceKey] = {}
        for change in changes:
            if isinstance(change, Publish) and change.nonce is not None:
                head = self._head(change.room)
                if head is not None:
                    key = (change.room, change.nonce.sender, change.nonce.text)
                    asked[head.id, *key[1:]] = key
        if asked:
            for where, known in self.rows.known(list(asked)).items():
                self._nonces[asked[where]] = known
