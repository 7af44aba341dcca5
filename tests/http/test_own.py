"""A parameter that is each client's own is cut out of the line, and nothing else changes."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

from hypothesis import example, given
from hypothesis import strategies as st

from kodama.http.lot import Lot
from kodama.http.message import Answer, Headers, Request
from tests.http.site import Browser, Site

OWN = rb"client=[a-z0-9]{2,8}"
BLOCK = b"\r\nHost: a.example\r\n\r\n"
PART = st.sampled_from([
    b"client=abc", b"client=abcd", b"client=ab", b"client=", b"client=x", b"xclient=abc", b"since=k1.x", b"a=b?client=abc",
    b"wait=5", b"", b"%63lient=abc", b"client=abc%20", b"client", b"a=client=abc",
])  # fmt: skip
TARGETS = st.builds(
    lambda path, parts: path + (b"?" + b"&".join(parts) if parts is not None else b""),
    st.sampled_from([b"/", b"/events", b"/a&client=abc", b"/client=abc"]),
    st.one_of(st.none(), st.lists(PART, max_size=5)),
)


def meaning(request: Request) -> tuple[bytes, list[tuple[bytes, bytes]]]:
    """Return the path and what was asked, in whatever order."""
    found = parse_qsl(request.line.query, keep_blank_values=True)
    if request.own is not None:
        found.append((b"client", request.own.value))
    return request.line.path, sorted(found)


def get(target: bytes) -> bytes:
    return b"GET " + target + b" HTTP/1.1" + BLOCK


@given(st.lists(TARGETS, min_size=1, max_size=6))
@example([b"/events?client=abc&since=k1.x", b"/events?client=abcd&since=k1.x", b"/events?since=k1.x"])
@example(
    [
        b"/events?wait=5&client=abc",
        b"/events?wait=5&client=abcd",
        b"/events?client=abc",
        b"/events?client=abc&",
    ]
)
def test_whatever_a_connection_asks_in_turn_means_what_it_means_uncut(targets: list[bytes]) -> None:
    whole, cut = Site(), Site(own=OWN)
    plain, ours = whole.browser(), cut.browser()
    for target in targets:
        plain.send(get(target))
        ours.send(get(target))
    assert [meaning(request) for request in cut.seen] == [meaning(request) for request in whole.seen]
    assert ours.statuses() == plain.statuses()


def test_clients_that_differ_only_in_their_own_part_share_one_line() -> None:
    site = Site(own=OWN)
    for name in (b"one", b"two", b"three"):
        browser = site.browser()
        for cursor in (b"1", b"2"):
            browser.send(get(b"/events?since=" + cursor + b"&client=" + name))
            browser.send(get(b"/events?client=" + name + b"&since=" + cursor + b"&wait=5"))
    assert len({id(request.line) for request in site.seen}) == 4
    assert {request.own.value for request in site.seen if request.own} == {b"one", b"two", b"three"}
    assert set(site.factory.lines) == {
        b"GET /events?since=" + cursor + more + b" HTTP/1.1"
        for cursor in (b"1", b"2")
        for more in (b"", b"&wait=5")
    }


def test_a_line_with_two_is_left_whole() -> None:
    site = Site(own=OWN)
    site.browser().send(get(b"/events?client=abc&client=abd"))
    assert site.seen[0].own is None
    assert site.seen[0].line.query == b"client=abc&client=abd"


def test_only_a_plain_get_is_cut() -> None:
    site = Site(own=OWN)
    site.browser().send(b"PUT /here?client=abc HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx")
    site.browser().send(b"DELETE /here?client=abc HTTP/1.1" + BLOCK)
    site.browser().send(b"GET /here?client=abc HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n")
    assert [request.own for request in site.seen] == [None] * 3
    assert {request.line.query for request in site.seen} == {b"client=abc"}


class Hall:
    """A keeper of one lot that lets in whom it knows."""

    def __init__(self) -> None:
        self.site = Site(self.respond, own=OWN)
        self.lots: list[Lot] = []
        self.asked: list[str] = []
        self.welcomed = True

    def respond(self, request: Request) -> None:
        assert request.own is not None
        name = request.own.value.decode()
        self.asked.append(name)
        if not self.lots:
            self.lots.append(Lot(request.line, self, clearance=object(), seconds=30.0, hold=lambda: 1.0))
            self.lots[0].open()
        request.own.memo = name
        assert request.park(self.lots[0], name)
        self.lots[0].open()

    def welcome(self, note: Any, channel: object, headers: Headers, now: float) -> bool:
        return self.welcomed

    def emptied(self) -> None:
        """Nobody waits."""

    def expired(self, request: Request) -> None:
        request.answer(Answer(200, b"expired " + (request.own.value if request.own else b"nobody")))


def ask(browser: Browser, name: bytes) -> None:
    browser.transport.clear()
    browser.send(get(b"/events?since=1&client=" + name))


def test_who_is_known_waits_again_under_its_own_note_without_the_application() -> None:
    hall = Hall()
    browsers = [hall.site.browser() for _ in range(3)]
    names = [b"one", b"two", b"three"]
    for browser, name in zip(browsers, names, strict=True):
        ask(browser, name)
    assert hall.asked == ["one", "two", "three"]
    hall.lots[0].answer(Answer(200, b"news"))
    hall.lots[0].open()
    for browser, name in zip(browsers, names, strict=True):
        ask(browser, name)
    assert hall.asked == ["one", "two", "three"]
    assert list(hall.lots[0].waiting.values()) == ["one", "two", "three"]


def test_who_is_not_welcome_is_served_by_the_application() -> None:
    hall = Hall()
    browser = hall.site.browser()
    ask(browser, b"one")
    hall.lots[0].answer(Answer(200, b"news"))
    hall.lots[0].open()
    hall.welcomed = False
    ask(browser, b"one")
    assert hall.asked == ["one", "one"]


def test_another_name_on_the_connection_is_another_client() -> None:
    hall = Hall()
    browser = hall.site.browser()
    ask(browser, b"one")
    hall.lots[0].answer(Answer(200, b"news"))
    hall.lots[0].open()
    ask(browser, b"oneand")
    assert hall.asked == ["one", "oneand"]


def test_whose_hold_runs_out_is_answered_as_who_it_is() -> None:
    hall = Hall()
    browser = hall.site.browser()
    ask(browser, b"one")
    hall.site.clock.pump([0.1] * 310)
    assert browser.got.endswith(b"expired one")
