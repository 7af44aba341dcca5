"""Keeping order on several nodes: what one decides the others know, and act upon at once."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from kodama.accounts.passkeys import ANSWERED, LATE_MS, Passkeys
from kodama.core.errors import Conflict, Forbidden, RateLimited, Unauthorized
from kodama.core.event import Author
from kodama.core.policy import RoomOrder
from kodama.core.room import RoomFacts
from kodama.core.who import Who
from kodama.order.houses import ORDER, Houses
from kodama.order.members import Members
from kodama.order.moderation import Moderation, Sentence
from kodama.people import People
from kodama.registry import Registry
from tests import engines
from tests.conformance.buses import Hub
from tests.conformance.stores import publish
from tests.conformance.test_nodes import Machine

AIKO, BEN = Author("g_aiko", "Aiko", "guest"), Author("g_ben", "Ben", "guest")
OWNER, GUEST = Who(session="s1", author=AIKO), Who(session="s2", author=BEN)


class Desk:
    """One node that keeps order, and a reader of its lobby who asks again whenever woken."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.registry = Registry(machine.node)
        self.looks = 0
        self.now = 1_000_000
        people = People(machine.node, clock=Clock(), now=lambda: 1_000_000)
        self.houses = Houses(machine.node, self.registry, people, now=lambda: self.now, barred=self.look)
        self.members, self.moderation = Members(self.houses), Moderation(self.houses)
        self.houses.start()
        self.registry.start()
        self.room = machine.rooms["lobby"]
        self.room.readers[self] = None
        self.refused: list[bool] = []

    def look(self) -> None:
        self.looks += 1

    def wake(self) -> None:
        self.room.readers[self] = None
        self.refused.append(not self.machine.node.policy.admits(self.room.facts, GUEST))

    def do(self, work: Any) -> Any:
        return self.machine.wait(Deferred.fromCoroutine(work))

    def until(self, condition: Any) -> None:
        self.machine.reactor.pump_until(condition)


@pytest.fixture
def hub() -> Hub:
    return Hub(Random(1))


@pytest.fixture
def desks(hub: Hub) -> Iterator[list[Desk]]:
    url = engines.postgres().schema()
    machines = [Machine(url, hub, f"n{number}") for number in range(2)]
    machines[0].append(publish("hello"))
    machines[0].wait(machines[0].node.put_room(RoomFacts(name="lobby", owner=AIKO.id)))
    there = [Desk(one) for one in machines]
    there[1].until(lambda: there[1].room.facts.owner == AIKO.id)
    yield there
    for one in machines:
        one.stop()


def test_a_ban_on_one_node_ends_what_is_read_on_another(desks: list[Desk]) -> None:
    here, there = desks
    here.do(here.moderation.ban("lobby", OWNER, BEN.id, Sentence(name="Ben")))
    assert here.refused[-1]
    there.until(lambda: there.refused[-1:] == [True])
    assert there.looks == here.looks == 1
    there.do(there.moderation.lift("lobby", OWNER, BEN.id))
    here.until(lambda: not here.refused[-1])


def test_a_ban_that_the_bus_lost_is_found_by_the_next_look(hub: Hub, desks: list[Desk]) -> None:
    here, there = desks
    hub.drop = 1
    here.do(here.moderation.ban("lobby", OWNER, BEN.id, Sentence()))
    there.machine.node.policy.admit(there.room.facts, GUEST)
    there.machine.wait(there.registry.look())
    with pytest.raises(Forbidden):
        there.machine.node.policy.admit(there.room.facts, GUEST)
    assert there.refused[-1]


def test_the_network_of_a_banned_person_is_learned_where_they_write(desks: list[Desk]) -> None:
    here, there = desks
    network = there.houses.network("203.0.113.7")
    assert network == here.houses.network("203.0.113.7")
    there.houses.seen("lobby", BEN.id, network)
    here.do(here.moderation.ban("lobby", OWNER, BEN.id, Sentence(network=True)))

    def learned(desk: Desk) -> bool:
        ban = desk.machine.node.policy.look("lobby").bans.get(BEN.id)
        return ban is not None and ban.networks == (network,)

    for one in (there, here):
        one.until(lambda one=one: learned(one))
    guest = Who(session="s3", author=Author("g_new", "New", "guest"))
    for one in desks:
        with pytest.raises(Forbidden):
            one.houses.check_write(one.room, guest, "203.0.113.7")
        one.houses.check_write(one.room, guest, "203.0.113.8")


def test_roles_given_on_one_node_count_on_the_other(desks: list[Desk]) -> None:
    here, there = desks
    here.do(here.members.set_role("lobby", OWNER, BEN.id, role="moderator", name="Ben"))
    there.until(lambda: there.machine.node.policy.role(there.room.facts, BEN.id).word == "moderator")
    third = Author("g_chie", "Chie", "guest")
    there.do(there.moderation.ban("lobby", GUEST, third.id, Sentence()))
    here.until(lambda: third.id in here.machine.node.policy.look("lobby").bans)


def test_a_node_that_thinks_a_ban_is_over_does_not_drop_a_longer_one(hub: Hub, desks: list[Desk]) -> None:
    here, there = desks
    here.do(here.moderation.ban("lobby", OWNER, BEN.id, Sentence(minutes=1)))
    there.until(lambda: BEN.id in there.machine.node.policy.look("lobby").bans)
    hub.drop = 1
    here.do(here.moderation.ban("lobby", OWNER, BEN.id, Sentence(minutes=60)))
    there.now += 120_000
    there.houses.tick()
    assert BEN.id not in there.machine.node.policy.look("lobby").bans
    there.machine.wait(there.machine.node.store.versions())  # what it asked before has been answered
    there.machine.wait(there.registry.look())
    assert BEN.id in there.machine.node.policy.look("lobby").bans
    here.now += 3_601_000
    here.houses.tick()
    here.machine.wait(here.machine.node.store.versions())
    there.now = here.now
    there.machine.wait(there.registry.look())
    here.until(lambda: here.machine.node.store.records_now("ban").records == ())


@pytest.mark.parametrize("lost", [0, 1])
def test_of_two_owners_who_leave_at_once_on_two_nodes_one_stays(
    hub: Hub, desks: list[Desk], lost: float
) -> None:
    here, there = desks
    here.do(here.members.set_role("lobby", OWNER, BEN.id, role="owner", name="Ben"))
    there.until(lambda: BEN.id in there.machine.node.policy.look("lobby").members)
    hub.drop = lost
    leaving = [
        Deferred.fromCoroutine(here.members.remove("lobby", OWNER, AIKO.id)),
        Deferred.fromCoroutine(there.members.remove("lobby", GUEST, BEN.id)),
    ]
    outcomes: list[object] = []
    for desk, one in zip(desks, leaving, strict=True):
        try:
            outcomes.append(desk.machine.wait(one))
        except Conflict as refusal:
            outcomes.append(refusal)
    assert outcomes.count(None) == 1
    for desk in desks:
        desk.machine.wait(desk.registry.look())
        desk.machine.wait(desk.machine.node.look())
        owners = desk.members._owners(desk.room.facts)
        assert owners == ({AIKO.id} if outcomes[1] is None else {BEN.id})


def test_an_owner_by_the_rooms_settings_alone_is_not_taken_for_one_who_stays(
    hub: Hub, desks: list[Desk]
) -> None:
    here, there = desks
    here.do(here.members.set_role("lobby", OWNER, BEN.id, role="owner", name="Ben"))
    there.until(lambda: BEN.id in there.machine.node.policy.look("lobby").members)
    hub.drop = 1
    here.do(here.members.set_role("lobby", OWNER, AIKO.id, role="member", name=None))
    with pytest.raises(Conflict):
        there.do(there.members.remove("lobby", GUEST, BEN.id))
    there.machine.wait(there.machine.node.look())
    assert there.members._owners(there.room.facts) == {BEN.id}


def test_slow_mode_is_one_for_all_nodes(desks: list[Desk]) -> None:
    here, there = desks
    here.machine.wait(here.registry.put(ORDER, "lobby", RoomOrder(slow=30)))
    there.until(lambda: there.machine.node.policy.look("lobby").order.slow == 30)
    said = {"network": "n", "now": there.now}
    there.machine.node.policy.weigh(there.room.facts, GUEST, **said)
    here.until(lambda: here.machine.node.policy.look("lobby").spoke)
    with pytest.raises(RateLimited):
        here.machine.node.policy.weigh(here.room.facts, GUEST, **said)
    stranger = Who(session=None, author=None)
    here.machine.node.policy.weigh(here.room.facts, stranger, **said)
    there.until(lambda: "n" in there.machine.node.policy.look("lobby").spoke)
    with pytest.raises(RateLimited):
        there.machine.node.policy.weigh(there.room.facts, stranger, **said)
    there.machine.node.policy.weigh(there.room.facts, GUEST, network="n", now=there.now + 30_000)


def test_a_passkeys_answer_is_taken_once_on_all_nodes(desks: list[Desk]) -> None:
    here, there = desks
    keys = [
        Passkeys(one.machine.node.store, None, None, now=lambda one=one: one.now)
        for one in desks
    ]
    until = here.now + 300_000
    here.do(keys[0]._use(b"a", until))
    with pytest.raises(Unauthorized):
        there.do(keys[1]._use(b"a", until))
    there.do(keys[1]._use(b"b", until))
    here.now += 300_000 + LATE_MS + 1
    here.do(keys[0]._use(b"c", here.now + 300_000))
    left = here.machine.wait(here.machine.node.store.records(ANSWERED)).records
    assert len(left) == 1
