"""A remembered block must mean exactly what the full parser says."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from tests.http.site import Site

BLOCK = b"\r\nHost: a.example\r\nCookie: k=v\r\n\r\n"
TARGETS = st.one_of(
    st.text("/ab?%#&=.é \t\r\n\0\"<", max_size=12).map(lambda text: text.encode()),
    st.binary(max_size=8),
    st.sampled_from([b"/", b"*", b"http://a.example/", b"/" + b"x" * 3000, b"/" + b"x" * 40_000]),
)
LINES = st.builds(
    lambda method, target, version: method + b" " + target + b" " + version,
    st.sampled_from([b"GET", b"GET", b"GET", b"HEAD", b"POST", b"CONNECT", b"get", b""]),
    TARGETS,
    st.sampled_from([b"HTTP/1.1", b"HTTP/1.1", b"HTTP/1.0", b"HTTP/2.0", b"", b"HTTP/1.1 "]),
)


@given(LINES)
@example(b"")
@example(b"GET / HTTP/1.1\r\nX: y")
@example(b"GET / HTTP/1.1" + BLOCK + b"GET /2 HTTP/1.1")
def test_a_remembered_block_gives_what_the_full_parser_gives(line: bytes) -> None:
    fresh, primed = Site(), Site()
    unknown, known = fresh.browser(), primed.browser()
    known.send(b"GET /first HTTP/1.1" + BLOCK)
    primed.facts.clear()
    known.transport.clear()
    unknown.send(line + BLOCK)
    known.send(line + BLOCK)
    assert primed.facts == fresh.facts
    assert known.statuses() == unknown.statuses()
    assert known.open == unknown.open


def test_equal_blocks_and_lines_are_shared_among_connections() -> None:
    site = Site()
    for _ in range(2):
        browser = site.browser()
        browser.send(b"GET /a HTTP/1.1" + BLOCK)
        browser.send(b"GET /a HTTP/1.1" + BLOCK)
    assert len({id(request.headers) for request in site.seen}) == 1
    assert len({id(request.line) for request in site.seen}) == 1


def test_a_block_with_a_body_an_upgrade_or_an_expectation_is_never_remembered() -> None:
    for extra in (b"Content-Length: 1", b"Upgrade: websocket", b"Expect: 100-continue", b"Connection: close"):
        site = Site()
        browser = site.browser()
        browser.send(b"GET / HTTP/1.1\r\nHost: a\r\n" + extra + b"\r\n\r\n")
        assert browser.channel._block == b""


def test_equal_blocks_before_bodies_are_shared_and_each_is_parsed() -> None:
    site = Site()
    for body in (b"a", b"b"):
        site.browser().send(b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n" + body)
    assert site.seen[0].headers is site.seen[1].headers
    assert [request.body for request in site.seen] == [b"a", b"b"]


def test_a_head_before_a_body_that_comes_again_is_not_parsed_again_and_means_the_same() -> None:
    site = Site()
    browser = site.browser()
    head = b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n"
    for body in (b"ab", b"cd"):
        browser.send(head + body)
    browser.send(head + b"ef" + head + b"gh" + b"GET /b HTTP/1.1\r\nHost: a\r\n\r\n")
    assert [request.body for request in site.seen] == [b"ab", b"cd", b"ef", b"gh", b""]
    assert [request.line.target for request in site.seen] == [b"/a"] * 4 + [b"/b"]
    assert list(site.factory.remembered._heads) == [head]
    browser.send(b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nab")
    assert browser.statuses()[-1] == 400


def test_a_head_that_expects_or_is_chunked_or_long_is_parsed_each_time_and_the_table_bounded() -> None:
    for extra in (b"Expect: 100-continue", b"Transfer-Encoding: chunked", b"X: " + b"x" * 1024):
        length = b"" if b"chunked" in extra else b"Content-Length: 2\r\n"
        site = Site()
        site.browser().send(b"POST /a HTTP/1.1\r\nHost: a\r\n" + length + extra + b"\r\n\r\nab")
        assert not site.factory.remembered._heads
    many = Site()
    for number in range(1100):
        many.browser().send(b"POST /%d HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\na" % number)
    assert 0 < len(many.factory.remembered._heads) <= 1024


def test_a_long_block_is_nobody_elses() -> None:
    site = Site()
    for _ in range(2):
        site.browser().send(b"GET /a HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 5000 + b"\r\n\r\n")
    assert site.seen[0].headers is not site.seen[1].headers


def test_a_known_line_before_anything_else_and_a_nul_after_it_are_no_request() -> None:
    site = Site()
    site.browser().send(b"GET /a HTTP/1.1" + BLOCK)
    fresh = site.browser()
    fresh.send(b"GET /a HTTP/1.1\0")
    assert len(site.seen) == 1
    fresh.send(b"\r\nHost: a\r\n\r\n")
    assert fresh.statuses() == [400]


def test_the_tables_stay_bounded() -> None:
    site = Site()
    browser = site.browser()
    for number in range(9000):
        browser.send(b"GET /%d HTTP/1.1\r\nHost: a\r\nX: %d\r\n\r\n" % (number, number))
    assert len(site.facts) == 9000
    assert len(site.factory.lines) <= 4096
    assert len(site.factory.remembered._blocks) <= 4096
