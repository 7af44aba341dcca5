"""Random bytes against the HTTP channel: ``python tests/fuzz/fuzz_http.py --seconds 60``.

The invariant: however a byte sequence is cut, the application sees the same requests, no
exception escapes, and no more is kept than the limits allow.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from kodama.http.limits import Limits
from tests.fuzz.drive import main, spliced
from tests.http.site import Browser, Site

CORPUS = (
    b"GET /a?b=c HTTP/1.1\r\nHost: a.example\r\nCookie: k=v\r\n\r\n",
    b"GET /a HTTP/1.1\r\nHost: a.example\r\nCookie: k=v\r\n\r\n",
    b"POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
    b"POST /p HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\n\r\n",
    b"HEAD / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
    b"GET http://a/x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    b"PUT /e HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\nx",
    b"GET /w HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
)
WORDS = (
    b"\r\n", b"\n", b"\r", b"\0", b" ", b":", b"0\r\n\r\n", b"Host: b\r\n", b"Content-Length: 7\r\n", b"\xff",
    b"Transfer-Encoding: chunked\r\n", b"\r\n\r\n", b"#", b"//", b"HTTP/1.1", b"ffffffff\r\n", b"Upgrade: h2c\r\n",
)  # fmt: skip


def fed(data: bytes, *, cuts: list[int]) -> tuple[list[tuple[bytes, ...]], Browser]:
    """Feed ``data`` cut at ``cuts``; return what the application saw, and the connection."""
    site = Site()
    browser = site.browser()
    start = 0
    for end in [*cuts, len(data)]:
        browser.send(data[start:end])
        start = end
    assert site.faults == []
    limits = Limits()
    assert len(browser.channel._buffer or b"") <= limits.header_bytes + limits.body
    return site.facts, browser


def check(rng: random.Random) -> None:
    """Compare the whole with random pieces of it."""
    data = spliced(b"".join(rng.choices(CORPUS, k=rng.randint(1, 4))), WORDS, rng)
    whole, one = fed(data, cuts=[])
    cuts = sorted(rng.randrange(len(data) + 1) for _ in range(rng.randint(0, 6)))
    pieces, two = fed(data, cuts=cuts)
    assert pieces == whole, (data, cuts)
    final = [status for status in one.statuses() if status != 100]
    assert [status for status in two.statuses() if status != 100] == final, (data, cuts)


if __name__ == "__main__":
    main(check, about=__doc__)
