"""The log in memory: gone with the process, and the model that other stores are checked against.

The one decision here is to be plain. Every append is a group of its own and is delivered inside
`MemoryStore.append`; appends made by those who are being told wait their turn, so groups come
in the order of commit here too.
"""

from __future__ import annotations

import secrets
from bisect import bisect_left
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from twisted.internet.defer import Deferred, fail, succeed

from kodama.core.apikey import ApiKey
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
from kodama.core.position import START, Position
from kodama.core.record import Record, RecordChange, RecordMoved, Records, Shelf, check_record
from kodama.core.room import DAY_MS, RoomFacts
from kodama.core.search import Place, Wanted
from kodama.core.who import Who, admits
from kodama.store.found import Cut, look_through
from kodama.store.interface import (
    ALL_RECORDS,
    ANYTHING,
    NOTHING,
    UNREAD_LIMIT,
    After,
    Around,
    Before,
    Commit,
    Found,
    Group,
    Listed,
    Look,
    Newest,
    Page,
    RoomLog,
    RoomMoved,
    Settle,
    Slice,
    Standing,
    Stored,
    StoreUnavailable,
    Where,
)
from kodama.store.stamps import NONCE_KEPT_MS, SECRET_BYTES, new_epoch, stamp


@dataclass(slots=True)
class _Room:
    """``log`` are the kept entries, the first of them at offset ``first``."""

    facts: RoomFacts
    first: int = 1
    time: int = 0
    log: list[Entry] = field(default_factory=list)
    epochs: list[tuple[int, str]] = field(default_factory=list)
    aimed: dict[tuple[int, str], list[int]] = field(default_factory=lambda: defaultdict(list))
    nonces: dict[tuple[str, str], tuple[bytes, Stored]] = field(default_factory=dict)

    @property
    def top(self) -> int:
        return self.first + len(self.log) - 1

    @property
    def end(self) -> Position:
        return Position(self.epochs[-1][1], self.top) if self.top else START

    def at(self, offset: int) -> Entry | None:
        kept = self.first <= offset <= self.top
        return self.log[offset - self.first] if kept else None

    def not_older(self, time: int) -> int:
        """Return the lowest kept offset whose time is at least ``time``, or top + 1."""
        return self.first + bisect_left(self.log, time, key=lambda kept: kept.time)


class MemoryStore:
    """A `kodama.store.interface.Store` that keeps everything in this process.

    ``later`` calls in another turn of the loop; without it a search is done in one.
    """

    def __init__(
        self, clock: Callable[[], int], epoch: str | None = None,
        *, later: Callable[[Callable[[], None]], object] | None = None,
    ) -> None:  # fmt: skip
        self._clock = clock
        self._later = later
        self._epoch = new_epoch() if epoch is None else epoch
        self._rooms: dict[str, _Room] = {}
        self._secrets: dict[str, bytes] = {}
        self._revoked: dict[str, int] = {}
        self._keys: dict[str, ApiKey] = {}
        self._shelf = Shelf()
        self._undelivered: deque[Group] = deque()
        self._deliver: Callable[[Group], None] | None = None
        self._delivering = False

    @property
    def epoch(self) -> str:
        """The epoch of this store's life."""
        return self._epoch

    def start(self, deliver: Callable[[Group], None]) -> None:
        """Begin to take appends."""
        self._deliver = deliver

    def stop(self) -> Deferred[None]:
        """Take no more appends."""
        self._deliver = None
        return succeed(None)

    def append(self, change: Change, settle: Settle) -> None:
        """Append ``change`` and deliver it before returning."""
        if self._deliver is None:
            raise StoreUnavailable("The store is closed.")
        commits: Sequence[Commit] = ()
        result: Stored | Exception
        try:
            commits, result = self._commit(change)
        except Exception as refusal:  # noqa: BLE001 - whoever appended is told, whatever it is
            result = refusal
        self._undelivered.append(Group(commits, ((settle, result),)))
        self._deliver_all(self._deliver)

    def open(self, room: str, *, tail_bytes: int) -> Deferred[RoomLog | None]:
        """Return the room with its newest entries."""
        kept = self._rooms.get(room)
        if kept is None:
            return succeed(None)
        start, size = len(kept.log), 0
        while start and size + len(kept.log[start - 1].json) <= tail_bytes:
            start -= 1
            size += len(kept.log[start].json)
        tail, epochs = tuple(kept.log[start:]), tuple(kept.epochs)
        return succeed(RoomLog(kept.facts, kept.first, kept.top, epochs, tail, kept.facts.mark))

    def read(self, room: str, *, after: int, limit: int, size: int) -> Deferred[Slice]:
        """Return the entries above ``after``."""
        kept = self._rooms.get(room)
        if kept is None:
            return succeed(Slice((), 1))
        start = max(0, after + 1 - kept.first)
        taken: list[Entry] = []
        for one in kept.log[start : start + limit]:
            size -= len(one.json)
            if size < 0 and taken:
                break
            taken.append(one)
        return succeed(Slice(tuple(taken), kept.first))

    def offset_at(self, room: str, *, time: int) -> Deferred[int]:
        """Return the offset before the lowest kept event not older than ``time``."""
        kept = self._rooms.get(room)
        return succeed(kept.not_older(time) - 1 if kept else 0)

    def history(self, room: str, *, where: Where, limit: int) -> Deferred[Page]:
        """Return a page of messages."""
        kept = self._rooms.get(room)
        if kept is None:
            return succeed(Page((), more=False, top=0, epoch="", reactions=()))
        messages = [one for one in kept.log if one.kind == "message"]
        first, last = _window([one.offset for one in messages], where=where, limit=limit)
        more = {
            Before: first > 0,
            Newest: first > 0,
            After: last < len(messages),
            Around: first > 0 or last < len(messages),
        }[type(where)]
        epoch = kept.epochs[-1][1] if kept.epochs else ""
        shown = tuple(messages[first:last])
        return succeed(Page(shown, more, kept.top, epoch, _reactions(kept, shown)))

    def search(self, wanted: Wanted, *, who: Who, limit: int, size: int) -> Deferred[Found]:
        """Look through everything, the newest first, a little in each turn of the loop."""
        readable = [
            _placed(room)
            for name, room in self._rooms.items()
            if wanted.room in (None, name) and admits(room.facts, who)
        ]
        answer: Deferred[Found] = Deferred()
        self._look(look_through(readable, wanted), Cut(limit=limit, size=size), answer)
        return answer

    def index(self) -> Deferred[bool]:
        """Return False: there is no index."""
        return succeed(False)  # noqa: FBT003 - an answer

    def rooms(self) -> Deferred[Sequence[Listed]]:
        """Return all rooms by name."""
        return succeed(tuple(Listed(room.facts, room.top) for _, room in sorted(self._rooms.items())))

    def tops(self, rooms: Sequence[str]) -> Deferred[Mapping[str, Standing]]:
        """Return where each of ``rooms`` that exists stands."""
        found = {name: self._rooms[name] for name in rooms if name in self._rooms}
        return succeed({name: Standing(room.end, room.facts.mark) for name, room in found.items()})

    def look(self, rooms: Sequence[str]) -> Deferred[Look]:
        """Return what others may have changed: nothing, since there are none."""
        mark = f"{sorted(self._keys)} {sorted(self._revoked)}"
        return self.tops(rooms).addCallback(lambda tops: Look(tops, dict(self._shelf.versions), mark))

    def unread(self, read: Mapping[str, int]) -> Deferred[Mapping[str, int]]:
        """Return how many messages stand above the offset given for each room."""
        counted = {}
        for name, offset in read.items():
            room = self._rooms.get(name)
            if room is not None:
                above = room.log[max(0, offset + 1 - room.first) :]
                counted[name] = min(UNREAD_LIMIT, sum(one.kind == "message" for one in above))
        return succeed(counted)

    def put_room(self, facts: RoomFacts, *, over: str = ANYTHING) -> Deferred[None]:
        """Create the room or replace its settings."""
        known = self._rooms.get(facts.name)
        if over not in (ANYTHING, NOTHING if known is None else known.facts.mark):
            return fail(RoomMoved())
        room = self._rooms.setdefault(facts.name, _Room(facts))
        room.facts = facts
        return succeed(None)

    def sweep(self) -> Deferred[Sequence[tuple[str, int]]]:
        """Apply every room's retention once and forget old nonces and sessions."""
        now = self._clock()
        lost = []
        for name, room in sorted(self._rooms.items()):
            retention = room.facts.retention
            recent = room.not_older(now - retention.days * DAY_MS)
            first = retention.first_kept(top=room.top, first_recent=recent)
            if first > room.first:
                _forget(room, below=first)
                lost.append((name, first))
            room.nonces = {
                key: known
                for key, known in room.nonces.items()
                if known[1].entry.offset >= room.first or known[1].entry.time >= now - NONCE_KEPT_MS
            }
        self._revoked = {name: until for name, until in self._revoked.items() if until >= now}
        return succeed(tuple(lost))

    def secret(self, purpose: str) -> bytes:
        """Return 32 random bytes made at first use."""
        return self._secrets.setdefault(purpose, secrets.token_bytes(SECRET_BYTES))

    def revoke(self, session: str, *, until: int) -> Deferred[None]:
        """Remember that ``session`` has ended."""
        self._revoked[session] = max(until, self._revoked.get(session, until))
        return succeed(None)

    def revoked(self) -> frozenset[str]:
        """Return the sessions that have ended."""
        return frozenset(self._revoked)

    def put_key(self, key: ApiKey) -> Deferred[None]:
        """Keep an API key."""
        self._keys[key.id] = key
        return succeed(None)

    def drop_key(self, id: str) -> Deferred[bool]:  # noqa: A002 - a key's id
        """Forget an API key."""
        return succeed(self._keys.pop(id, None) is not None)

    def keys(self) -> Deferred[Sequence[ApiKey]]:
        """Return all API keys, oldest first."""
        return succeed(tuple(sorted(self._keys.values(), key=lambda key: (key.created, key.id))))

    def write_records(self, changes: Sequence[RecordChange]) -> Deferred[Sequence[int]]:
        """Write records, all or none."""
        for change in changes:
            check_record(change)
        try:
            return succeed(self._shelf.write(changes))
        except RecordMoved as moved:
            return fail(moved)

    def record(self, kind: str, key: str) -> Deferred[Record | None]:
        """Return one record."""
        return succeed(self._shelf.get(kind, key))

    def records(
        self, kind: str, *, prefix: str = "", after: str = "", limit: int = ALL_RECORDS
    ) -> Deferred[Records]:
        """Return the records of a kind by key."""
        return succeed(self._shelf.listed(kind, prefix=prefix, after=after, limit=limit))

    def records_now(self, kind: str) -> Records:
        """Return all records of a kind."""
        return self._shelf.listed(kind, prefix="", after="", limit=ALL_RECORDS)

    def versions(self) -> Deferred[Mapping[str, int]]:
        """Return the version of each kind."""
        return succeed(dict(self._shelf.versions))

    def healthy(self) -> bool:
        """Return True: memory has no disk to fill."""
        return True

    def _look(self, found: Iterator[Entry | None], taken: Cut, answer: Deferred[Found]) -> None:
        for one in found:
            if one is not None and not taken.take(one):
                break
            if one is None and self._later is not None:
                self._later(lambda: self._look(found, taken, answer))
                return
        answer.callback(taken.found)

    def _deliver_all(self, deliver: Callable[[Group], None]) -> None:
        if self._delivering:
            return
        self._delivering = True
        try:
            while self._undelivered:
                deliver(self._undelivered.popleft())
        finally:
            self._delivering = False

    def _commit(self, change: Change) -> tuple[Sequence[Commit], Stored]:
        match change:
            case Publish():
                return self._publish(change)
            case SetTopic():
                room = self._existing(change.room)
                commits, stored = self._write(room, change)
                room.facts = replace(room.facts, topic=change.topic)
                return commits, stored
            case TellMember():
                return self._write(self._existing(change.room), change)
            case _:
                return self._amend(self._existing(change.room), change)

    def _existing(self, name: str) -> _Room:
        room = self._rooms.get(name)
        if room is None:
            raise NotFound("There is no such room.")
        return room

    def _publish(self, change: Publish) -> tuple[Sequence[Commit], Stored]:
        room = self._rooms.get(change.room) or _Room(change.newborn)
        nonce = change.nonce
        if nonce is not None and (nonce.sender, nonce.text) in room.nonces:
            return (), _repeated(room, nonce)
        commits, stored = self._write(room, change)
        self._rooms[change.room] = room
        if nonce is not None:
            room.nonces[nonce.sender, nonce.text] = nonce.digest, stored
        return commits, stored

    def _write(self, room: _Room, change: Fact) -> tuple[Sequence[Commit], Stored]:
        time = max(self._clock(), room.time)
        event = written(change, stamp(room.top + 1, epoch=self._epoch, ms=time))
        return self._keep(room, event, time=time, rewritten=())

    def _amend(self, room: _Room, change: Amendment) -> tuple[Sequence[Commit], Stored]:
        time = max(self._clock(), room.time)
        target = room.at(change.target)
        places = room.aimed.get((change.target, change.mark), ())
        outcome = amend(
            change,
            decode(target.json) if target else None,
            related=[decode(one.json) for one in map(room.at, places) if one],
            stamp=stamp(room.top + 1, epoch=self._epoch, ms=time),
        )
        if isinstance(outcome, Unchanged):
            place = room.at(outcome.event.offset)
            return (), Stored(place or entry(outcome.event, time=time), outcome.event.id, fresh=False)
        return self._keep(room, outcome.event, time=time, rewritten=outcome.rewritten)

    def _keep(
        self, room: _Room, event: Logged, *, time: int, rewritten: Sequence[Logged]
    ) -> tuple[Sequence[Commit], Stored]:
        line = entry(event, time=time)
        anew = [
            old._replace(json=encode(changed))
            for changed in rewritten
            if (old := room.at(changed.offset)) is not None
        ]
        room.log.append(line)
        for one in anew:
            room.log[one.offset - room.first] = one
        room.time = time
        if not room.epochs or room.epochs[-1][1] != self._epoch:
            room.epochs.append((line.offset, self._epoch))
        target = target_of(event)
        if target is not None:
            room.aimed[target, mark_of(event)].append(line.offset)
        return (Commit(event.room, (line,), tuple(anew)),), Stored(line, event.id, fresh=True)


def _repeated(room: _Room, nonce: Nonce) -> Stored:
    """Return what was stored under ``nonce``; its bytes are as served now, none if swept away."""
    digest, stored = room.nonces[nonce.sender, nonce.text]
    if digest != nonce.digest:
        raise Conflict("The nonce was used for another message.")
    kept = room.at(stored.entry.offset)
    return Stored(kept or stored.entry._replace(json=b""), stored.id, fresh=False)


def _placed(room: _Room) -> Iterator[tuple[Place, Entry]]:
    """Yield a room's messages with their places, the newest first."""
    name = room.facts.name
    for offset in range(room.top, 0, -1):
        one = room.at(offset)
        if one is None:
            return  # retention has taken what is older
        if one.kind == "message":
            yield Place(one.time, name, one.offset), one


def _forget(room: _Room, *, below: int) -> None:
    del room.log[: below - room.first]
    room.first = below
    for key in list(room.aimed):
        left = [offset for offset in room.aimed[key] if offset >= below]
        if left:
            room.aimed[key] = left
        else:
            del room.aimed[key]


def _reactions(room: _Room, messages: Sequence[Entry]) -> tuple[Entry, ...]:
    """Return the newest reaction of each person and emoji to one of ``messages``."""
    shown = {one.offset for one in messages}
    newest = [places[-1] for (target, mark), places in room.aimed.items() if mark and target in shown]
    return tuple(one for one in map(room.at, sorted(newest)) if one is not None)


def _window(offsets: Sequence[int], *, where: Where, limit: int) -> tuple[int, int]:
    """Return the slice of ``offsets`` that the page shows."""
    match where:
        case Newest():
            return max(0, len(offsets) - limit), len(offsets)
        case Before(offset):
            last = bisect_left(offsets, offset)
            return max(0, last - limit), last
        case After(offset):
            first = bisect_left(offsets, offset + 1)
            return first, min(len(offsets), first + limit)
        case Around(offset):
            middle = bisect_left(offsets, offset)
            first = max(0, middle - limit // 2)
            return first, min(len(offsets), middle + limit - limit // 2)
