"""Records as several nodes know them, whatever the bus loses."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import Deferred

from kodama.core.record import DropRecord, PutRecord, RecordMoved
from kodama.registry import SINGLY, Registry
from kodama.store.interface import StoreUnavailable
from tests import engines
from tests.conformance.buses import Hub
from tests.conformance.test_nodes import Machine


class Ban(msgspec.Struct, frozen=True):
    until: int


class Desk:
    """One node's registry, and what it has been told."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.registry = Registry(machine.node)
        self.bans: dict[str, int] = {}
        self.registry.follow("ban", Ban, self.take)
        self.registry.start()

    def take(self, key: str, ban: Ban | None) -> None:
        if ban is None:
            del self.bans[key]
        else:
            self.bans[key] = ban.until

    def put(self, key: str, until: int) -> None:
        self.wait(self.registry.put("ban", key, Ban(until)))

    def wait(self, deferred: Deferred[Any]) -> Any:
        return self.machine.wait(deferred)

    def until(self, bans: dict[str, int]) -> None:
        self.machine.reactor.pump_until(lambda: self.bans == bans)


def office(hub: Hub, count: int = 2) -> list[Desk]:
    url = engines.postgres().schema()
    return [Desk(Machine(url, hub, f"n{number}")) for number in range(count)]


@pytest.fixture
def hub() -> Hub:
    return Hub(Random(1))


@pytest.fixture
def desks(hub: Hub) -> Iterator[list[Desk]]:
    there = office(hub)
    yield there
    for one in there:
        one.machine.stop()


def test_a_write_is_known_here_when_it_is_done_and_there_a_moment_later(desks: list[Desk]) -> None:
    desks[0].put("a", 5)
    assert desks[0].bans == {"a": 5}
    desks[1].until({"a": 5})
    desks[1].wait(desks[1].registry.drop("ban", "a"))
    assert desks[1].bans == {}
    desks[0].until({})


def test_what_the_bus_lost_is_found_by_one_look(hub: Hub, desks: list[Desk]) -> None:
    hub.drop = 1
    desks[0].put("a", 5)
    desks[0].put("b", 6)
    desks[0].wait(desks[0].registry.drop("ban", "a"))
    assert desks[1].bans == {}
    desks[1].wait(desks[1].registry.look())
    assert desks[1].bans == {"b": 6}
    asked = desks[1].machine.node.store.reads
    desks[1].wait(desks[1].registry.look())
    assert desks[1].machine.node.store.reads - asked == 1


def test_many_changes_at_once_are_read_together(desks: list[Desk]) -> None:
    changes = [PutRecord(kind="ban", key=f"k{n}", body=b'{"until":%d}' % n) for n in range(SINGLY + 1)]
    desks[0].wait(desks[0].registry.write(changes))
    desks[1].until({f"k{n}": n for n in range(SINGLY + 1)})


def test_of_two_nodes_that_expect_the_same_one_is_refused(desks: list[Desk]) -> None:
    desks[0].wait(desks[0].registry.put("ban", "a", Ban(1), expected=0))
    with pytest.raises(RecordMoved):
        desks[1].wait(desks[1].registry.put("ban", "a", Ban(2), expected=0))
    desks[1].until({"a": 1})


def test_everything_is_known_before_anybody_is_served(desks: list[Desk]) -> None:
    desks[0].put("a", 5)
    assert Desk(desks[1].machine).bans == {"a": 5}


def test_a_record_of_another_version_is_passed_over(desks: list[Desk]) -> None:
    odd = PutRecord(kind="ban", key="odd", body=b'{"unti":1}')
    desks[0].wait(desks[0].registry.write([odd, PutRecord(kind="ban", key="a", body=b'{"until":1}')]))
    desks[1].until({"a": 1})
    desks[0].wait(desks[0].registry.write([DropRecord(kind="ban", key="odd")]))
    assert desks[0].bans == {"a": 1}


def test_a_reading_that_failed_is_made_up_for_by_the_next_look(
    hub: Hub, desks: list[Desk], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = desks[1].machine.node.store

    def down(*_: object) -> Any:
        raise StoreUnavailable("down")

    with monkeypatch.context() as patched:
        patched.setattr(store, "record", down)
        desks[0].put("a", 5)
    desks[1].wait(desks[1].registry.look())
    assert desks[1].bans == {"a": 5}


@settings(max_examples=12, deadline=None)
@given(
    seed=st.integers(0, 2**32), drop=st.sampled_from([0, 0.3, 1]), double=st.sampled_from([0, 0.3]),
    delay=st.sampled_from([0, 0.4]),
)  # fmt: skip
def test_every_node_ends_with_the_same_records(seed: int, drop: float, double: float, delay: float) -> None:
    hub = Hub(Random(seed), drop=drop, double=double, delay=delay)
    there = office(hub, 3)
    try:
        expected: dict[str, int] = {}
        for number in range(30):
            key, desk = hub.random.choice("abc"), hub.random.choice(there)
            if hub.random.random() < 0.3:
                desk.wait(desk.registry.drop("ban", key))
                expected.pop(key, None)
            else:
                desk.put(key, number)
                expected[key] = number
            assert desk.bans == expected
            if number % 10 == 9:
                hub.settle()
        hub.settle()
        for one in there:
            one.wait(one.registry.look())
            assert one.bans == expected
    finally:
        for one in there:
            one.machine.stop()
