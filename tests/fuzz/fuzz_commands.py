"""Random bodies and queries: ``python tests/fuzz/fuzz_commands.py --seconds 60``.

The invariant: what clients send is either refused as one of `kodama.core.errors`, or it is a value
within the limits that is encoded and read again without a change.
"""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import msgspec

from kodama.core.errors import Refused
from kodama.core.names import room_name
from kodama.wire import commands, polls, queries, strict
from tests.fuzz.drive import main, spliced

BODIES = (
    b'{"text":"hello","nonce":"c1-17","name":"Aiko"}', b'{"data":{"b":1,"a":[1.5,null,true,"x"]}}',
    b'{"text":"\\u2028\\ud83d\\ude00","data":-0.0}', b'{"name":"Aiko"}', b'{"text":"new"}',
    b'{"rooms":["lobby","tea"],"since":"now","wait":0.5,"limit":3,"client":"abcdefgh"}',
    b'{"title":"T","topic":"t","access":"secret","retention":{"days":3,"events":100}}', b"[[[[[[[[1]]]]]]]]",
    b"123456789012345678901234567890", b'"text"',
)  # fmt: skip
QUERIES = (
    b"since=last:5&wait=0&limit=10&client=abcdefgh&_=1", b"callback=a.b.$c&since=all", b"since=10m",
    b"since=after:812&wait=120", b"room=a&room=%E6%9C%A8&since=k1.lobby~q3Zx9~42",
)  # fmt: skip
WORDS = (
    b'"', b"\\", b"{", b"}", b"[" * 70, b"]" * 70, b",", b":", b"\\u0000", b"\\ud800", b"1e400", b"NaN", b"\xff", b"\0",
    b"&", b"=", b"%", b"%ff", b"%00", b"+", b"9" * 400, b"null", b"wait=", b"limit=1001", b"callback=x", b"since=",
    b"\xe2\x80\xa8", b"-1", b"0.5", b" ", b"\n",
)  # fmt: skip
READERS = (
    commands.message_body, commands.text_body, strict.any_json, commands.edit_body, commands.session_body,
    commands.room_body, polls.events_body,
)  # fmt: skip


def check(rng: random.Random) -> None:
    """One body through every reader of bodies, one query through every reader of parameters."""
    body = spliced(rng.choice(BODIES), WORDS, rng)
    for read in READERS:
        try:
            value = read(body)
        except Refused:
            continue
        encoded = msgspec.json.encode(value)
        assert msgspec.json.encode(msgspec.json.decode(encoded)) == encoded
        if read is strict.any_json:
            assert json.dumps(json.loads(body)) == json.dumps(json.loads(encoded))
    check_query(spliced(rng.choice(QUERIES), WORDS, rng))


def check_query(query: bytes) -> None:
    """The parameters of a read are refused or within their limits."""
    try:
        found = queries.parameters(query)
        rooms = tuple(dict.fromkeys(room_name(name) for name in found.get("room", ["lobby"])))
        poll = polls.poll(found, rooms=rooms, default="now")
        queries.page_limit(found)
    except Refused:
        return
    assert poll.wait is None or 0 <= poll.wait <= polls.WAIT_LIMIT
    assert 1 <= poll.limit <= queries.EVENTS_LIMIT
    assert all(room_name(room) == room for room in poll.rooms)


if __name__ == "__main__":
    main(check, about=__doc__)
