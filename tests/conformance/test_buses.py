"""The promise of `kodama.bus.interface`, held against every broker."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import kodama.bus
from kodama.bus.interface import Ahead, BusUnavailable, LookAgain, Present, Revoked, RoomChanged, WhoIsHere
from kodama.bus.line import Line
from kodama.bus.nats import nats_line
from kodama.bus.postgres import postgres_line
from kodama.bus.redis import redis_line
from kodama.bus.remote import channel_of
from kodama.core.event import Entry
from kodama.store.interface import Commit
from tests import engines
from tests.conformance.buses import LINES, REACTORS, Ear
from tests.conformance.stores import HandReactor
from tests.ports import free_port

NOT_BROKERS = {"__init__", "interface", "line", "local", "loop", "remote", "__pycache__"}
Ears = Callable[[str], Ear]


def commit(room: str, offset: int, *, size: int = 10) -> Commit:
    return Commit(room, [Entry(offset, "e1", 1000 + offset, "message", b"x" * size)], [])


@pytest.fixture(params=sorted(LINES))
def ears(request: pytest.FixtureRequest) -> Iterator[Ears]:
    there: list[Ear] = []
    with LINES[request.param]() as line_of:

        def make(name: str) -> Ear:
            reactor = REACTORS.get(request.param, HandReactor)()
            there.append(Ear(line_of(reactor), name=name, reactor=reactor).start())
            return there[-1]

        yield make
        for one in there:
            one.stop()


def test_every_broker_in_the_folder_is_held_to_this_suite() -> None:
    assert {path.stem for path in Path(kodama.bus.__file__).parent.iterdir()} - NOT_BROKERS == set(LINES)


def test_a_node_hears_itself_at_once_and_only_once(ears: Ears) -> None:
    a, b = ears("a"), ears("b")
    a.follow("lobby")
    b.follow("lobby")
    a.bus.tell([commit("lobby", 1)])
    assert a.commits == [commit("lobby", 1)]
    b.until(lambda: bool(b.commits))
    b.bus.tell([commit("lobby", 2)])
    a.until(lambda: len(a.commits) == 2)
    assert a.commits == [commit("lobby", 1), commit("lobby", 2)]


def test_others_hear_the_rooms_they_follow_in_order(ears: Ears) -> None:
    a, b = ears("a"), ears("b")
    b.follow("lobby")
    for offset in range(1, 301):
        a.bus.tell([commit("garden", offset), commit("lobby", offset)])
    b.until(lambda: len(b.commits) >= 300)
    assert b.commits == [commit("lobby", offset) for offset in range(1, 301)]
    assert b.bus.missed == 0


def test_nobody_hears_a_room_that_is_followed_no_more(ears: Ears) -> None:
    a, b = ears("a"), ears("b")
    b.follow("lobby")
    b.follow("garden")
    b.bus.unfollow("lobby")
    b.follow("kitchen")  # the broker has taken the leave once it has answered this
    a.bus.tell([commit("lobby", 1)])
    a.bus.tell([commit("garden", 1)])
    b.until(lambda: bool(b.commits))
    assert b.commits == [commit("garden", 1)]


def test_notices_reach_every_node_and_words_about_readers_those_in_the_room(ears: Ears) -> None:
    a, b, c = ears("a"), ears("b"), ears("c")
    b.follow("lobby")
    present = Present("lobby", [], [("u_aiko", "tab-1")], 7)
    a.bus.notice(present)
    a.bus.notice(WhoIsHere("lobby"))
    a.bus.notice(RoomChanged("lobby"))
    a.bus.notice(Revoked("s1", 99))
    b.until(lambda: len(b.notices) == 4)
    c.until(lambda: len(c.notices) == 2)
    assert b.notices == [present, WhoIsHere("lobby"), RoomChanged("lobby"), Revoked("s1", 99)]
    assert a.notices == b.notices
    assert c.notices == [RoomChanged("lobby"), Revoked("s1", 99)]


def test_a_commit_too_large_for_the_broker_is_told_as_a_place_to_look_at(ears: Ears) -> None:
    a, b = ears("a"), ears("b")
    b.follow("lobby")
    a.bus.tell([commit("lobby", 7, size=9 * 2**20)])
    b.until(lambda: bool(b.notices))
    assert b.notices == [Ahead("lobby", 7)]
    assert len(a.commits) == 1


def test_what_another_version_says_is_passed_over(ears: Ears) -> None:
    a, b = ears("a"), ears("b")
    b.follow("lobby")
    a.bus._line.send(channel_of("lobby"), b"\x93\x02\x01\x00")
    a.bus._line.send(channel_of("lobby"), b"not a frame")
    a.bus.tell([commit("lobby", 1)])
    b.until(lambda: bool(b.commits))
    assert b.commits == [commit("lobby", 1)]
    assert b.bus.counts()["unread"] == 2


@pytest.mark.parametrize(
    "line_of",
    [
        lambda port, reactor: nats_line(f"nats://127.0.0.1:{port}", reactor),
        lambda port, reactor: redis_line(f"redis://127.0.0.1:{port}", reactor),
        lambda port, reactor: postgres_line(f"postgresql://kodama@127.0.0.1:{port}/postgres", reactor),
    ],
)
def test_a_broker_that_is_not_there_is_said_so_at_start(line_of: Callable[[int, HandReactor], Line]) -> None:
    with pytest.raises(BusUnavailable):
        Ear(line_of(free_port(), HandReactor()), name="a").start()


@pytest.mark.parametrize(
    ("server_of", "line_of"), [(engines.nats_server, nats_line), (engines.redis_server, redis_line)]
)
def test_a_broker_that_dies_and_returns_is_used_again_and_says_that_it_was_deaf(
    server_of: Callable[[], engines.Daemon], line_of: Callable[[str, HandReactor], Line]
) -> None:
    server = server_of()
    reactors = [HandReactor(), HandReactor()]
    a, b = (Ear(line_of(server.url, one), name=str(n), reactor=one).start() for n, one in enumerate(reactors))
    b.follow("lobby")
    server.stop()
    b.until(lambda: not b.bus.healthy())
    a.until(lambda: not a.bus.healthy())
    server.start()
    b.until(lambda: LookAgain() in b.notices)
    a.until(lambda: LookAgain() in a.notices)
    assert a.bus.breaks == b.bus.breaks == 1
    a.bus.tell([commit("lobby", 9)])
    b.until(lambda: commit("lobby", 9) in b.commits)
    a.stop()
    b.stop()
    server.stop()


def test_notifications_go_on_after_the_database_crashed() -> None:
    server = engines.Postgres()
    url = server.schema()
    reactors = [HandReactor(), HandReactor()]
    a, b = (Ear(postgres_line(url, one), name=str(n), reactor=one).start() for n, one in enumerate(reactors))
    b.follow("lobby")
    os.kill(server.pid, signal.SIGQUIT)  # as `pg_ctl -m immediate stop`: no goodbye
    b.until(lambda: not b.bus.healthy())
    engines.until(lambda: not engines.answers(server.port), "the end of PostgreSQL")
    server.start()
    b.until(lambda: LookAgain() in b.notices)
    a.until(lambda: a.bus.healthy() and LookAgain() in a.notices)
    a.bus.tell([commit("lobby", 9)])
    b.until(lambda: commit("lobby", 9) in b.commits)
    a.stop()
    b.stop()
    server.close()
