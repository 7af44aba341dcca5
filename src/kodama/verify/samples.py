"""What the writers say, and how an event becomes numbers: the same words twice give the same numbers.

The words are those that framings get wrong: line ends of all kinds, U+2028, NUL in data, quotes,
text that looks like a frame, right-to-left, combining marks, emoji, and long lines.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from kodama.verify.observations import Print

WORDS: Final = (
    "hello",
    "two\nlines", "three\r\nlines\rof them", "\u2028\u2029", "data: not a field\n\nid: k1.a~b~3\n\n",
    '"quoted" \\ and </script>', "שלום עולם", "e\u0301\u0302\u0303", "👩‍👩‍👧‍👦", "x" * 3000, "\ufeff",
    "\t \u00a0 .",
    "k1.lobby~q3Zx9~42", '{"type":"gap","from":1,"to":9}', "\x85\x1f\x7f", "٣٤٥", " ", "𝕶𝖔𝖉𝖆𝖒𝖆",
)  # fmt: skip
DATA: Final[tuple[Any, ...]] = (
    {"nul": "\x00", "deep": [[[[1, 2.5, None]]]]}, [], 0, False, "", {"z": 1, "a": 2}, {"\r\n": "\r\n"},
    [0.1, -1e300],
)  # fmt: skip
_encode: Final = msgspec.json.Encoder().encode
_MASK: Final = 2**64 - 1


def said(sender: int, number: int) -> tuple[str | None, Any]:
    """Return the text and data of a sender's message."""
    turn = sender * 7919 + number
    data = DATA[turn // 5 % len(DATA)] if turn % 5 == 0 else None
    text = None if data is not None and turn % 10 == 0 else f"{sender}/{number} {WORDS[turn % len(WORDS)]}"
    return text, data


def body_print(text: str | None, data: Any) -> int:
    """Return the contents of a message as a number, never 0."""
    return (hash((text, _encode(data))) & _MASK) or 1


def event_print(event: dict[str, Any]) -> Print:
    """Return an event as numbers; its body is 0 if an edit or deletion may have changed it."""
    get = event.get
    author = get("author") or {}
    kind = get("type")
    open_to_change = get("edited") or get("deleted") or kind == "edit"
    facts = (
        kind,
        get("epoch"),
        get("time"),
        author.get("id"),
        author.get("name"),
        get("nonce"),
        get("target"),
    )
    return Print(
        (hash(get("id")) & _MASK) or 1,
        (hash(facts) & _MASK) or 1,
        0 if open_to_change else body_print(get("text"), get("data")),
    )


def nonce(run: str, sender: int, number: int) -> str:
    """Return the nonce of a message: long enough for a guest, and readable back by `author_of`."""
    return f"{run}-{sender:04d}-{number:08d}"


def author_of(text: Any, *, run: str) -> tuple[int, int]:
    """Return the sender and number in a nonce of this run, (0, 0) if it is another."""
    parts = text.split("-") if isinstance(text, str) else []
    if len(parts) != 3 or parts[0] != run or not (parts[1] + parts[2]).isdigit():
        return 0, 0
    return int(parts[1]), int(parts[2])
