"""Being called in a real Chromium: from the dialog's switch to the notification that the service worker shows.

Chromium's own push service is not reached from a test, so one on loopback stands in its place: the subscription that the
page sends names it, and what it gets, sealed, is opened with the browser's key and handed to the worker.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from typing import Any
from urllib.request import urlopen

import pytest
import websocket

from tests.browser.chromium import Server
from tests.browser.network import until
from tests.browser.person import Person
from tests.browser.test_accessible import violations
from tests.integration.test_hooks import Receiver
from tests.integration.test_notify import Phone

pytestmark = [pytest.mark.browser]

NEAR = """
const given = arguments[0];
let one = null;
PushManager.prototype.subscribe = async (options) => (one = { options: {}, asked: options, endpoint: given.endpoint,
  toJSON: () => given, unsubscribe: async () => { one = null; return true; } });
PushManager.prototype.getSubscription = async () => one;
"""
SHOWN = """
const done = arguments[0];
navigator.serviceWorker.ready.then((worker) => worker.getNotifications()).then(
  (all) => done(all.map(({ title, body, tag, data }) => ({ title, body, tag, offset: data.offset }))));
"""


@pytest.fixture
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("push"), KODAMA_PUSH_PRIVATE="yes")
    yield server
    server.kill()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    one = Receiver()
    yield one
    one.leave()


@pytest.fixture
def ben(server: Server) -> Iterator[Person]:
    person = Person(server.url, "Ben")
    yield person
    person.close()


def shown(person: Person) -> list[dict[str, Any]]:
    return list(person.driver.execute_async_script(SHOWN))


def deliver(person: Person, call: object) -> None:
    """Hand a payload to the worker as the browser does when a push service brings it, and wait until it is
    shown: what the debugger has handed over is dropped if it goes too early."""
    debugger = person.driver.capabilities["goog:chromeOptions"]["debuggerAddress"]
    with urlopen(f"http://{debugger}/json") as answer:
        page = next(one for one in json.load(answer) if one["type"] == "page")
    line = websocket.create_connection(page["webSocketDebuggerUrl"], suppress_origin=True, timeout=30)
    try:
        line.send(json.dumps({"id": 1, "method": "ServiceWorker.enable"}))
        known: list[Any] = []
        while not known:
            said = json.loads(line.recv())
            if said.get("method") == "ServiceWorker.workerRegistrationUpdated":
                known = said["params"]["registrations"]
        given = {"origin": person.url, "registrationId": known[0]["registrationId"], "data": json.dumps(call)}
        for number in count(2):
            line.send(json.dumps({"id": number, "method": "ServiceWorker.deliverPushMessage", "params": given}))
            while (said := json.loads(line.recv())).get("id") != number:
                pass
            assert "error" not in said, said
            with suppress(AssertionError):
                return until(lambda: shown(person), seconds=3)
            assert number < 12, "the worker shows nothing"
    finally:
        line.close()


def test_a_switch_in_the_settings_has_a_closed_page_called(server: Server, receiver: Receiver, ben: Person) -> None:
    ben.tell("Browser.grantPermissions", permissions=["notifications"], origin=server.url)
    ben.enter("lobby")
    ben.say("first")
    ben.sees("first")
    phone = Phone(receiver.url)
    ben.run(NEAR, phone.body)
    ben.run("document.querySelector('[aria-label=Settings]').click()")
    until(lambda: "Notifications" in ben.shown(".settings .buttons button"))
    number = ben.shown(".settings .buttons button").index("Notifications")
    ben.all(".settings .buttons button")[number].click()
    until(lambda: ben.all("select[name=level]:enabled") and ben.all("#push:enabled"))
    assert violations(ben) == []
    ben.one("#push").click()
    until(lambda: ben.all(".notify .buttons button:enabled"))
    ben.one(".notify .buttons button").click()
    until(lambda: ben.shown(".notify .hint") == ["Sent. It should appear in a moment."])
    assert phone.read(receiver.got[0][1])["author"] == "Ben"

    ben.run("document.querySelector('select[name=level]').value = 'all'; document.querySelector('select[name=level]').dispatchEvent(new Event('change', { bubbles: true }))")
    until(lambda: ben.run("return fetch('/v1/rooms/lobby/notify').then((one) => one.json())")["level"] == "all")
    ben.driver.get(f"{server.url}/robots.txt")  # the page is closed, and has said so
    until(lambda: not people(server, ben))
    offset = server.say("hello Ben")
    until(lambda: len(receiver.got) == 2)
    call = phone.read(receiver.got[1][1])
    assert (call["text"], call["offset"]) == ("hello Ben", offset)

    deliver(ben, call)
    (one,) = shown(ben)
    assert (one["title"].split(" · ")[1], one["body"], one["tag"], one["offset"]) == ("lobby", "hello Ben", "room lobby", offset)


def people(server: Server, person: Person) -> bool:
    """Return whether anybody with a name is at the room."""
    here = person.run("return fetch('/v1/rooms/lobby/presence').then((one) => one.json())")
    return any(one.get("state", "active") == "active" for one in here["here"])


def test_the_page_can_be_installed(server: Server, ben: Person) -> None:
    ben.enter("lobby")
    found = ben.driver.execute_cdp_cmd("Page.getAppManifest", {})
    assert found["errors"] == []
    manifest = json.loads(found["data"])
    assert {icon["sizes"] for icon in manifest["icons"]} >= {"192x192", "512x512"}
    assert ben.driver.execute_cdp_cmd("Page.getInstallabilityErrors", {})["installabilityErrors"] == []


def test_a_sound_is_made_without_a_file(server: Server, ben: Person) -> None:
    ben.enter("lobby")
    made = ben.driver.execute_async_script("""
        const done = arguments[0];
        const begun = [];
        const start = OscillatorNode.prototype.start;
        OscillatorNode.prototype.start = function (at) { begun.push(this.frequency.value); start.call(this, at); };
        import("/static/js/sound.js").then(({ chime }) => { chime(); chime(); done(begun); });
    """)
    assert made == [660, 880], "once, however often in two seconds"
