"""Keeping order by the page's own means: two people in real Chromiums, and a third over the protocol."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.request import Request, urlopen

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.select import Select

from tests.browser.chromium import Server
from tests.browser.network import until
from tests.browser.person import NARROW, Person
from tests.browser.test_accessible import settle, violations

pytestmark = [pytest.mark.browser]
ROOM = "class"


@pytest.fixture(scope="module")
def aiko(server: Server) -> Iterator[Person]:
    """Who brought the room to life, and so owns it."""
    person = Person(server.url, "Aiko")
    person.enter(ROOM)
    person.say("welcome")
    person.sees("welcome")
    yield person
    person.close()


@pytest.fixture(scope="module")
def ben(server: Server, aiko: Person) -> Iterator[Person]:
    person = Person(server.url, "Ben")
    person.enter(ROOM)
    person.say("hello from Ben")
    person.sees("welcome", "hello from Ben")
    yield person
    person.close()


def ask(server: Server, path: str, body: object, token: str | None = None) -> tuple[int, Any]:
    fields = {"Content-Type": "application/json"}
    if token is not None:
        fields["Authorization"] = f"Bearer {token}"
    with urlopen(Request(server.url + path, json.dumps(body).encode(), fields), timeout=60) as answer:
        return answer.status, json.load(answer)


def order(person: Person) -> None:
    """Open the dialog that keeps order, and wait for the room's settings."""
    until(lambda: person.all("header .order"))
    person.one("header .order").click()
    person.one("dialog.order [name=slow]")


def part(person: Person, number: int) -> None:
    """Open one of the dialog's parts."""
    person.run("document.querySelectorAll('.part')[arguments[0]].open = true", number)


def shut(person: Person) -> None:
    person.keys(Keys.ESCAPE)
    until(lambda: not person.all("dialog"))


def about(person: Person, text: str) -> None:
    """Open the dialog about whoever said ``text``, and wait until it knows what they are."""
    person.act(text, "person")
    person.one("[data-deed=purgeGo]:enabled")


def press(person: Person, deed: str) -> None:
    person.one(f"[data-deed={deed}]:enabled").click()


def said(person: Person) -> str:
    return "".join(person.shown("dialog [role=status]")).strip()


def test_somebody_is_muted_and_may_write_again(aiko: Person, ben: Person) -> None:
    about(aiko, "hello from Ben")
    Select(aiko.one("[name=minutes]")).select_by_value("10")
    press(aiko, "mute")
    aiko.one("[data-deed=unmute]:enabled")
    ben.say("may I?")
    until(lambda: ben.all(".said.failed"))
    press(aiko, "unmute")
    aiko.one("[data-deed=mute]:enabled")
    shut(aiko)
    ben.one(".said.failed .problem button").click()
    ben.sees("welcome", "hello from Ben", "may I?")


def test_a_report_reaches_who_keeps_order(aiko: Person, ben: Person) -> None:
    ben.act("welcome", "report")
    ben.one("dialog.report textarea").send_keys("too loud")
    ben.one("dialog.report form button").click()
    until(lambda: "Thank you" in said(ben))
    shut(ben)
    assert not ben.all("header .order")
    order(aiko)
    part(aiko, 2)
    until(lambda: "too loud" in aiko.one("dialog.order").text)
    row = aiko.one("dialog.order .rows li")
    assert "Ben" in row.text
    next(one for one in row.find_elements(By.TAG_NAME, "button") if one.text == "Done").click()
    until(lambda: "too loud" not in aiko.one("dialog.order").text)
    shut(aiko)


def test_what_is_typed_in_the_settings_outlasts_a_message_and_a_refusal(server: Server, aiko: Person) -> None:
    _, opened = ask(server, "/v1/session", {"name": "Dai"})
    order(aiko)
    topic, sites = aiko.one("dialog.order [name=topic]"), aiko.one("dialog.order [name=sites]")
    topic.send_keys("Fractions")
    aiko.one("#room-locked").click()
    ask(server, f"/v1/rooms/{ROOM}/messages", {"text": "while she types"}, opened["token"])
    until(lambda: "while she types" in aiko.texts())
    assert topic.get_property("value") == "Fractions"
    assert aiko.one("#room-locked").is_selected()
    sites.send_keys("no site at all")
    aiko.one("dialog.order form button").click()
    until(lambda: said(aiko) and aiko.all("dialog.order form button:enabled"))
    assert "Saved" not in said(aiko)
    assert topic.get_property("value") == "Fractions"
    shut(aiko)


def test_what_a_new_guest_says_waits_until_it_is_let_in(server: Server, aiko: Person, ben: Person) -> None:
    order(aiko)
    aiko.one("#room-hold").click()
    aiko.one("dialog.order form button").click()
    until(lambda: "Saved" in said(aiko))
    shut(aiko)
    _, opened = ask(server, "/v1/session", {"name": "Chie"})
    status, _ = ask(server, f"/v1/rooms/{ROOM}/messages", {"text": "am I in?"}, opened["token"])
    assert status == 202
    order(aiko)
    part(aiko, 1)
    until(lambda: "am I in?" in aiko.one("dialog.order").text)
    aiko.one("dialog.order .rows button.small:not(.quiet)").click()
    until(lambda: "am I in?" in ben.texts())
    shut(aiko)


def test_somebody_is_banned_only_when_asked_twice_and_sees_that_they_are_out(aiko: Person, ben: Person) -> None:
    about(aiko, "hello from Ben")
    Select(aiko.one("[name=minutes]")).select_by_value("10")
    press(aiko, "ban")
    until(lambda: aiko.run("return document.activeElement.closest('.sure') !== null"))
    aiko.keys(Keys.ENTER)
    until(lambda: aiko.run("return document.activeElement.dataset.deed") == "ban")
    assert not aiko.all(".sure")
    assert Select(aiko.one("[name=minutes]")).first_selected_option.get_attribute("value") == "10"
    assert ben.live()
    press(aiko, "ban")
    press(aiko, "sure")
    aiko.one("[data-deed=unban]:enabled")
    until(lambda: ben.all(".line.refused"))
    press(aiko, "purgeGo")
    press(aiko, "sure")
    until(lambda: "2 messages removed" in said(aiko))
    shut(aiko)
    until(lambda: "hello from Ben" not in aiko.texts())
    order(aiko)
    part(aiko, 3)
    until(lambda: "banned" in aiko.one("dialog.order").text)
    part(aiko, 4)
    until(lambda: "removed messages of Ben" in aiko.one("dialog.order").text)
    shut(aiko)


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_state_of_keeping_order_breaks_a_rule(server: Server, aiko: Person, theme: str, language: str) -> None:
    settle(aiko, theme=theme, language=language)
    until(aiko.live)
    order(aiko)
    for number in range(1, 5):
        part(aiko, number)
    until(lambda: len(aiko.all("dialog.order .part .rows, dialog.order .part > p:first-of-type")) >= 4)
    assert violations(aiko) == [], "order"
    aiko.size(NARROW)
    assert aiko.fits()
    aiko.tell("Emulation.clearDeviceMetricsOverride")
    shut(aiko)
    about(aiko, "am I in?")
    press(aiko, "kick")
    aiko.one(".sure")
    assert violations(aiko) == [], "person"
    shut(aiko)
