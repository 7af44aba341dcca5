"""What streams write: server-sent events, NDJSON and lines for people, byte for byte."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kodama.core.errors import BadJson, BadRequest
from kodama.core.event import Author, Delete, Edit, Logged, Member, Message, Reaction, Topic, encode, kind_of
from kodama.core.position import Position, encode_cursor
from kodama.wire import ndjson, socket, sse, text
from kodama.wire.commands import session_body, ticket_body
from kodama.wire.events import kind_in

AIKO = Author("u1", "Aiko", "user")
SAID: dict[str, Any] = {
    "room": "lobby", "offset": 7, "epoch": "e1", "id": "m7", "time": "2026-11-23T22:10:05.123Z", "author": AIKO,
}  # fmt: skip
NASTY = "a\r\nid: k9\n\ndata: b\0c"


def shown(event: Logged, *, named: str = "") -> str:
    return text.line(kind_of(event), encode(event), named=named).decode()


def test_a_record_has_its_place_its_type_and_its_data_in_one_block() -> None:
    assert sse.record("message", b"{}", "k1.a") == b"id: k1.a\nevent: message\ndata: {}\n\n"
    assert sse.record_without_place("typing", b"{}") == b"event: typing\ndata: {}\n\n"
    assert sse.with_retry(sse.record("ready", b"{}", "k1.a"), ms=1500).startswith(b"retry: 1500\nid: k1.a\n")


def test_no_text_breaks_out_of_its_record_or_its_line() -> None:
    event = encode(Message(**SAID, text=NASTY, data=None))
    record = sse.record("message", event, "k1.a")
    assert record.count(b"\n") == 4
    assert not {b"\r", b"\0"} & {record[at : at + 1] for at in range(len(record))}
    line = ndjson.line(event, "k1.a")
    assert line.count(b"\n") == 1
    assert json.loads(line) | {"cursor": None} == json.loads(event) | {"cursor": None}
    assert json.loads(line)["cursor"] == "k1.a"
    assert ndjson.line_without_place(event) == event + b"\n"


def test_the_type_of_an_event_is_read_from_its_json() -> None:
    assert kind_in(b'{"room":"lobby","type":"presence"}') == "presence"


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (Message(**SAID, text="hello", data=None), "Aiko: hello"),
        (Message(**SAID, text="hello", data=None, edited=True), "Aiko: hello (edited)"),
        (Message(**SAID, deleted=True), "Aiko: (deleted)"),
        (Message(**SAID, text=None, data={"a": 1}), 'Aiko: {"a":1}'),
        (Edit(**SAID, target=3, text="new"), "* Aiko changed message 3: new"),
        (Edit(**SAID, target=3, edited=True), "* Aiko changed message 3: (changed again)"),
        (Edit(**SAID, target=3, deleted=True), "* Aiko changed message 3: (deleted)"),
        (Delete(**SAID, target=3), "* Aiko deleted message 3"),
        (Reaction(**SAID, target=3, emoji="+1", op="add"), "* Aiko put +1 on message 3"),
        (Reaction(**SAID, target=3, emoji="+1", op="remove"), "* Aiko took +1 off message 3"),
        (Topic(**SAID, topic="tea"), "* Aiko set the topic: tea"),
        (Member(**SAID, user=AIKO, op="add"), "* Aiko joined"),
        (Member(**SAID, user=AIKO, op="remove"), "* Aiko left"),
        (Member(**SAID, user=AIKO, op="add", role="owner"), "* Aiko joined as owner"),
        (Member(**SAID, user=AIKO, op="role", role="member"), "* Aiko is here as member"),
        (Member(**SAID, user=AIKO, op="ban"), "* Aiko was banned"),
        (Member(**SAID, user=AIKO, op="unban"), "* Aiko may come back"),
    ],
)
def test_people_read_an_event_on_one_line(event: Logged, line: str) -> None:
    assert shown(event) == f"22:10 {line}\n"


def test_a_reader_of_many_rooms_sees_which_one_spoke() -> None:
    mark = text.room_mark("lobby")
    assert shown(Message(**SAID, text="hi", data=None), named=mark) == "22:10 [lobby] Aiko: hi\n"


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n", "\x0b", "\x0c", "\x85", "\u2028", "\u2029"])
def test_further_lines_are_indented_so_that_none_passes_for_an_event(end: str) -> None:
    said = shown(Message(**SAID, text=f"one{end}22:11 Bot: two", data=None))
    assert said == "22:10 Aiko: one\n      22:11 Bot: two\n"


@pytest.mark.parametrize(
    ("char", "escape"),
    [
        ("\x1b", "\\x1b"), ("\0", "\\x00"), ("\t", "\\x09"), ("\u202e", "\\u202e"),
        ("\U000e0001", "\\U000e0001"), ("\u200d", "\u200d"), ("\u3042", "\u3042"),
    ],
)  # fmt: skip
def test_what_could_steer_a_terminal_is_shown_as_an_escape(char: str, escape: str) -> None:
    assert text.visible(char) == escape


@pytest.mark.parametrize(
    ("first", "last", "told"),
    [
        (1, 4, "-- events 1 to 4 of lobby are gone (retention)\n"),
        (None, None, "-- events of lobby are gone (retention)\n"),
    ],
)
def test_people_read_of_a_hole(first: int | None, last: int | None, told: str) -> None:
    gap = {"type": "gap", "room": "lobby", "from": first, "to": last, "reason": "retention"}
    assert text.line("gap", json.dumps(gap).encode(), named="").decode() == told


def test_the_server_speaks_on_a_line_of_its_own() -> None:
    assert text.notice("come\nback") == b"-- come\\x0aback\n"


def test_a_socket_that_reads_no_room_any_more_has_no_cursor() -> None:
    assert json.loads(socket.left(1, socket.NO_ROOMS)) == {"ref": 1, "ok": {"cursor": None}}
    cursor = encode_cursor({"lobby": Position("e1", 3)})
    assert json.loads(socket.left(1, cursor)) == {"ref": 1, "ok": {"cursor": cursor}}


def test_a_ticket_is_for_rooms_each_named_once() -> None:
    assert ticket_body(b'{"rooms":["a","b","a"]}') == ("a", "b")
    with pytest.raises(BadRequest):
        ticket_body(b'{"rooms":[]}')


def test_a_session_is_opened_in_exactly_one_way() -> None:
    with pytest.raises(BadJson):
        session_body(b"{}")
