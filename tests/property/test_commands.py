"""What clients send: every parameter at its limits and just past them."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kodama.core.errors import BadCallback, BadCursor, BadJson, BadRequest, Refused
from kodama.core.position import OFFSET_LIMIT, Cursor
from kodama.wire import commands, polls, queries, strict
from kodama.wire.commands import MessageBody
from kodama.wire.jsonp import bare_call, call, callback_name
from kodama.wire.polls import AfterOffset, Ago, All, Last, Now

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner)
    ),
    max_leaves=12,
)


def poll(query: str, *, rooms: tuple[str, ...] = ("lobby",)) -> polls.Poll:
    return polls.poll(queries.parameters(query.encode()), rooms=rooms, default="now")


@given(json_values)
def test_any_json_value_is_read_as_it_is_with_its_keys_in_order(value: Any) -> None:
    read = strict.any_json(json.dumps(value).encode())
    assert read == value
    assert json.dumps(read) == json.dumps(value)


@given(st.binary(max_size=60) | st.text('{}[]",:\\0e-. \0', max_size=40).map(str.encode))
def test_bytes_of_any_kind_are_read_or_refused(body: bytes) -> None:
    for read in (
        strict.any_json, commands.message_body, commands.text_body, commands.edit_body, commands.session_body,
        commands.room_body, polls.events_body, queries.parameters,
    ):  # fmt: skip
        with suppress(Refused):
            read(body)


@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}")])
def test_json_may_nest_64_deep_and_no_deeper(opening: bytes, closing: bytes) -> None:
    deep = opening * 63 + b"[]" + closing * 63
    assert strict.any_json(deep) is not None
    assert commands.message_body(b'{"data":' + deep + b"}").data is not None
    for read, body in (
        (strict.any_json, opening + deep + closing),
        (commands.message_body, b'{"data":' + opening + deep + closing + b"}"),
    ):
        with pytest.raises(BadJson, match="64 deep"):
            read(body)


def test_brackets_inside_strings_are_no_nesting() -> None:
    text = '[{"\\' * 200
    assert strict.any_json(json.dumps([text, [], {}]).encode()) == [text, [], {}]


@pytest.mark.parametrize(
    "bomb",
    [b"[" * 65_000, b'{"a":' * 13_000, b'"' + b'\\"' * 32_000, b'"' * 65_001, b"9" * 65_000, b"1e999", b"-" * 65_000],
    ids=["arrays", "objects", "escapes", "quotes", "digits", "exponent", "minuses"],
)  # fmt: skip
def test_a_bomb_is_refused(bomb: bytes) -> None:
    for read in (strict.any_json, commands.message_body, commands.edit_body):
        with pytest.raises(BadJson):
            read(bomb)


@pytest.mark.parametrize(
    "body",
    [
        b'{"text":"\\ud800"}', b'{"text":"\xed\xa0\x80"}', b'{"text":"\xff"}', b"", b"NaN", b"[]", b'"text"', b'{"text":1}',
        b"\xef\xbb\xbf{}", b'{"text":"a"} x', b'{"name":[]}',
    ],
)  # fmt: skip
def test_what_is_not_a_message_in_json_is_bad_json(body: bytes) -> None:
    with pytest.raises(BadJson):
        commands.message_body(body)


@pytest.mark.parametrize(
    "fields",
    [
        {}, {"text": None, "data": None}, {"text": ""}, {"text": "a\0b"}, {"text": "a", "nonce": ""},
        {"text": "a", "nonce": "n" * 65}, {"text": "a", "nonce": "n n"}, {"text": "a", "nonce": "n\n"},
        {"text": "a", "name": " "}, {"text": "a", "name": "n" * 41}, {"text": "a", "name": "\u202e"},
    ],
)  # fmt: skip
def test_what_is_json_but_no_message_is_a_bad_request(fields: dict[str, Any]) -> None:
    with pytest.raises(BadRequest):
        commands.message_body(json.dumps(fields).encode())


def test_a_message_keeps_null_characters_in_data_and_folds_its_name() -> None:
    body = b'{"data":{"b":"\\u0000","a":1,"a":2},"nonce":"A-z.0_9~","name":"  Aiko  T ","more":1}'
    assert commands.message_body(body) == MessageBody(
        data={"b": "\0", "a": 2}, nonce="A-z.0_9~", name="Aiko T"
    )
    assert list(commands.message_body(body).data) == ["b", "a"]


def test_plain_text_loses_only_its_last_line_end() -> None:
    assert commands.text_body("こだま\r\n".encode()).text == "こだま"
    assert commands.text_body(b" a\n\n").text == " a\n"
    for body in (b"\xff", b"\n", b"", b"a\0"):
        with pytest.raises(BadRequest):
            commands.text_body(body)


@given(json_values, json_values)
def test_two_bodies_have_one_digest_only_if_they_are_the_same(one: Any, other: Any) -> None:
    first, second = (commands.body_digest(MessageBody(data=value)) for value in (one, other))
    assert (first == second) == (msgspec.json.encode(one) == msgspec.json.encode(other))


def test_edits_sessions_and_rooms_are_read() -> None:
    assert commands.edit_body(b'{"text":"new"}').text == "new"
    assert commands.session_body(b'{"name":" Aiko "}').name == "Aiko"
    room = commands.room_body(b'{"title":"T","access":"secret","retention":{"days":0}}')
    assert (room.title, room.topic, room.access) == ("T", None, "secret")
    assert room.retention == commands.RetentionBody(days=0)
    assert commands.room_body(b"{}") == commands.RoomBody()
    assert commands.room_body(b'{"slow":3600,"locked":true,"hold":false}').slow == 3600
    named = b'{"sites":["HTTPS://A.example","https://a.example:443","http://b.example:81"]}'
    assert commands.room_body(named).sites == ("https://a.example", "http://b.example:81")
    many = ",".join(f'"https://{number}.example"' for number in range(commands.SITES_LIMIT + 1))
    for sites in (many, '"*"', '"https://a.example/"'):
        with pytest.raises(BadRequest):
            commands.room_body(b'{"sites":[%b]}' % sites.encode())
    for slow in (b"-1", b"3601"):
        with pytest.raises(BadRequest):
            commands.room_body(b'{"slow":%b}' % slow)
    twice = b'{"sites":["https://A.example","https://a.example:443","https://b.example"]}'
    assert commands.room_body(twice).sites == ("https://a.example", "https://b.example")


@pytest.mark.parametrize(
    "body",
    [
        {"title": "t" * 101}, {"topic": "t" * 501}, {"topic": "\0"}, {"access": "open"}, {"retention": {"days": -1}},
        {"retention": {"events": 10**9 + 1}}, {"sites": ["example.org"]},
        {"sites": [f"https://{n}.example" for n in range(commands.SITES_LIMIT + 1)]},
    ],
)  # fmt: skip
def test_room_settings_past_their_limits_are_refused(body: dict[str, Any]) -> None:
    with pytest.raises(BadRequest):
        commands.room_body(json.dumps(body).encode())


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("now", Now()), ("all", All()), ("last:0", Last(0)), ("last:20", Last(20)), ("after:812", AfterOffset(812)),
        (f"after:{OFFSET_LIMIT}", AfterOffset(OFFSET_LIMIT)), ("1s", Ago(1000)), ("10m", Ago(600_000)),
        ("2h", Ago(7_200_000)), ("3d", Ago(259_200_000)),
    ],
)  # fmt: skip
def test_since_is_a_word_a_count_or_a_duration(text: str, read: object) -> None:
    assert polls.since(text) == read
    assert poll(f"since={text}").text == text


@pytest.mark.parametrize(
    "text",
    [
        "", "k1.", "k2.a~b~1", "Now", "last", "last:", "last:-1", "last:01", "last:1e3", "first:3", f"after:{OFFSET_LIMIT + 1}",
        "0m", "m", "10", "10w", "10M", "1.5h", "9999999999d", "\u0661m", "now\n", "last:" + "9" * 5000, "x" * 5000,
    ],
)  # fmt: skip
def test_any_other_since_is_a_bad_cursor(text: str) -> None:
    with pytest.raises(BadCursor):
        polls.since(text)


@given(st.text(max_size=12))
def test_no_text_breaks_since(text: str) -> None:
    with suppress(BadCursor):
        assert isinstance(polls.since(text), Cursor | Now | All | Last | Ago | AfterOffset)


@pytest.mark.parametrize("wait", ["0", "0.5", "25", "120", "120.0", "007"])
def test_a_wait_is_a_number_of_seconds(wait: str) -> None:
    assert poll(f"wait={wait}").wait == float(wait)


@pytest.mark.parametrize(
    "wait", ["", "-1", "120.1", "121", "nan", "inf", "1e1", "5s", "+5", "9" * 400, "\u0665"]
)
def test_a_wait_out_of_range_is_refused(wait: str) -> None:
    with pytest.raises(BadRequest):
        poll(f"wait={wait}")


@pytest.mark.parametrize("limit", ["0", "1001", "", "-1", "1.0", "ten", "1" * 40])
def test_a_limit_out_of_range_is_refused(limit: str) -> None:
    with pytest.raises(BadRequest):
        poll(f"limit={limit}")
    with pytest.raises(BadRequest):
        queries.page_limit(queries.parameters(f"limit={limit}".encode()))


def test_defaults_stand_for_what_is_absent_and_strangers_are_ignored() -> None:
    read = poll("_=1&_=2&ticket2=x&limit=1000&client=abcd.~_-")
    assert (read.wait, read.limit, read.callback, read.client) == (None, 1000, None, "abcd.~_-")
    assert (poll("").limit, poll("").text, poll("").since) == (100, "now", Now())
    assert queries.page_limit({}) == 50


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ("since=now&since=now", BadRequest), ("since=", BadCursor), ("callback=", BadCallback), ("callback=a&callback=a", BadRequest),
        ("callback=1a", BadCallback), ("wait=1&wait=1", BadRequest), ("limit=1&limit=1", BadRequest), ("client=short", BadRequest),
        ("client=" + "c" * 65, BadRequest), ("client=12345678&client=12345678", BadRequest), ("since=%ff", BadRequest),
    ],
)  # fmt: skip
def test_a_repeated_or_malformed_parameter_is_refused(query: str, error: type[BadRequest]) -> None:
    with pytest.raises(error):
        poll(query)


def test_after_an_offset_is_for_one_room() -> None:
    assert poll("since=after:3").since == AfterOffset(3)
    with pytest.raises(BadCursor):
        poll("since=after:3", rooms=("a", "b"))


def test_what_is_not_utf_8_hinders_only_who_asks_for_it() -> None:
    assert poll("_=%ff&%fe=1&limit=5").limit == 5
    with pytest.raises(BadRequest):
        poll("ticket=%ff")


def test_a_query_is_decoded_as_browsers_encode_it() -> None:
    assert queries.parameters(b"a=1+2%2B3&b&a=%E3%81%93") == {"a": ["1 2+3", "\u3053"], "b": [""]}
    assert queries.parameters(b"") == {}


def test_a_read_by_post_is_a_read_by_get() -> None:
    found = polls.events_body(b'{"rooms":["a","b"],"since":"last:2","wait":0.5,"limit":3,"client":null}')
    read = polls.poll(found, rooms=("a", "b"), default="now")
    assert (found["room"], read.since, read.wait, read.limit) == (["a", "b"], Last(2), 0.5, 3)
    for wait in (b"-1", b"121", b"1e300"):
        with pytest.raises(BadRequest):
            polls.poll(
                polls.events_body(b'{"rooms":["a"],"wait":%b}' % wait), rooms=("a",), default="now"
            )


@pytest.mark.parametrize("given", ["👍", "+1", "heart", "é" * 32])
def test_a_reaction_is_an_emoji_or_a_short_name(given: str) -> None:
    assert commands.emoji(given) == given


@pytest.mark.parametrize("given", ["", "a b", "\n", "\x7f", "é" * 33])
def test_a_reaction_of_another_kind_is_refused(given: str) -> None:
    with pytest.raises(BadRequest):
        commands.emoji(given)


@pytest.mark.parametrize("given", ["", "-1", "01", "1.0", "9" * 17, str(OFFSET_LIMIT + 1), "\u0661"])
def test_an_offset_is_a_whole_number(given: str) -> None:
    assert queries.offset(str(OFFSET_LIMIT)) == OFFSET_LIMIT
    with pytest.raises(BadRequest):
        queries.offset(given)


@pytest.mark.parametrize("name", ["f", "$", "_a.b$1", "a" * 128, "jQuery3_16.cb"])
def test_a_dotted_name_is_a_callback(name: str) -> None:
    assert callback_name(name) == name


@pytest.mark.parametrize(
    "name", ["", "1", "a.", ".a", "a..b", "a-b", "a[0]", "a()", "a" * 129, "f\n", "é", "\u0661", "a b", "a;"]
)
def test_anything_else_is_no_callback(name: str) -> None:
    with pytest.raises(BadCallback):
        callback_name(name)


def test_jsonp_escapes_what_ends_a_line_in_old_javascript() -> None:
    assert bare_call("f", '"\u2028\u2029"'.encode()) == b'f("\\u2028\\u2029")'
    assert call("f", b"{}") == b"/**/f({});"


def test_presence_is_asked_for_with_a_flag_and_a_ticket_comes_as_it_is() -> None:
    read = polls.poll(queries.parameters(b"presence=1&ticket=abc"), rooms=("r",), default="now")
    assert (read.presence, read.ticket) == (True, "abc")
    assert not polls.poll(queries.parameters(b"presence=0"), rooms=("r",), default="now").presence
    with pytest.raises(BadRequest):
        polls.poll(queries.parameters(b"presence=yes"), rooms=("r",), default="now")


def test_a_read_asked_for_as_json_has_the_same_parameters() -> None:
    found = polls.events_body(b'{"rooms":["a"],"presence":true,"wait":0.5,"limit":3,"ticket":"t"}')
    assert found == {"room": ["a"], "presence": ["1"], "wait": ["0.500000"], "limit": ["3"], "ticket": ["t"]}
