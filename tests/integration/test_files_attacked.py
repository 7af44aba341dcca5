"""What somebody may try with files that wants to fill the disk or to bring one back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from kodama.bus.local import LocalBus
from kodama.core.errors import NotFound, Overloaded
from kodama.core.room import Retention
from kodama.files.keeper import LOOK_MS, UNFINISHED_SECONDS, Keeper, Room
from kodama.files.shelf import Shelf
from kodama.metrics import Metrics
from kodama.node import Node
from kodama.registry import Registry
from kodama.store.memory import MemoryStore
from kodama.wire.files import SHOWN_LIMIT, files_in


class Pool:
    """Threads that work at once, and tell of it when the test says so."""

    def __init__(self) -> None:
        self.told: list[Callable[[], None]] = []

    def callInThreadWithCallback(self, told: Any, work: Any, *given: Any) -> None:
        done = work(*given)
        self.told.append(lambda: told(True, done))


class Kept:
    """A keeper with space for 100 bytes."""

    def __init__(self, folder: Path) -> None:
        self.now = 1_000_000_000_000
        node = Node(
            MemoryStore(lambda: self.now),
            LocalBus(),
            clock=Clock(),
            metrics=Metrics(),
            tail_memory=1 << 20,
            retention=Retention(),
        )
        node.start()
        self.pool = Pool()
        reactor = SimpleNamespace(
            getThreadPool=lambda: self.pool, callFromThread=lambda do, *given: do(*given)
        )
        self.keeper = Keeper(
            Shelf(folder),
            node,
            Registry(node),
            reactor=reactor,
            now=lambda: self.now,
            room=Room(one=100, all=100, each=1 << 30),
        )
        self.keeper.start()

    def begin(self, size: int, *, held: bool = False) -> str:
        return str(result(self.keeper.begin("ops", by="u_aiko", name="a", size=size, held=held)))

    def add(self, id: str, size: int) -> Deferred[Any]:  # noqa: A002
        facts = result(self.keeper.facts(id))
        return Deferred.fromCoroutine(
            self.keeper.add(id, facts, b"x" * size, offset=self.keeper.shelf.offset(id))
        )


def result(doing: Any) -> Any:
    """Return what came of ``doing``, which waits for nothing."""
    found: list[Any] = []
    Deferred.fromCoroutine(doing).addBoth(found.append)
    if isinstance(found[0], BaseException) or hasattr(found[0], "raiseException"):
        found[0].raiseException()
    return found[0]


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    return Kept(tmp_path / "files")


def test_announcing_takes_no_space_and_pieces_do(kept: Kept) -> None:
    ids = [kept.begin(100) for _ in range(20)]
    for one in ids[:2]:
        kept.add(one, 45)
    refused: list[Any] = []
    kept.add(ids[2], 45).addErrback(refused.append)
    assert refused[0].check(Overloaded)


def test_removing_a_file_twice_gives_its_space_back_once(kept: Kept) -> None:
    one, other = kept.begin(60), kept.begin(40)
    kept.add(one, 50)
    kept.add(other, 30)
    for _ in range(5):
        result(kept.keeper.remove(one))
    assert kept.keeper._used == 30


def test_what_was_never_finished_gives_all_its_space_back(kept: Kept) -> None:
    kept.add(kept.begin(100), 90)
    kept.now += int(UNFINISHED_SECONDS * 1000) + LOOK_MS + 10**12
    kept.keeper.look()
    assert kept.keeper._used == 0


def test_a_file_that_is_removed_while_it_becomes_whole_stays_removed(kept: Kept) -> None:
    id = kept.begin(10)  # noqa: A001
    ended: list[Any] = []
    kept.add(id, 10).addBoth(ended.append)
    result(kept.keeper.remove(id))
    kept.pool.told.pop()()
    assert ended[0].check(NotFound)
    assert not kept.keeper.shelf.place(id).exists()
    assert kept.keeper._used == 0


def test_a_held_file_that_is_let_in_while_it_becomes_whole_stays_and_is_open(kept: Kept) -> None:
    id = kept.begin(10, held=True)  # noqa: A001
    ended: list[Any] = []
    kept.add(id, 10).addBoth(ended.append)
    result(kept.keeper._let(id))
    kept.pool.told.pop()()
    assert (ended[0][0], ended[0][1].whole, ended[0][1].held) == (10, True, False)
    assert kept.keeper.shelf.place(id).exists()
    assert result(kept.keeper.facts(id)) == ended[0][1]
    assert kept.keeper._used == 10


def test_one_file_at_a_time_becomes_whole(kept: Kept) -> None:
    for one in [kept.begin(10), kept.begin(10)]:
        kept.add(one, 10)
    assert len(kept.pool.told) == 1
    kept.pool.told.pop()()
    assert len(kept.pool.told) == 1


def test_a_message_makes_the_server_look_for_few_files() -> None:
    ids = [f"{number:022}" for number in range(5000)]
    assert files_in({"files": [{"file": one} for one in ids]}) == ids[:SHOWN_LIMIT]
    assert files_in({"files": [{"file": ids[0]}, {"file": ids[0]}, {"file": "../../etc/passwd"}]}) == ids[:1]
