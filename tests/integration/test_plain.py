"""The room without JavaScript: HTML that a text browser can use, and nobody can break."""

from __future__ import annotations

import re
from html import escape, unescape
from string import Formatter
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kodama.web.html import linked
from kodama.web.words import CATALOGUES, language
from tests.integration.test_site import ROOM, Asking, Got, Kodama

PLAIN = "/r/lobby/plain"
LOG = f"{PLAIN}/log"
FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def server() -> Kodama:
    return Kodama()


def said(
    server: Kodama,
    *,
    kind: str = FORM,
    peer: str = "127.0.0.1",
    extra: dict[str, str] | None = None,
    **form: str,
) -> Got:
    fields = {"Content-Type": kind, **(extra or {})}
    return server.ask("POST", PLAIN, body=urlencode(form).encode(), peer=peer, **fields).got


def again(page: Got) -> str:
    """Return where the log asks again."""
    found = re.search(rb'http-equiv="refresh" content="(\d+);url=([^"#]+)#end"', page.body)
    assert found is not None
    return unescape(found[2].decode())


def nonce(page: Got) -> str:
    found = re.search(rb'name="nonce" value="([^"]+)"', page.body)
    assert found is not None
    return found[1].decode()


def test_a_form_without_a_session_asks_for_a_name_and_opens_one(server: Kodama) -> None:
    page = server.get(PLAIN)
    assert page.status == 200
    assert page.fields["content-type"] == "text/html; charset=utf-8"
    assert b'name="name"' in page.body
    sent = said(server, name="アイコ", text="こんにちは\r\nsecond line", nonce=nonce(page))
    assert (sent.status, sent.fields["location"]) == (303, PLAIN)
    cookie = sent.fields["set-cookie"]
    assert "HttpOnly" in cookie
    mine = server.get(PLAIN, Cookie=cookie.partition(";")[0])
    assert b'name="name"' not in mine.body
    assert "アイコ".encode() in mine.body
    event = server.get(f"{ROOM}/messages").json["messages"][0]
    assert event["text"] == "こんにちは\nsecond line"
    assert event["author"]["name"] == "アイコ"
    shown = server.get(LOG).body.decode()
    assert "こんにちは\nsecond line" in shown


def test_sending_the_form_twice_says_it_once(server: Kodama) -> None:
    cookie = {"Cookie": said(server, name="Aiko", text="first").fields["set-cookie"].partition(";")[0]}
    for _ in range(2):
        assert said(server, text="once", nonce="form-0123456789abcdef", extra=cookie).status == 303
    texts = [event["text"] for event in server.get(f"{ROOM}/messages").json["messages"]]
    assert texts == ["first", "once"]


def test_the_log_asks_again_and_is_held_until_something_is_said(server: Kodama) -> None:
    server.say("one")
    first = server.get(LOG)
    waiting: Asking = server.ask("GET", again(first))
    assert waiting.open
    server.say("two")
    assert b"one" in waiting.got.body
    assert b"two" in waiting.got.body
    assert again(waiting.got) != again(first)


def test_the_held_log_is_drawn_anew_after_the_hold(server: Kodama) -> None:
    waiting = server.ask("GET", again(server.get(LOG)))
    server.pass_seconds(31)
    assert waiting.got.status == 200
    assert server.ask("GET", again(waiting.got)).open


def test_a_log_that_is_held_when_the_server_drains_comes_back_later(server: Kodama) -> None:
    waiting = server.ask("GET", again(server.get(LOG)))
    server.service.stopService()
    assert waiting.got.status == 200
    assert again(waiting.got).startswith(f"{LOG}?since=")


def test_what_people_write_is_never_markup(server: Kodama) -> None:
    attack = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'&"
    server.ask("POST", f"{ROOM}/messages", body={"text": attack, "name": "<b>x</b>"})
    server.ask("POST", f"{ROOM}/messages", body={"data": {"html": "<svg onload=alert(3)>"}})
    page = server.get(LOG).body
    assert b"<script" not in page
    assert b"<img" not in page
    assert b"<svg" not in page
    assert b"<b>x" not in page
    assert b"&lt;script&gt;" in page


@given(st.text(alphabet="<>\"'&:/.h tps(javascript)") | st.text())
def test_links_neither_lose_text_nor_make_markup(text: str) -> None:
    shown = linked(text)
    bare = re.sub(
        r'<a href="https?://[^"<>]*" rel="nofollow noopener noreferrer" target="_blank">|</a>', "", shown
    )
    assert "<" not in bare
    assert escape(text) == bare


def test_a_link_stops_before_japanese_punctuation() -> None:
    assert '<a href="https://example.com/a"' in linked("見て（https://example.com/a）。")
    assert "javascript" not in linked("javascript:alert(1)").partition("<a")[1]


@pytest.mark.parametrize(
    ("form", "status"),
    [({"text": ""}, 400), ({"text": "x", "nonce": "short"}, 400), ({}, 400), ({"text": "\0"}, 400)],
)
def test_a_bad_form_is_answered_with_a_page_that_says_why(
    server: Kodama, form: dict[str, str], status: int
) -> None:
    got = said(server, **form)
    assert got.status == status
    assert got.fields["content-type"] == "text/html; charset=utf-8"
    assert b'role="alert"' in got.body


def test_a_form_that_is_none_is_refused(server: Kodama) -> None:
    assert said(server, kind="text/plain", text="x").status == 415
    assert server.ask("POST", PLAIN, body=b"text=%ff", **{"Content-Type": FORM}).got.status == 400
    assert server.ask("POST", PLAIN, body=b"text=a&text=b", **{"Content-Type": FORM}).got.status == 400
    assert server.ask("POST", PLAIN, body=b"&".join([b"a=1"] * 9), **{"Content-Type": FORM}).got.status == 400


def test_another_sites_form_is_refused(server: Kodama) -> None:
    assert said(server, text="x", name="A", extra={"Origin": "https://evil.example"}).status == 403
    assert server.get(f"{ROOM}/messages").json["messages"] == []


def test_a_secret_room_is_not_drawn_for_strangers(server: Kodama) -> None:
    mine = server.sign_in("Aiko")
    server.ask("PUT", "/v1/rooms/den", body={"access": "secret"}, **mine)
    for path in ("/r/den/plain", "/r/den/plain/log"):
        got = server.get(path)
        assert got.status == 404
        assert b"<!doctype html>" in got.body
    assert server.get("/r/den/plain", **mine).status == 200


def test_a_held_log_ends_when_the_room_is_closed_to_its_reader(server: Kodama) -> None:
    mine = server.sign_in("Aiko")
    server.ask("PUT", "/v1/rooms/hall", body={"title": "Hall"}, **mine)
    waiting = server.ask("GET", again(server.get("/r/hall/plain/log")))
    assert waiting.open
    server.ask("PUT", "/v1/rooms/hall", body={"access": "secret"}, **mine)
    assert waiting.got.status == 404


def test_no_script_and_no_foreign_frame_is_let_in(server: Kodama) -> None:
    for path in (PLAIN, LOG):
        policy = server.get(path).fields["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'self'" in policy
        assert "script-src" not in policy


def test_the_front_page_sends_who_has_no_script_here(server: Kodama) -> None:
    assert b"?plain" in server.get("/").body
    assert server.get("/?plain").fields["location"] == PLAIN
    assert server.get("/r/den?plain", Accept="text/html").fields["location"] == "/r/den/plain"


def test_a_callback_has_no_place_here(server: Kodama) -> None:
    assert b"fn(" in server.get(f"{LOG}?callback=fn").body
    assert b"<!doctype" not in server.get(f"{LOG}?callback=fn").body


def test_the_language_is_the_browsers(server: Kodama) -> None:
    assert b'lang="ja"' in server.get(PLAIN, Accept_Language="ja-JP,ja;q=0.9,en;q=0.8").body
    assert b'lang="en"' in server.get(PLAIN, Accept_Language="fr, de;q=0.9").body
    assert language(b"en;q=0.3, ja;q=0.7") == "ja"
    assert language(b"ja;q=x") == "en"


def places(text: str) -> set[str | None]:
    return {name for _, name, _, _ in Formatter().parse(text)} - {None}


def test_the_catalogues_say_the_same_things() -> None:
    english: Any = CATALOGUES["en"]
    for catalogue in CATALOGUES.values():
        assert catalogue.keys() == english.keys()
        assert {key: places(text) for key, text in catalogue.items()} == {
            key: places(text) for key, text in english.items()
        }
