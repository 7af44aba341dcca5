"""One reader with one cursor that changes its way in at any byte, while people write and take back and the
server is killed, stopped and begun again: it sees every event once, in order."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import quote

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.conformance.transports.house import House
from tests.conformance.transports.reader import Reader, Wish
from tests.conformance.transports.ways import LOSSLESS, Way

ROOMS = ("lobby", "木霊")
AT_ONCE = st.integers(1, 5)
rooms = st.sampled_from(ROOMS)
ways = st.sampled_from(LOSSLESS)
parts = st.floats(0, 1)
limits = st.sampled_from([None, 1, 2])


@dataclass
class Log:
    """What was written to one room, by offset."""

    kinds: list[str] = field(default_factory=list)
    messages: list[int] = field(default_factory=list)
    deleted: set[int] = field(default_factory=set)


class Hopping(RuleBasedStateMachine):
    """Writing, cutting, hopping, and restarts of the server, in any order."""

    @initialize(way=ways, tail=st.sampled_from([0, 400, 2**20]))
    def begin(self, way: Way, tail: int) -> None:
        self.house = House(tail_memory=tail)
        self.aiko = self.house.sign_in("Aiko")
        self.logs = {room: Log() for room in ROOMS}
        self.reader = Reader(way(self.house, Wish(rooms=ROOMS, since="all")))

    @rule(room=rooms, count=AT_ONCE)
    def publish(self, room: str, count: int) -> None:
        log = self.logs[room]
        for _ in range(count):
            log.messages.append(self.house.say(f"{room} {len(log.kinds) + 1}", room, who=self.aiko))
            log.kinds.append("message")
            assert log.messages[-1] == len(log.kinds)

    @precondition(lambda self: any(log.messages for log in self.logs.values()))
    @rule(data=st.data())
    def take_back(self, data: st.DataObject) -> None:
        room = data.draw(st.sampled_from([room for room, log in self.logs.items() if log.messages]))
        log = self.logs[room]
        target = data.draw(st.sampled_from(log.messages))
        self.house.do("DELETE", f"{quote(room)}/messages/{target}", self.aiko)
        if target not in log.deleted:
            log.deleted.add(target)
            log.kinds.append("delete")

    @rule()
    def read_on(self) -> None:
        self.reader.read_on()

    @rule(part=parts)
    def cut(self, part: float) -> None:
        self.house.turn()
        self.reader.cut(round(part * self.reader.untaken))

    @rule(way=ways, limit=limits)
    def hop(self, way: Way, limit: int | None) -> None:
        self.reader.change_to(way(self.house, Wish(rooms=ROOMS, since="all", limit=limit)))

    @precondition(lambda self: self.reader.streams)
    @rule()
    def stall(self) -> None:
        assert self.reader.wire is not None
        self.reader.wire.stall()

    @precondition(lambda self: self.reader.streams)
    @rule()
    def take_again(self) -> None:
        assert self.reader.wire is not None
        self.reader.wire.take()

    @rule(part=parts)
    def kill(self, part: float) -> None:
        self.cut(part)
        self.house.kill()

    @rule()
    def stop_and_begin_again(self) -> None:
        self.house.store.slow_to_read = False
        self.let_what_was_read_arrive()
        self.house.stop()
        self.reader.read_on()
        self.house.begin_again()

    @rule()
    def let_reads_take_their_time(self) -> None:
        self.house.store.slow_to_read = True

    @rule()
    def let_what_was_read_arrive(self) -> None:
        self.house.store.release()
        self.house.turn()

    @rule(seconds=st.sampled_from([1, 13, 40]))
    def let_time_pass(self, seconds: int) -> None:
        self.house.pass_seconds(seconds)

    @invariant()
    def nothing_comes_twice_or_out_of_order(self) -> None:
        for room, log in self.logs.items():
            offsets = [event["offset"] for event in self.reader.events if event["room"] == room]
            assert offsets == list(range(1, len(offsets) + 1))
            assert len(offsets) <= len(log.kinds)

    def teardown(self) -> None:
        if not hasattr(self, "reader"):
            return
        self.house.store.slow_to_read = False
        self.house.store.release()
        self.reader.come_back()
        for room, log in self.logs.items():
            seen = [event for event in self.reader.events if event["room"] == room]
            assert [event["type"] for event in seen] == log.kinds
            assert all(
                event.get("deleted") or event["text"] == f"{room} {event['offset']}"
                for event in seen
                if event["type"] == "message"
            )


TestHopping = Hopping.TestCase
TestHopping.settings = settings(max_examples=settings.default.max_examples // 3)
