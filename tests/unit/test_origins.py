"""Origins of sites: what may stand in a policy, and how it is written."""

from __future__ import annotations

import pytest

from kodama.core.errors import BadRequest
from kodama.core.origins import site_origin


@pytest.mark.parametrize(
    ("given", "origin"),
    [
        ("https://www.example.org", "https://www.example.org"),
        ("HTTPS://Www.Example.Org:443", "https://www.example.org"),
        ("http://localhost:8000", "http://localhost:8000"),
        ("http://127.0.0.1:80", "http://127.0.0.1"),
        ("https://*.example.org", "https://*.example.org"),
        ("https://xn--r8jz45g.jp:80", "https://xn--r8jz45g.jp:80"),
    ],
)
def test_an_origin_is_written_as_a_browser_does(given: str, origin: str) -> None:
    assert site_origin(given) == origin
    assert site_origin(origin) == origin


@pytest.mark.parametrize(
    "given",
    [
        "", "*", "https://", "example.org", "https://example.org/", "https://example.org/a", "https://a.example b.example",
        "https://a.example; script-src *", "https://a.example,https://b.example", "https://例え.jp", "https://a.*.example",
        "https://user@example.org", "javascript:alert(1)", "https://example.org\n", "'self'", "data:", "https://a..example",
        "https://" + "a" * 250 + ".example", "https://example.org:123456",
    ],
)  # fmt: skip
def test_what_is_no_origin_is_refused(given: str) -> None:
    with pytest.raises(BadRequest):
        site_origin(given)
