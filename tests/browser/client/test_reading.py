"""The JavaScript client in a real Chromium against a real server: cuts, restarts, proxies, tabs, reloads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from time import monotonic

import pytest

from tests.browser.chromium import Browser, Server
from tests.browser.network import CuttingProxy, Nginx, buffering, until

pytestmark = [pytest.mark.browser]

LADDERS = [["poll"], ["jsonp"], ["websocket", "sse", "poll"]]


def numbers(first: int, last: int) -> list[str]:
    return [str(number) for number in range(first, last + 1)]


@pytest.mark.parametrize("transports", LADDERS, ids="-".join)
def test_a_network_cut_at_any_time_loses_and_doubles_nothing(
    server: Server, proxy: CuttingProxy, browser: Browser, transports: list[str]
) -> None:
    server.say("1")
    browser.begin(proxy.url, transports=transports)
    browser.until_texts(["1"])
    for number in range(2, 41):
        server.say(str(number))
        if number % 5 == 0:
            proxy.cut()
    browser.until_texts(numbers(1, 40))
    proxy.down()
    server.say_all(numbers(41, 200), "lobby")
    until(lambda: browser.state() == "waiting")
    proxy.up()
    browser.until_texts(numbers(1, 200))
    until(lambda: browser.state() == "live")


def test_a_killed_server_is_met_again_and_nothing_sent_meanwhile_is_lost(server: Server, browser: Browser) -> None:
    browser.begin(server.url)
    browser.until_live()
    assert browser.wait("room.send('before').then((stored) => stored.offset)") == 1
    server.kill()
    browser.run("window.sent = Promise.all([room.send('one'), room.send('two'), room.send({ data: { three: 3 } })])")
    until(lambda: browser.state() == "waiting")
    server.start()
    assert browser.wait("sent.then((all) => all.map((stored) => stored.offset))") == [2, 3, 4]
    until(lambda: browser.run("return got.map((event) => event.offset)") == [1, 2, 3, 4])
    assert [event["text"] for event in server.log()] == ["before", "one", "two", None]


def test_a_drained_server_is_left_and_met_again(server: Server, browser: Browser) -> None:
    browser.begin(server.url)
    server.say("1")
    browser.until_texts(["1"])
    server.drain()
    server.start()
    server.say("2")
    browser.until_texts(["1", "2"])


def test_what_waits_to_be_sent_survives_a_reload_and_is_sent_once(
    server: Server, proxy: CuttingProxy, browser: Browser
) -> None:
    browser.begin(proxy.url)
    browser.until_live()
    proxy.down()
    browser.run("for (const text of ['a', 'b', 'c']) room.send(text).catch(() => {})")
    assert browser.run("return client.unsent.map((entry) => entry.text)") == ["a", "b", "c"]
    proxy.up()
    browser.begin(proxy.url)
    browser.until_texts(["a", "b", "c"])
    until(lambda: browser.run("return client.unsent.length") == 0)
    assert [event["text"] for event in server.log()] == ["a", "b", "c"]


def test_a_message_whose_answer_was_lost_is_found_after_a_day_and_not_sent_again(
    server: Server, browser: Browser
) -> None:
    browser.begin(server.url)
    browser.wait("room.send('said')")
    browser.driver.get(f"{server.url}/robots.txt")
    nonce = server.log()[0]["nonce"]
    browser.run(
        "const old = Date.now() - 25 * 3600e3;"
        "const place = (n) => `kodama   out ${String(old).padStart(15, '0')}00000${n}n`;"
        f"localStorage.setItem(place(1), JSON.stringify({{nonce: '{nonce}', room: 'lobby', at: old, text: 'said'}}));"
        "localStorage.setItem(place(2), JSON.stringify({nonce: 'x'.repeat(22), room: 'lobby', at: old, text: 'unsaid'}));"
    )
    browser.begin(server.url)
    browser.until_texts(["said", "unsaid"])
    until(lambda: browser.run("return client.unsent.length") == 0)
    assert [event["text"] for event in server.log()] == ["said", "unsaid"]


def test_a_refused_message_is_reported_and_holds_up_nothing(server: Server, browser: Browser) -> None:
    browser.begin(server.url)
    browser.run("window.bad = room.send('x'.repeat(100000)).catch((error) => error.code); window.good = room.send('y')")
    assert browser.wait("bad") == "too_large"
    assert browser.wait("good.then((stored) => stored.offset)") == 1


def test_two_tabs_share_one_connection_and_the_next_leads_within_a_second(
    server: Server, proxy: CuttingProxy, browser: Browser
) -> None:
    browser.begin(proxy.url, transports=["poll"])
    browser.until_live()
    driver = browser.driver
    waits = []
    for turn in range(3):
        leader = driver.current_window_handle
        driver.switch_to.new_window("tab")
        follower = driver.current_window_handle
        server.say(f"before {turn}")
        browser.begin(proxy.url, transports=["poll"])
        browser.until_live()
        heard = len(browser.texts())
        before = len(proxy.asked("GET /v1/rooms/lobby/events"))
        for number in range(5):
            server.say(f"{turn} {number}")
            until(lambda count=heard + number + 1: len(browser.texts()) == count)
        asked = proxy.asked("GET /v1/rooms/lobby/events")[before:]
        assert len({line.partition("client=")[2].partition("&")[0] for line in asked}) == 1
        # The poll after the fifth message may not have left yet; two readers would ask ten times.
        assert 4 <= len(asked) <= 6, asked
        driver.switch_to.window(leader)
        assert browser.texts()[-1] == f"{turn} 4"
        driver.close()
        gone = monotonic()
        driver.switch_to.window(follower)
        server.say(f"after {turn}")
        until(lambda last=f"after {turn}": browser.texts()[-1] == last)
        waits.append(monotonic() - gone)
        assert browser.texts() == [event["text"] for event in server.log()]
    assert median(waits) < 1


def test_several_tabs_send_each_message_once(server: Server, proxy: CuttingProxy, browser: Browser) -> None:
    browser.begin(proxy.url)
    browser.until_live()
    first = browser.driver.current_window_handle
    browser.driver.switch_to.new_window("tab")
    browser.begin(proxy.url)
    browser.until_live()
    proxy.down()
    say = "for (let n = 0; n < 3; n++) (window.sent ??= []).push(room.send(arguments[0] + n))"
    browser.driver.execute_script(say, "second ")
    second = browser.driver.current_window_handle
    browser.driver.switch_to.window(first)
    browser.driver.execute_script(say, "first ")
    before = len(proxy.asked("POST /v1/rooms/lobby/messages"))
    proxy.up()
    for tab in (first, second):
        browser.driver.switch_to.window(tab)
        assert len(browser.wait("Promise.all(sent).then((all) => all.map((stored) => stored.offset))")) == 3
        until(lambda: len(browser.texts()) == 6)
    said = sorted(event["text"] for event in server.log())
    assert said == sorted(f"{tab} {n}" for tab in ("first", "second") for n in range(3))
    assert len(proxy.asked("POST /v1/rooms/lobby/messages")[before:]) == 6


def test_a_hidden_page_pauses_and_catches_up_when_it_is_shown(server: Server, browser: Browser) -> None:
    browser.begin(server.url, pause=0.2)
    server.say("1")
    browser.until_texts(["1"])
    hide = "Object.defineProperty(document, 'hidden', { value: arguments[0], configurable: true });"
    hide += "document.dispatchEvent(new Event('visibilitychange'))"
    browser.driver.execute_script(hide, True)
    until(lambda: browser.state() == "paused")
    server.say_all(numbers(2, 399), "lobby")
    assert browser.texts() == ["1"]
    browser.driver.execute_script(hide, False)
    browser.until_texts(numbers(1, 399))
    until(lambda: browser.state() == "live")


def test_a_reader_that_is_far_behind_says_how_far(server: Server, browser: Browser) -> None:
    server.say_all(numbers(1, 2500), "lobby")
    browser.begin(server.url, transports=["poll"])
    browser.until_texts(numbers(1, 2500))
    states = browser.run("return states.map(([state]) => state)")
    assert any(state.startswith("catching up, ") and state.endswith(" behind") for state in states), states
    assert browser.state() == "live"


def test_it_runs_under_the_strict_policy_of_the_servers_own_page(server: Server, browser: Browser) -> None:
    browser.begin(server.url, page="/", transports=["jsonp", "poll"])
    server.say("1")
    browser.until_texts(["1"])


def test_a_room_that_may_not_be_read_is_refused_and_hinders_no_other(server: Server, browser: Browser) -> None:
    browser.driver.get(f"{server.url}/robots.txt")
    browser.wait(
        "fetch('/v1/session', { method: 'POST', body: '{\"name\":\"Aiko\"}' }).then(() =>"
        "fetch('/v1/rooms/den', { method: 'PUT', body: '{\"access\":\"secret\"}' })).then(() =>"
        "fetch('/v1/session', { method: 'DELETE' })).then(() => 0)"
    )
    browser.begin(server.url)
    browser.until_live()
    browser.run(
        "window.den = client.room('den'); window.why = den[Symbol.asyncIterator]().next().catch((error) => error.code)"
    )
    assert browser.wait("why") == "not_found"
    assert browser.run("return den.state") == "refused"
    server.say("still here")
    browser.until_texts(["still here"])


@pytest.fixture
def nginx(server: Server, tmp_path: Path) -> Iterator[Callable[..., Nginx]]:
    there: list[Nginx] = []

    def stand(**options: Callable[[str], str]) -> Nginx:
        there.append(Nginx(tmp_path / "nginx", server.port, **options))
        return there[-1]

    yield stand
    for nginx in there:
        nginx.stop()


def test_it_reads_and_sends_through_the_published_nginx(
    server: Server, browser: Browser, nginx: Callable[..., Nginx]
) -> None:
    browser.begin(nginx().url)
    browser.until_live()
    assert browser.wait("room.send('through').then((stored) => stored.offset)") == 1
    server.say("back")
    browser.until_texts(["through", "back"])


def test_a_proxy_that_holds_answers_back_is_left_for_long_polls_and_met_again_when_it_is_mended(
    server: Server, browser: Browser, nginx: Callable[..., Nginx]
) -> None:
    proxy = nginx(change=buffering)
    browser.begin(proxy.url, transports=["sse", "poll"])
    browser.until_live("poll")
    server.say("1")
    browser.until_texts(["1"])
    proxy.start()
    server.say("2")
    browser.until_texts(["1", "2"])
    browser.run("const now = Date.now; Date.now = () => now() + 31_000")  # so long it stays below the top
    browser.until_live("sse")
    server.say("3")
    browser.until_texts(["1", "2", "3"])
