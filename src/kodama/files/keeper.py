"""What becomes of files: they come in pieces, become whole, are shown by messages and go with them.

Decided here: a file goes when the message that shows it is deleted, whoever deleted it and by
whatever way; so it is heard of commits and not of requests. What was never finished goes after a
day. Files are the room's: who may read the room may fetch them. What counts against the space is
what has come, so that nobody takes it all by announcing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass
from secrets import token_urlsafe
from typing import Any, Final

import msgspec
from twisted.internet.defer import Deferred, DeferredLock, succeed
from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger
from twisted.python.failure import Failure

from kodama.core.errors import Conflict, NotFound, Overloaded, TooLarge
from kodama.core.event import Message, decode
from kodama.core.file import FILE, SAVED, FileFacts
from kodama.core.record import DropRecord, RecordMoved
from kodama.files.pictures import Picture
from kodama.files.shelf import Misplaced, Shelf
from kodama.node import Node
from kodama.registry import Registry
from kodama.store.interface import Commit
from kodama.wire.files import files_in

SHOWN_BY: Final = "file-at"
UNFINISHED_SECONDS: Final = 24 * 3600.0
LOOK_MS: Final = 3_600_000
LEAST: Final = 4096  # bytes that a file counts for its sender: many small ones are much, too
_log: Final = Logger()


class Shown(msgspec.Struct, frozen=True):
    """The files that one message shows."""

    files: list[str]


@dataclass(frozen=True, slots=True)
class Room:
    """How much may be kept: bytes of one file, of all together, and of one person's."""

    one: int
    all: int
    each: int


class Keeper:
    """The files of a server. ``now`` is in ms since 1970."""

    def __init__(
        self, shelf: Shelf, node: Node, registry: Registry, *, reactor: Any, now: Callable[[], int],
        room: Room,
    ) -> None:  # fmt: skip
        self.shelf = shelf
        self._node = node
        self._registry = registry
        self._reactor = reactor
        self._now = now
        self._room = room
        self._sizes: dict[str, int] = {}
        self._used = 0
        self._looked = 0
        self._busy: set[str] = set()
        self._turn = DeferredLock()
        self._finishing = DeferredLock()  # a picture costs time and several times its size
        self._known: dict[str, FileFacts] = {}
        self._of: Counter[str] = Counter()  # bytes, by person
        self._let_in: set[str] = set()  # held, and shown by a message since
        node.committed.append(self._heard)
        registry.follow(FILE, FileFacts, self._taken)

    def start(self) -> None:
        """Learn what is there."""
        for id, size in self.shelf.sizes().items():  # noqa: A001 - a file's id
            self._count(id, size)

    async def facts(self, id: str) -> FileFacts:  # noqa: A002 - a file's id
        """Return what is known of a file; raises `NotFound`."""
        record = await self._node.store.record(FILE, id)
        if record is None:
            raise NotFound("There is no such file.")
        return msgspec.json.decode(record.body, type=FileFacts)

    async def begin(self, room: str, *, by: str, name: str, size: int, held: bool) -> str:
        """Announce a file and return its id; ``held`` if what its sender says waits for a moderator.
        Raises `TooLarge`, `Overloaded`."""
        if size > self._room.one:
            raise TooLarge(f"A file has at most {self._room.one} bytes here.")
        if self._of[by] + max(size, LEAST) > self._room.each:
            raise TooLarge(f"Your files may have {self._room.each} bytes here in all; delete some first.")
        self._check_space(size)
        id = token_urlsafe(16)  # noqa: A001 - a file's id
        self.shelf.begin(id)
        facts = FileFacts(room=room, by=by, name=name, size=size, created=self._now(), held=held)
        await self._registry.put(FILE, id, facts, expected=0)
        return id

    async def add(self, id: str, facts: FileFacts, piece: bytes, *, offset: int) -> tuple[int, FileFacts]:  # noqa: A002
        """Take a piece; return how much is there now, and the file, whole with its last piece.

        Raises `Conflict` if the piece does not begin where the file ends, `Overloaded`.
        """
        if id in self._busy:
            raise Conflict("Another piece of this file is being written.")
        self._check_space(len(piece))
        self._busy.add(id)
        try:
            end = self.shelf.add(id, piece, offset=offset, size=facts.size)
            self._count(id, end)
            return end, (await self._finished(id) if end == facts.size else facts)
        except Misplaced as error:
            raise Conflict(f"The file ends at {error.offset}: go on there.") from None
        except FileNotFoundError:
            raise NotFound("This file takes no more pieces.") from None
        finally:
            self._busy.discard(id)

    def open_to_readers(self, id: str, facts: FileFacts) -> bool:  # noqa: A002 - a file's id
        """Return whether the room's readers may have a file."""
        return not facts.held or id in self._let_in

    def refused(self, room: str, by: str, data: object) -> None:
        """Throw away what a message would have shown that is not let in."""
        for id in files_in(data):  # noqa: A001 - a file's id
            facts = self._known.get(id)
            if facts is not None and facts.held and (facts.room, facts.by) == (room, by):
                self._forget(id)
                self._registry.drop(FILE, id).addErrback(_failed)

    async def remove(self, id: str) -> None:  # noqa: A002
        """Forget a file."""
        self._forget(id)
        await self._registry.drop(FILE, id)

    def look(self) -> Deferred[None]:
        """Throw away what was begun a day ago and never finished; looks once an hour, however often
        it is called."""
        if self._now() - self._looked >= LOOK_MS:
            self._looked = self._now()
            self._sweep()
        return succeed(None)

    def _sweep(self) -> None:
        for id in self.shelf.unfinished(older=self._now() / 1000 - UNFINISHED_SECONDS):  # noqa: A001
            self._forget(id)
            self._registry.drop(FILE, id).addErrback(_failed)

    async def _finished(self, id: str) -> FileFacts:  # noqa: A002
        """Make a file whole, unless it was removed meanwhile. Raises `NotFound`."""
        size, found = await self._finishing.run(self._finish, id)
        self._count(id, size)
        while (record := await self._node.store.record(FILE, id)) is not None:
            whole = _whole(msgspec.json.decode(record.body, type=FileFacts), size, found)
            with suppress(RecordMoved):  # removed, or let in: it is looked at again
                await self._registry.put(FILE, id, whole, expected=record.revision)
                return whole
        self._forget(id)
        raise NotFound("There is no such file.")

    def _finish(self, id: str) -> Deferred[tuple[int, Picture | None]]:  # noqa: A002 - a file's id
        pool = self._reactor.getThreadPool()
        return deferToThreadPool(self._reactor, pool, self.shelf.finish, id)

    def _check_space(self, size: int) -> None:
        if self._used + size > self._room.all:
            raise Overloaded("There is no space for more files.", retry_after=3600)

    def _count(self, id: str, size: int) -> None:  # noqa: A002 - a file's id
        """Count ``size`` bytes for a file instead of what was counted for it before."""
        self._used += size - self._sizes.get(id, 0)
        self._sizes[id] = size

    def _forget(self, id: str) -> None:  # noqa: A002 - a file's id
        """Take a file from the shelf and count it no more; a second time that changes nothing."""
        self.shelf.remove(id)
        self._used -= self._sizes.pop(id, 0)

    def _heard(self, commits: Sequence[Commit]) -> None:
        """Note which messages show files, and which show none any more."""
        for commit in commits:
            for entry in commit.entries:
                if entry.kind == "message" and b'"files"' in entry.json:
                    self._let_in.update(self._held_in(commit.room, entry.json))
                    self._later(self._bind(commit.room, entry.json))
            for entry in commit.rewritten:
                if entry.kind == "message" and b'"deleted":true' in entry.json:
                    self._later(self._unbind(commit.room, entry.json))

    def _held_in(self, room: str, json: bytes) -> list[str]:
        """Return the files that a message lets in: readers ask for them as soon as they hear of it."""
        event = decode(json)
        if not isinstance(event, Message):
            return []
        whose = (room, event.author.id)
        found = [(name, self._known.get(name)) for name in files_in(event.data)]
        return [name for name, one in found if one and one.held and (one.room, one.by) == whose]

    def _taken(self, id: str, facts: FileFacts | None) -> None:  # noqa: A002 - a file's id
        before = self._known.pop(id, None)
        if before is not None:
            self._of[before.by] -= max(before.size, LEAST)
            if not self._of[before.by]:
                del self._of[before.by]
        if facts is not None:
            self._known[id] = facts
            self._of[facts.by] += max(facts.size, LEAST)
        if facts is None or not facts.held:
            self._let_in.discard(id)

    async def _let(self, id: str) -> None:  # noqa: A002 - a file's id
        """Write down that a message shows a file that was held."""
        record = await self._node.store.record(FILE, id)
        facts = None if record is None else msgspec.json.decode(record.body, type=FileFacts)
        if record is not None and facts is not None and facts.held:
            with suppress(RecordMoved):
                shown = msgspec.structs.replace(facts, held=False)
                await self._registry.put(FILE, id, shown, expected=record.revision)

    async def _bind(self, room: str, json: bytes) -> None:
        event = decode(json)
        if not isinstance(event, Message):
            return
        mine = []
        for id in files_in(event.data):  # noqa: A001 - a file's id
            with suppress(NotFound):
                facts = await self.facts(id)
                if facts.room == room and facts.by == event.author.id:
                    mine.append(id)
                    await self._let(id)
        if mine:
            with suppress(RecordMoved):  # another node was faster
                await self._registry.put(SHOWN_BY, _place(room, event.offset), Shown(mine), expected=0)

    async def _unbind(self, room: str, json: bytes) -> None:
        event = decode(json)
        key = _place(room, event.offset)
        record = await self._node.store.record(SHOWN_BY, key)
        if record is None or not isinstance(event, Message) or event.deleted is not True:
            return
        for id in msgspec.json.decode(record.body, type=Shown).files:  # noqa: A001 - a file's id
            with suppress(NotFound):
                await self.remove(id)
        await self._registry.write((DropRecord(kind=SHOWN_BY, key=key),))

    def _later(self, doing: Coroutine[Any, Any, None]) -> None:
        """Do it when what was heard of before is done: a message that is deleted at once has to have
        been seen to show its files."""
        self._turn.run(lambda: Deferred.fromCoroutine(doing)).addErrback(_failed)


def _whole(facts: FileFacts, size: int, found: Picture | None) -> FileFacts:
    if found is None:
        return msgspec.structs.replace(facts, whole=True, size=size, media=SAVED)
    return msgspec.structs.replace(
        facts, whole=True, size=size, media=found.media, width=found.width, height=found.height
    )


def _place(room: str, offset: int) -> str:
    return f"{room} {offset}"


def _failed(failure: Failure) -> None:
    _log.failure("looking after files failed", failure)
