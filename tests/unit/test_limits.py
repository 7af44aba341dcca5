"""Token buckets, sender networks, retention and access."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kodama.core.limits import Buckets, Rate, network_of
from kodama.core.room import Retention


def test_a_burst_is_allowed_and_then_one_per_second() -> None:
    buckets = Buckets(Rate(3, 1.0))
    assert [buckets.take("a", now=0.0) for _ in range(4)] == [0.0, 0.0, 0.0, 1.0]
    assert buckets.take("b", now=0.0) == 0.0
    assert buckets.take("a", now=0.5) == 0.5
    assert buckets.take("a", now=1.0) == 0.0


@given(st.lists(st.integers(0, 3000), min_size=1, max_size=60))
def test_no_sender_ever_gets_more_than_the_burst_and_the_rate(steps: list[int]) -> None:
    buckets, now, allowed = Buckets(Rate(4, 2.0)), 0.0, 0
    for step in steps:
        now += step / 1024
        wait = buckets.take("a", now=now)
        allowed += not wait
        assert 0.0 <= wait <= 0.5
        assert allowed <= 4 + 2.0 * now + 1e-9


def test_a_token_can_be_taken_ahead_of_its_time_and_is_then_gone() -> None:
    buckets = Buckets(Rate(1, 1.0))
    assert [buckets.take("a", now=0.0, ahead=2.0) for _ in range(4)] == [0.0, 1.0, 2.0, 3.0]
    assert buckets.take("a", now=1.0, ahead=2.0) == 2.0  # the refused one took nothing
    assert buckets.take("a", now=1.0) == 3.0


def test_what_weighs_more_takes_more_but_never_more_than_a_burst() -> None:
    buckets = Buckets(Rate(10, 2.0))
    buckets.taken = {}
    assert [buckets.take("a", now=0.0, tokens=6) for _ in range(2)] == [0.0, 1.0]
    assert buckets.take("a", now=1.0, tokens=6) == 0.0
    assert buckets.take("b", now=0.0, tokens=1000) == 0.0
    assert buckets.taken == {"a": 12, "b": 10}


def test_looking_takes_nothing() -> None:
    buckets = Buckets(Rate(1, 0.5))
    assert buckets.wait("a", now=0.0) == 0.0
    assert buckets.take("a", now=0.0) == 0.0
    assert [buckets.wait("a", now=now) for now in (0.0, 0.0, 1.0, 2.0)] == [2.0, 2.0, 1.0, 0.0]


def test_whoever_waits_as_long_as_told_is_let_in() -> None:
    buckets = Buckets(Rate(1, 0.25))
    assert buckets.take("a", now=0.0) == 0.0
    wait = buckets.take("a", now=1.0)
    assert wait == 3.0
    assert buckets.take("a", now=1.0 + wait) == 0.0


def test_the_sender_longest_unused_is_forgotten_first() -> None:
    buckets = Buckets(Rate(1, 0.001), limit=2)
    for sender in ("a", "b", "a", "c"):
        buckets.take(sender, now=0.0)
    assert buckets.take("a", now=0.0) > 0
    assert buckets.take("b", now=0.0) == 0.0


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("10.1.2.3", "10.1.2.3"), ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"), ("::ffff:10.1.2.3", "10.1.2.3"),
        ("/run/kodama.sock", "/run/kodama.sock"), ("", ""),
    ],
)  # fmt: skip
def test_one_network_is_one_sender(address: str, network: str) -> None:
    assert network_of(address) == network


def test_retention_keeps_whichever_is_more() -> None:
    keep = Retention(days=1, events=10)
    assert keep.first_kept(top=100, first_recent=101) == 91
    assert keep.first_kept(top=100, first_recent=50) == 50
    assert keep.first_kept(top=5, first_recent=6) == 1
