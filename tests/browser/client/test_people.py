"""The JavaScript client in a real Chromium among people: over WebSocket, and with tickets where only a script reaches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from kodama.client import Client
from kodama.client.asks import Ask
from tests.browser.chromium import Browser, Server
from tests.browser.network import CuttingProxy, until

pytestmark = [pytest.mark.browser]

SECRET = Ask("PUT", "/v1/rooms/den", b'{"access":"secret"}')


@pytest.fixture
def ben(server: Server) -> Iterator[Client]:
    """Somebody else, who is not in the browser."""
    with Client(server.url, tries=5) as client:
        client.open_session(name="Ben")
        yield client


def sign_in(browser: Browser, url: str, name: str) -> None:
    """Give the browser a session cookie."""
    browser.driver.get(f"{url}/robots.txt")
    body = f"{{ method: 'POST', body: JSON.stringify({{ name: '{name}' }}) }}"
    assert browser.wait(f"fetch('/v1/session', {body}).then((answer) => answer.status)") == 201


def heard(browser: Browser, kind: str) -> list[dict[str, Any]]:
    return [event for event in browser.run("return got") if event["type"] == kind]


def test_over_a_websocket_people_come_type_and_go(server: Server, browser: Browser, ben: Client) -> None:
    sign_in(browser, server.url, "Aiko")
    browser.begin(server.url, transports=["websocket"], presence=True)
    browser.until_live("websocket")
    until(lambda: [one.name for one in ben.room("lobby").here().here] == ["Aiko"])

    ben.room("lobby").present()
    until(lambda: "Ben" in [one["name"] for event in heard(browser, "presence") for one in event["joined"]])
    ben.room("lobby").typing()
    until(lambda: [event["author"]["name"] for event in heard(browser, "typing")] == ["Ben"])
    here = "room.here().then(({ here }) => here.map(({ name }) => name).sort())"
    assert browser.wait(here) == ["Aiko", "Ben"]
    ben.room("lobby").leave()
    until(lambda: "Ben" in [one["name"] for event in heard(browser, "presence") for one in event["left"]])

    browser.run("room.presence('idle'); room.typing()")
    until(lambda: "Aiko" in [one["name"] for event in heard(browser, "presence") for one in event["changed"]])
    until(lambda: "Aiko" in [event["author"]["name"] for event in heard(browser, "typing")])
    assert "idle" in [one.get("state") for event in heard(browser, "presence") for one in event["changed"]]


def test_over_a_websocket_what_others_change_is_heard_and_what_is_changed_is_stored(
    server: Server, browser: Browser, ben: Client
) -> None:
    sign_in(browser, server.url, "Aiko")
    browser.begin(server.url, transports=["websocket"])
    browser.until_live("websocket")
    lobby = ben.room("lobby")
    first = lobby.send("one").offset
    lobby.edit(first, "two")
    lobby.react(first, "👍")
    lobby.unreact(first, "👍")
    lobby.delete(first)
    mine = browser.wait("room.send('mine').then(({ offset }) => (window.mine = offset))")
    for doing in ("edit(mine, 'changed')", "react(mine, '🎉')", "unreact(mine, '🎉')", "delete(mine)"):
        browser.wait(f"room.{doing}")
    with pytest.raises(AssertionError):
        assert browser.wait(f"room.edit({first}, 'not mine')") == "stored"
    until(lambda: len(browser.run("return got")) == 10)
    changes = [
        ("message", None, None), ("edit", first, None), ("reaction", first, "add"), ("reaction", first, "remove"),
        ("delete", first, None),
    ]  # fmt: skip
    got = [(event["type"], event.get("target"), event.get("op")) for event in browser.run("return got")]
    assert got == changes + [(kind, target and mine, op) for kind, target, op in changes]
    assert [event["offset"] for event in browser.run("return got")] == list(range(1, 11))
    assert [(event["type"], event["offset"]) for event in server.log()] == [
        (event["type"], event["offset"]) for event in browser.run("return got")
    ]
    assert all(message["deleted"] for message in browser.wait("room.history().then(({ messages }) => messages)"))


def test_a_websocket_that_is_cut_at_any_time_loses_and_doubles_nothing(
    server: Server, proxy: CuttingProxy, browser: Browser
) -> None:
    browser.begin(proxy.url, transports=["websocket"])
    browser.until_live("websocket")
    for number in range(1, 101):
        server.say(str(number))
        if number % 20 == 0:
            proxy.cut()
    browser.until_texts([str(number) for number in range(1, 101)])
    browser.until_live("websocket")
    assert len(proxy.asked("/v1/ws")) > 1


def test_a_script_reads_a_secret_room_with_a_ticket_that_each_answer_renews(
    server: Server, proxy: CuttingProxy, browser: Browser, ben: Client
) -> None:
    ben.ask(SECRET)
    den = ben.room("den")
    den.send("1")
    ticket = ben.ticket(["den"])
    browser.begin(proxy.url, room="den", transports=["jsonp"], ticket=ticket)
    browser.until_texts(["1"])
    for number in range(2, 6):
        den.send(str(number))
        browser.until_texts([str(one) for one in range(1, number + 1)])
    proxy.cut()
    den.send("6")
    browser.until_texts([str(one) for one in range(1, 7)])

    polls = [parse_qs(urlsplit(line.partition(" ")[2]).query) for line in proxy.asked("/events?")]
    shown = [poll["ticket"][0] for poll in polls]
    assert shown[0] == ticket
    assert ticket not in shown[1:]
    assert len(set(shown)) >= 6, "each answer has a ticket, the next poll shows it"
    assert all("callback" in poll for poll in polls)


def test_without_a_ticket_a_script_is_refused_a_secret_room(server: Server, browser: Browser, ben: Client) -> None:
    ben.ask(SECRET)
    browser.begin(server.url, room="den", transports=["jsonp"], ticket=ben.ticket(["lobby"]))
    until(lambda: browser.run("return room.state") == "refused")
    assert browser.run("return got") == []
