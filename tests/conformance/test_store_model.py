"""The memory store is the model: whatever is done to both stores, they answer alike."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from kodama.core.event import Entry, decode
from kodama.core.record import DropRecord, PutRecord
from kodama.core.room import DAY_MS, Access, Retention, RoomFacts
from kodama.core.search import Has, Place, Wanted
from kodama.core.who import NOBODY, Who
from kodama.core.words import phrases
from kodama.store.interface import After, Around, Before, Newest, RoomLog, Standing, Stored
from kodama.store.memory import MemoryStore
from tests.conformance.stores import (
    AIKO,
    BEN,
    HandReactor,
    Site,
    delete,
    edit,
    linked_to_memory,
    postgres,
    publish,
    react,
    sqlite,
    topic,
)

rooms = st.sampled_from(["lobby", "garden"])
people = st.sampled_from([AIKO, BEN])
words = st.sampled_from(["a", "b", "見て", "\ud800", "x" * 3000, "会議の件 `a b` https://example.com/x"])
targets = st.integers(-1, 12)
changes = st.one_of(
    st.builds(
        publish,
        words,
        room=rooms,
        by=people,
        nonce=st.sampled_from([None, None, "n1", "n2"]),
        data=st.sampled_from([None, {"k": [1, None]}]),
    ),
    st.builds(edit, targets, words, room=rooms, by=people),
    st.builds(delete, targets, room=rooms, by=people),
    st.builds(
        react,
        targets,
        st.sampled_from(["👍", "x"]),
        op=st.sampled_from(["add", "remove"]),
        room=rooms,
        by=people,
    ),
    st.builds(topic, st.sampled_from(["one", "two"]), room=rooms),
)
places = st.one_of(
    st.just(Newest()), st.builds(Before, targets), st.builds(After, targets), st.builds(Around, targets)
)

kinds = st.sampled_from(["ban", "invite"])
keys = st.sampled_from(["a", "ab", "b"])
revisions = st.sampled_from([None, None, 0, 1, 2, 3, 5])
record_changes = st.one_of(
    st.builds(PutRecord, kind=kinds, key=keys, body=st.binary(max_size=3), expected=revisions),
    st.builds(DropRecord, kind=kinds, key=keys, expected=revisions),
)
people_asking = st.sampled_from([NOBODY, Who(author=AIKO), Who(rooms=frozenset(["garden"]))])
wishes = st.builds(
    Wanted,
    phrases=st.sampled_from(["", "a", "会議", "件 x", "見"]).map(phrases),
    without=st.sampled_from(["", "", "b", "の件"]).map(phrases),
    room=st.sampled_from([None, None, "lobby", "nowhere"]),
    author=st.sampled_from([None, None, "u_ben", "AIKO"]),
    has=st.sampled_from([(), (), (Has.LINK,), (Has.CODE, Has.LINK), (Has.FILE,)]),
)


def comparable(value: Any) -> Any:
    """Return ``value`` without the random event ids, which are all two stores may differ in."""
    match value:
        case Entry():
            event = decode(value.json) if value.json else None
            return (
                *value[:4],
                event and {**{f: getattr(event, f) for f in event.__struct_fields__}, "id": ""},
            )
        case Stored():
            return comparable(value.entry), value.fresh
        case Exception():
            return type(value)
        case RoomLog():
            return comparable(tuple(value[:-1]))  # the mark is each store's own
        case tuple() | list():
            return [comparable(one) for one in value]
        case _:
            return value


class BothStores(RuleBasedStateMachine):
    """Does the same to both; only what they say at the end of each step is compared."""

    make: Callable[[Path], Site]

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        self.real = type(self).make(Path(self._folder.name)).start()
        clock = self.real.clock
        model = MemoryStore(lambda: clock[0], epoch=self.real.store.epoch)
        self.model = Site(model, HandReactor(), clock).start()
        self.marks: dict[str, RoomFacts] = {}

    def teardown(self) -> None:
        self.real.stop()
        self._folder.cleanup()

    def same(self, ask: Any) -> None:
        answers = [comparable(site.wait(ask(site.store))) for site in (self.model, self.real)]
        assert answers[0] == answers[1]

    @rule(burst=st.lists(changes, min_size=1, max_size=12))
    def append(self, burst: list[Any]) -> None:
        expected, results = self.model.append(*burst), self.real.append(*burst)
        # A group shows its own entries as they are after it, so the bytes are compared by `log`.
        for ours, theirs in zip(results, expected, strict=True):
            assert isinstance(ours, Stored) == isinstance(theirs, Stored)
            if isinstance(ours, Stored) and isinstance(theirs, Stored):
                assert (ours.entry[:4], ours.fresh) == (theirs.entry[:4], theirs.fresh)
            else:
                # What is no text does not even reach a writer over the link.
                assert type(ours) is type(theirs) or isinstance(ours, UnicodeEncodeError)

    @rule(ms=st.sampled_from([-5_000, 1, 1_000, DAY_MS // 2, DAY_MS + 1]))
    def pass_time(self, ms: int) -> None:
        self.real.clock[0] = max(0, self.real.clock[0] + ms)

    @rule()
    def sweep(self) -> None:
        self.same(lambda store: store.sweep())

    @rule(
        room=rooms, days=st.integers(0, 2), events=st.integers(0, 6), owner=st.sampled_from([None, AIKO.id])
    )
    def put_room(self, room: str, days: int, events: int, owner: str | None) -> None:
        facts = RoomFacts(name=room, owner=owner, access=Access.MEMBERS, retention=Retention(days, events))
        self.same(lambda store: store.put_room(facts))

    @rule(room=rooms, where=places, limit=st.integers(1, 6))
    def history(self, room: str, where: Any, limit: int) -> None:
        self.same(lambda store: store.history(room, where=where, limit=limit))

    @rule(room=rooms, after=st.integers(0, 12), limit=st.integers(1, 6), size=st.sampled_from([1, 500, 9000]))
    def read(self, room: str, after: int, limit: int, size: int) -> None:
        self.same(lambda store: store.read(room, after=after, limit=limit, size=size))

    @rule(room=rooms, back=st.sampled_from([0, 1, 1_000, DAY_MS]))
    def offset_at(self, room: str, back: int) -> None:
        self.same(lambda store: store.offset_at(room, time=self.real.clock[0] - back))

    @rule(wanted=wishes, who=people_asking, limit=st.sampled_from([2, 1000]))
    def search(self, wanted: Wanted, who: Who, limit: int) -> None:
        """Of one moment in different rooms the order is free: the times are compared, and all of all."""
        sites = (self.model, self.real)
        asked = {"who": who, "limit": limit, "size": 2**40}
        model, real = (site.wait(site.store.search(wanted, **asked)) for site in sites)
        assert [one.time for one in model.messages] == [one.time for one in real.messages]
        assert model.more == real.more
        if limit == 1000:
            assert sorted(map(repr, comparable(model.messages))) == sorted(
                map(repr, comparable(real.messages))
            )

    @rule(back=st.sampled_from([0, 1, 1_000]), room=rooms, offset=targets)
    def search_in_time(self, back: int, room: str, offset: int) -> None:
        now = self.real.clock[0]
        for wanted in (
            Wanted(before=now - back), Wanted(since=now - back), Wanted(room=room, below=offset),
            Wanted(room=room, past=Place(now - back, room, offset)),
        ):  # fmt: skip
            found = [
                site.wait(site.store.search(wanted, who=Who(author=AIKO), limit=1000, size=2**40))
                for site in (self.model, self.real)
            ]
            ours, theirs = (sorted(map(repr, comparable(one.messages))) for one in found)
            assert ours == theirs

    @rule(room=rooms, size=st.sampled_from([0, 700, 20_000]))
    def open(self, room: str, size: int) -> None:
        self.same(lambda store: store.open(room, tail_bytes=size))

    @rule(changes=st.lists(record_changes, min_size=1, max_size=4))
    def write_records(self, changes: list[Any]) -> None:
        def written(store: Any) -> Any:
            return store.write_records(changes).addErrback(lambda failure: failure.type)

        self.same(written)

    @rule(prefix=st.sampled_from(["", "a"]), after=st.sampled_from(["", "a"]), limit=st.integers(1, 3))
    def records(self, prefix: str, after: str, limit: int) -> None:
        self.same(lambda store: store.records("ban", prefix=prefix, after=after, limit=limit))

    @rule(room=rooms)
    def look_at(self, room: str) -> None:
        """The mark tells the room's settings from all others it ever had."""
        self.same(lambda store: store.tops([room]).addCallback(_places))
        standing = self.real.wait(self.real.store.tops([room])).get(room)
        log = self.real.wait(self.real.store.open(room, tail_bytes=0))
        assert (standing is None) == (log is None)
        if standing is not None:
            assert standing.mark == log.mark
            assert self.marks.setdefault(log.mark, log.facts) == log.facts

    @invariant()
    def rooms_and_logs_are_alike(self) -> None:
        self.same(lambda store: store.rooms())
        self.same(lambda store: store.versions())
        self.same(lambda store: store.unread({"lobby": 3, "garden": 0}))
        for room in ("lobby", "garden"):
            self.same(lambda store, room=room: store.read(room, after=0, limit=10_000, size=2**40))


def _places(standings: dict[str, Standing]) -> list[tuple[str, int]]:
    return [(name, one.place.offset) for name, one in standings.items()]


class SqliteAndModel(BothStores):
    make = staticmethod(sqlite)


class PostgresAndModel(BothStores):
    make = staticmethod(postgres)


class LinkedAndModel(BothStores):
    make = staticmethod(linked_to_memory)


TestSqlite = SqliteAndModel.TestCase
TestSqlite.settings = settings(settings.default, stateful_step_count=25)
TestPostgres = PostgresAndModel.TestCase
TestPostgres.settings = settings(settings.default, stateful_step_count=25, max_examples=20)
TestLinked = LinkedAndModel.TestCase
TestLinked.settings = settings(settings.default, stateful_step_count=25, max_examples=20)
