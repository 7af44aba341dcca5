"""Which words a text is found by: the same cut for what is stored and for what is asked.

The one decision here: scripts that are written without spaces (kana, Han, Hangul, Thai, Lao, Burmese,
Khmer) are cut into overlapping pairs and a last single, so that a word of two characters is found
inside a sentence without a dictionary; everything else is found by the beginning of a word. A store
indexes `words`, and a phrase of a query is a run of them. They hold letters, digits and marks only,
never the syntax of an index.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

RULE: Final = "1"  # changes whenever the same text would be cut into other words

_DENSE: Final = (
    "\u0e01-\u0e3a\u0e40-\u0e4e\u0e81-\u0ece\u1000-\u1049\u1100-\u11ff\u1780-\u17d3"
    "\u3005-\u3007\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u3105-\u312f"
    "\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff\U00020000-\U0003ffff"
)
_RUN: Final = re.compile(
    f"(?P<dense>[{_DENSE}]+)|[^\\W_{_DENSE}](?:[^\\W_{_DENSE}]|[\u0300-\u036f\u0900-\u0963\u0970-\u0df3])*"
)


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words that follow each other; with ``is_prefix`` the last one may go on."""

    words: tuple[str, ...]
    is_prefix: bool


def fold(text: str) -> str:
    """Return NFKC(casefold(NFKC(text))): one spelling for every case and width (UAX #15)."""
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def words(text: str) -> list[str]:
    """Return the words by which ``text`` is found, in their order."""
    found: list[str] = []
    for run in _RUN.finditer(fold(text)):
        chars = run.group()
        if run.lastgroup == "dense":
            found += [chars[at : at + 2] for at in range(len(chars))]
        else:
            found.append(chars)
    return found


def phrases(query: str) -> tuple[Phrase, ...]:
    """Return what a text has to contain, all of it; nothing if ``query`` has no word."""
    found: dict[Phrase, None] = {}
    for run in _RUN.finditer(fold(query)):
        chars = run.group()
        if run.lastgroup == "dense" and len(chars) > 1:
            pairs = tuple(chars[at : at + 2] for at in range(len(chars) - 1))
            found[Phrase(pairs, is_prefix=False)] = None
        else:
            found[Phrase((chars,), is_prefix=True)] = None
    return tuple(found)


def quoted(text: str) -> Phrase | None:
    """Return the one phrase that ``text`` is, word after word; None if it has no word.

    Its last word does not go on, but a run of an unspaced script may: no word ends there.
    """
    runs = list(_RUN.finditer(fold(text)))
    if not runs:
        return None
    found = words(text)
    if runs[-1].lastgroup != "dense":
        return Phrase(tuple(found), is_prefix=False)
    if len(runs[-1].group()) == 1:
        return Phrase(tuple(found), is_prefix=True)
    return Phrase(tuple(found[:-1]), is_prefix=False)


def contains(text: str, wanted: Iterable[Phrase]) -> bool:
    """Tell whether ``text`` has every phrase: the model that an index is checked against."""
    wanted = tuple(wanted)
    folded = fold(text)
    if not all(word in folded for phrase in wanted for word in phrase.words):
        return False  # most texts: they need not be cut
    kept = words(text)
    return all(_has(kept, phrase) for phrase in wanted)


def _has(kept: list[str], phrase: Phrase) -> bool:
    size = len(phrase.words)
    *before, last = phrase.words
    for at in range(len(kept) - size + 1):
        end = kept[at + size - 1]
        ends = end.startswith(last) if phrase.is_prefix else end == last
        if ends and kept[at : at + size - 1] == before:
            return True
    return False
