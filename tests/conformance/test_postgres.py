"""What only a shared database can get wrong: many writers, crashes, other histories, old weeks."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import psycopg
import pytest

from kodama.core.event import Message, decode
from kodama.core.room import DAY_MS, Retention, RoomFacts
from kodama.store.interface import Stored, StoreDamaged, StoreUnavailable
from kodama.store.postgres import PostgresStore, server
from kodama.store.postgres.server import WEEK_MS, schema
from tests import engines
from tests.conformance.stores import BEN, HandReactor, Site, publish
from tests.ports import free_port

NOW = 200 * WEEK_MS


def node(url: str, clock: list[int] | None = None) -> Site:
    clock = clock or [NOW]
    reactor = HandReactor()
    return Site(PostgresStore(url, reactor=reactor, now=lambda: clock[0]), reactor, clock).start()


@pytest.fixture
def url() -> str:
    return engines.postgres().schema()


@pytest.fixture
def site(url: str) -> Iterator[Site]:
    site = node(url)
    yield site
    site.stop()


def ask(url: str, question: str, *values: object) -> list[tuple[object, ...]]:
    with psycopg.connect(url, autocommit=True) as connection:
        found = connection.execute(question.encode(), values)
        return found.fetchall() if found.description else []


def test_many_nodes_that_write_at_once_leave_no_hole_and_no_double(url: str) -> None:
    nodes = [node(url) for _ in range(4)]
    results: list[Stored | Exception] = []

    def write(site: Site, number: int) -> None:
        for turn in range(10):
            rooms = ("lobby", f"r{turn}", "garden") if number % 2 else ("garden", f"r{turn}", "lobby")
            results.extend(site.append(*(publish(f"{number}.{turn}.{room}", room=room) for room in rooms)))

    threads = [threading.Thread(target=write, args=(one, number)) for number, one in enumerate(nodes)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(isinstance(one, Stored) for one in results)
    for room, count in (("lobby", 40), ("garden", 40), ("r3", 4)):
        log = nodes[0].log(room)
        assert [line.offset for line in log] == list(range(1, count + 1))
        assert len({decode(line.json).text for line in log}) == count
    for one in nodes:
        one.stop()


def test_one_nonce_used_on_many_nodes_at_once_stores_one_event(url: str) -> None:
    nodes = [node(url) for _ in range(4)]
    results: list[Stored | Exception] = []
    threads = [
        threading.Thread(target=lambda one=one: results.extend(one.append(publish(nonce="same")))) for one in nodes
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({one.id for one in results if isinstance(one, Stored)}) == 1
    assert sum(one.fresh for one in results if isinstance(one, Stored)) == 1
    assert len(nodes[0].log()) == 1
    for one in nodes:
        one.stop()


def test_all_nodes_share_one_epoch_and_one_secret(url: str) -> None:
    first, second = node(url), node(url)
    assert first.store.epoch == second.store.epoch
    assert first.store.secret("sessions") == second.store.secret("sessions")
    first.stop()
    second.stop()


def test_a_message_published_in_sql_is_like_any_other(site: Site, url: str) -> None:
    site.stored(publish("before"))
    author = '{"id":"u_shop","name":"Shop","kind":"bot"}'
    call = "SELECT * FROM kodama_publish('lobby', %s::json, %s, %s::json, %s)"
    ((offset, epoch, number, _, fresh),) = ask(url, call, author, "sold", '{"b":1,\n"a":[1.50]}', "n-1")
    assert (offset, epoch, fresh) == (2, site.store.epoch, True)
    ((again, *_, fresh),) = ask(url, call, author, "sold", '{"b":1,\n"a":[1.50]}', "n-1")
    assert (again, fresh) == (2, False)
    line = site.log()[1]
    event = decode(line.json)
    assert isinstance(event, Message)
    assert (event.id, event.text, event.data, event.nonce) == (number, "sold", {"b": 1, "a": [1.5]}, "n-1")
    assert list(event.data) == ["b", "a"]
    assert b"\n" not in line.json
    assert event.id[14] == "7"
    assert event.id[19] in "89ab"
    assert site.stored(publish("after")).entry.offset == 3


def test_a_message_published_in_sql_lives_and_dies_with_its_transaction(site: Site, url: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("SELECT kodama_publish('lobby', '{\"id\":\"a\",\"name\":\"A\",\"kind\":\"bot\"}', 'x')")
        connection.rollback()
    assert site.stored(publish()).entry.offset == 1


@pytest.mark.parametrize(
    "arguments",
    [
        "'lobby', '{}', 'x'", "'Lobby!', '{\"id\":\"a\",\"name\":\"A\",\"kind\":\"bot\"}', 'x'",
        "'lobby', '{\"id\":\"a\",\"name\":\"A\",\"kind\":\"bot\"}', ''",
        "'lobby', '{\"id\":\"a\",\"name\":\"A\",\"kind\":\"bot\"}'",
        "'lobby', '{\"id\":\"a\",\"name\":\"A\",\"kind\":\"bot\"}', repeat('x', 70000)",
        "'lobby', '{\"id\":\"a\",\"name\":\"A\",\"kind\":\"bot\"}', 'x', NULL, 'no nonce'",
    ],
)  # fmt: skip
def test_sql_that_breaks_the_protocol_is_refused(site: Site, url: str, arguments: str) -> None:
    with pytest.raises(psycopg.errors.CheckViolation):
        ask(url, f"SELECT kodama_publish({arguments})")
    assert site.wait(site.store.open("lobby", tail_bytes=0)) is None


def test_a_crashed_database_loses_nothing_it_acknowledged_and_is_used_again(url: str) -> None:
    site = node(url)
    told = [site.stored(publish(str(n))).entry for n in range(20)]
    engines.postgres().stop("immediate")
    failed = site.append(publish("lost"))
    assert isinstance(failed[0], StoreUnavailable)
    assert not site.store.healthy()
    with pytest.raises(StoreUnavailable):
        site.log()
    engines.postgres().start()
    assert site.stored(publish("again", by=BEN)).entry.offset == 21
    assert site.store.healthy()
    assert list(site.log())[:20] == told
    site.stop()


def test_what_a_week_kept_goes_with_its_table_once_nothing_of_it_is_shown(url: str) -> None:
    site = node(url)
    site.wait(site.store.put_room(RoomFacts(name="lobby", retention=Retention(days=1, events=2))))
    site.append(*(publish(str(n)) for n in range(5)))
    site.clock[0] += 2 * WEEK_MS
    site.wait(site.store.sweep())  # makes this week's table
    site.append(*(publish(str(n)) for n in range(5, 9)))
    assert site.wait(site.store.sweep()) == (("lobby", 6),)
    weeks = {name for (name,) in ask(url, "SELECT tablename FROM pg_tables WHERE tablename LIKE 'kodama_events_w%%'"
                                         " AND schemaname = current_schema()")}
    assert f"kodama_events_w{NOW // WEEK_MS}" not in weeks
    assert f"kodama_events_w{NOW // WEEK_MS + 2}" in weeks
    assert [line.offset for line in site.log()] == [6, 7, 8, 9]
    site.clock[0] += DAY_MS * 2
    assert site.wait(site.store.sweep()) == (("lobby", 8),)
    assert ask(url, "SELECT count(*) FROM kodama_events") == [(2,)]
    site.stop()


def test_a_database_of_a_newer_version_is_left_alone(url: str) -> None:
    node(url).stop()
    ask(url, "INSERT INTO kodama_versions VALUES (%s)", len(schema()) + 1)
    with pytest.raises(StoreDamaged):
        node(url)


def test_a_database_that_cannot_be_reached_is_said_so_at_start() -> None:
    with pytest.raises(StoreUnavailable, match="PostgreSQL"):
        node(f"postgresql://kodama@127.0.0.1:{free_port()}/postgres")


def test_another_history_of_the_database_is_another_epoch() -> None:
    server = engines.Postgres()
    try:
        url = server.schema()
        site = node(url)
        site.stored(publish())
        before = site.store.epoch
        site.stop()
        server.promote()
        site = node(url)
        assert site.store.epoch != before
        assert site.stored(publish()).entry.epoch == site.store.epoch
        log = site.wait(site.store.open("lobby", tail_bytes=0))
        assert log.epochs == ((1, before), (2, site.store.epoch))
        site.stop()
    finally:
        server.close()


def test_a_node_that_is_frozen_while_it_holds_a_room_does_not_hold_it_for_long(
    monkeypatch: pytest.MonkeyPatch, site: Site, url: str
) -> None:
    site.append(publish("before"))
    monkeypatch.setattr(server, "IDLE_MS", 200)
    frozen = server.connect(url)
    frozen.execute("BEGIN")
    frozen.execute("SELECT 1 FROM kodama_rooms WHERE name = 'lobby' FOR UPDATE")
    assert site.stored(publish("goes on")).entry.offset == 2
    with pytest.raises(psycopg.Error):
        frozen.execute("SELECT 1")
    frozen.close()
