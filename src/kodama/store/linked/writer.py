"""The writer's side: a store that other processes use as theirs.

The one decision here: whoever appended to a room in a commit gets all that the commit did to that
room, in the frame that settles it; everybody else hears of it by the bus, from the writer, in the
same order. So a node never sees a hole that other nodes' appends would make, and nothing is lost
between a commit and the word of it when a node dies.

What one of them has to do for all (retention, the index of search) is done once, however many ask.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec
from msgspec import Raw
from twisted.internet.defer import Deferred, succeed

from kodama.core.apikey import ApiKey
from kodama.core.room import RoomFacts
from kodama.core.search import Wanted
from kodama.core.who import Who
from kodama.link.frames import pack
from kodama.link.hub import Hub, Peer, refusal_of
from kodama.store.interface import Commit, Group, Store, Stored
from kodama.store.linked.shapes import (
    APPEND,
    GROUP,
    STATE,
    Named,
    Outcome,
    place,
    record_change,
    unpack_change,
)

_append: Final = msgspec.msgpack.Decoder(tuple[int, Raw])


class StoreLinks:
    """Serves ``store`` to every process of ``hub``. ``told`` is given what was committed, with those who
    know it already. A sweep is good for ``sweep_seconds``, for all who ask."""

    def __init__(
        self, store: Store, hub: Hub, *, told: Callable[[Commit, frozenset[Peer]], None],
        seconds: Callable[[], float], sweep_seconds: float = 0.0,
    ) -> None:  # fmt: skip
        self._store = store
        self._hub = hub
        self._told = told
        self._outcomes: dict[Peer, list[Outcome]] = {}
        self._touched: dict[Peer, set[str]] = {}
        self._state: tuple[str, frozenset[str], bool] | None = None
        self._sweeps = _Sweeps(store, seconds=seconds, good_for=sweep_seconds)
        self._indexing: list[Deferred[bool]] = []
        hub.attach(
            serve={
                **{name: self._serving(ask) for name, ask in _QUESTIONS.items()},
                STATE: lambda *_: self._state_now(),
                "sweep": lambda peer, _: self._sweeps.sweep(peer.name).addCallback(self._after),
                "index": lambda *_: self._index(),
            },
            take={APPEND: self._append},
            gone=self._gone,
        )

    def deliver(self, group: Group) -> None:
        """Settle what each process appended, and let all of them know what is new."""
        for settle, result in group.settled:
            settle(result)
        self._tell_state()
        outcomes, self._outcomes = self._outcomes, {}
        touched, self._touched = self._touched, {}
        for peer, some in outcomes.items():
            rooms = touched.get(peer, ())
            peer.say(GROUP, pack(([one for one in group.commits if one.room in rooms], some)))
        for commit in group.commits:
            self._told(commit, frozenset(peer for peer, rooms in touched.items() if commit.room in rooms))

    def _append(self, peer: Peer, _: int, given: Raw) -> None:
        number, packed = _append.decode(given)
        try:
            change = unpack_change(packed)
            self._store.append(change, lambda result: self._settled(peer, number, change.room, result))
        except Exception as error:  # noqa: BLE001 - whoever appended is told, whatever it is
            peer.say(GROUP, pack(((), [(number, None, refusal_of(error))])))

    def _settled(self, peer: Peer, number: int, room: str, result: Stored | Exception) -> None:
        if peer not in self._hub.peers:
            return
        if isinstance(result, Exception):
            outcome: Outcome = (number, None, refusal_of(result))
        else:
            outcome = (number, result, None)
            self._touched.setdefault(peer, set()).add(room)
        self._outcomes.setdefault(peer, []).append(outcome)

    def _gone(self, peer: Peer) -> None:
        self._outcomes.pop(peer, None)
        self._touched.pop(peer, None)

    def _serving(self, ask: _Ask) -> Callable[[Peer, Raw], Any]:
        def serve(_: Peer, given: Raw) -> Any:
            answer = ask(self._store, given)
            return answer.addCallback(self._after) if isinstance(answer, Deferred) else answer

        return serve

    def _after(self, answer: Any) -> Any:
        self._tell_state()
        return answer

    def _state_now(self) -> tuple[str, frozenset[str], bool]:
        return self._store.epoch, self._store.revoked(), self._store.healthy()

    def _tell_state(self) -> None:
        """Say what is asked for without a Deferred, if it is another now."""
        state = self._state_now()
        if state != self._state:
            self._state = state
            packed = pack(state)
            for peer in self._hub.peers:
                peer.say(STATE, packed)

    def _index(self) -> Deferred[bool]:
        waiting: Deferred[bool] = Deferred()
        self._indexing.append(waiting)
        if len(self._indexing) == 1:
            self._store.index().addBoth(self._indexed)
        return waiting

    def _indexed(self, outcome: Any) -> None:
        told, self._indexing = self._indexing, []
        for one in told:
            one.callback(outcome)


class _Sweeps:
    """One sweep for all who ask in its time; each is told of what was lost since it last asked."""

    def __init__(self, store: Store, *, seconds: Callable[[], float], good_for: float) -> None:
        self._store = store
        self._seconds = seconds
        self._good_for = good_for
        self._began: float | None = None
        self._untold: dict[str, dict[str, int]] = {}

    def sweep(self, name: str) -> Deferred[Sequence[tuple[str, int]]]:
        self._untold.setdefault(name, {})
        now = self._seconds()
        if self._began is not None and now < self._began + self._good_for:
            return succeed(self._for(name))
        self._began = now

        def swept(lost: Sequence[tuple[str, int]]) -> Sequence[tuple[str, int]]:
            for told in self._untold.values():
                told.update(lost)
            return self._for(name)

        return self._store.sweep().addCallback(swept)

    def _for(self, name: str) -> Sequence[tuple[str, int]]:
        told, self._untold[name] = self._untold[name], {}
        return tuple(told.items())


_Ask = Callable[[Store, Raw], Any]


def _question(types: Any, ask: Callable[..., Any]) -> _Ask:
    """Return what asks a store with the arguments that a message carries, of ``types``."""
    decoder = msgspec.msgpack.Decoder(types)
    return lambda store, given: ask(store, *decoder.decode(given))


_QUESTIONS: Final[Mapping[str, _Ask]] = {
    "open": _question(tuple[str, int], lambda store, room, size: store.open(room, tail_bytes=size)),
    "read": _question(
        tuple[str, int, int, int],
        lambda store, room, after, limit, size: store.read(room, after=after, limit=limit, size=size),
    ),
    "offset_at": _question(tuple[str, int], lambda store, room, time: store.offset_at(room, time=time)),
    "history": _question(
        tuple[str, Named, int],
        lambda store, room, where, limit: store.history(room, where=place(where), limit=limit),
    ),
    "search": _question(
        tuple[Wanted, Who, int, int],
        lambda store, wanted, who, limit, size: store.search(wanted, who=who, limit=limit, size=size),
    ),
    "rooms": _question(tuple[()], lambda store: store.rooms()),
    "tops": _question(tuple[list[str]], lambda store, rooms: store.tops(rooms)),
    "look": _question(tuple[list[str]], lambda store, rooms: store.look(rooms)),
    "unread": _question(tuple[dict[str, int]], lambda store, read: store.unread(read)),
    "put_room": _question(tuple[RoomFacts, str], lambda store, facts, over: store.put_room(facts, over=over)),
    "secret": _question(tuple[str], lambda store, purpose: store.secret(purpose)),
    "revoke": _question(tuple[str, int], lambda store, session, until: store.revoke(session, until=until)),
    "put_key": _question(tuple[ApiKey], lambda store, key: store.put_key(key)),
    "drop_key": _question(tuple[str], lambda store, key: store.drop_key(key)),
    "keys": _question(tuple[()], lambda store: store.keys()),
    "write_records": _question(
        tuple[list[Named]],
        lambda store, changes: store.write_records([record_change(one) for one in changes]),
    ),
    "record": _question(tuple[str, str], lambda store, kind, key: store.record(kind, key)),
    "records": _question(
        tuple[str, str, str, int],
        lambda store, kind, prefix, after, limit: store.records(
            kind, prefix=prefix, after=after, limit=limit
        ),
    ),
    "versions": _question(tuple[()], lambda store: store.versions()),
}
