"""The bounds of presence, one by one."""

from __future__ import annotations

import json

import pytest

from kodama.core import attendance as core
from kodama.core.attendance import Attendance, Diff, Typing
from kodama.core.errors import BadJson, BadRequest
from kodama.core.event import Author
from kodama.core.lease import Seat, State
from kodama.core.presence import SETTLING, Presence
from kodama.core.who import NOBODY, Who
from kodama.wire import commands, queries
from kodama.wire.ephemeral import presence_event, presence_list, typing_event

AIKO = Author("a", "Aiko", "user")
BEN = Author("b", "Ben", "user")


def as_who(author: Author) -> Who:
    return Who(session=author.id, author=author)


def test_a_person_with_too_many_readers_keeps_them_as_one() -> None:
    room = Attendance(1)
    leases = {room.join("r", Seat("a", f"tab-{number}"), as_who(AIKO), now=0) for number in range(40)}
    assert len(leases) == core.READERS_PER_PERSON + 1
    assert room.numbers == (1, 0)


def test_guests_beyond_the_limit_count_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(core, "GUESTS_PER_ROOM", 3)
    room = Attendance(1)
    for number in range(9):
        room.join("r", Seat(None, f"guest-{number}"), NOBODY, now=0)
    assert room.numbers == (0, 4)


def test_a_name_that_changes_is_told_as_a_change() -> None:
    room = Attendance(1)
    room.join("r", Seat("a", ""), as_who(AIKO), now=0)
    room.tell(now=1, partial=False)
    renamed = Author("a", "Aiko II", "user")
    room.join("r", Seat("a", "tab"), as_who(renamed), now=2)
    (diff,) = room.tell(now=3, partial=False)
    assert isinstance(diff, Diff)
    assert [one.author for one in diff.changed] == [renamed]


def test_a_large_room_is_told_less_often() -> None:
    room = Attendance(1)
    for number in range(5000):
        room.join("r", Seat(None, f"g{number}"), NOBODY, now=0)
    assert room.tell(now=1, partial=False)
    room.join("r", Seat(None, "one more"), NOBODY, now=1)
    assert not room.tell(now=6, partial=False)
    assert room.tell(now=6.01, partial=False)


def test_of_many_who_type_a_few_are_told_and_of_those_who_stopped_none() -> None:
    room = Attendance(1)
    for number in range(20):
        room.type(Author(f"u{number}", "x", "user"), now=0)
    told = room.tell(now=0, partial=False)
    assert len(told) == core.TYPING_LIMIT
    room.type(AIKO, now=0.5)
    room.type(AIKO, now=1)
    assert room.tell(now=0.6, partial=False) == ()
    assert room.tell(now=0.5 + core.TYPING_SECONDS, partial=False) == ()


def test_typing_does_not_hasten_what_waits_for_its_second() -> None:
    room = Attendance(1)
    lease = room.join("r", Seat("a", ""), as_who(AIKO), now=0)
    room.tell(now=1, partial=False)
    room.part(lease, now=5)
    room.part(lease, now=5)
    room.type(BEN, now=5.1)
    assert [type(one) for one in room.tell(now=5.1, partial=False)] == [Typing]
    room.join("r", Seat("a", ""), as_who(AIKO), now=5.5)
    assert room.tell(now=9, partial=False) == ()


def test_a_guest_who_is_away_changes_nothing_that_is_told() -> None:
    room = Attendance(1)
    lease = room.join("r", Seat(None, "x"), NOBODY, now=0)
    room.tell(now=1, partial=False)
    room.mark(lease, State.IDLE, now=2)
    room.mark(lease, State.IDLE, now=2)
    assert room.tell(now=9, partial=False) == ()


def test_what_happens_where_nobody_is_present_is_not_kept() -> None:
    presence = Presence(now=0, epoch=1)
    presence.type("r", AIKO, now=0)
    lease = presence.renew("r", Seat("a", ""), as_who(AIKO), now=0, hold=0)
    presence.end(lease, now=0)
    presence.sweep(5)
    for nothing in (presence.end, presence.let_go):
        nothing(lease, now=6)
    presence.mark(lease, State.IDLE, now=6)
    presence.take_as_told(lease)
    assert presence.missed(lease) is None
    assert presence.tell("r", now=6) == ()
    assert presence.readers("r", "a") == ()
    assert presence.reader("r", Seat("a", "")) is None


def test_who_comes_back_to_a_settled_room_hears_the_last_diff() -> None:
    presence = Presence(now=0, epoch=1)
    start = SETTLING + 1
    presence.sweep(start)
    early = presence.renew("r", Seat("a", ""), as_who(AIKO), now=start, hold=0)
    assert presence.missed(early) is None, "nothing was told yet"
    ((_, (diff,)),) = presence.sweep(start + 1)
    again = presence.renew("r", Seat("a", "tab"), as_who(AIKO), now=start + 2, hold=0)
    assert presence.missed(again) is diff
    assert presence.missed(again) is None


def test_a_lease_that_was_renewed_is_put_off_and_not_ended() -> None:
    presence = Presence(now=0, epoch=1)
    for now in range(0, 200, 20):
        presence.renew("r", Seat("a", ""), as_who(AIKO), now=now, hold=0)
        presence.sweep(now + 19)
        assert presence.numbers == (1, 0)
    presence.sweep(226)
    assert presence.numbers == (0, 0)


def test_a_connection_keeps_a_reader_that_polled_before_beyond_its_lease() -> None:
    presence = Presence(now=0, epoch=1)
    presence.renew("r", Seat("a", "tab"), as_who(AIKO), now=0, hold=0)
    lease = presence.enter("r", Seat("a", "tab"), as_who(AIKO), now=1)
    presence.sweep(500)
    assert presence.numbers == (1, 0)
    presence.let_go(lease, now=501)
    presence.sweep(600)
    assert presence.numbers == (0, 0)


def test_a_lease_is_kept_while_it_lives_and_its_reader_has_nothing_to_hear() -> None:
    presence = Presence(now=0, epoch=1)
    start = SETTLING + 1
    presence.sweep(start)
    lease = presence.renew("r", Seat("a", ""), as_who(AIKO), now=start, hold=0)
    assert not presence.keep(lease, start + 100)  # it has not heard of anything yet
    presence.missed(lease)
    assert presence.keep(lease, start + 100)
    assert presence.keep(lease, start + 50)
    assert lease.until == start + 100
    presence.sweep(start + 2)
    assert not presence.keep(lease, start + 200)  # that it came, it will hear itself
    presence.missed(lease)
    presence.end(lease, now=start + 3)
    assert not presence.keep(lease, start + 200)
    presence.sweep(start + 10)
    assert not presence.keep(lease, start + 200)


def test_a_connection_that_closes_after_it_was_ended_leaves_nothing() -> None:
    presence = Presence(now=0, epoch=1)
    first = presence.enter("r", Seat("a", "tab"), as_who(AIKO), now=0)
    second = presence.enter("r", Seat("a", "tab"), as_who(AIKO), now=0)
    assert first is second
    presence.let_go(first, now=1)
    presence.end(second, now=1)
    presence.let_go(second, now=2)
    presence.sweep(50)
    presence.sweep(99)
    assert presence.quiet


def test_ephemeral_events_have_the_fields_of_the_contract() -> None:
    room = Attendance(7)
    lease = room.join("r", Seat("a", ""), as_who(AIKO), now=0)
    room.join("r", Seat(None, "x"), NOBODY, now=0)
    room.mark(lease, State.IDLE, now=0)
    (diff,) = room.tell(now=1, partial=True)
    assert isinstance(diff, Diff)
    aiko = {"id": "a", "name": "Aiko", "kind": "user"}
    assert json.loads(presence_event("r", diff)) == {
        "type": "presence", "room": "r", "joined": [{**aiko, "state": "idle"}], "left": [], "changed": [],
        "count": 2, "guests": 1, "version": 8, "partial": True,
    }  # fmt: skip
    assert json.loads(presence_list(room.here(limit=9, partial=False))) == {
        "here": [{**aiko, "state": "idle"}], "count": 2, "guests": 1, "version": 8,
    }  # fmt: skip
    typing = typing_event("r", Typing(AIKO, 106.0), wall=1_000, now=100.0)
    assert json.loads(typing) == {
        "type": "typing", "room": "r", "author": aiko, "until": "1970-01-01T00:00:07.000Z",
    }  # fmt: skip


def test_a_state_and_a_number_of_names_are_read_strictly() -> None:
    assert commands.presence_body(b'{"state":"idle"}').state is State.IDLE
    assert queries.names_limit({}) == queries.NAMES_DEFAULT
    assert queries.names_limit({"limit": ["3"]}) == 3
    with pytest.raises(BadJson):
        commands.presence_body(b'{"state":"asleep"}')
    with pytest.raises(BadRequest):
        queries.names_limit({"limit": ["1001"]})
