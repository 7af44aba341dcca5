"""Order, time, abort and backpressure of one connection."""

from __future__ import annotations

import pytest
from twisted.internet.tcp import Connection

from kodama.http.limits import Limits
from kodama.http.message import Answer, Request
from kodama.http.states import State
from kodama.http.stream import KEPT, Stream
from tests.http.site import Parked, Site

GET = b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n"


def parking(parked: Parked, seconds: float | None = 25) -> Site:
    return Site(lambda request: request.hold(parked, seconds))


def test_pipelined_requests_are_answered_in_order_and_one_at_a_time() -> None:
    site = parking(Parked())
    browser = site.browser()
    browser.send(GET % 1 + GET % 2 + GET % 3)
    assert len(site.seen) == 1
    for number in range(3):
        site.seen[number].answer(Answer(200, b"<%d>" % number))
    assert [part[:1] for part in browser.got.split(b"<")[1:]] == [b"0", b"1", b"2"]


def test_a_read_full_of_requests_leaves_others_their_turn() -> None:
    site = Site()
    browser = site.browser()
    browser.send(b"".join(GET % n for n in range(100)))
    assert len(site.seen) == Limits().turn
    for _ in range(4):
        site.clock.advance(0)
    assert [r.line.target for r in site.seen] == [b"/%d" % n for n in range(100)]


def test_a_parked_client_may_send_only_so_much_ahead() -> None:
    parked = Parked()
    site = parking(parked)
    browser = site.browser()
    browser.send(GET % 1)
    browser.send(b"x" * 16_000)
    assert browser.open
    browser.send(b"x" * 1000)
    assert not browser.open


def test_too_much_in_the_very_read_that_parks_closes_too() -> None:
    parked = Parked()
    browser = parking(parked).browser()
    browser.send(GET % 1 + b"x" * 20_000)
    assert not browser.open


def test_a_parked_client_that_hangs_up_is_told_of_at_once() -> None:
    parked = Parked()
    site = parking(parked)
    browser = site.browser()
    browser.send(GET % 1)
    browser.hang_up()
    assert parked.heard == ["gone"]
    assert site.seen[0].gone
    assert site.seen[0].answered
    site.seen[0].answer(Answer(200))
    assert site.factory.connections == 0


def test_a_client_that_is_dropped_for_sending_ahead_is_gone_for_its_holder() -> None:
    parked = Parked()
    browser = parking(parked).browser()
    browser.send(GET % 1)
    browser.send(b"x" * 20_000)
    assert parked.heard == ["gone"]


def test_a_hold_runs_out_within_a_tick_and_the_connection_lives_on() -> None:
    parked = Parked()
    site = parking(parked)
    browser = site.browser()
    browser.send(GET % 1)
    site.clock.pump([0.1] * 249)
    assert parked.heard == []
    site.clock.pump([0.1] * 3)
    assert parked.heard == ["expired"]
    assert browser.statuses() == [200]
    assert browser.open


def test_a_second_answer_is_ignored() -> None:
    def twice(request: Request) -> None:
        request.answer(Answer(200))
        request.answer(Answer(500))

    browser = Site(twice).browser()
    browser.send(GET % 1)
    assert browser.statuses() == [200]


def test_an_idle_connection_is_closed_without_a_word() -> None:
    site = Site()
    browser = site.browser()
    browser.send(GET % 1)
    site.clock.pump([1] * 74)
    assert browser.open
    site.clock.pump([1] * 2)
    assert not browser.open
    assert browser.statuses() == [200]


def test_a_slow_head_times_out_however_steadily_it_drips() -> None:
    site = Site()
    browser = site.browser()
    site.clock.advance(70)
    for byte in b"GET /drip":
        browser.send(bytes([byte]))
        assert browser.open
        site.clock.advance(1)
    site.clock.advance(1.2)
    assert browser.statuses() == [408]
    assert not browser.open


def test_a_slow_body_times_out_however_steadily_it_drips() -> None:
    site = Site()
    browser = site.browser()
    browser.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 400\r\n\r\n")
    for _ in range(29):
        browser.send(b"x")
        site.clock.advance(1)
    assert browser.open
    site.clock.advance(1.2)
    assert browser.statuses() == [408]


def test_a_client_that_only_sends_empty_lines_is_idle() -> None:
    site = Site()
    browser = site.browser()
    for _ in range(76):
        browser.send(b"\r\n")
        site.clock.advance(1)
    assert not browser.open
    assert browser.got == b""


def test_a_body_is_asked_for_only_when_the_head_is_good_and_the_body_missing() -> None:
    site = Site()
    waiting, eager = site.browser(), site.browser()
    waiting.send(POST + b"Expect: 100-continue\r\n\r\n")
    assert waiting.got == b"HTTP/1.1 100 Continue\r\n\r\n"
    waiting.send(b"body")
    assert waiting.statuses() == [100, 200]
    eager.send(POST + b"Expect: 100-continue\r\n\r\nbody")
    assert eager.statuses() == [200]


def test_a_head_request_gets_the_fields_and_no_body() -> None:
    browser = Site().browser()
    browser.send(b"HEAD /abc HTTP/1.1\r\nHost: a\r\n\r\n")
    assert b"Content-Length: 5\r\n" in browser.got
    assert browser.got.endswith(b"\r\n\r\n")


@pytest.mark.parametrize(("fields", "kept"), [(b"", False), (b"Connection: keep-alive\r\n", True)])
def test_a_1_0_connection_is_kept_only_when_asked(fields: bytes, kept: object) -> None:
    browser = Site().browser()
    browser.send(b"GET / HTTP/1.0\r\n" + fields + b"\r\n")
    assert browser.open is kept
    assert (b"Connection: keep-alive" in browser.got) is kept


def test_a_client_that_asks_to_close_is_closed_after_its_answer() -> None:
    browser = Site().browser()
    browser.send(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" + GET % 2)
    assert browser.statuses() == [200]
    assert not browser.open


def test_an_exception_in_the_application_hurts_nobody_else() -> None:
    def respond(request: Request) -> None:
        if request.line.path == b"/1":
            raise RuntimeError("bug")
        request.answer(Answer(200))

    site = Site(respond)
    one, two = site.browser(), site.browser()
    one.send(GET % 1)
    two.send(GET % 2)
    assert one.statuses() == [500]
    assert two.statuses() == [200]
    assert [failure.type for failure in site.faults] == [RuntimeError]


def test_an_exception_when_a_hold_runs_out_leaves_the_other_holds_alone() -> None:
    class Failing(Parked):
        def expired(self, request: Request) -> None:
            raise RuntimeError("bug")

    failing, sound = Failing(), Parked()
    site = Site(lambda request: request.hold(failing if request.line.path == b"/1" else sound, 5))
    for number in (1, 2, 1, 2):
        site.browser().send(GET % number)
    site.clock.pump([0.1] * 60)
    assert sound.heard == ["expired", "expired"]
    assert len(site.faults) == 2


def test_a_client_that_does_not_read_is_served_no_further() -> None:
    site = Site()
    browser = site.browser()
    browser.channel.pauseProducing()
    browser.send(GET % 1)
    browser.send(GET % 2)
    assert site.seen == []
    browser.channel.resumeProducing()
    assert len(site.seen) == 2
    browser.channel.pauseProducing()
    browser.send(b"x" * 100_000)
    assert not browser.open


def test_a_stream_is_chunked_and_tells_when_the_client_keeps_up_again() -> None:
    streams: list[Stream] = []
    site = Site(lambda request: streams.append(request.stream(200, (("Content-Type", "text/plain"),))))
    browser = site.browser()
    browser.send(GET % 1)
    heard: list[str] = []
    streams[0].on_drained = lambda: heard.append("drained")
    streams[0].on_gone = lambda: heard.append("gone")
    streams[0].write(b"hello")
    browser.channel.pauseProducing()
    assert not streams[0].writable
    browser.channel.resumeProducing()
    assert streams[0].writable
    streams[0].finish()
    assert browser.got.endswith(b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n")
    browser.send(GET % 2)
    browser.hang_up()
    streams[1].on_gone()
    streams[1].write(b"nobody hears")
    assert heard == ["drained"]
    assert not streams[1].writable


def test_a_1_0_stream_ends_with_the_connection() -> None:
    streams: list[Stream] = []
    site = Site(lambda request: streams.append(request.stream(200)))
    browser = site.browser()
    browser.send(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
    streams[0].write(b"hello")
    streams[0].finish()
    assert b"chunked" not in browser.got
    assert browser.got.endswith(b"\r\n\r\nhello")
    assert not browser.open


def test_a_fault_in_a_begun_stream_cuts_it() -> None:
    def respond(request: Request) -> None:
        request.stream(200).write(b"part")
        raise RuntimeError("bug")

    browser = Site(respond).browser()
    browser.send(GET % 1)
    assert not browser.open
    assert b"0\r\n\r\n" not in browser.got


def test_draining_closes_the_idle_now_and_the_busy_after_their_answer() -> None:
    site = parking(Parked())
    idle, busy = site.browser(), site.browser()
    busy.send(GET % 1)
    site.clock.advance(site.factory.limits.pause)
    assert site.factory.drain() == 1
    assert not idle.open
    assert busy.open
    site.seen[0].answer(Answer(200))
    assert b"Connection: close" in busy.got
    assert not busy.open


def test_draining_lets_those_ask_again_who_were_answered_a_moment_ago() -> None:
    site = Site()
    polling, silent = site.browser(), site.browser()
    site.clock.advance(60)
    for browser in (polling, silent):
        browser.send(GET % 1)
    assert site.factory.drain() == 2
    polling.send(GET % 2)
    assert polling.got.count(b"Connection: close") == 1
    assert not polling.open
    site.clock.advance(site.factory.limits.pause)
    assert site.factory.drain() == 0
    assert not silent.open


@pytest.mark.parametrize("half", [b"GET / HT", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n123"])
def test_a_request_that_does_not_arrive_is_refused_by_a_server_in_a_hurry(half: bytes) -> None:
    site = parking(Parked())
    late, idle, busy = site.browser(), site.browser(), site.browser()
    late.send(half)
    busy.send(GET % 1)
    site.factory.drain()
    site.factory.hurry()
    assert late.statuses() == [503]
    assert not late.channel.asking
    assert (idle.got, busy.got, busy.open) == (b"", b"", True)


def test_connections_beyond_the_limit_are_closed() -> None:
    site = Site(limits=Limits(connections=1))
    first, second = site.browser(), site.browser()
    assert first.open
    assert not second.open
    assert site.factory.connections == 1


def test_a_dropped_request_gets_no_answer() -> None:
    browser = Site(lambda request: request.drop()).browser()
    browser.send(GET % 1)
    assert browser.got == b""
    assert not browser.open


def test_a_refused_client_may_finish_talking_and_is_cut_at_last() -> None:
    site = Site()
    browser = site.browser()
    halves: list[str] = []
    browser.transport.loseWriteConnection = lambda: halves.append("closed")
    browser.send(b"nonsense\r\n\r\n")
    browser.send(b"more of it")
    assert halves == ["closed"]
    assert browser.channel._state is State.LINGER
    assert browser.statuses() == [400]
    site.clock.pump([0.1] * 25)
    assert browser.aborted


def test_nothing_ticks_when_everybody_has_gone() -> None:
    site = parking(Parked())
    for _ in range(5):
        browser = site.browser()
        browser.send(GET % 1)
        browser.hang_up()
    site.clock.pump([1] * 100)
    assert site.clock.getDelayedCalls() == []


@pytest.mark.parametrize("field", [("A", "b\r\nC: d"), ("A\n", "b"), ("A", "\0"), ("", "b"), ("A b", "c")])
def test_an_answer_cannot_be_split(field: tuple[str, str]) -> None:
    with pytest.raises(ValueError, match="header field"):
        Answer(200, b"", (field,))


def test_an_answer_without_a_body_cannot_carry_one() -> None:
    with pytest.raises(ValueError, match="no body"):
        Answer(204, b"x")
    assert b"Content-Length" not in Answer(304).wire


def test_a_stream_on_a_transport_of_twisted_is_paused_before_64_kib_are_kept() -> None:
    assert Connection.bufferSize == 64 * 1024  # the attribute that is lowered is the one there is
    site = Site(lambda request: streams.append(request.stream(200)))
    streams: list[Stream] = []
    browser = site.browser()
    browser.transport.bufferSize = Connection.bufferSize
    browser.send(GET % 1)
    assert browser.transport.bufferSize == KEPT
    assert streams[0].writable
