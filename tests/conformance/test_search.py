"""What is found, by whom and in which order: the same in every store."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from kodama.core.event import decode
from kodama.core.room import DAY_MS, Access, Retention, RoomFacts
from kodama.core.search import Has, Place, Wanted
from kodama.core.who import NOBODY, Who
from kodama.core.words import phrases, quoted
from kodama.store.found import LOOKED_AT
from kodama.store.interface import Found
from kodama.store.memory import MemoryStore
from tests.conformance.stores import AIKO, BEN, STORES, Site, delete, edit, publish, react, topic

ALL = 2**40
SAID = [
    "明日の会議は午後三時です",
    "東京駅で会いましょう",
    "デプロイ完了 deploy done",
    "db-01 is down, see https://status.example.com",
    "run `make test` first",
    "会議室はどこ",
]


@pytest.fixture(params=sorted(STORES))
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    site = STORES[request.param](tmp_path).start()
    yield site
    site.stop()


def found(site: Site, wanted: Wanted, *, who: Who = NOBODY, limit: int = 100) -> list[int]:
    """Return the offsets of what is found."""
    return [
        one.offset for one in site.wait(site.store.search(wanted, who=who, limit=limit, size=ALL)).messages
    ]


def by_words(site: Site, query: str, *, who: Who = NOBODY) -> list[int]:
    return found(site, Wanted(phrases=phrases(query)), who=who)


def speak(site: Site, texts: Sequence[str] = SAID, *, room: str = "lobby") -> None:
    for text in texts:
        site.clock[0] += 1
        site.stored(publish(text, room=room))


@pytest.mark.parametrize(
    ("query", "offsets"),
    [
        ("会議", [6, 1]),
        ("会", [6, 2, 1]),
        ("午後三時", [1]),
        ("ﾃﾞﾌﾟﾛｲ", [3]),
        ("DEPL 完了", [3]),
        ("db", [4]),
        ("eploy", []),
        ("議会", []),
        ('") OR (', []),
        ("NEAR", []),
    ],
)
def test_the_newest_that_has_all_words_comes_first(site: Site, query: str, offsets: list[int]) -> None:
    speak(site)
    assert by_words(site, query) == offsets


def exact(text: str) -> Wanted:
    phrase = quoted(text)
    assert phrase is not None
    return Wanted(phrases=(phrase,))


def test_a_quoted_phrase_is_found_word_after_word(site: Site) -> None:
    speak(site, ["deploy is done", "done deploy", "deploy doner", "deploy done", "完了deployだ"])
    assert found(site, exact("deploy done")) == [4]
    assert found(site, exact("deploy だ")) == [5]
    assert found(site, exact("了deploy")) == [5]
    assert found(site, exact("deployで")) == []


def test_what_must_not_be_said_is_left_out(site: Site) -> None:
    speak(site)
    assert found(site, Wanted(phrases=phrases("会議"), without=phrases("午後"))) == [6]
    assert found(site, Wanted(without=phrases("会議 d"))) == [5, 2]


def test_a_message_is_found_by_its_authors_id_or_name(site: Site) -> None:
    site.append(publish("one"), publish("two", by=BEN), publish("three"))
    assert found(site, Wanted(author="u_ben")) == found(site, Wanted(author="ＢＥＮ")) == [2]
    assert found(site, Wanted(author="U_BEN")) == found(site, Wanted(author="Be")) == []


def test_a_message_is_found_by_what_it_has(site: Site) -> None:
    files = {"files": [{"file": "f1", "name": "plan.pdf"}]}
    speak(site)
    site.append(
        publish("see", data=files), publish("none", data={"files": []}), publish("no", data={"files": 1})
    )
    assert found(site, Wanted(has=(Has.LINK,))) == [4]
    assert found(site, Wanted(has=(Has.CODE,))) == [5]
    assert found(site, Wanted(has=(Has.FILE,))) == [7]
    assert found(site, Wanted(has=(Has.LINK, Has.CODE))) == []


def test_an_edited_message_is_found_by_its_new_words_only(site: Site) -> None:
    speak(site)
    site.append(edit(1, "中止です https://example.com"))
    assert by_words(site, "会議") == [6]
    assert by_words(site, "中止") == found(site, Wanted(phrases=phrases("中止"), has=(Has.LINK,))) == [1]


def test_a_message_written_and_changed_in_one_group_is_found_as_it_ended(site: Site) -> None:
    site.append(publish("early"), edit(1, "late"), publish("gone"), delete(3), publish("kept"))
    assert by_words(site, "early") == by_words(site, "gone") == []
    assert by_words(site, "late") == [1]
    assert by_words(site, "kept") == [5]


def test_a_deleted_message_is_not_found_at_all(site: Site) -> None:
    speak(site)
    site.append(delete(6))
    assert by_words(site, "会議") == [1]
    assert found(site, Wanted(author="u_aiko")) == [5, 4, 3, 2, 1]


def test_only_messages_are_found(site: Site) -> None:
    site.append(publish("a"), edit(1, "secret"), react(1, "secret"), topic("secret"), edit(1, "a"))
    assert by_words(site, "secret") == []
    assert found(site, Wanted()) == [1]


def test_what_retention_took_is_not_found(site: Site) -> None:
    site.wait(site.store.put_room(RoomFacts(name="lobby", retention=Retention(0, 2))))
    speak(site)
    site.clock[0] += DAY_MS
    site.wait(site.store.sweep())
    assert found(site, Wanted()) == [6, 5]
    assert by_words(site, "会議") == [6]
    assert by_words(site, "駅") == []


def test_the_newest_come_first_across_rooms_and_cuts_are_told(site: Site) -> None:
    for n in range(6):
        speak(site, [f"word {n}"], room="ab"[n % 2])
    first = site.wait(site.store.search(Wanted(phrases=phrases("word")), who=NOBODY, limit=4, size=ALL))
    assert [decode(one.json).text for one in first.messages] == [f"word {n}" for n in (5, 4, 3, 2)]
    assert first.more
    last = first.messages[-1]
    rest = site.wait(
        site.store.search(
            Wanted(phrases=phrases("word"), past=Place(last.time, "a", last.offset)),
            who=NOBODY,
            limit=2,
            size=ALL,
        )
    )
    assert [decode(one.json).text for one in rest.messages] == ["word 1", "word 0"]
    assert not rest.more


def test_messages_of_one_moment_are_paged_through_without_loss(site: Site) -> None:
    site.append(*(publish(f"same {n}") for n in range(25)))
    pages, past = [], None
    for _ in range(5):
        got = site.wait(site.store.search(Wanted(past=past), who=NOBODY, limit=5, size=ALL))
        pages += [one.offset for one in got.messages]
        past = Place(got.messages[-1].time, "lobby", got.messages[-1].offset)
    assert pages == list(range(25, 0, -1))
    assert not got.more


def test_a_page_goes_on_after_a_message_that_was_deleted_since(site: Site) -> None:
    site.append(*(publish("word") for _ in range(5)))
    got = site.wait(site.store.search(Wanted(phrases=phrases("word")), who=NOBODY, limit=2, size=ALL))
    last = got.messages[-1]
    site.append(delete(last.offset))
    wanted = Wanted(phrases=phrases("word"), past=Place(last.time, "lobby", last.offset))
    rest = site.wait(site.store.search(wanted, who=NOBODY, limit=5, size=ALL))
    assert [one.offset for one in rest.messages] == [3, 2, 1]


def test_an_answer_is_cut_at_its_size_but_holds_one(site: Site) -> None:
    site.append(*(publish("long " * 100) for _ in range(3)))
    got = site.wait(site.store.search(Wanted(), who=NOBODY, limit=10, size=1500))
    assert (len(got.messages), got.more) == (2, True)
    got = site.wait(site.store.search(Wanted(), who=NOBODY, limit=10, size=1))
    assert (len(got.messages), got.more) == (1, True)


def test_moments_and_offsets_bound_what_is_found(site: Site) -> None:
    start = site.clock[0]
    speak(site)  # at start + 1 to start + 6
    assert found(site, Wanted(before=start + 3)) == [2, 1]
    assert found(site, Wanted(since=start + 5)) == [6, 5]
    assert found(site, Wanted(since=start + 2, before=start + 4)) == [3, 2]
    assert found(site, Wanted(room="lobby", below=3)) == [2, 1]
    assert found(site, Wanted(room="lobby", below=99)) == [6, 5, 4, 3, 2, 1]
    assert found(site, Wanted(since=2**60)) == found(site, Wanted(before=0)) == []


def rooms_of(site: Site, wanted: Wanted, who: Who) -> set[str]:
    got = site.wait(site.store.search(wanted, who=who, limit=1000, size=ALL))
    return {decode(one.json).room for one in got.messages}


def test_nobody_finds_anything_in_rooms_that_are_not_theirs(site: Site) -> None:
    for name, access in (("open", Access.PUBLIC), ("club", Access.MEMBERS), ("hidden", Access.SECRET)):
        site.wait(site.store.put_room(RoomFacts(name=name, access=access, owner=AIKO.id)))
        speak(site, ["word"], room=name)
    word = Wanted(phrases=phrases("word"))
    assert rooms_of(site, word, NOBODY) == rooms_of(site, word, Who(author=BEN)) == {"open"}
    assert rooms_of(site, word, Who(author=AIKO)) == {"open", "club", "hidden"}
    assert rooms_of(site, word, Who(invited=frozenset(["club"]))) == {"open", "club"}
    assert rooms_of(site, word, Who(author=AIKO, rooms=frozenset(["hidden"]))) == {"hidden"}
    assert rooms_of(site, word, Who(rooms=frozenset())) == set()
    assert (
        found(site, Wanted(room="hidden"), who=NOBODY)
        == found(site, Wanted(room="nowhere"), who=NOBODY)
        == []
    )


@pytest.mark.parametrize("shut", [3, 60])
@pytest.mark.parametrize("open_", [3, 60])
def test_many_rooms_are_told_apart(site: Site, shut: int, open_: int) -> None:
    for n in range(shut + open_):
        access = Access.SECRET if n < shut else Access.PUBLIC
        site.wait(site.store.put_room(RoomFacts(name=f"r{n}", access=access)))
    site.append(*(publish("word", room=f"r{n}") for n in range(shut + open_)))
    readable = {f"r{n}" for n in range(shut, shut + open_)}
    assert rooms_of(site, Wanted(phrases=phrases("word")), NOBODY) == readable


def test_a_settled_message_is_found_at_once(site: Site) -> None:
    for n in range(20):
        site.stored(publish(f"number{n}"))
        assert by_words(site, f"number{n}") == [n + 1]


def test_a_search_in_memory_is_done_a_little_in_each_turn_of_the_loop() -> None:
    turns: list[Callable[[], None]] = []
    store = MemoryStore(lambda: 1, later=turns.append)
    store.start(lambda group: None)
    for n in range(3 * LOOKED_AT):
        store.append(publish(f"word{n}x"), lambda _: None)
    results: list[Found] = []
    store.search(Wanted(phrases=phrases("word0x")), who=NOBODY, limit=5, size=ALL).addCallback(results.append)
    store.append(publish("word0x, but later"), lambda _: None)
    for _ in range(3):
        assert not results
        turns.pop()()
    assert [one.offset for one in results[0].messages] == [1]
    assert not turns
