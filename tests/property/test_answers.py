"""Answers put together from stored bytes, the turn of rooms in them, framings and problems."""

from __future__ import annotations

import inspect
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kodama.core import errors
from kodama.core.event import Entry, entry, timestamp
from kodama.core.merge import in_turn
from kodama.core.position import Position
from kodama.core.stream import Lost, Reason
from kodama.core.tally import Tally
from kodama.web.accept import Framing, framing, shared_framing
from kodama.wire import events, problem
from tests.unit.entries import AIKO, line, message


@given(st.lists(st.integers(0, 6), max_size=5), st.integers(1, 20), st.integers(1, 1200))
def test_rooms_are_taken_in_turn_within_the_limits(lengths: list[int], limit: int, size: int) -> None:
    rooms = [[line(offset) for offset in range(1, length + 1)] for length in lengths]
    counts = in_turn(rooms, limit=limit, size=size)
    taken = [one for room, count in zip(rooms, counts, strict=True) for one in room[:count]]
    assert len(taken) <= limit
    assert sum(len(one.json) for one in taken) <= size or len(taken) == 1
    assert bool(taken) == any(lengths)
    for length, count in zip(lengths, counts, strict=True):
        assert count == length or count >= max(counts) - 1, "a quiet room was hidden by a busy one"


@given(st.sampled_from([{}, {"started": {"b": 3}}, {"after": 1.7, "superseded": True}]))
def test_a_batch_is_the_stored_bytes_in_an_envelope(extra: dict[str, Any]) -> None:
    stored = [line(1).json, line(2).json]
    read = json.loads(events.batch("k1.a~e~2", stored, more="true", extra=extra))
    assert read == {
        "cursor": "k1.a~e~2",
        "events": [json.loads(one) for one in stored],
        "more": True,
        **extra,
    }
    assert json.loads(events.batch("c", ())) == {"cursor": "c", "events": [], "more": False}


def test_a_page_has_a_cursor_only_where_it_is_the_newest() -> None:
    cheered = Tally(target=1, emoji="👍", count=1, by=[AIKO], offset=2)
    page = json.loads(events.page([line(1)], more="true", reactions=[cheered], cursor=None))
    assert page.keys() == {"messages", "more", "reactions"}
    assert page["reactions"] == [
        {"target": 1, "emoji": "👍", "count": 1, "by": [msgspec.to_builtins(AIKO)], "offset": 2}
    ]
    assert json.loads(events.page([], more="false", reactions=[], cursor="c")) == {
        "messages": [], "more": False, "reactions": [], "cursor": "c",
    }  # fmt: skip


def test_a_gap_says_what_is_lost_and_why() -> None:
    gap = events.gap("r", Lost(Reason.RETENTION, 1, 4, Position("e", 4)))
    assert json.loads(gap) == {"type": "gap", "room": "r", "from": 1, "to": 4, "reason": "retention"}


def _shown(entry_: Entry) -> object:
    shown = events.as_in_2011(entry_)
    return None if shown is None else json.loads(shown)


def test_the_old_door_shows_data_as_posted_typed_messages_with_their_author_and_nothing_else() -> None:
    posted = entry(message(1, text=None, data={"b": 1, "a": [None]}), time=0)
    assert events.as_in_2011(posted) == b'{"b":1,"a":[null]}'
    assert events.as_in_2011(entry(message(1, text=None), time=0)) == b"null"
    assert _shown(line(7)) == {"room": "lobby", "offset": 7, "name": "Aiko", "text": "hello"}
    assert _shown(entry(message(1, deleted=True), time=0)) is None
    assert (
        _shown(Entry(2, "e1", 0, "delete", line(2).json.replace(b'"message"', b'"delete","target":1')))
        is None
    )


def test_times_are_rfc_3339_in_utc() -> None:
    assert timestamp(1_795_471_805_007) == "2026-11-23T22:10:05.007Z"


def test_every_refusal_has_a_status_and_every_code_of_http_too() -> None:
    kinds = [
        kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, errors.Refused)
    ]
    for kind in kinds:
        assert kind.code in problem.STATUSES
    found = problem.problem_of(errors.RateLimited("Slow down.", retry_after=2.5))
    assert json.loads(problem.encode_problem(found)) == {
        "type": "/docs/errors#rate_limited", "title": "Too many requests", "status": 429, "detail": "Slow down.",
        "code": "rate_limited",
    }  # fmt: skip
    ends, lasts = (
        json.loads(problem.encode_problem(problem.problem_of(errors.Forbidden("No.", why=why, until=until))))
        for why, until in (("muted", 1_795_471_805_007), ("banned", None))
    )
    assert (ends["why"], ends["until"]) == ("muted", "2026-11-23T22:10:05.007Z")
    assert lasts["why"] == "banned"
    assert "until" not in lasts
    assert errors.MethodNotAllowed("No.", allow="GET").allow == "GET"
    assert errors.Overloaded("No.", retry_after=1).retry_after == 1
    assert problem.code_of_status(413) == "too_large"
    assert problem.code_of_status(499) == "bad_request"


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", Framing.JSON), ("*/*", Framing.JSON), ("application/json", Framing.JSON), ("text/event-stream", Framing.SSE),
        ("application/x-ndjson", Framing.NDJSON), ("text/plain", Framing.TEXT), ("text/html,*/*;q=0.8", Framing.JSON),
        ("text/event-stream;q=0.5, application/json;q=0.4", Framing.SSE), ("text/plain, text/event-stream", Framing.SSE),
        ("TEXT/PLAIN", Framing.TEXT), ("image/png", Framing.NONE), ("application/json;q=0", Framing.NONE),
        ("application/json;q=x, text/plain;q=0.1", Framing.TEXT), (",;,", Framing.NONE),
        ("application/json;q=0, */*", Framing.SSE), ("*/*, application/json;q=0.5", Framing.SSE),
        ("text/*;q=0, application/json;q=0, */*", Framing.NDJSON), ("text/event-stream;q=0, text/*", Framing.TEXT),
        ("application/*;q=0.2, */*;q=0.3", Framing.SSE), ("*/*;q=0", Framing.NONE),
        ("application/*, text/*, application/json;q=0", Framing.SSE),
        ("application/json, application/x-ndjson, text/event-stream, text/plain;q=0, */*", Framing.JSON),
    ],
)  # fmt: skip
def test_the_framing_is_the_one_with_the_highest_q(accept: str, expected: Framing) -> None:
    assert framing(accept) is expected


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", Framing.TEXT), ("*/*", Framing.TEXT), ("text/html,*/*;q=0.8", Framing.PAGE),
        ("application/json, */*", Framing.JSON), ("text/event-stream", Framing.SSE), ("image/png", Framing.NONE),
        ("text/html;q=0", Framing.NONE), ("text/plain;q=0, */*", Framing.JSON), ("text/*", Framing.TEXT),
        ("application/x-ndjson, */*", Framing.NDJSON),
    ],
)  # fmt: skip
def test_the_address_that_people_share_has_a_page_and_gives_text_to_those_who_do_not_say(
    accept: str, expected: Framing
) -> None:
    assert shared_framing(accept) is expected


@given(st.text(max_size=40))
def test_no_accept_field_breaks_the_choice(accept: str) -> None:
    assert isinstance(framing(accept), Framing)
