"""Random text where a cursor is expected: ``python tests/fuzz/fuzz_cursors.py --seconds 60``.

The invariant: text is either refused as `BadCursor` or means places that the server could have
written: each in range, and written again they are the same text, room by room.
"""

from __future__ import annotations

import random
import sys
from contextlib import suppress
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from kodama.core.errors import BadCursor
from kodama.core.position import (
    CURSOR_LIMIT,
    CURSOR_ROOMS,
    OFFSET_LIMIT,
    Position,
    encode_cursor,
    parse_cursor,
)
from kodama.wire.polls import since
from tests.fuzz.drive import main, spliced

ROOMS = ("lobby", "a", "0", "木霊", "a-long-name-of-a-room", "strasse", "x.y_z")
WORDS = (
    b"k1.", b"k2.", b"~", b"~~", b".", b"0", b"00", b"-1", b"9007199254740992", b"H", b"HaaaaaaaaaaA", b" ", b"\n",
    b"\xef\xbc\x91", b"%7e", b"lobby", b"last:", b"after:", b"now", b"10m", b"aaaaaaaaa",
)  # fmt: skip


def drawn(rng: random.Random) -> dict[str, Position]:
    """Return some places, some of them at the beginning of a room."""
    rooms = rng.sample(ROOMS, rng.randint(1, len(ROOMS)))
    places = {}
    for room in rooms:
        offset = rng.choice((0, 1, 42, OFFSET_LIMIT, rng.randrange(OFFSET_LIMIT)))
        places[room] = Position("".join(rng.choices("aZ09", k=8)) if offset else "", offset)
    return places


def check(rng: random.Random) -> None:
    """A true cursor is read as it was written; a spoilt one is refused or is another true one."""
    places = drawn(rng)
    text = encode_cursor(places)
    assert {room: parse_cursor(text).get(room) for room in places} == places
    spoilt = spliced(text.encode(), WORDS, rng).decode("utf-8", "replace")
    try:
        cursor = parse_cursor(spoilt)
    except BadCursor:
        pass
    else:
        fields = spoilt.removeprefix("k1.").split("~")
        assert len(spoilt) <= CURSOR_LIMIT
        assert len(fields) // 3 <= CURSOR_ROOMS
        for room, epoch, digits in zip(fields[::3], fields[1::3], fields[2::3], strict=True):
            assert str(int(digits)) == digits
            assert int(digits) <= OFFSET_LIMIT
            assert bool(epoch) == (int(digits) > 0)
            place = cursor.get(room)
            assert place is None or place == Position(epoch, int(digits))
    with suppress(BadCursor):
        since(spoilt)


if __name__ == "__main__":
    main(check, about=__doc__)
