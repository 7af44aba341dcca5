"""Who is called for what, and how often; what is asked about it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kodama.core.errors import BadJson, BadRequest
from kodama.core.notify import Call, Level, Mentions, Quiet, calls, folded, snippet, usual
from kodama.wire.notify import endpoint_body, level_body, subscription_body

KEYS = {
    "p256dh": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
    "auth": "BTBZMqHH6r4Tts7J_aSIgg",
}


def call(offset: int, room: str = "lobby", **more: Any) -> Call:
    return Call(room=room, offset=offset, author="Aiko", text=f"message {offset}", **more)


def body(**more: Any) -> bytes:
    return json.dumps({"endpoint": "https://push.example/x", "keys": KEYS, **more}).encode()


def test_who_has_not_chosen_is_called_for_mentions_and_for_all_in_a_room_of_two() -> None:
    assert (usual(two=False), usual(two=True)) == (Level.MENTIONS, Level.ALL)
    assert [calls(level, mentioned=False) for level in Level] == [True, False, False]
    assert [calls(level, mentioned=True) for level in Level] == [True, True, False]


@pytest.mark.parametrize(
    ("text", "name", "mentioned"),
    [
        ("@Aiko hello", "Aiko", True),
        ("hello @aiko", "Aiko", True),
        ("hello @Aiko!", "Aiko", True),
        ("＠Ａｉｋｏ", "Aiko", True),
        ("@田中さん", "田中", True),
        ("はい@田中", "田中", True),
        ("@Aikos hat", "Aiko", False),
        ("aiko@Aiko", "Aiko", False),
        ("@ Aiko", "Aiko", False),
        ("Aiko", "Aiko", False),
        ("@Anna Lee", "Anna Lee", True),
        ("@", "Aiko", False),
        ("@x", "", False),
        ("@9lives", "9", False),
        ("_@Aiko", "Aiko", False),
        ("@x " * 50 + "@Aiko", "Aiko", False),
    ],
)
def test_a_name_after_its_sign_is_a_mention(text: str, name: str, mentioned: bool) -> None:
    assert Mentions(text, None).of("g_1", folded(name)) is mentioned


def test_an_id_in_the_data_is_a_mention_and_nothing_else_there_is() -> None:
    assert Mentions("hi", {"mentions": [{"id": "g_1", "name": "x"}]}).of("g_1", "aiko")
    for data in (
        None, [], {"mentions": "g_1"}, {"mentions": ["g_1", {"id": 1}, {}]},
        {"mentions": [{"id": "g_2"}] * 50 + [{"id": "g_1"}]},
    ):  # fmt: skip
        assert not Mentions(None, data).of("g_1", "aiko")


def test_a_snippet_is_one_short_line() -> None:
    assert snippet("one\n two") == "one two"
    assert snippet(None) == ""
    long = snippet("x" * 1000)
    assert (len(long), long[-1]) == (200, "…")


def test_who_was_called_is_left_in_peace_and_then_called_once_for_all_of_it() -> None:
    quiet = Quiet(seconds=30, most=10)
    assert quiet.call("g_1", call(1), now=0) == call(1)
    assert quiet.call("g_1", call(2), now=10) is None
    assert quiet.call("g_1", call(3, count=2), now=20) is None
    assert quiet.call("g_1", call(1, "tea"), now=20) == call(1, "tea")
    assert quiet.due(29) == []
    assert quiet.due(30) == [("g_1", call(3, count=3))]
    assert quiet.due(60) == []
    assert len(quiet) == 0


def test_what_is_late_to_be_looked_at_is_told_with_the_next_call() -> None:
    quiet = Quiet(seconds=30, most=10)
    quiet.call("g_1", call(1), now=0)
    quiet.call("g_1", call(2), now=10)
    assert quiet.call("g_1", call(3), now=40) == call(3, count=2)
    assert quiet.call("g_1", call(4), now=71) == call(4)


def test_a_mention_is_what_is_shown() -> None:
    assert call(2).after(call(1, mention=True)) == call(1, mention=True, count=2)
    assert call(2, mention=True).after(call(1)) == call(2, mention=True, count=2)
    assert call(2, mention=True).after(call(1, mention=True)) == call(2, mention=True, count=2)


def test_no_more_are_left_in_peace_than_there_is_room_for() -> None:
    quiet = Quiet(seconds=30, most=2)
    for user in ("a", "b", "c"):
        quiet.call(user, call(1), now=0)
    assert len(quiet) == 2
    assert quiet.call("a", call(2), now=1) == call(2)


def test_what_a_browser_gives_is_read() -> None:
    assert subscription_body(body(expirationTime=None)).keys.auth == KEYS["auth"]
    assert endpoint_body(b'{"endpoint":"https://push.example/x"}') == "https://push.example/x"
    assert level_body(b'{"level":"none"}') is Level.NONE


@pytest.mark.parametrize(
    "wrong",
    [
        {"endpoint": "ftp://push.example/x"},
        {"endpoint": "https://[push/x"},
        {"endpoint": "https:///x"},
        {"endpoint": "https://a:b@push.example/x"},
        {"endpoint": "https://push.example:0/x"},
        {"endpoint": "https://push.example/ä"},
        {"keys": {**KEYS, "p256dh": KEYS["auth"]}},
        {"keys": {**KEYS, "p256dh": "A" + KEYS["p256dh"][1:]}},
        {"keys": {**KEYS, "auth": "no base64!"}},
        {"keys": {**KEYS, "auth": "AAAAA"}},
    ],
)
def test_what_is_no_subscription_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(BadRequest):
        subscription_body(body(**wrong))


@pytest.mark.parametrize("wrong", [b"", b"{}", b'{"level":"some"}', b'{"endpoint":""}'])
def test_what_has_another_shape_is_refused(wrong: bytes) -> None:
    for read in (level_body, subscription_body, endpoint_body):
        with pytest.raises(BadJson):
            read(wrong)
