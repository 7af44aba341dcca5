"""Several nodes on one database, whatever the bus loses: every node ends with the same log."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import Deferred, DeferredList, fail
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from kodama.bus.interface import Ahead
from kodama.bus.remote import RemoteBus
from kodama.core.change import Change
from kodama.core.position import Position
from kodama.core.room import Access, Retention, RoomFacts
from kodama.metrics import Metrics
from kodama.node import Company, LiveRoom, Node
from kodama.store.interface import Stored, StoreUnavailable
from kodama.store.postgres import PostgresStore
from tests import engines
from tests.conformance.buses import Hub, HubLine
from tests.conformance.stores import HandReactor, edit, publish

ROOMS = ("lobby", "garden")


class Machine:
    """One node, its threads' calls pumped by hand."""

    def __init__(self, url: str, hub: Hub, name: str) -> None:
        self.reactor, clock = HandReactor(), Clock()
        self.now = 1_000_000
        store = PostgresStore(url, reactor=self.reactor, now=lambda: self.now)
        bus = RemoteBus(HubLine(hub), node=name, clock=clock)
        self.node = Node(
            store, bus, clock=clock, metrics=Metrics(), tail_memory=2**20, retention=Retention(),
            company=Company.OTHERS,
        )  # fmt: skip
        self.node.start()
        self.rooms = {room: self.wait(self.node.room(room)) for room in ROOMS}
        self.readers = {room: Reader(self.rooms[room]) for room in ROOMS}

    def wait(self, deferred: Deferred[Any]) -> Any:
        done: list[Any] = []
        deferred.addBoth(done.append)
        self.reactor.pump_until(lambda: bool(done))
        if isinstance(done[0], Failure):
            done[0].raiseException()
        return done[0]

    def append(self, change: Change) -> Stored:
        done: list[Stored | Exception] = []
        self.node.append(change, done.append)
        self.reactor.pump_until(lambda: bool(done))
        assert isinstance(done[0], Stored), done[0]
        return done[0]

    def stop(self) -> None:
        self.wait(self.node.stop())


class Reader:
    """Follows a room as a transport does: from its own place, whenever it is woken."""

    def __init__(self, room: LiveRoom) -> None:
        self.room = room
        self.place = room.stream.top
        self.got: list[int] = []
        room.readers[self] = None

    def wake(self) -> None:
        step = self.room.stream.after(self.place, limit=1000, size=2**30)
        self.got += [entry.offset for entry in step.entries]
        self.place = step.position
        self.room.readers[self] = None


def cluster(hub: Hub, count: int = 3) -> list[Machine]:
    url = engines.postgres().schema()
    return [Machine(url, hub, f"n{number}") for number in range(count)]


@pytest.fixture
def hub() -> Hub:
    return Hub(Random(1))


@pytest.fixture
def machines(hub: Hub) -> Iterator[list[Machine]]:
    there = cluster(hub)
    yield there
    for one in there:
        one.stop()


@settings(max_examples=12, deadline=None)
@given(
    seed=st.integers(0, 2**32), drop=st.sampled_from([0, 0.2, 1]), double=st.sampled_from([0, 0.3]),
    delay=st.sampled_from([0, 0.4]),
)  # fmt: skip
def test_every_reader_on_every_node_sees_every_event_once_in_order(
    seed: int, drop: float, double: float, delay: float
) -> None:
    hub = Hub(Random(seed), drop=drop, double=double, delay=delay)
    there = cluster(hub)
    try:
        sent = talk(hub, there)
        for one in there:
            one.wait(one.node.look())
            for room in ROOMS:
                assert one.readers[room].got == list(range(1, sent[room] + 1))
    finally:
        for one in there:
            one.stop()


def talk(hub: Hub, machines: list[Machine]) -> dict[str, int]:
    """Let forty changes happen on any node; return the last offset of each room."""
    sent = dict.fromkeys(ROOMS, 0)
    for number in range(40):
        room = hub.random.choice(ROOMS)
        change = edit(1, f"e{number}", room=room) if number % 9 == 8 and sent[room] else publish(f"{number}", room=room)
        sent[room] = hub.random.choice(machines).append(change).entry.offset
        if number % 10 == 9:
            hub.settle()
    hub.settle()
    return sent


def test_a_node_that_heard_nothing_finds_out_by_one_question(hub: Hub, machines: list[Machine]) -> None:
    hub.drop = 1
    for number in range(5):
        machines[0].append(publish(str(number)))
    machines[1].append(publish("x", room="garden"))
    asked = machines[2].node.store.reads
    machines[2].wait(machines[2].node.look())
    assert machines[2].readers["lobby"].got == [1, 2, 3, 4, 5]
    assert machines[2].readers["garden"].got == [1]
    assert machines[2].node.store.reads - asked == 3  # the question, and two rooms
    machines[2].wait(machines[2].node.look())
    assert machines[2].node.store.reads - asked == 4


def test_one_message_costs_the_bus_one_frame_and_the_other_nodes_no_question(
    hub: Hub, machines: list[Machine]
) -> None:
    machines[0].append(publish("the first makes the room, whose settings are read"))
    for one in machines:
        one.wait(one.node.look())
    frames = hub.passed
    asked = [one.node.store.reads for one in machines]
    machines[0].append(publish("x"))
    assert hub.passed - frames == 1
    for one, before in zip(machines, asked, strict=True):
        assert one.readers["lobby"].got == [1, 2]
        assert one.node.store.reads == before


def test_a_look_at_a_thousand_rooms_is_one_question(machines: list[Machine]) -> None:
    one = machines[0]
    for number in range(1000):
        one.wait(one.node.room(f"r{number}"))
    asked = one.node.store.reads
    one.wait(one.node.look())
    assert one.node.store.reads - asked == 1


def test_a_word_that_the_room_is_ahead_makes_the_node_read(hub: Hub, machines: list[Machine]) -> None:
    hub.drop = 1
    machines[0].append(publish("x"))
    hub.drop = 0
    machines[0].node._bus.notice(Ahead("lobby", 1))
    machines[1].reactor.pump_until(lambda: machines[1].readers["lobby"].got == [1])


def test_what_was_edited_on_one_node_is_rewritten_on_the_others(machines: list[Machine]) -> None:
    machines[0].append(publish("secret"))
    machines[1].append(edit(1, "better"))
    for one in machines:
        stream = one.rooms["lobby"].stream
        assert b"secret" not in b"".join(entry.json for entry in stream._entries)
        assert stream.top.offset == 2


def test_a_room_made_secret_on_one_node_is_secret_on_the_others(hub: Hub, machines: list[Machine]) -> None:
    machines[0].append(publish("x"))
    machines[0].wait(machines[0].node.put_room(RoomFacts(name="lobby", access=Access.SECRET, owner="u_aiko")))
    machines[1].reactor.pump_until(lambda: machines[1].rooms["lobby"].facts.access is Access.SECRET)


def test_a_room_made_secret_is_secret_on_the_others_although_the_bus_lost_it(
    hub: Hub, machines: list[Machine]
) -> None:
    told: list[RoomFacts] = []
    machines[1].node.changed = told.append
    machines[0].append(publish("x"))
    hub.drop = 1
    machines[0].wait(machines[0].node.put_room(RoomFacts(name="lobby", access=Access.SECRET, owner="u_aiko")))
    machines[1].wait(machines[1].node.look())
    assert machines[1].rooms["lobby"].facts.access is Access.SECRET
    assert [facts.access for facts in told] == [Access.SECRET]
    asked = machines[1].node.store.reads
    machines[1].wait(machines[1].node.look())
    assert machines[1].node.store.reads - asked == 1  # nothing is read twice


def test_a_room_that_was_set_up_without_a_message_is_found_by_the_look(hub: Hub, machines: list[Machine]) -> None:
    hub.drop = 1
    machines[0].wait(machines[0].node.put_room(RoomFacts(name="lobby", access=Access.MEMBERS, owner="u_aiko")))
    machines[1].wait(machines[1].node.look())
    room = machines[1].rooms["lobby"]
    assert room.exists
    assert room.facts.access is Access.MEMBERS


def test_settings_that_were_asked_for_earlier_do_not_replace_later_ones(machines: list[Machine]) -> None:
    """A reading of the room may have begun before it was made secret and end after it."""
    one = machines[0]
    one.append(publish("x"))
    room = one.rooms["lobby"]
    slow = one.node.store.open("lobby", tail_bytes=0)
    held: Deferred[Any] = Deferred()
    with patch.object(one.node.store, "open", return_value=held):
        refreshed = one.node._catching.refresh(room)
    one.wait(one.node.put_room(RoomFacts(name="lobby", access=Access.SECRET, owner="u_aiko")))
    held.callback(one.wait(slow))
    one.wait(refreshed)
    assert room.facts.access is Access.SECRET


def test_a_hundred_who_ask_at_the_same_time_cost_two_questions(hub: Hub, machines: list[Machine]) -> None:
    hub.drop = 1
    machines[0].append(publish("x"))
    node = machines[1].node
    asked = node.store.reads
    asking = [node.current(["lobby"]) for _ in range(100)]
    machines[1].wait(DeferredList(asking, fireOnOneErrback=True))
    assert machines[1].rooms["lobby"].stream.top.offset == 1
    assert node.store.reads - asked <= 4  # each question may find the room behind


def test_whoever_asks_hears_of_what_was_committed_while_another_question_was_under_way(
    hub: Hub, machines: list[Machine]
) -> None:
    hub.drop = 1
    node, room = machines[1].node, machines[1].rooms["lobby"]
    early = node.current(["lobby"])
    machines[0].append(publish("x"))
    late = node.current(["lobby"])
    machines[1].wait(late)
    assert room.stream.top.offset == 1
    machines[1].wait(early)


def test_a_question_that_fails_says_why_to_all_who_asked(hub: Hub, machines: list[Machine]) -> None:
    hub.drop = 1
    machines[0].append(publish("x"))
    node = machines[1].node
    gone = Failure(StoreUnavailable("gone"))
    for name in ("tops", "open"):
        with patch.object(node.store, name, side_effect=lambda *_, **__: fail(gone)):
            for asking in [node.current(["lobby"]) for _ in range(3)]:
                with pytest.raises(StoreUnavailable):
                    machines[1].wait(asking)
    machines[1].wait(node.current(["lobby"]))
    assert machines[1].rooms["lobby"].stream.top.offset == 1


def test_a_room_that_the_store_has_lost_begins_anew(machines: list[Machine]) -> None:
    machines[0].append(publish("x"))
    before = machines[1].rooms["lobby"].stream.top
    log = machines[0].node.store._log.connection
    for table in ("events", "epochs", "rooms"):
        log.execute(f"DELETE FROM kodama_{table}")  # noqa: S608
    room = machines[1].rooms["lobby"]
    room.readers.clear()
    machines[1].wait(machines[1].node.look())
    assert not room.exists
    assert not room.stream.knows(before)


def test_a_clock_that_is_wrong_on_one_node_neither_turns_time_back_nor_makes_a_hole(
    machines: list[Machine],
) -> None:
    machines[1].now += 300_000
    machines[2].now -= 300_000
    for number in range(9):
        machines[number % 3].append(publish(str(number)))
    for one in machines:
        assert one.readers["lobby"].got == list(range(1, 10))
        times = [entry.time for entry in one.rooms["lobby"].stream._entries]
        assert times == sorted(times)


def test_a_session_revoked_on_one_node_is_heard_of_on_the_others(machines: list[Machine]) -> None:
    heard: list[tuple[str, int]] = []
    machines[2].node.revoked = lambda session, until: heard.append((session, until))
    machines[0].wait(machines[0].node.revoke("s1", until=5))
    assert heard == [("s1", 5)]


def test_a_store_that_lost_events_is_followed_from_what_it_has(hub: Hub, machines: list[Machine]) -> None:
    """As when a replica is promoted that had not received the last commits."""
    for number in range(4):
        machines[0].append(publish(str(number)))
    room = machines[0].rooms["lobby"]
    log = machines[0].node.store._log.connection
    log.execute("DELETE FROM kodama_events WHERE \"offset\" > 2")
    log.execute("UPDATE kodama_rooms SET top = 2 WHERE name = 'lobby'")
    machines[0].node.store._log.epoch = "other"
    before = room.stream.top
    machines[0].append(publish("new"))
    machines[0].reactor.pump_until(lambda: room.stream.top == Position("other", 3))
    assert not room.stream.knows(before)
    machines[1].wait(machines[1].node.look())
    assert machines[1].rooms["lobby"].stream.top == Position("other", 3)
