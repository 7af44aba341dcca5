"""What a search asks for: the words, the operators, and what cannot be meant."""

from __future__ import annotations

from contextlib import suppress
from urllib.parse import quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kodama.core.change import Publish, Stamp, written
from kodama.core.errors import BadRequest, BadRoomName, Refused
from kodama.core.event import Author, Entry, decode, entry
from kodama.core.search import Has, Place, Wanted, fits, subject
from kodama.core.words import Phrase, contains, phrases, quoted
from kodama.wire import queries, searching
from kodama.wire.events import found_page

AIKO = Author(id="u_aiko", name="Aiko", kind="user")
DAY = 1_795_478_400_000  # 2026-11-24T00:00Z


def search(query: str, **more: str) -> searching.Search:
    parameters = "&".join(f"{name}={quote_plus(value)}" for name, value in {"q": query, **more}.items())
    return searching.search(queries.parameters(parameters.encode()))


def wanted(query: str, **more: str) -> Wanted:
    asked = search(query, **more).wanted
    assert asked is not None
    return asked


def message(text: str | None, *, data: object = None, time: int = 5) -> Entry:
    stamp = Stamp(offset=3, epoch="e", id="i", time="1970-01-01T00:00:00.005Z")
    return entry(written(Publish(room="lobby", author=AIKO, text=text, data=data), stamp), time=time)


def test_words_phrases_and_what_is_left_out_are_told_apart() -> None:
    asked = wanted('deploy 会議 "all done" -broken -"not yet" Ｄeploy')
    assert asked.phrases == (*phrases("deploy 会議"), Phrase(("all", "done"), is_prefix=False))
    assert asked.without == (*phrases("broken"), Phrase(("not", "yet"), is_prefix=False))


def test_operators_are_read_in_any_case_and_width_and_with_quotes() -> None:
    asked = wanted("FROM:aiko in:Lobby has:link HAS：code has:link before:2026-11-25 after:2026-11-24")
    assert (asked.author, asked.room, asked.has) == ("aiko", "lobby", (Has.LINK, Has.CODE))
    assert (asked.since, asked.before) == (DAY, DAY + 86_400_000)
    assert wanted('from:"Aiko Tanaka"').author == wanted("from:“Aiko Tanaka”").author == "Aiko Tanaka"
    assert wanted('from:"Aiko').author == "Aiko"


def test_what_only_looks_like_an_operator_is_text() -> None:
    assert wanted("https://example.com/x 12:30 subject:tea e-mail").phrases == phrases(
        "https example com x 12 30 subject tea e mail"
    )
    assert wanted("begin:x").room is None


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("2026-11-24", DAY),
        ("2026-11-24T09:30", DAY + 34_200_000),
        ("2026-11-24t09:30:01.250z", DAY + 34_201_250),
        ("2026-11-24T09:30+09:00", DAY + 1_800_000),
        ("0001-01-01", 0),
    ],
)
def test_moments_are_dates_or_times_of_any_zone(text: str, ms: int) -> None:
    assert wanted(f"tea before:{text}").before == wanted(f"tea after:{text}").since == ms
    assert wanted("tea", before=text).before == ms


def test_of_two_bounds_the_narrower_one_holds() -> None:
    asked = wanted("x before:2026-11-25 before:2026-11-24 after:2026-11-22 after:2026-11-23")
    assert (asked.since, asked.before) == (DAY - 86_400_000, DAY)
    assert wanted("x before:2026-11-25", before="2026-11-24").before == DAY


def test_before_is_an_offset_in_a_room_or_the_place_where_an_answer_was_cut() -> None:
    assert wanted("x", room="lobby", before="42").below == 42
    assert wanted("x in:lobby", before="42").below == 42
    assert wanted("x", before=searching.following(message("x"))).past == Place(5, "lobby", 3)


@pytest.mark.parametrize(
    ("query", "more"),
    [
        ("", {}),
        ("  ", {"before": "2026-11-24"}),
        ("x" * 201, {}),
        ("a\0b", {}),
        ("from:", {}),
        ("from: aiko", {}),
        ('in:""', {}),
        ("has:wings", {}),
        ("-from:aiko", {}),
        ("x before:yesterday", {}),
        ("x after:2026-13-01", {}),
        ("x before:2026-W01", {}),
        ("x after:2026-11-24T25:00", {}),
        ("from:a from:b", {}),
        ("in:a", {"room": "b"}),
        ("x", {"room": ""}),
        ("x", {"before": "42"}),
        ("x", {"before": ""}),
        ("x", {"before": "99999999999999999", "room": "a"}),
        ("x", {"limit": "0"}),
        ("x", {"limit": "101"}),
        ("x", {"limit": "many"}),
    ],
)
def test_what_cannot_be_meant_is_refused(query: str, more: dict[str, str]) -> None:
    with pytest.raises(BadRequest):
        search(query, **more)


def test_a_bad_room_name_is_refused_as_one() -> None:
    for query, more in (("in:a/b", {}), ("x", {"room": "a b"}), ("x", {"before": "1~2~a b"})):
        with pytest.raises(BadRoomName):
            search(query, **more)


def test_an_answer_says_where_it_was_cut() -> None:
    one = message("x")
    assert found_page([one, one], following=None) == b'{"messages":[%b,%b],"more":false}' % (one.json, one.json)
    cut = b'{"messages":[%b],"more":true,"next":"5~3~lobby"}' % one.json
    assert found_page([one], following=searching.following(one)) == cut


def test_signs_alone_find_nothing_and_beside_words_nothing_is_made_of_them() -> None:
    for query in ("🎉", "?!…", '""', "-", "🎉 in:lobby", '-"?"'):
        assert search(query).wanted is None
    assert wanted("🎉 tea -").phrases == phrases("tea")


def test_without_words_an_operator_or_a_room_says_what_to_look_for() -> None:
    assert wanted("", room="lobby").room == "lobby"
    assert wanted("", **{"from": "aiko"}).author == "aiko"
    assert wanted("has:file").has == (Has.FILE,)
    assert wanted("-tea").without == phrases("tea")


def test_twenty_are_found_unless_another_number_is_asked_for() -> None:
    assert [search("x").limit, search("x", limit="1").limit, search("x", limit="100").limit] == [20, 1, 100]


@given(st.text(max_size=80) | st.text('from:inhas "-“”～~0129T:Zzlobby会議🎉', max_size=40))
def test_any_text_is_read_or_refused_and_never_asks_for_syntax(query: str) -> None:
    with suppress(Refused, UnicodeEncodeError):
        asked = search(query).wanted
        for phrase in () if asked is None else (*asked.phrases, *asked.without):
            assert phrase.words
            assert all(
                word.replace("\u0300", "") and '"' not in word and " " not in word for word in phrase.words
            )


@pytest.mark.parametrize(
    ("text", "has"),
    [
        ("see https://example.com", (Has.LINK,)),
        ("HTTP://X", (Has.LINK,)),
        ("https:// nothing", ()),
        ("run `make`", (Has.CODE,)),
        ("```\nhttps://a\n```", (Has.LINK, Has.CODE)),
        ("a ` b", ()),
        ("", ()),
    ],
)
def test_what_a_message_has_is_seen_in_its_text(text: str, has: tuple[Has, ...]) -> None:
    about = subject(message(text).json)
    assert about is not None
    assert (about.text, about.has) == (text, has)


@pytest.mark.parametrize("data", [{"files": [{"file": "f"}]}, {"a": 1, "files": ["x"]}])
def test_a_message_has_files_if_its_data_lists_some(data: object) -> None:
    about = subject(message(None, data=data).json)
    assert about is not None
    assert about.has == (Has.FILE,)


@pytest.mark.parametrize("data", [{"files": []}, {"files": 7}, ["files"], "files", {"x": "files"}, None])
def test_other_data_is_no_file(data: object) -> None:
    about = subject(message("x", data=data).json)
    assert about is not None
    assert about.has == ()


def test_a_deleted_message_is_found_by_nothing() -> None:
    gone = message("x")._replace(json=message("x").json.replace(b'"text":"x","data":null', b'"deleted":true'))
    assert decode(gone.json)
    assert subject(gone.json) is None
    assert not fits(gone, Wanted(), room="lobby")


@pytest.mark.parametrize(
    ("wish", "is_fit"),
    [
        (Wanted(), True),
        (Wanted(room="lobby", author="aiko", since=5, before=6, below=4, past=Place(5, "lobby", 4)), True),
        (Wanted(author="u_aiko", has=(Has.LINK,), phrases=phrases("tea")), True),
        (Wanted(room="garden"), False),
        (Wanted(since=6), False),
        (Wanted(before=5), False),
        (Wanted(below=3), False),
        (Wanted(past=Place(5, "lobby", 3)), False),
        (Wanted(author="ben"), False),
        (Wanted(has=(Has.LINK, Has.FILE)), False),
        (Wanted(phrases=phrases("tea coffee")), False),
        (Wanted(phrases=phrases("tea"), without=phrases("http")), False),
    ],
)
def test_a_message_is_what_is_wanted_if_all_holds(wish: Wanted, is_fit: bool) -> None:
    assert fits(message("tea at https://example.com"), wish, room="lobby") is is_fit


@pytest.mark.parametrize(
    ("phrase", "text", "is_there"),
    [
        ("all done", "it is All Done.", True),
        ("all done", "all is done", False),
        ("all done", "all doner", False),
        ("done 完了", "done 完了した", True),
        ("完了 done", "完了 done", True),
        ("完了 done", "完了したdone", False),
        ("done 完", "done 完了", True),
        ("会議室", "会議 議室", False),
    ],
)
def test_a_phrase_in_quotes_is_there_word_after_word(phrase: str, text: str, is_there: bool) -> None:
    whole = quoted(phrase)
    assert whole is not None
    assert contains(text, (whole,)) is is_there


def test_signs_are_no_phrase() -> None:
    assert quoted("?!") is None
