"""Tickets prove a little for a minute; keys prove much and are kept as a digest."""

from __future__ import annotations

import pytest

from kodama.core.apikey import ApiKey, digest_of, write_key
from kodama.core.errors import Unauthorized
from kodama.core.event import Author
from kodama.core.room import Access, RoomFacts
from kodama.core.session import Session, sign_session, verify_session
from kodama.core.ticket import TICKET_SECONDS, sign_ticket, verify_ticket
from kodama.core.who import NOBODY, Who, admits

SECRET = b"s" * 32
AIKO = Who(session="s1", author=Author("g_aiko", "Aiko", "guest"), expires=10**6, invited=frozenset(("tea",)))


def test_a_ticket_reads_its_rooms_for_a_minute_and_nothing_else() -> None:
    token = sign_ticket(AIKO, ("tea", "lobby"), secret=SECRET, now=1000)
    who = verify_ticket(token, secret=SECRET, now=1000 + TICKET_SECONDS * 1000 - 1).who
    assert (who.session, who.author, who.read_only, who.expires) == ("s1", AIKO.author, True, 10**6)
    assert (who.rooms, who.invited) == (frozenset(("tea", "lobby")), frozenset(("tea",)))
    assert not admits(RoomFacts(name="other"), who)
    with pytest.raises(Unauthorized, match="expired"):
        verify_ticket(token, secret=SECRET, now=1000 + TICKET_SECONDS * 1000)


def test_a_strangers_ticket_is_nobodys() -> None:
    who = verify_ticket(sign_ticket(NOBODY, ("a",), secret=SECRET, now=0), secret=SECRET, now=0).who
    assert (who.session, who.author, who.expires) == (None, None, None)


def test_what_is_signed_for_one_purpose_is_not_taken_for_another() -> None:
    ticket = sign_ticket(AIKO, ("tea",), secret=SECRET, now=0)
    session = sign_session(Session("id", "u", "n", 10**6), secret=SECRET)
    for token in (session, ticket.replace("kdt_", "kds_"), ticket[4:]):
        with pytest.raises(Unauthorized):
            verify_ticket(token, secret=SECRET, now=0)
    with pytest.raises(Unauthorized):
        verify_session(ticket, secret=SECRET, now=0)
    with pytest.raises(Unauthorized):
        verify_ticket(ticket, secret=b"t" * 32, now=0)


def test_a_site_can_open_rooms_to_its_people_and_close_the_others() -> None:
    session = Session("id", "h_1", "Aiko", 10**6, "host", ("tea",))
    who = verify_session(sign_session(session, secret=SECRET), secret=SECRET, now=0).who
    assert admits(RoomFacts(name="tea", access=Access.SECRET, owner="g_ben"), who)
    assert not admits(RoomFacts(name="lobby"), who)
    assert (who.author, who.session) == (Author("h_1", "Aiko", "host"), "id")
    assert Session("id", "g_1", "Ben", 1).who.rooms is None


def test_a_key_is_a_bot_and_is_known_by_its_digest() -> None:
    token = write_key(b"\0" * 32)
    assert token == "kdm_" + "A" * 43
    key = ApiKey(digest=digest_of(token), name="bot", rooms=frozenset(("a",)), read_only=True, created=1)
    assert (key.who.session, key.who.author) == (f"key:{key.id}", Author(f"b_{key.id}", "bot", "bot"))
    assert key.who.read_only
    assert admits(RoomFacts(name="a", access=Access.SECRET), key.who)
    everywhere = ApiKey(digest=b"d", name="bot", rooms=None, read_only=False, created=1)
    assert (everywhere.who.rooms, everywhere.who.invited) == (None, frozenset())
