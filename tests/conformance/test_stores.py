"""The promise of `kodama.store.interface`, held against every store."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

import kodama.store
from kodama.core.apikey import ApiKey
from kodama.core.errors import Conflict, Forbidden, NotFound
from kodama.core.event import decode
from kodama.core.position import Position
from kodama.core.record import KEY_LIMIT, RECORD_LIMIT, DropRecord, PutRecord, Record, RecordMoved, Records
from kodama.core.room import DAY_MS, Access, Retention, RoomFacts
from kodama.store.interface import (
    NOTHING,
    UNREAD_LIMIT,
    After,
    Around,
    Before,
    Group,
    Newest,
    RoomMoved,
    Stored,
    StoreUnavailable,
)
from tests.conformance.stores import (
    AIKO,
    BEN,
    STORES,
    Site,
    delete,
    edit,
    publish,
    react,
    topic,
)

NOT_STORES = {"__init__", "interface", "batch", "stamps", "found", "marks", "ended", "threads", "together", "schema", "__pycache__"}


@pytest.fixture(params=sorted(STORES))
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    site = STORES[request.param](tmp_path).start()
    yield site
    site.stop()


def offsets(entries: object) -> list[int]:
    return [entry.offset for entry in entries]


def test_every_store_in_the_folder_is_held_to_this_suite() -> None:
    folder = Path(kodama.store.__file__).parent
    assert {path.stem for path in folder.iterdir()} - NOT_STORES == set(STORES)


def test_offsets_count_from_one_without_holes_in_the_order_of_appending(site: Site) -> None:
    results = site.append(*(publish(str(n)) for n in range(300)))
    assert [one.entry.offset for one in results if isinstance(one, Stored)] == list(range(1, 301))
    assert [decode(line.json).text for line in site.log()] == [str(n) for n in range(300)]


def test_rooms_count_for_themselves(site: Site) -> None:
    site.append(publish(), publish(room="b"), publish(), publish(room="b"))
    assert offsets(site.log()) == offsets(site.log("b")) == [1, 2]


def test_time_never_goes_back_when_the_clock_does(site: Site) -> None:
    site.stored(publish())
    site.clock[0] -= 500_000
    assert site.stored(publish()).entry.time == 1_000_000


def test_what_is_delivered_is_what_is_read(site: Site) -> None:
    site.append(*(publish(str(n)) for n in range(100)))
    shown = [line for group in site.groups for commit in group.commits for line in commit.entries]
    assert shown == list(site.log())


def test_an_event_carries_the_epoch_of_this_opening(site: Site) -> None:
    line = site.stored(publish()).entry
    assert line.epoch == site.store.epoch == decode(line.json).epoch
    assert 0 < len(site.store.epoch) <= 8
    assert site.store.epoch.isalnum()


def test_a_repeated_nonce_stores_nothing_and_names_the_first(site: Site) -> None:
    first = site.stored(publish(nonce="n1"))
    again = site.stored(publish(nonce="n1"))
    assert (again.id, again.entry, again.fresh) == (first.id, first.entry, False)
    assert len(site.log()) == 1


def test_a_nonce_repeated_while_the_first_is_on_its_way_stores_one_event(site: Site) -> None:
    results = site.append(*(publish(nonce="same") for _ in range(50)))
    assert {one.id for one in results if isinstance(one, Stored)} == {results[0].id}
    assert len(site.log()) == 1


def test_a_nonce_with_another_body_is_a_conflict(site: Site) -> None:
    results = site.append(publish("a", nonce="n"), publish("b", nonce="n"))
    assert isinstance(results[1], Conflict)


def test_the_same_nonce_of_another_sender_or_room_is_another(site: Site) -> None:
    site.append(publish(nonce="n"), publish(nonce="n", by=BEN), publish(nonce="n", room="b"))
    assert len(site.log()) == 2
    assert len(site.log("b")) == 1


def test_the_tops_of_many_rooms_are_one_question(site: Site) -> None:
    site.append(publish(), publish(), publish(room="garden"))
    found = site.wait(site.store.tops(["garden", "lobby", "nowhere"]))
    assert {name: standing.place for name, standing in found.items()} == {
        "garden": Position(site.store.epoch, 1), "lobby": Position(site.store.epoch, 2)
    }  # fmt: skip


def test_settings_are_replaced_only_over_those_that_were_seen(site: Site) -> None:
    def put(owner: str, over: str) -> None:
        site.wait(site.store.put_room(RoomFacts(name="lobby", owner=owner), over=over))

    def mark() -> str:
        return str(site.wait(site.store.tops(["lobby"]))["lobby"].mark)

    with pytest.raises(RoomMoved):
        put(AIKO.id, "a mark of nothing")
    put(AIKO.id, NOTHING)
    with pytest.raises(RoomMoved):
        put(BEN.id, NOTHING)
    seen = mark()
    site.append(publish(), topic("news"))
    with pytest.raises(RoomMoved):
        put(BEN.id, seen)
    assert site.wait(site.store.open("lobby", tail_bytes=0)).facts.owner == AIKO.id
    put(BEN.id, mark())
    assert site.wait(site.store.open("lobby", tail_bytes=0)).facts.owner == BEN.id
    assert len(site.log()) == 2


def test_a_mark_is_another_one_when_settings_are(site: Site) -> None:
    marks = []
    for change in ("publish", "access", "topic", "access again"):
        if change == "publish":
            site.append(publish())
        elif change == "topic":
            site.append(topic("news"))
        else:
            access = Access.SECRET if change == "access" else Access.PUBLIC
            site.wait(site.store.put_room(RoomFacts(name="lobby", access=access, owner=AIKO.id)))
        marks.append(site.wait(site.store.tops(["lobby"]))["lobby"].mark)
        assert site.wait(site.store.open("lobby", tail_bytes=0)).mark == marks[-1]
        site.append(publish())
        assert site.wait(site.store.tops(["lobby"]))["lobby"].mark == marks[-1]
    assert len(set(marks)) == 4


def test_new_messages_are_counted_above_an_offset_in_many_rooms(site: Site) -> None:
    site.append(publish(), react(1), publish(), delete(1), publish(room="garden"), topic("t"))
    assert site.wait(site.store.unread({"lobby": 0, "garden": 0, "nowhere": 0})) == {"lobby": 2, "garden": 1}
    assert site.wait(site.store.unread({"lobby": 1, "garden": 1})) == {"lobby": 1, "garden": 0}
    assert site.wait(site.store.unread({"lobby": 99})) == {"lobby": 0}
    assert site.wait(site.store.unread({})) == {}
    site.append(*(publish(room="busy") for _ in range(UNREAD_LIMIT + 5)))
    assert site.wait(site.store.unread({"busy": 0})) == {"busy": UNREAD_LIMIT}
    site.wait(site.store.put_room(RoomFacts(name="busy", retention=Retention(days=0, events=2))))
    site.clock[0] += 1
    site.wait(site.store.sweep())
    assert site.wait(site.store.unread({"busy": 0})) == {"busy": 2}


def test_only_publishing_makes_a_room(site: Site) -> None:
    results = site.append(edit(1, "x"), delete(1), react(1), topic("t"))
    assert all(isinstance(one, NotFound) for one in results)
    assert site.wait(site.store.open("lobby", tail_bytes=100)) is None


def test_an_edit_leaves_no_old_words_behind(site: Site) -> None:
    site.stored(publish("secret"))
    site.stored(edit(1, "second"))
    site.stored(edit(1, "third"))
    log = b"".join(line.json for line in site.log())
    assert b"secret" not in log
    assert b"second" not in log
    assert offsets(site.groups[-1].commits[0].rewritten) == [1, 2]


def test_amendments_in_one_burst_show_no_old_words(site: Site) -> None:
    site.append(publish("secret"), edit(1, "second"), react(1), delete(1), publish("after"))
    log = site.log()
    assert offsets(log) == [1, 2, 3, 4, 5]
    assert not any(word in line.json for line in log for word in (b"secret", b"second"))
    last: dict[int, bytes] = {}
    for group in site.groups:
        for commit in group.commits:
            last |= {line.offset: line.json for line in (*commit.entries, *commit.rewritten)}
    assert list(last.values()) == [line.json for line in log]


def test_a_repeated_amendment_stores_nothing(site: Site) -> None:
    site.append(publish(), react(1))
    again = site.stored(react(1))
    assert (again.fresh, again.entry.offset) == (False, 2)
    site.stored(delete(1))
    assert site.stored(delete(1)).entry.offset == 3


def test_a_refused_amendment_leaves_no_trace(site: Site) -> None:
    results = site.append(publish(), edit(1, "x", by=BEN), delete(9), publish())
    assert isinstance(results[1], Forbidden)
    assert isinstance(results[2], NotFound)
    assert offsets(site.log()) == [1, 2]


def test_what_cannot_be_encoded_harms_nobody_else(site: Site) -> None:
    results = site.append(
        publish(), publish("\ud800"), publish(data=object()), publish(nonce="\ud800"), publish(room="\ud801"),
        publish(),
    )  # fmt: skip
    assert [isinstance(one, Stored) for one in results] == [True, False, False, False, False, True]
    assert offsets(site.log()) == [1, 2]
    assert [one.facts.name for one in site.wait(site.store.rooms())] == ["lobby"]


def test_appending_while_being_told_comes_after(site: Site) -> None:
    seen: list[int] = []

    def settle(result: Stored | Exception) -> None:
        assert isinstance(result, Stored)
        seen.append(result.entry.offset)
        if len(seen) < 5:
            site.store.append(publish(), settle)

    site.store.append(publish(), settle)
    site.reactor.pump_until(lambda: len(seen) == 5)
    assert seen == [1, 2, 3, 4, 5]


def test_a_room_opens_with_as_much_tail_as_was_asked_for(site: Site) -> None:
    site.append(*(publish(str(n)) for n in range(9)))
    size = len(site.log()[0].json)
    opened = site.wait(site.store.open("lobby", tail_bytes=3 * size + 1))
    assert offsets(opened.tail) == [7, 8, 9]
    assert (opened.first, opened.top, opened.epochs) == (1, 9, ((1, site.store.epoch),))
    assert site.wait(site.store.open("lobby", tail_bytes=0)).tail == ()


def test_reading_is_cut_by_number_and_by_size_but_never_empty(site: Site) -> None:
    site.append(*(publish(str(n)) for n in range(9)))
    size = len(site.log()[0].json)
    read = site.store.read
    assert offsets(site.wait(read("lobby", after=2, limit=3, size=10**6)).entries) == [3, 4, 5]
    assert offsets(site.wait(read("lobby", after=2, limit=9, size=2 * size)).entries) == [3, 4]
    assert offsets(site.wait(read("lobby", after=2, limit=9, size=1)).entries) == [3]
    assert site.wait(read("lobby", after=9, limit=9, size=1)).entries == ()
    assert site.wait(read("nowhere", after=0, limit=9, size=1)) == ((), 1)


def test_history_pages_hold_messages_only(site: Site) -> None:
    site.append(*(change for n in range(1, 20, 2) for change in (publish(), react(n))))

    def page(where: Before | After | Around | Newest, limit: int = 3) -> tuple[list[int], bool]:
        found = site.wait(site.store.history("lobby", where=where, limit=limit))
        assert (found.top, found.epoch) == (20, site.store.epoch)
        return offsets(found.messages), found.more

    assert page(Newest()) == ([15, 17, 19], True)
    assert page(Newest(), 10) == ([*range(1, 20, 2)], False)
    assert page(Before(7)) == ([1, 3, 5], False)
    assert page(Before(8)) == ([3, 5, 7], True)
    assert page(After(13)) == ([15, 17, 19], False)
    assert page(After(12)) == ([13, 15, 17], True)
    assert page(Around(9), 4) == ([5, 7, 9, 11], True)
    assert page(Around(9), 20) == ([*range(1, 20, 2)], False)
    assert site.wait(site.store.history("nowhere", where=Newest(), limit=3)) == ((), False, 0, "", ())


def test_history_brings_the_newest_reaction_of_each_person_and_emoji(site: Site) -> None:
    site.append(publish(), publish(), react(1), react(1, by=AIKO), react(2), react(1, op="remove"), edit(2, "new"))
    newest = site.wait(site.store.history("lobby", where=Newest(), limit=9)).reactions
    assert offsets(newest) == [4, 5, 6]
    assert offsets(site.wait(site.store.history("lobby", where=Newest(), limit=1)).reactions) == [5]


def test_a_moment_is_found_by_its_time(site: Site) -> None:
    for _ in range(5):
        site.clock[0] += 10
        site.append(publish(), publish())
    at = site.store.offset_at
    assert [site.wait(at("lobby", time=1_000_000 + ms)) for ms in (0, 10, 11, 50, 51)] == [0, 0, 2, 8, 10]
    assert site.wait(at("nowhere", time=5)) == 0


def test_settings_of_a_room_are_kept_and_replaced(site: Site) -> None:
    facts = RoomFacts(
        name="b", title="B", topic="t", access=Access.SECRET, owner=AIKO.id, retention=Retention(1, 2)
    )
    site.wait(site.store.put_room(facts))
    opened = site.wait(site.store.open("b", tail_bytes=9))
    assert opened[:-1] == (facts, 1, 0, (), ())
    site.wait(site.store.put_room(RoomFacts(name="b")))
    site.append(publish(room="b"), publish(room="a"))
    assert site.wait(site.store.rooms()) == ((RoomFacts(name="a"), 1), (RoomFacts(name="b"), 1))


def test_a_room_that_a_message_brings_to_life_is_what_the_message_says(site: Site) -> None:
    first = replace(publish(), owner=AIKO.id, retention=Retention(days=3, events=7))
    site.append(first, replace(first, owner=BEN.id, retention=Retention()))
    facts = RoomFacts(name="lobby", owner=AIKO.id, retention=Retention(days=3, events=7))
    assert site.wait(site.store.open("lobby", tail_bytes=0)).facts == facts


def test_a_topic_event_sets_the_topic_of_the_room(site: Site) -> None:
    site.append(publish(), topic("cats"))
    assert site.wait(site.store.open("lobby", tail_bytes=0)).facts.topic == "cats"


def test_retention_keeps_whichever_is_more(site: Site) -> None:
    site.wait(site.store.put_room(RoomFacts(name="lobby", retention=Retention(days=2, events=3))))
    site.append(*(publish(str(n)) for n in range(1200)))
    site.clock[0] += 2 * DAY_MS
    assert site.wait(site.store.sweep()) == ()
    site.append(publish())
    site.clock[0] += 1
    assert site.wait(site.store.sweep()) == (("lobby", 1199),)
    assert offsets(site.log()) == [1199, 1200, 1201]
    read = site.wait(site.store.read("lobby", after=5, limit=2, size=10**6))
    assert (offsets(read.entries), read.first) == ([1199, 1200], 1199)


def test_offsets_and_epochs_outlive_the_last_event(site: Site) -> None:
    site.wait(site.store.put_room(RoomFacts(name="lobby", retention=Retention(days=1, events=0))))
    site.append(publish(), publish())
    site.clock[0] += DAY_MS + 1
    assert site.wait(site.store.sweep()) == (("lobby", 3),)
    opened = site.wait(site.store.open("lobby", tail_bytes=99))
    assert opened[1:-1] == (3, 2, ((1, site.store.epoch),), ())
    assert site.wait(site.store.offset_at("lobby", time=0)) == 2
    assert site.stored(publish()).entry.offset == 3


def test_a_nonce_is_known_for_a_day_even_when_its_event_is_gone(site: Site) -> None:
    site.wait(site.store.put_room(RoomFacts(name="lobby", retention=Retention(days=0, events=0))))
    first = site.stored(publish(nonce="n"))
    site.clock[0] += 1
    site.wait(site.store.sweep())
    again = site.stored(publish(nonce="n"))
    assert (again.id, again.entry.offset, again.fresh) == (first.id, 1, False)
    site.clock[0] += DAY_MS
    site.wait(site.store.sweep())
    assert site.stored(publish(nonce="n")).entry.offset == 2


def test_secrets_are_made_once_and_differ_by_purpose(site: Site) -> None:
    assert len(site.store.secret("tokens")) == 32
    assert site.store.secret("tokens") == site.store.secret("tokens") != site.store.secret("cookies")


def test_ended_sessions_are_known_until_they_would_have_ended_anyway(site: Site) -> None:
    site.wait(site.store.revoke("s1", until=site.clock[0] + 10))
    site.wait(site.store.revoke("s2", until=site.clock[0] + 1000))
    assert site.store.revoked() == {"s1", "s2"}
    site.clock[0] += 11
    site.wait(site.store.sweep())
    assert site.store.revoked() == {"s2"}


def test_stopping_delivers_what_was_appended_and_takes_no_more(site: Site) -> None:
    results: list[Stored | Exception] = []
    for n in range(50):
        site.store.append(publish(str(n)), results.append)
    site.stop()
    assert len(results) == 50
    assert isinstance(site.groups[0], Group)
    with pytest.raises(StoreUnavailable):
        site.store.append(publish(), results.append)


def test_a_store_that_works_is_healthy(site: Site) -> None:
    site.stored(publish())
    assert site.store.healthy()


def test_one_question_tells_whether_others_have_changed_anything(site: Site) -> None:
    site.append(publish(), publish(room="b"))
    looked = [site.wait(site.store.look(("lobby", "nowhere")))]
    assert looked[0].standings == site.wait(site.store.tops(("lobby",)))
    key = ApiKey(digest=b"d", name="n", rooms=None, read_only=False, created=1)
    for change in (
        lambda: site.store.put_key(key), lambda: site.store.revoke("s1", until=site.clock[0] + 1000),
        lambda: site.store.revoke("s2", until=site.clock[0] + 1000), lambda: site.store.drop_key(key.id),
    ):  # fmt: skip
        site.wait(change())
        looked += [site.wait(site.store.look(()))]
    marks = [one.mark for one in looked]
    assert all(before != after for before, after in pairwise(marks))
    asked = getattr(site.store, "reads", 0)
    assert site.wait(site.store.look(())).mark == marks[-1]
    assert getattr(site.store, "reads", 0) - asked in (0, 1)


def test_keys_are_kept_until_they_are_dropped(site: Site) -> None:
    bot = ApiKey(digest=b"d" * 32, name="bot", rooms=None, read_only=False, created=1)
    screen = ApiKey(digest=b"e" * 32, name="木", rooms=frozenset(("a", "木霊")), read_only=True, created=2)
    for key in (screen, bot):
        site.wait(site.store.put_key(key))
    assert site.wait(site.store.keys()) == (bot, screen)
    assert site.wait(site.store.drop_key(bot.id)) is True
    assert site.wait(site.store.drop_key(bot.id)) is False
    assert site.wait(site.store.keys()) == (screen,)


def put(key: str, body: bytes = b"{}", *, kind: str = "ban", expected: int | None = None) -> PutRecord:
    return PutRecord(kind=kind, key=key, body=body, expected=expected)


def drop(key: str, *, kind: str = "ban", expected: int | None = None) -> DropRecord:
    return DropRecord(kind=kind, key=key, expected=expected)


def test_records_are_kept_replaced_and_dropped(site: Site) -> None:
    write, record = site.store.write_records, site.store.record
    assert site.wait(record("ban", "a")) is None
    assert list(site.wait(write([put("a", b"1"), put("b", b"2")]))) == [1, 2]
    assert site.wait(record("ban", "a")) == Record("a", b"1", 1)
    assert list(site.wait(write([put("a", b"3"), drop("b"), drop("never there")]))) == [3, 4, 5]
    assert site.wait(record("ban", "a")) == Record("a", b"3", 3)
    assert site.wait(record("ban", "b")) is None
    assert site.wait(record("invite", "a")) is None


def test_records_are_listed_by_key_from_one_moment(site: Site) -> None:
    keys = ["a", "a b", "a/", "a/1", "a/2", "aa", "Z", "é", "木", "木霊", "\U0001f332", "a_", "a%"]
    site.wait(site.store.write_records([put(key) for key in keys]))

    def listed(**what: object) -> list[str]:
        found = site.wait(site.store.records("ban", **what))
        assert found.version == len(keys)
        return [one.key for one in found.records]

    assert listed() == sorted(keys)
    assert listed(prefix="a/") == ["a/", "a/1", "a/2"]
    assert listed(prefix="a/", after="a/", limit=1) == ["a/1"]
    assert listed(prefix="a_") == ["a_"]
    assert listed(prefix="a%") == ["a%"]
    assert listed(prefix="木") == ["木", "木霊"]
    assert listed(after="木霊") == ["\U0001f332"]
    assert [one.key for one in site.store.records_now("ban").records] == sorted(keys)
    assert site.wait(site.store.records("invite")) == Records(0, ())


def test_a_record_is_written_only_over_the_revision_that_was_expected(site: Site) -> None:
    write = site.store.write_records
    site.wait(write([put("a", b"1", expected=0)]))
    for wrong in (put("a", expected=0), put("a", expected=2), put("b", expected=1), drop("a", expected=7)):
        with pytest.raises(RecordMoved):
            site.wait(write([wrong]))
    site.wait(write([put("a", b"2", expected=1)]))
    site.wait(write([drop("a", expected=2)]))
    site.wait(write([put("a", b"3", expected=0)]))
    assert site.wait(site.store.record("ban", "a")) == Record("a", b"3", 4)  # no revision comes twice


def test_records_are_written_together_or_not_at_all(site: Site) -> None:
    with pytest.raises(RecordMoved):
        site.wait(site.store.write_records([put("a"), put("b", kind="invite"), put("a", expected=0)]))
    assert site.wait(site.store.versions()) == {}
    assert site.wait(site.store.records("ban")) == Records(0, ())
    site.wait(site.store.write_records([put("a", expected=0), put("b", kind="invite"), put("a", expected=1)]))
    assert site.wait(site.store.versions()) == {"ban": 2, "invite": 1}
    assert site.wait(site.store.look(())).versions == {"ban": 2, "invite": 1}


def test_what_is_no_record_is_refused(site: Site) -> None:
    for wrong in (
        put("a", b"x" * (RECORD_LIMIT + 1)), put("k" * (KEY_LIMIT + 1)), put(""), put("a\0"), put("a", kind="Ban"),
        put("a", kind=""), put("\ud800"), drop("a", kind="no kind"),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=r"."):
            site.store.write_records([put("good"), wrong])
    assert site.wait(site.store.versions()) == {}
    largest = put("木" * (KEY_LIMIT // 3), b"x" * RECORD_LIMIT)
    assert list(site.wait(site.store.write_records([largest]))) == [1]
