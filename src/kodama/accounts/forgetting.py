"""What somebody said and was, taken back when they want to be forgotten.

Decided here: it is ordered by a record that is written together with whatever ends the person, so
that a server which stops in the middle goes on at its next start. Each message is deleted as if by
hand, so that history, search, caches and readers that are away learn of it as of any deletion.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
from twisted.internet.defer import Deferred, DeferredList, succeed
from twisted.logger import Logger
from twisted.python.failure import Failure

from kodama.core.change import Amendment, DeleteMessage, React
from kodama.core.errors import Conflict, NotFound
from kodama.core.event import Author, Logged, Message, Reaction, decode
from kodama.core.record import DropRecord, PutRecord, RecordChange
from kodama.node import Node
from kodama.registry import Registry
from kodama.store.interface import Stored, StoreUnavailable

FORGOTTEN: Final = "forgotten"
STEP: Final = 200  # entries looked at, and changes made, at a time
STEP_BYTES: Final = 1024 * 1024
_author: Final = msgspec.json.Decoder(Author)
_log: Final = Logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Traces:
    """The kinds of records that are somebody's: under their id, under room/id, under id/room."""

    own: Sequence[str] = ()
    by_room: Sequence[str] = ()
    by_user: Sequence[str] = ()


class Forgetting:
    """People who are being forgotten, one after the other."""

    def __init__(self, node: Node, registry: Registry, traces: Traces) -> None:
        self._node = node
        self._registry = registry
        self._traces = traces
        self._due: dict[str, Author] = {}
        self._busy = False

    def start(self) -> None:
        """Go on with what a stop has cut short; after the store's start."""
        for record in self._node.store.records_now(FORGOTTEN).records:
            self._due[record.key] = _author.decode(record.body)

    @staticmethod
    def ordered(author: Author) -> PutRecord:
        """Return what is to be written so that ``author`` is forgotten, sooner or later."""
        return PutRecord(kind=FORGOTTEN, key=author.id, body=msgspec.json.encode(author))

    def begin(self, author: Author) -> None:
        """Begin with somebody whose order is written."""
        self._due[author.id] = author
        self.watch()

    def watch(self) -> Deferred[None]:
        """Go on if there is anybody to be forgotten; call twice a second."""
        if self._due and not self._busy:
            self._busy = True
            Deferred.fromCoroutine(self._forget(next(iter(self._due.values())))).addBoth(self._done)
        return succeed(None)

    def _done(self, outcome: None | Failure) -> None:
        self._busy = False
        if isinstance(outcome, Failure):
            _log.failure("forgetting somebody failed and is tried again", outcome)

    async def _forget(self, author: Author) -> None:
        for row in await self._node.store.rooms():
            await self._forget_in(row.facts.name, author)
        await self._registry.write([*await self._kept(author.id), DropRecord(kind=FORGOTTEN, key=author.id)])
        self._due.pop(author.id, None)

    async def _forget_in(self, room: str, author: Author) -> None:
        sign = author.id.encode()
        place, reactions = 0, dict[tuple[int, str], Reaction]()
        while (found := await self._node.store.read(room, after=place, limit=STEP, size=STEP_BYTES)).entries:
            place = found.entries[-1].offset
            events = [decode(one.json) for one in found.entries if sign in one.json]
            theirs = [event for event in events if event.author.id == author.id]
            await self._all(_deletion(one, author) for one in theirs if _is_said(one))
            reactions |= {(one.target, one.emoji): one for one in theirs if isinstance(one, Reaction)}
        await self._all(_taken_back(one) for one in reactions.values() if one.op == "add")

    async def _kept(self, user: str) -> list[RecordChange]:
        """Return the orders to drop what is kept of somebody beside the log."""
        store = self._node.store
        places = [(kind, user) for kind in self._traces.own if await store.record(kind, user)]
        for kind in self._traces.by_room:
            found = (await store.records(kind)).records
            places += [(kind, one.key) for one in found if one.key.endswith(f"/{user}")]
        for kind in self._traces.by_user:
            found = (await store.records(kind, prefix=f"{user}/")).records
            places += [(kind, one.key) for one in found]
        return [DropRecord(kind=kind, key=key) for kind, key in places]

    async def _all(self, changes: Iterable[Amendment]) -> None:
        made = [self._append(one).addErrback(_done_already) for one in changes]
        await DeferredList(made, fireOnOneErrback=True, consumeErrors=True)

    def _append(self, change: Amendment) -> Deferred[Stored]:
        waiting: Deferred[Stored] = Deferred()

        def settle(outcome: Stored | Exception) -> None:
            waiting.callback(Failure(outcome) if isinstance(outcome, Exception) else outcome)

        try:
            self._node.append(change, settle)
        except StoreUnavailable as error:
            settle(error)
        return waiting


def _done_already(failure: Failure) -> None:
    failure.trap(NotFound, Conflict)


def _is_said(event: Logged) -> bool:
    return isinstance(event, Message) and event.deleted is not True


def _deletion(event: Logged, author: Author) -> DeleteMessage:
    return DeleteMessage(room=event.room, author=author, target=event.offset)


def _taken_back(event: Reaction) -> React:
    return React(room=event.room, author=event.author, target=event.target, emoji=event.emoji, op="remove")
