"""Those who ask the same wait together, and nothing that happens to one is felt by another."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kodama.http.limits import Limits
from kodama.http.lot import Lot
from kodama.http.message import Answer, Headers, Line, Request
from tests.http.site import Browser, Site

BLOCK = b"\r\nHost: a.example\r\n\r\n"
POLL = b"GET /poll HTTP/1.1" + BLOCK
OTHER = b"GET /other HTTP/1.1" + BLOCK
HOLD = 5.0


class Crowd:
    """An application that parks every ``/poll`` in a lot and counts how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0
        self.heard: list[str] = []
        self.clearance = object()
        self.lot: Lot | None = None
        self.site = Site(self.respond)

    def respond(self, request: Request) -> None:
        self.asked += 1
        if request.line.path != b"/poll":
            request.answer(Answer(200, b"other"))
            return
        request.headers.cleared = self.clearance
        if self.lot is None:
            self.lot = Lot(request.line, self, clearance=self.clearance, seconds=HOLD, hold=lambda: 0.0)
        if request.park(self.lot, f"number {self.asked}"):
            self.lot.open()
        else:
            self.heard.append("not parked")
            request.answer(Answer(200, b"alone"))

    def emptied(self) -> None:
        self.heard.append("emptied")

    def expired(self, request: Request) -> None:
        self.heard.append("expired")
        request.answer(Answer(200, b"nothing new"))

    def waiting(self) -> Lot:
        assert self.lot is not None
        return self.lot

    def regulars(self, count: int) -> list[Browser]:
        """Return clients whose block is known and cleared, none of them waiting."""
        browsers = [self.site.browser() for _ in range(count)]
        for browser in browsers:
            browser.send(POLL)
        self.waiting().answer(Answer(200, b"first"))
        for browser in browsers:
            browser.transport.clear()
        self.asked = 0
        self.heard.clear()
        return browsers


@pytest.fixture
def crowd() -> Crowd:
    return Crowd()


def test_the_application_is_asked_once_and_all_get_the_same_bytes(crowd: Crowd) -> None:
    browsers = crowd.regulars(5)
    for browser in browsers:
        browser.send(POLL)
    assert crowd.asked == 1
    assert len(crowd.waiting().waiting) == 5
    answer = Answer(200, b"news")
    crowd.waiting().answer(answer)
    assert [browser.got for browser in browsers] == [answer.wire] * 5
    assert not crowd.waiting().waiting


def test_a_closed_lot_lets_nobody_in_unasked(crowd: Crowd) -> None:
    first, second = crowd.regulars(2)
    first.send(POLL)
    crowd.waiting().close()
    second.send(POLL)
    assert crowd.asked == 2


def test_a_block_that_was_cleared_under_an_older_clearance_is_looked_at_again(crowd: Crowd) -> None:
    first, second = crowd.regulars(2)
    first.send(POLL)
    crowd.waiting().clearance = object()
    second.send(POLL)
    assert crowd.asked == 2


def test_a_block_that_nobody_cleared_is_looked_at(crowd: Crowd) -> None:
    (regular,) = crowd.regulars(1)
    stranger = crowd.site.browser()
    block = b"\r\nHost: a.example\r\nCookie: secret\r\n\r\n"
    stranger.send(b"GET /other HTTP/1.1" + block)
    regular.send(POLL)
    asked = crowd.asked
    stranger.send(b"GET /poll HTTP/1.1" + block)
    assert crowd.asked == asked + 1


def test_another_line_is_not_taken_for_that_of_the_lot(crowd: Crowd) -> None:
    first, second = crowd.regulars(2)
    first.send(POLL)
    second.send(OTHER)
    assert second.got.endswith(b"other")


def test_each_hold_runs_out_by_itself(crowd: Crowd) -> None:
    early, late = crowd.regulars(2)
    early.send(POLL)
    crowd.site.clock.advance(3)
    late.send(POLL)
    crowd.site.clock.advance(HOLD - 3 + 0.2)
    assert early.got.endswith(b"nothing new")
    assert not late.got
    assert crowd.heard == ["expired"]
    crowd.site.clock.advance(3)
    assert late.got.endswith(b"nothing new")
    assert crowd.heard == ["expired", "emptied", "expired"]
    early.send(POLL)
    crowd.waiting().answer(Answer(200, b"later"))
    assert early.got.endswith(b"later")


def test_a_client_that_goes_leaves_nothing_behind(crowd: Crowd) -> None:
    first, second = crowd.regulars(2)
    first.send(POLL)
    second.send(POLL)
    second.hang_up()
    assert list(crowd.waiting().waiting) == [first.channel]
    first.hang_up()
    assert crowd.heard == ["emptied"]
    crowd.waiting().answer(Answer(200, b"too late"))
    assert not first.got
    assert crowd.site.factory.connections == 0


def test_what_is_sent_ahead_is_served_after_the_answer(crowd: Crowd) -> None:
    first, second = crowd.regulars(2)
    first.send(POLL)
    second.send(POLL)
    second.send(OTHER[:10])
    second.send(OTHER[10:])
    assert not second.got
    crowd.waiting().answer(Answer(200, b"news"))
    assert second.statuses() == [200, 200]
    assert second.got.index(b"news") < second.got.index(b"other")
    assert first.statuses() == [200]


def test_a_poll_behind_a_poll_waits_its_turn(crowd: Crowd) -> None:
    (browser,) = crowd.regulars(1)
    browser.send(POLL + POLL)
    assert len(crowd.waiting().waiting) == 1
    crowd.waiting().answer(Answer(200, b"one"))
    assert len(crowd.waiting().waiting) == 1
    crowd.waiting().answer(Answer(200, b"two"))
    assert browser.got.index(b"one") < browser.got.index(b"two")


def test_who_sends_too_far_ahead_is_closed_and_forgotten() -> None:
    crowd = Crowd()
    crowd.site = Site(crowd.respond, limits=Limits(held=100))
    (browser,) = crowd.regulars(1)
    browser.send(POLL)
    browser.send(b"x" * 101)
    assert not browser.open
    assert crowd.heard == ["emptied"]


def test_after_an_answer_the_connection_may_be_idle_as_long_as_any(crowd: Crowd) -> None:
    (browser,) = crowd.regulars(1)
    browser.send(POLL)
    crowd.waiting().answer(Answer(200, b"news"))
    crowd.site.clock.pump([1.0] * 74)
    assert browser.open
    crowd.site.clock.pump([1.0] * 2)
    assert not browser.open


def test_a_hold_longer_than_the_idle_time_does_not_stretch_it(crowd: Crowd) -> None:
    (browser,) = crowd.regulars(1)
    crowd.waiting().seconds = 120.0
    crowd.site.clock.advance(74)
    browser.send(POLL)
    crowd.site.clock.pump([1.0] * 10)  # the wheel has moved it on to the end of the hold
    crowd.waiting().answer(Answer(200, b"news"))
    crowd.site.clock.pump([1.0] * 77)
    assert not browser.open


def test_recalled_polls_are_requests_again_with_their_notes(crowd: Crowd) -> None:
    first, second = crowd.regulars(2)
    first.send(POLL)
    second.send(POLL)
    recalled = crowd.waiting().recall()
    assert [note for _, note in recalled] == ["number 1", None]
    for request, _ in recalled:
        assert (request.line.target, request.headers.block) == (b"/poll", BLOCK)
        request.answer(Answer(403, b"no"))
    assert first.statuses() == second.statuses() == [403]
    assert crowd.heard == []


def test_one_can_be_recalled_and_the_others_wait_on(crowd: Crowd) -> None:
    first, second = crowd.regulars(2)
    first.send(POLL)
    second.send(POLL)
    crowd.waiting().recall_one(second.channel).answer_and_close(Answer(401, b"ended"))
    assert second.statuses() == [401]
    assert not second.open
    crowd.waiting().answer(Answer(200, b"news"))
    assert first.statuses() == [200]


def test_while_draining_the_answer_is_the_last(crowd: Crowd) -> None:
    (browser,) = crowd.regulars(1)
    browser.send(POLL)
    crowd.site.factory.drain()
    assert browser.open
    crowd.waiting().answer(Answer(200, b"news"))
    assert b"Connection: close" in browser.got
    assert not browser.open


def test_one_failing_transport_keeps_no_answer_from_the_others(crowd: Crowd) -> None:
    first, broken, last = crowd.regulars(3)
    for browser in (first, broken, last):
        browser.send(POLL)

    def fail(data: bytes) -> None:
        raise OSError("broken")

    broken.channel._write = fail
    crowd.waiting().answer(Answer(200, b"news"))
    assert broken.aborted
    assert first.statuses() == last.statuses() == [200]


def test_a_fault_at_the_end_of_a_hold_is_answered(crowd: Crowd) -> None:
    (browser,) = crowd.regulars(1)
    browser.send(POLL)

    def fail(request: Request) -> None:
        raise ValueError("a fault")

    crowd.expired = fail
    crowd.site.clock.advance(HOLD + 0.2)
    assert browser.statuses() == [500]
    assert len(crowd.site.faults) == 1


def test_only_what_the_channel_would_take_for_the_same_is_parked(crowd: Crowd) -> None:
    crowd.regulars(1)
    for line, block in (
        (b"HEAD /poll HTTP/1.1", BLOCK),
        (b"GET /poll HTTP/1.0", BLOCK),
        (b"GET /poll HTTP/1.1", b"\r\nHost: a.example\r\nConnection: close\r\n\r\n"),
        (b"GET /poll?x HTTP/1.1", BLOCK),
    ):
        browser = crowd.site.browser()
        browser.send(line + block)
        assert browser.statuses() == [200]
    assert crowd.heard == ["not parked"] * 4


def test_a_request_that_is_gone_or_foreign_is_not_parked(crowd: Crowd) -> None:
    browser = crowd.site.browser()
    request = Request(browser.channel, Line(b"GET", b"/"), Headers(BLOCK))
    lot = Lot(request.line, crowd, clearance=object(), seconds=None, hold=lambda: 1.0)
    assert not request.park(lot, None)
    request.channel = None
    assert not request.park(lot, None)


def test_each_may_be_given_a_hold_of_its_own() -> None:
    crowd = Crowd()
    first, second = crowd.regulars(2)
    holds = iter((2.0, 4.0))
    crowd.waiting().seconds = None
    crowd.waiting().hold = lambda: next(holds)
    first.send(POLL)
    second.send(POLL)
    crowd.site.clock.advance(2.2)
    assert (bool(first.got), bool(second.got)) == (True, False)
    crowd.site.clock.advance(2)
    assert second.got


STEPS = st.lists(
    st.tuples(st.sampled_from(["poll", "ahead", "gone", "answer", "recall", "wait"]), st.integers(0, 3)),
    max_size=40,
)


@given(STEPS)
def test_whatever_happens_every_poll_is_answered_once_or_its_client_is_gone(
    steps: list[tuple[str, int]],
) -> None:
    crowd = Crowd()
    browsers = crowd.regulars(4)
    sent = [0] * 4
    for what, who in steps:
        browser = browsers[who]
        if (what == "poll" and browser.open and len(browser.statuses()) == sent[who]) or (what == "ahead" and browser.open):
            browser.send(POLL)
            sent[who] += 1
        elif what == "gone":
            browser.hang_up()
        elif what == "answer":
            crowd.waiting().answer(Answer(200, b"news"))
        elif what == "recall":
            for request, _ in crowd.waiting().recall():
                request.answer(Answer(200, b"alone"))
        elif what == "wait":
            crowd.site.clock.advance(1.0)
        for number, one in enumerate(browsers):
            assert len(one.statuses()) <= sent[number]
            if not one.open:
                assert one.channel not in crowd.waiting().waiting
    for _ in range(max(sent) + 1):
        crowd.waiting().answer(Answer(200, b"last"))
    for number, one in enumerate(browsers):
        if one.open:
            assert len(one.statuses()) == sent[number]
    assert crowd.site.faults == []
    assert not crowd.waiting().waiting
