"""`LinkedStore`: the log as a node sees it whose writer is another process of this machine.

The one decision here: nothing is kept here that the writer could know better. What the rest of the server
asks for without a Deferred (the epoch, ended sessions) the writer says by itself, at first and
whenever it is another; secrets and records of the start are waited for, once. When the link breaks,
whatever was not settled is told so at once: it may have been stored or not, and a nonce finds out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec
from msgspec import Raw
from twisted.internet.defer import Deferred, succeed
from twisted.python.failure import Failure

from kodama.core.apikey import ApiKey
from kodama.core.change import Change
from kodama.core.event import Entry
from kodama.core.record import Record, RecordChange, Records, check_record
from kodama.core.room import RoomFacts
from kodama.core.search import Wanted
from kodama.core.who import Who
from kodama.link.frames import pack
from kodama.link.reach import Declined, LinkDown, Reach
from kodama.store.interface import (
    ALL_RECORDS,
    ANYTHING,
    Commit,
    Found,
    Group,
    Listed,
    Look,
    Page,
    RoomLog,
    Settle,
    Slice,
    Standing,
    Stored,
    StoreUnavailable,
    Where,
)
from kodama.store.linked.shapes import APPEND, GROUP, STATE, Outcome, named, pack_change, refused

WAITING_LIMIT: Final = 20_000  # changes, as for the writer itself

_Tail = tuple[Entry, ...]
_State = tuple[str, frozenset[str], bool]
_group: Final = msgspec.msgpack.Decoder(tuple[list[Commit], list[Outcome]])
_state: Final = msgspec.msgpack.Decoder(_State)


class LinkedStore:
    """A `kodama.store.interface.Store` whose writer is at the other end of ``reach``."""

    def __init__(self, reach: Reach, *, reactor: Any) -> None:
        self._reach = reach
        self._reactor = reactor
        self._epoch = ""
        self._ended: frozenset[str] = frozenset()
        self._writes = True
        self._secrets: dict[str, bytes] = {}
        self._deliver: Callable[[Group], None] = lambda _: None
        self._number = 0
        self._waiting: dict[int, Settle] = {}
        self._asked = 0
        self._open = False
        self._stopping: Deferred[None] | None = None
        self.reads = 0
        reach.hear(GROUP, self._heard)
        reach.hear(STATE, self._take_state)
        reach.watch(opened=self._reached, lost=self._lost)

    @property
    def epoch(self) -> str:
        """The epoch of the writer's opening."""
        return self._epoch

    def start(self, deliver: Callable[[Group], None]) -> None:
        """Reach the writer and begin; waits for its first word. Raises `StoreUnavailable`."""
        self._deliver = deliver
        self._take_state(self._now(STATE, []))
        self._open = True
        self._reach.start()

    def stop(self) -> Deferred[None]:
        """Wait until all that was asked is answered, and disconnect."""
        if not self._open:
            return succeed(None)
        if self._stopping is None:
            self._stopping = Deferred()
            self._rest()
        return self._stopping

    def append(self, change: Change, settle: Settle) -> None:
        """Have the writer append ``change``."""
        if not self._reach.up or self._stopping is not None:
            raise StoreUnavailable("The writer is not there.")
        if len(self._waiting) >= WAITING_LIMIT:
            raise StoreUnavailable("Too much is waiting to be written.")
        self._number += 1
        self._waiting[self._number] = settle
        try:
            packed = pack_change(change)
        except Exception as error:  # noqa: BLE001 - whoever appended is told, whatever it is
            self._reactor.callLater(0, self._settle, [(self._number, error)], ())
        else:
            self._reach.say(APPEND, pack((self._number, Raw(packed))))

    def open(self, room: str, *, tail_bytes: int) -> Deferred[RoomLog | None]:
        """Return the room with its newest entries."""
        kind = tuple[RoomFacts, int, int, tuple[tuple[int, str], ...], _Tail, str] | None
        asking = self._ask("open", [room, tail_bytes], kind=kind)
        return asking.addCallback(lambda found: None if found is None else RoomLog(*found))

    def read(self, room: str, *, after: int, limit: int, size: int) -> Deferred[Slice]:
        """Return the entries above ``after``."""
        asking = self._ask("read", [room, after, limit, size], kind=tuple[_Tail, int])
        return asking.addCallback(lambda found: Slice(*found))

    def offset_at(self, room: str, *, time: int) -> Deferred[int]:
        """Return the offset before the lowest kept event not older than ``time``."""
        return self._ask("offset_at", [room, time], kind=int)

    def history(self, room: str, *, where: Where, limit: int) -> Deferred[Page]:
        """Return a page of messages."""
        kind = tuple[_Tail, bool, int, str, _Tail]
        asking = self._ask("history", [room, named(where), limit], kind=kind)
        return asking.addCallback(lambda found: Page(*found))

    def search(self, wanted: Wanted, *, who: Who, limit: int, size: int) -> Deferred[Found]:
        """Return the newest messages that are wanted."""
        asking = self._ask("search", [wanted, who, limit, size], kind=tuple[_Tail, bool])
        return asking.addCallback(lambda found: Found(*found))

    def index(self) -> Deferred[bool]:
        """Have the writer do a bounded piece of what search still needs."""
        return self._ask("index", [], kind=bool)

    def rooms(self) -> Deferred[Sequence[Listed]]:
        """Return all rooms by name."""
        return self._ask("rooms", [], kind=tuple[Listed, ...])

    def tops(self, rooms: Sequence[str]) -> Deferred[Mapping[str, Standing]]:
        """Return where each of ``rooms`` that exists stands."""
        return self._ask("tops", [rooms], kind=dict[str, Standing])

    def look(self, rooms: Sequence[str]) -> Deferred[Look]:
        """Return what others may have changed."""
        return self._ask("look", [rooms], kind=Look)

    def unread(self, read: Mapping[str, int]) -> Deferred[Mapping[str, int]]:
        """Return how many messages stand above the offset given for each room."""
        return self._ask("unread", [read], kind=dict[str, int])

    def put_room(self, facts: RoomFacts, *, over: str = ANYTHING) -> Deferred[None]:
        """Create the room or replace its settings, durably."""
        return self._ask("put_room", [facts, over], kind=None)

    def sweep(self) -> Deferred[Sequence[tuple[str, int]]]:
        """Have the writer apply every room's retention."""
        return self._ask("sweep", [], kind=tuple[tuple[str, int], ...])

    def secret(self, purpose: str) -> bytes:
        """Return 32 random bytes, the same on every node; waits at the first use for ``purpose``."""
        if purpose not in self._secrets:
            self._secrets[purpose] = msgspec.msgpack.decode(self._now("secret", [purpose]), type=bytes)
        return self._secrets[purpose]

    def revoke(self, session: str, *, until: int) -> Deferred[None]:
        """Remember durably that ``session`` has ended."""
        return self._ask("revoke", [session, until], kind=None)

    def revoked(self) -> frozenset[str]:
        """Return the sessions that have ended, as far as the writer has said."""
        return self._ended

    def put_key(self, key: ApiKey) -> Deferred[None]:
        """Keep an API key, durably."""
        return self._ask("put_key", [key], kind=None)

    def drop_key(self, id: str) -> Deferred[bool]:  # noqa: A002 - a key's id
        """Forget an API key, durably."""
        return self._ask("drop_key", [id], kind=bool)

    def keys(self) -> Deferred[Sequence[ApiKey]]:
        """Return all API keys, oldest first."""
        return self._ask("keys", [], kind=tuple[ApiKey, ...])

    def write_records(self, changes: Sequence[RecordChange]) -> Deferred[Sequence[int]]:
        """Write records, all or none."""
        for change in changes:
            check_record(change)
        return self._ask("write_records", [[named(one) for one in changes]], kind=list[int])

    def record(self, kind: str, key: str) -> Deferred[Record | None]:
        """Return one record."""
        return self._ask("record", [kind, key], kind=Record | None)

    def records(
        self, kind: str, *, prefix: str = "", after: str = "", limit: int = ALL_RECORDS
    ) -> Deferred[Records]:
        """Return the records of a kind by key."""
        asking = self._ask("records", [kind, prefix, after, limit], kind=tuple[int, tuple[Record, ...]])
        return asking.addCallback(lambda found: Records(*found))

    def records_now(self, kind: str) -> Records:
        """Return all records of a kind, waiting for them."""
        found = self._now("records", [kind, "", "", ALL_RECORDS])
        return Records(*msgspec.msgpack.decode(found, type=tuple[int, tuple[Record, ...]]))

    def versions(self) -> Deferred[Mapping[str, int]]:
        """Return the version of each kind."""
        return self._ask("versions", [], kind=dict[str, int])

    def healthy(self) -> bool:
        """Return whether the writer is there and its last attempt to write succeeded."""
        return self._reach.up and self._writes

    def _ask(self, what: str, given: list[Any], *, kind: Any) -> Deferred[Any]:
        self.reads += 1
        self._asked += 1
        try:
            asking: Deferred[Any] = self._reach.ask(what, pack(given))
        except Exception:  # noqa: BLE001 - whoever asked is told, whatever it is
            asking = Deferred()
            asking.errback()
        asking.addCallback(lambda answer: msgspec.msgpack.decode(answer, type=kind))
        return asking.addErrback(_as_the_store_says).addBoth(self._answered)

    def _answered(self, outcome: Any) -> Any:
        self._asked -= 1
        if self._stopping is not None:
            self._reactor.callLater(0, self._rest)  # when whoever asked has the answer
        return outcome

    def _now(self, what: str, given: list[Any]) -> Raw:
        try:
            return self._reach.ask_now(what, pack(given))
        except LinkDown as error:
            raise StoreUnavailable(str(error)) from error
        except Declined as error:
            raise refused(error.name, error.sentence) from error

    def _take_state(self, given: Raw) -> None:
        self._epoch, self._ended, self._writes = _state.decode(given)

    def _reached(self) -> None:
        self._reach.ask(STATE, pack([])).addCallbacks(self._take_state, lambda _: None)  # else the next time

    def _heard(self, given: Raw) -> None:
        commits, outcomes = _group.decode(given)
        self._settle([(number, _result(stored, why)) for number, stored, why in outcomes], commits)

    def _settle(self, results: Sequence[tuple[int, Stored | Exception]], commits: Sequence[Commit]) -> None:
        known = [(number, result) for number, result in results if number in self._waiting]
        self._deliver(Group(commits, [(self._waiting.pop(number), result) for number, result in known]))
        self._rest()

    def _lost(self) -> None:
        gone = StoreUnavailable("The writer is gone.")
        if self._waiting:
            self._settle([(number, gone) for number in self._waiting], ())

    def _rest(self) -> None:
        """Disconnect once all is answered, if that is wanted."""
        if self._stopping is not None and self._open and not self._waiting and not self._asked:
            self._open = False
            self._reach.stop().addCallback(self._stopping.callback)


def _result(stored: Stored | None, refusal: tuple[str, str] | None) -> Stored | Exception:
    if stored is not None:
        return stored
    assert refusal is not None
    return refused(*refusal)


def _as_the_store_says(failure: Failure) -> Failure:
    match failure.value:
        case LinkDown():
            return Failure(StoreUnavailable(str(failure.value)))
        case Declined(name=name, sentence=sentence):
            return Failure(refused(name, sentence))
        case _:
            return failure
