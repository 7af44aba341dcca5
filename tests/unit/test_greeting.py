"""What a server says of its address."""

from __future__ import annotations

import pytest

from kodama.app import greeting
from kodama.app.greeting import code, reachable


@pytest.mark.parametrize("address", ["http://127.0.0.1:8080/", "http://localhost:8080/", "http://[::1]:8080/", "https://127.1.2.3:1/"])
def test_on_loopback_nobody_else_is_told(address: str) -> None:
    assert reachable(address) is None


def test_where_it_listens_on_one_address_that_is_it() -> None:
    assert reachable("https://10.1.2.3:443/") == "https://10.1.2.3:443/"


@pytest.mark.parametrize(("own", "found"), [("10.1.2.3", "http://10.1.2.3:8080/"), (None, None)])
def test_where_it_listens_everywhere_its_own_address_is_told(
    own: str | None, found: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(greeting, "_own_address", lambda: own)
    assert reachable("http://0.0.0.0:8080/") == found
    assert reachable("http://[::]:8080/") == found


def test_a_code_is_drawn_in_half_blocks() -> None:
    drawn = code("http://10.1.2.3:8080/")
    assert set(drawn) <= {"█", "▀", "▄", " ", "\n"}
    assert len({len(line) for line in drawn.splitlines() if line}) == 1
