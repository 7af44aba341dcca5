"""What is found by which words."""

from __future__ import annotations

import sqlite3

import pytest

from kodama.core.words import Phrase, contains, phrases, words

FOUND = [
    ("会議", "明日の会議は午後三時です"),
    ("駅", "東京駅で"),
    ("会", "明日の会議"),
    ("午後三時", "明日の会議は午後三時です"),
    ("デプロイ", "ﾃﾞﾌﾟﾛｲしました"),
    ("db", "db-01 is down"),
    ("DEPL", "ｄｅｐｌｏｙ done"),
    ("deploy 完了", "本番のdeployが完了した"),
    ("strasse", "Straße"),
    ("हिन्दी", "मैं हिन्दी बोलता हूँ"),
]
MISSED = [
    ("議会", "明日の会議"),
    ("会議室", "会議 議室"),
    ("eploy", "deploy"),
    ("deploy 失敗", "deploy 完了"),
]
WORDLESS = ["", "  ", "?!…、。", '"" * ( ) :', "\uff9e", "🎉", "___"]
HOSTILE = [
    '"',
    "a OR b",
    "NEAR(a b)",
    "x* AND -y",
    "'; DROP TABLE e; --",
    "from:",
    "col : x",
    "^a",
    "会" * 3000,
    "🎉a",
]


@pytest.mark.parametrize(("query", "text"), FOUND)
def test_a_text_is_found_by_its_words(query: str, text: str) -> None:
    assert contains(text, phrases(query))


@pytest.mark.parametrize(("query", "text"), MISSED)
def test_a_text_is_not_found_by_what_it_does_not_say(query: str, text: str) -> None:
    assert not contains(text, phrases(query))


@pytest.mark.parametrize("query", WORDLESS)
def test_a_query_of_signs_alone_asks_for_nothing(query: str) -> None:
    assert phrases(query) == ()
    assert words(query) == []


def test_the_same_word_twice_is_asked_for_once() -> None:
    assert phrases("Go go ＧＯ") == (Phrase(("go",), is_prefix=True),)


def _expression(wanted: tuple[Phrase, ...]) -> str:
    return " ".join(f'"{" ".join(p.words)}"' + "*" * p.is_prefix for p in wanted)


@pytest.mark.parametrize("query", [*(query for query, _ in FOUND + MISSED), *HOSTILE])
def test_an_index_of_the_words_finds_what_the_model_finds(query: str) -> None:
    texts = [text for _, text in FOUND + MISSED] + HOSTILE
    index = sqlite3.connect(":memory:")
    index.execute("CREATE VIRTUAL TABLE e USING fts5(words, tokenize='ascii')")
    index.executemany("INSERT INTO e VALUES (?)", [(" ".join(words(text)),) for text in texts])
    wanted = phrases(query)

    rows = index.execute("SELECT rowid FROM e WHERE e MATCH ?", (_expression(wanted),)) if wanted else []
    index_found = {row[0] - 1 for row in rows}
    index.close()

    assert index_found == {at for at, text in enumerate(texts) if wanted and contains(text, wanted)}
