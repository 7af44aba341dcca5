"""Presence over several nodes, for any order of what people do and whatever the bus loses, against a
naive model: who spoke to whichever node, and until when that counts."""

from __future__ import annotations

from math import inf

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from kodama.core.attendance import Here
from kodama.core.event import Author
from kodama.core.lease import Lease, Seat, State, lease_seconds
from kodama.core.presence import Presence
from kodama.core.sharing import AGAIN, TOLD_FOR, News, Sharing
from kodama.core.who import NOBODY, Who

NODES = (0, 1, 2)
USERS = ("u1", "u2", None)
CLIENTS = ("tab-1", "tab-2")
TICK = 0.25


def who(user: str | None) -> Who:
    return NOBODY if user is None else Who(session=user, author=Author(user, user.upper(), "user"))


class Machine:
    """One node's presence and what it has to tell."""

    def __init__(self, now: float) -> None:
        self.sharing = Sharing()
        self.presence = Presence(now=now, epoch=1000, sharing=self.sharing)

    def here(self, now: float) -> Here:
        return self.presence.here("r", now=now, limit=100)

    def hear(self, news: News, now: float) -> None:
        for told in news.readers:
            self.presence.heard(news.room, told, now=now)
        for seat in news.gone:
            self.presence.heard_gone(news.room, seat, now=now)


class Town(RuleBasedStateMachine):
    """All nodes hear of each other four times a second, if the bus does not lose it."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 100.0
        self.nodes = [Machine(self.now) for _ in NODES]
        self.model: dict[Seat, list[float]] = {}  # for each seat, until when each node would keep it
        self.states: dict[Seat, State] = {}
        self.connections: list[tuple[int, Lease]] = []
        self.losing = False

    def pass_news(self) -> None:
        for number, node in enumerate(self.nodes):
            for news in node.sharing.due(self.now):
                for other in self.nodes:
                    if other is not node and not self.losing:
                        other.hear(news, self.now)
            node.presence.sweep(self.now)
            assert number in NODES

    @rule(node=st.sampled_from(NODES), user=st.sampled_from(USERS), client=st.sampled_from(CLIENTS),
          hold=st.sampled_from((0, 60)))  # fmt: skip
    def poll(self, node: int, user: str | None, client: str, hold: float) -> None:
        seat = Seat(user, client)
        self.nodes[node].presence.renew("r", seat, who(user), now=self.now, hold=hold)
        ends = self.model.setdefault(seat, [0.0] * len(NODES))
        ends[node] = max(ends[node], self.now + lease_seconds(hold))
        self.states.setdefault(seat, State.ACTIVE)
        self.pass_time(TICK)

    @rule(node=st.sampled_from(NODES), user=st.sampled_from(USERS), client=st.sampled_from(CLIENTS))
    def connect(self, node: int, user: str | None, client: str) -> None:
        seat = Seat(user, client)
        lease = self.nodes[node].presence.enter("r", seat, who(user), now=self.now)
        self.connections.append((node, lease))
        self.model.setdefault(seat, [0.0] * len(NODES))[node] = inf
        self.states.setdefault(seat, State.ACTIVE)
        self.pass_time(TICK)

    @rule(data=st.data())
    def hang_up(self, data: st.DataObject) -> None:
        if self.connections:
            node, lease = self.connections.pop(data.draw(st.integers(0, len(self.connections) - 1)))
            self.nodes[node].presence.let_go(lease, now=self.now)
            ends = self.model.get(lease.seat)
            if ends is not None and lease.held == 0 and ends[node] == inf:
                ends[node] = self.now + lease_seconds(0)

    @rule(node=st.sampled_from(NODES), user=st.sampled_from(("u1", "u2")))
    def leave(self, node: int, user: str) -> None:
        if self.connections:
            return  # a connection that is still held would be told of again as another reader
        self.settle()
        self.nodes[node].presence.leave("r", user, now=self.now)
        for client in CLIENTS:
            self.model.pop(Seat(user, client), None)
            self.states.pop(Seat(user, client), None)
        self.pass_time(TICK)

    @rule(node=st.sampled_from(NODES), user=st.sampled_from(("u1", "u2")), state=st.sampled_from(State))
    def mark(self, node: int, user: str, state: State) -> None:
        self.settle()
        presence = self.nodes[node].presence
        for lease in presence.readers("r", user):
            presence.mark(lease, state, now=self.now)
            self.states[lease.seat] = state
        self.pass_time(TICK)

    @rule(losing=st.booleans())
    def change_the_bus(self, losing: bool) -> None:
        self.losing = losing

    @rule(seconds=st.sampled_from((TICK, 5.0, 30.0, 90.0)))
    def pass_time(self, seconds: float) -> None:
        for _ in range(round(seconds / TICK)):
            self.now += TICK
            self.pass_news()
        self.model = {seat: ends for seat, ends in self.model.items() if max(ends) > self.now - 2}
        self.states = {seat: state for seat, state in self.states.items() if seat in self.model}

    @rule()
    def settle(self) -> None:
        """Once the bus has lost nothing for a while, all nodes say the same, and that is so."""
        self.losing = False
        self.pass_time(AGAIN + TICK)
        for node in self.nodes:
            here = node.here(self.now)
            certain = {seat for seat, ends in self.model.items() if max(ends) > self.now + 2}
            possible = set(self.model)
            named = {one.author.id: one.state for one in here.people}
            assert {seat.user for seat in certain if seat.user} <= set(named) <= {seat.user for seat in possible}
            guests = [sum(seat.user is None for seat in seats) for seats in (certain, possible)]
            assert guests[0] <= here.guests <= guests[1]
            for user, state in named.items():
                states = {self.states[seat] for seat in certain if seat.user == user}
                if certain == possible and len(states) == 1:
                    assert states == {state}, (user, self.now)

    @rule(node=st.sampled_from(NODES))
    def kill(self, node: int) -> None:
        """Another process begins in its place and knows nothing."""
        self.nodes[node] = Machine(self.now)
        self.connections = [(number, lease) for number, lease in self.connections if number != node]
        for ends in self.model.values():
            ends[node] = min(ends[node], self.now + TOLD_FOR)
        for other in self.nodes:
            other.presence.tell_again("r")
        self.pass_time(TICK)
        self.pass_time(TOLD_FOR + 2)
        self.model = {seat: ends for seat, ends in self.model.items() if max(ends) > self.now - 2}


TestTown = Town.TestCase
TestTown.settings = settings(settings.default, stateful_step_count=25, max_examples=40)
