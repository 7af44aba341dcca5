"""What is taken and what is refused, each sample fed whole, byte by byte and with more behind it."""

from __future__ import annotations

import pytest

from kodama.http.limits import Limits
from tests.http.site import Browser, Site

H = b"Host: a.example\r\n"
GOOD = {
    "get": (b"GET /x?y=1 HTTP/1.1\r\n" + H + b"\r\n", b"/x?y=1", b""),
    "post": (b"POST /x HTTP/1.1\r\n" + H + b"Content-Length: 3\r\n\r\nabc", b"/x", b"abc"),
    "chunks": (
        b"POST /x HTTP/1.1\r\n" + H + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;n=v\r\nde\r\n0\r\n\r\n",
        b"/x", b"abcde",
    ),
    "absolute": (b"GET http://A.example/x HTTP/1.1\r\n" + H + b"\r\n", b"/x", b""),
    "leading line break": (b"\r\nGET / HTTP/1.1\r\n" + H + b"\r\n", b"/", b""),
    "several line breaks": (b"\r\n\r\n\r\nGET / HTTP/1.1\r\n" + H + b"\r\n", b"/", b""),
    "options star": (b"OPTIONS * HTTP/1.1\r\n" + H + b"\r\n", b"*", b""),
    "kept 1.0": (b"GET /old HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", b"/old", b""),
    "upgrade": (b"GET /w HTTP/1.1\r\n" + H + b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n", b"/w", b""),
}  # fmt: skip


def head(*fields: bytes, line: bytes = b"GET / HTTP/1.1", host: bytes = H) -> bytes:
    return line + b"\r\n" + host + b"".join(f + b"\r\n" for f in fields) + b"\r\n"


PUT = b"PUT / HTTP/1.1"
CHUNKED = head(b"Transfer-Encoding: chunked", line=b"POST / HTTP/1.1")
BAD = {
    "no host": (head(host=b""), 400),
    "two hosts": (head(H[:-2]), 400),
    "empty host": (head(host=b"Host: \r\n"), 400),
    "host with space": (head(host=b"Host: a b\r\n"), 400),
    "host with path": (head(host=b"Host: a/b\r\n"), 400),
    "host with user": (head(host=b"Host: u@a\r\n"), 400),
    "length and coding": (head(b"Content-Length: 3", b"Transfer-Encoding: chunked", line=PUT), 400),
    "coding and length": (head(b"Transfer-Encoding: chunked", b"Content-Length: 3", line=PUT), 400),
    "two lengths": (head(b"Content-Length: 3", b"Content-Length: 4", line=b"POST / HTTP/1.1"), 400),
    "same lengths": (head(b"Content-Length: 3", b"Content-Length: 3", line=b"POST / HTTP/1.1"), 400),
    "listed lengths": (head(b"Content-Length: 3, 3", line=b"POST / HTTP/1.1"), 400),
    "signed length": (head(b"Content-Length: +3", line=b"POST / HTTP/1.1"), 400),
    "coding in 1.0": (head(b"Transfer-Encoding: chunked", line=b"POST / HTTP/1.0"), 400),
    "gzip": (head(b"Transfer-Encoding: gzip, chunked", line=b"POST / HTTP/1.1"), 400),
    "identity": (head(b"Transfer-Encoding: identity", line=b"POST / HTTP/1.1"), 400),
    "folded": (head(b"A: b\r\n c"), 400),
    "space before colon": (head(b"A : b"), 400),
    "bad name": (head(b"A(: b"), 400),
    "no name": (head(b": b"), 400),
    "no colon": (head(b"nonsense"), 400),
    "nul": (head(b"A: b\0c"), 400),
    "bare cr": (head(b"A: b\rc"), 400),
    "bare lf": (head(b"A: b\nC: d"), 400),
    "del": (head(b"A: b\x7f"), 400),
    "trailers": (CHUNKED + b"1\r\na\r\n0\r\nHost: evil\r\n\r\n", 400),
    "chunk with bare lf": (CHUNKED + b"1\na\r\n0\r\n\r\n", 400),
    "chunk too short": (CHUNKED + b"1\r\nab\r\n0\r\n\r\n", 400),
    "chunk with 0x": (CHUNKED + b"0x1\r\na\r\n0\r\n\r\n", 400),
    "chunk signed": (CHUNKED + b"-1\r\n\r\n", 400),
    "chunk with space": (CHUNKED + b"1 \r\na\r\n0\r\n\r\n", 400),
    "extension flood": (CHUNKED + b"1;" + b"x" * 4000, 400),
    "many extensions": (CHUNKED + (b"1;" + b"x" * 200 + b"\r\na\r\n") * 20, 400),
    "huge chunk": (CHUNKED + b"fffffff\r\n", 413),
    "large body": (head(b"Content-Length: 65537", line=b"POST / HTTP/1.1"), 413),
    "version 2": (head(line=b"GET / HTTP/2.0"), 400),
    "version 1.2": (head(line=b"GET / HTTP/1.2"), 400),
    "rtsp": (head(line=b"DESCRIBE / RTSP/1.0"), 400),
    "no version": (head(line=b"GET /"), 400),
    "lower method": (head(line=b"get / HTTP/1.1"), 400),
    "other method": (head(line=b"TRACE / HTTP/1.1"), 405),
    "unheard-of method": (head(line=b"BREW / HTTP/1.1"), 405),
    "another protocol that waits": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
    "connect": (head(line=b"CONNECT a.example:443 HTTP/1.1"), 405),
    "fragment": (head(line=b"GET /#a HTTP/1.1"), 400),
    "two spaces": (head(line=b"GET  / HTTP/1.1"), 400),
    "tab": (head(line=b"GET\t/ HTTP/1.1"), 400),
    "high byte": (head(line=b"GET /\xe3\x81\x82 HTTP/1.1"), 400),
    "no target": (head(line=b"GET  HTTP/1.0", host=b""), 400),
    "another authority": (head(line=b"GET http://b.example/ HTTP/1.1"), 400),
    "authority only": (head(line=b"GET a.example HTTP/1.1"), 400),
    "star": (head(line=b"GET * HTTP/1.1"), 400),
    "large head": (head(b"A: " + b"x" * 33_000), 431),
    "unfinished large head": (head(b"A: " + b"x" * 40_000)[:-4], 431),
    "many fields": (head(*[b"A: b"] * 100), 431),
    "upgrade with body": (
        head(b"Connection: Upgrade", b"Upgrade: h2c", b"Content-Length: 3", line=b"POST / HTTP/1.1"), 400),
    "expectation": (head(b"Expect: miracles"), 417),
}  # fmt: skip
MORE = "with more behind"
FEEDS = ("whole", "byte by byte", "in sevens", MORE)


def fed(browser: Browser, data: bytes, feed: str) -> None:
    match feed:
        case "whole":
            browser.send(data)
        case "byte by byte":
            browser.send_slowly(data)
        case "in sevens":
            browser.send_slowly(data, cuts=7)
        case _:
            browser.send(data + b"GET /next HTTP/1.1\r\n" + H + b"\r\n")


@pytest.mark.parametrize("feed", FEEDS)
@pytest.mark.parametrize("name", GOOD)
def test_a_good_request_reaches_the_application_however_it_is_cut(name: str, feed: str) -> None:
    data, target, body = GOOD[name]
    site = Site()
    browser = site.browser()
    fed(browser, data, feed)
    if feed == MORE:
        assert site.facts.pop()[1] == b"/next"
    assert [(facts[1], facts[5]) for facts in site.facts] == [(target, body)]
    assert set(browser.statuses()) == {200}
    assert browser.open


@pytest.mark.parametrize("name", GOOD)
def test_a_good_request_may_be_cut_in_two_at_every_byte(name: str) -> None:
    data, target, body = GOOD[name]
    for at in range(1, len(data)):
        site = Site()
        browser = site.browser()
        browser.send(data[:at])
        browser.send(data[at:])
        assert [(facts[1], facts[5]) for facts in site.facts] == [(target, body)]


@pytest.mark.parametrize("feed", FEEDS)
@pytest.mark.parametrize("name", BAD)
def test_a_bad_request_is_refused_and_the_connection_closed(name: str, feed: str) -> None:
    data, status = BAD[name]
    site = Site(limits=Limits())
    browser = site.browser()
    fed(browser, data, feed)
    assert site.facts == []
    assert browser.statuses() == [status]
    assert b"Connection: close" in browser.got
    assert not browser.open


@pytest.mark.parametrize("name", BAD)
def test_a_bad_request_is_refused_too_after_a_remembered_one(name: str) -> None:
    data, status = BAD[name]
    site = Site()
    browser = site.browser()
    for _ in range(2):
        browser.send(b"GET / HTTP/1.1\r\n" + H + b"\r\n")
    browser.send(data)
    assert len(site.facts) == 2
    assert browser.statuses() == [200, 200, status]
