"""Rates that hold for all nodes together."""

from __future__ import annotations

from kodama.core.ledger import BYTES_TOLD, Ledger, Taken
from kodama.core.limits import Buckets, Rate


def test_what_one_node_gave_is_taken_on_the_others() -> None:
    here, there = Buckets(Rate(5, 1.0)), Buckets(Rate(5, 1.0))
    ledger, other = Ledger({"write": here}), Ledger({"write": there})
    assert [here.take("a", now=0) for _ in range(5)] == [0.0] * 5
    assert here.take("a", now=0) > 0
    assert list(ledger.due()) == [Taken("write", "a", 5)]
    assert list(ledger.due()) == []
    for taken in [Taken("write", "a", 5), Taken("something of another version", "a", 5)]:
        other.heard(taken, now=0)
    assert there.take("a", now=0) == 1.0
    assert there.take("b", now=0) == 0.0
    assert list(other.due()) == [Taken("write", "b", 1)]


def test_whoever_had_a_burst_on_every_node_pays_it_back_and_no_more() -> None:
    bucket = Buckets(Rate(5, 1.0))
    for _ in range(5):
        bucket.take("a", now=0)
    bucket.owe("a", 4, now=0)
    assert bucket.take("a", now=4.9) > 0
    assert bucket.take("a", now=5) == 0.0
    bucket.owe("a", 1000, now=5)
    assert bucket.take("a", now=5) == 6.0


def test_those_who_took_most_are_told_as_many_as_one_notice_holds() -> None:
    bucket = Buckets(Rate(60, 1.0))
    ledger = Ledger({"write": bucket})
    for number in range(1000):
        for _ in range(1 + (number == 999)):
            bucket.take(f"sender {number}", now=0)
    told = ledger.due()
    assert told[0] == Taken("write", "sender 999", 2)
    assert sum(len(one.sender) + len(one.what) for one in told) < BYTES_TOLD
    assert len(told) > 80


def test_senders_that_owe_are_forgotten_like_others() -> None:
    bucket = Buckets(Rate(1, 1.0), limit=2)
    for sender in ("a", "b", "c"):
        bucket.owe(sender, 1, now=0)
    assert bucket.take("a", now=0) == 0.0
