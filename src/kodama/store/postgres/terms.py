"""How a message stands in the index of words, and how the index is asked.

The one decision here: the index says what may be wanted, `kodama.core.search.fits` what is. So the
words of a message stand there without their places and long ones are cut short, and a question is
never narrower than what is meant.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import Final

from kodama.core.search import Wanted, subject
from kodama.core.words import RULE, Phrase, words
from kodama.store.marks import marks, of_id, of_name, of_room

LONGEST: Final = 64  # characters of a word; the database takes no longer ones than 2,046 bytes
MOST_BYTES: Final = 400_000  # of a message's words; the database takes 1 MB with what it adds
HOW_CUT: Final = ".".join(f"{int(part):03d}" for part in (RULE, *unicodedata.unidata_version.split(".")))

_LONG: Final = "#long"  # a message with more words than the index takes: it is always looked at


def terms(room: int, json: bytes) -> str:
    """Return what the message that is kept as ``json`` is found by, as a tsvector is written; nothing
    of a deleted one."""
    about = subject(json)
    if about is None:
        return ""
    marked = [f"#{mark}" for mark in marks(room, about)]
    said = {word[:LONGEST] for word in words(about.text)}
    if sum(len(word.encode()) for word in said) > MOST_BYTES:
        return _joined([*marked, _LONG])
    return _joined([*marked, *said])


def expression(wanted: Wanted, *, only: Iterable[int] = ()) -> str:
    """Return ``wanted`` as a tsquery is written, in the rooms ``only`` if any; nothing if the index
    knows none of it."""
    marked = [f"'#{has}'" for has in wanted.has]
    if rooms := [f"'#{of_room(number)}'" for number in only]:
        marked.append(f"({' | '.join(rooms)})")
    if wanted.author is not None:
        marked.append(f"('#{of_id(wanted.author)}' | '#{of_name(wanted.author)}')")
    said = [_phrase(phrase) for phrase in wanted.phrases]
    if not marked and not said:
        return ""
    unsaid = [f"!{_phrase(phrase)}" for phrase in wanted.without if _is_exact(phrase)]
    spoken = f"('{_LONG}' | ({' & '.join([*said, *unsaid])}))" if said or unsaid else ""
    return " & ".join([*marked, *([spoken] if spoken else [])])


def _phrase(phrase: Phrase) -> str:
    *before, last = [f"'{word[:LONGEST]}'" for word in phrase.words]
    return f"({' & '.join([*before, last + ':*' * phrase.is_prefix])})"


def _is_exact(phrase: Phrase) -> bool:
    """Return whether the index says of a message what it does not say, and not only what it may say."""
    return len(phrase.words) == 1 and len(phrase.words[0]) < LONGEST


def _joined(lexemes: Iterable[str]) -> str:
    return " ".join(f"'{lexeme}'" for lexeme in lexemes)
