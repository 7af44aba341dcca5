"""The owner's console in a real Chromium: by hand, by keyboard, by ear, in both themes and on a narrow phone."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from selenium.webdriver.common.keys import Keys

from tests.browser.chromium import Server
from tests.browser.network import until
from tests.browser.person import NARROW, Person
from tests.browser.test_accessible import violations

pytestmark = [pytest.mark.browser]
SECTIONS = ("live", "rooms", "people", "bans", "keys", "hooks", "invites", "audit", "settings")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("console")


@pytest.fixture(scope="module")
def server(data: Path) -> Iterator[Server]:
    server = Server(data)
    yield server
    server.kill()


def link(server: Server, data: Path) -> str:
    """Return a link that makes an owner, on the console's page."""
    command = [sys.executable, "-m", "kodama", "owner", "--data", str(data), "--url", server.url]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip().replace("/#", "/admin#")


@pytest.fixture(scope="module")
def aiko(server: Server, data: Path) -> Iterator[Person]:
    """The server's owner, who came by the printed link."""
    person = Person(server.url, "Aiko")
    person.driver.get(link(server, data))
    person.one("#name").send_keys("Aiko", Keys.ENTER)
    until(lambda: person.all(".console"))
    yield person
    person.close()


def visit(person: Person, section: str) -> None:
    person.one(f'nav a[href="#{section}"]').click()
    until(lambda: person.all(f'nav a[href="#{section}"][aria-current]'))
    until(lambda: person.all("table, .chart, .hint") and "Asking the server…" not in person.one("#main").text)


def speak(server: Server, token: str) -> int:
    """Publish with a key and return the status."""
    head = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    body = json.dumps({"text": "from a key"}).encode()
    try:
        with urlopen(Request(f"{server.url}/v1/rooms/tea/messages", body, head)) as answer:
            return int(answer.status)
    except HTTPError as refused:
        refused.close()
        return refused.code


def test_an_owner_comes_by_the_link_makes_a_key_revokes_it_and_sees_a_room_and_charts(
    server: Server, aiko: Person
) -> None:
    server.say("hello", "tea")
    assert aiko.run("return location.hash") == ""  # the code does not stay in the address
    assert len(aiko.all(".chart")) == 6
    visit(aiko, "keys")
    aiko.one("form.make [name=name]").send_keys("Mirror", Keys.TAB, "tea", Keys.ENTER)
    token = aiko.one("#token").text
    assert token.startswith("kdm_")
    until(lambda: any("Mirror" in row for row in aiko.shown("tbody tr")))
    assert speak(server, token) == 201
    aiko.one("td.end button").send_keys(Keys.ENTER)
    until(lambda: aiko.run("return document.activeElement.classList.contains('bad')"))
    aiko.keys(Keys.ENTER)
    until(lambda: not aiko.all("tbody tr") and not aiko.all("#token"))
    assert speak(server, token) == 401
    visit(aiko, "rooms")
    assert any(row.split("\t")[0] == "tea" for row in aiko.shown("tbody tr"))
    visit(aiko, "audit")
    assert [row.split("\t")[3] for row in aiko.shown("tbody tr")] == ["unkey", "key", "own"]
    visit(aiko, "people")
    assert aiko.one(".owners li").text.startswith("Aiko")
    visit(aiko, "live")
    until(lambda: "M" in (aiko.one(".chart path").get_attribute("d") or ""))
    until(lambda: aiko.run("return [...document.querySelectorAll('.chart path')].every((one) => one.getAttribute('d') !== null)"))


def test_a_stranger_and_a_used_link_see_nothing(server: Server, data: Path, aiko: Person) -> None:
    used = link(server, data)
    person = Person(server.url, "Ben")
    try:
        person.driver.get(used.replace("#owner=", "#owner=x"))
        person.one("#name").send_keys("Ben", Keys.ENTER)
        until(lambda: person.all(".problem") and "kodama owner" in person.one("form").text)
        assert not person.all(".console")
        assert person.run("return fetch('/v1/admin/rooms').then((one) => one.status)") == 403
    finally:
        person.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en", "ja"])
def test_no_section_breaks_a_rule_or_is_cut_off_on_a_narrow_phone(
    server: Server, aiko: Person, theme: str, language: str
) -> None:
    server.say("hello", "tea")
    chosen = {"theme": theme, "language": language}
    aiko.open("/admin")
    aiko.run("localStorage.setItem('kodama page settings', JSON.stringify(arguments[0]))", chosen)
    try:
        aiko.driver.get("about:blank")
        aiko.open("/admin")
        until(lambda: aiko.all(".chart"))
        assert aiko.run("return [document.documentElement.lang, document.documentElement.dataset.theme]") == [language, theme]
        for section in SECTIONS:
            visit(aiko, section)
            assert violations(aiko) == [], section
        aiko.size(NARROW)
        for section in SECTIONS:
            visit(aiko, section)
            until(aiko.fits)
    finally:
        aiko.tell("Emulation.clearDeviceMetricsOverride")
        aiko.run("localStorage.removeItem('kodama page settings')")
        aiko.driver.get("about:blank")
        aiko.open("/admin")
        until(lambda: aiko.all(".chart"))
