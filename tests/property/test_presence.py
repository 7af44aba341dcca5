"""Presence for any order of polls, connections, departures and time, against a naive model."""

from __future__ import annotations

from math import inf

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from kodama.core.attendance import Attendance, Diff, Here
from kodama.core.event import Author
from kodama.core.lease import Lease, Seat, State, lease_seconds
from kodama.core.presence import SETTLING, Presence
from kodama.core.who import NOBODY, Who

ROOMS = ("a", "b")
USERS = ("u1", "u2", "u3")
CLIENTS = ("", "tab-1", "tab-2")
TICK = 0.25


def who(user: str | None) -> Who:
    return NOBODY if user is None else Who(session=user, author=Author(user, user.upper(), "user"))


class Fan:
    """A reader that always listens and keeps the list from what it hears, as the specification says."""

    def __init__(self, here: Here) -> None:
        self.take_list(here)

    def take_list(self, here: Here) -> None:
        self.states = {one.author.id: one.state for one in here.people}
        self.version, self.count = here.version, here.count

    def hear(self, diff: Diff, here: Here) -> None:
        if diff.version > self.version + 1:
            self.take_list(here)
            return
        for one in (*diff.joined, *diff.changed):
            self.states[one.author.id] = one.state
        for author in diff.left:
            self.states.pop(author.id, None)
        self.version, self.count = diff.version, diff.count


class Crowd(RuleBasedStateMachine):
    """The model keeps, for each seat, when it lapses and its state; the rest is counted anew each time."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 100.0
        self.presence = Presence(now=self.now, epoch=1000)
        self.model: dict[tuple[str, Seat], tuple[float, State]] = {}
        self.connections: list[tuple[Lease, tuple[str, Seat]]] = []
        self.polled: list[tuple[Lease, tuple[str, Seat]]] = []
        self.fans = {room: Fan(self.here(room)) for room in ROOMS}
        self.last: dict[str, float] = {}
        self.mentioned: dict[str, set[str]] = {room: set() for room in ROOMS}

    def here(self, room: str) -> Here:
        return self.presence.here(room, now=self.now, limit=100)


    def expected(self, room: str) -> tuple[dict[str, State], int]:
        named: dict[str, State] = {}
        guests = 0
        for (name, seat), (_, state) in self.model.items():
            if name != room:
                continue
            if seat.user is None:
                guests += 1
            elif named.get(seat.user) is not State.ACTIVE:
                named[seat.user] = state
        return named, guests

    @rule(room=st.sampled_from(ROOMS), user=st.sampled_from((None, *USERS)), client=st.sampled_from(CLIENTS),
          hold=st.sampled_from((0, 25, 60)))  # fmt: skip
    def poll(self, room: str, user: str | None, client: str, hold: float) -> None:
        seat = Seat(user, client)
        self.polled.append((self.presence.renew(room, seat, who(user), now=self.now, hold=hold), (room, seat)))
        until, state = self.model.get((room, seat), (0.0, State.ACTIVE))
        self.model[room, seat] = (max(until, self.now + lease_seconds(hold)), state)

    @rule(choice=st.integers(0, 50), hold=st.sampled_from((0, 25, 60)))
    def poll_again(self, choice: int, hold: float) -> None:
        """As `poll`, but only if nothing happened to the lease: one that has ended is not kept."""
        if not self.polled:
            return
        lease, key = self.polled[choice % len(self.polled)]
        until = self.now + lease_seconds(hold)
        lives = self.presence.reader(*key) is lease
        kept = self.presence.keep(lease, until)
        assert lives or not kept
        if kept:
            self.model[key] = (max(self.model[key][0], until), self.model[key][1])

    @rule(room=st.sampled_from(ROOMS), user=st.sampled_from((None, *USERS)), client=st.sampled_from(CLIENTS))
    def connect(self, room: str, user: str | None, client: str) -> None:
        seat = Seat(user, client)
        lease = self.presence.enter(room, seat, who(user), now=self.now)
        self.connections.append((lease, (room, seat)))
        _, state = self.model.get((room, seat), (0.0, State.ACTIVE))
        self.model[room, seat] = (inf, state)

    @rule(choice=st.integers(0, 50))
    def disconnect(self, choice: int) -> None:
        if not self.connections:
            return
        lease, key = self.connections.pop(choice % len(self.connections))
        self.presence.let_go(lease, now=self.now)
        still = any(other is lease for other, _ in self.connections)
        if not still and self.presence.reader(*key) is lease:
            self.model[key] = (self.now + lease_seconds(0), self.model[key][1])

    @rule(room=st.sampled_from(ROOMS), user=st.sampled_from(USERS), state=st.sampled_from(State),
          client=st.sampled_from(CLIENTS))  # fmt: skip
    def mark(self, room: str, user: str, state: State, client: str) -> None:
        key = (room, Seat(user, client))
        lease = self.presence.reader(*key)
        assert (lease is not None) == (key in self.model)
        if lease is not None:
            self.presence.mark(lease, state, now=self.now)
            self.model[key] = (self.model[key][0], state)

    @rule(room=st.sampled_from(ROOMS), user=st.sampled_from(USERS))
    def leave(self, room: str, user: str) -> None:
        self.presence.leave(room, user, now=self.now)
        for key in [key for key in self.model if key[0] == room and key[1].user == user]:
            del self.model[key]

    @rule(user=st.sampled_from(USERS))
    def revoke(self, user: str) -> None:
        self.presence.forget(lambda lease: lease.who.session == user, now=self.now)
        for key in [key for key in self.model if key[1].user == user]:
            del self.model[key]

    @rule(room=st.sampled_from(ROOMS), user=st.sampled_from(USERS))
    def type(self, room: str, user: str) -> None:
        author = who(user).author
        assert author is not None
        self.presence.type(room, author, now=self.now)

    @rule(seconds=st.sampled_from((0.25, 0.5, 1, 2, 10, 45)))
    def pass_time(self, seconds: float) -> None:
        for _ in range(int(seconds / TICK)):
            self.now += TICK
            for key in [key for key, (until, _) in self.model.items() if until <= int(self.now)]:
                del self.model[key]
            for room, told in self.presence.sweep(self.now):
                self.hear(room, told)

    def hear(self, room: str, told: tuple[object, ...]) -> None:
        assert self.now - self.last.get(room, -inf) >= 1, "at most once a second, whatever happens"
        self.last[room] = self.now
        diffs = [one for one in told if isinstance(one, Diff)]
        assert len(diffs) <= 1
        for diff in diffs:
            fan = self.fans[room]
            for one in diff.joined:
                assert fan.version + 1 < diff.version or one.author.id not in fan.states, "told twice"
            assert diff.version > fan.version or not fan.states, "versions only grow"
            fan.hear(diff, self.here(room))

    @invariant()
    def the_list_is_what_the_leases_say(self) -> None:
        for room in ROOMS:
            here = self.here(room)
            named, guests = self.expected(room)
            assert {one.author.id: one.state for one in here.people} == named
            assert (here.count, here.guests) == (len(named) + guests, guests)
            assert here.partial == (self.now < 100 + SETTLING)

    @invariant()
    def numbers_are_of_all_rooms(self) -> None:
        lists = [self.here(room) for room in ROOMS]
        assert self.presence.numbers == (
            sum(len(here.people) for here in lists), sum(here.guests for here in lists),
        )  # fmt: skip

    def teardown(self) -> None:
        for _ in range(12):
            self.pass_time(0.25)
        for room, fan in self.fans.items():
            named, guests = self.expected(room)
            if named or guests:  # where nobody is left, nobody hears it
                assert (fan.states, fan.count) == (named, len(named) + guests)
        for lease, _ in self.connections:
            self.presence.let_go(lease, now=self.now)
        self.now += 200
        self.presence.sweep(self.now)
        self.now += 200
        self.presence.sweep(self.now)
        assert self.presence.quiet
        assert self.presence.numbers == (0, 0)


TestCrowd = Crowd.TestCase
TestCrowd.settings = settings(max_examples=120, stateful_step_count=40, deadline=None)


def test_a_room_that_is_told_all_the_time_tells_within_its_bound() -> None:
    """A thousand people who come, go and type each quarter of a second, for a minute."""
    room, batches, names = Attendance(1), 0, 0
    leases: dict[int, Lease] = {}
    for step in range(240):
        now = step / 4
        for number in range(step % 2, 1000, 2):
            if number in leases:
                room.part(leases.pop(number), now=now)
            else:
                person = who(f"p{number}")
                leases[number] = room.join("a", Seat(f"p{number}", ""), person, now=now)
                assert person.author is not None
                room.type(person.author, now=now)
        told = room.tell(now=now, partial=False)
        batches += bool(told)
        names += sum(len(one.joined) + len(one.left) if isinstance(one, Diff) else 1 for one in told)
    assert batches <= 60
    assert names <= 60 * (50 + 8)
