"""From guest to account and back again in a real Chromium, by password, recovery code, passkey and secret phrase."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.common.virtual_authenticator import VirtualAuthenticatorOptions

from tests.browser.chromium import Server
from tests.browser.network import until
from tests.browser.person import NARROW, Person
from tests.browser.test_accessible import settle, violations

pytestmark = [pytest.mark.browser]
ROOM = "home"
PASSWORD = "a long sentence"
WHO = "return fetch('/v1/session').then((answer) => answer.json()).then(({ user }) => user)"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("account"))
    yield server
    server.kill()


@pytest.fixture(scope="module")
def aiko(server: Server) -> Iterator[Person]:
    """A person at the name of localhost, where passkeys are possible."""
    person = Person(f"http://localhost:{server.port}", "Aiko")
    options = VirtualAuthenticatorOptions()
    options.has_resident_key = options.has_user_verification = options.is_user_verified = True
    person.driver.add_virtual_authenticator(options)
    yield person
    person.close()


def me(person: Person) -> None:
    """Open the dialog about oneself."""
    person.one("header .icon:last-of-type").click()
    person.one("dialog.settings[open] .buttons button:last-child").click()
    person.one("dialog.me details")


def unfold(person: Person, form: str) -> None:
    person.one(f"form[name={form}]")
    person.run("const one = document.forms[arguments[0]].closest('details'); if (one) one.open = true", form)


def fill(person: Person, form: str, **fields: str) -> None:
    """Fill in a form and send it."""
    unfold(person, form)
    for name, value in fields.items():
        field = person.one(f"#{form}-{name}")
        field.clear()
        field.send_keys(value)
    button = person.one(f"form[name={form}] button")
    person.run("arguments[0].scrollIntoView({ block: 'center' })", button)
    button.click()


def shut(person: Person) -> None:
    person.keys(Keys.ESCAPE)
    until(lambda: not person.all("dialog"))


def leave(person: Person) -> None:
    me(person)
    person.one("dialog.me > .inside > .buttons button").click()
    until(lambda: person.all("#name"))


def knock(person: Person) -> None:
    """Show the ways in for who has been here before."""
    person.one(".door form > button.quiet").click()
    person.one("form[name=by-password]")


def test_a_guest_becomes_an_account_and_stays_who_they_are(aiko: Person) -> None:
    aiko.enter(ROOM)
    aiko.say("as a guest")
    aiko.sees("as a guest")
    before = aiko.run(WHO)
    me(aiko)
    fill(aiko, "become", login="aiko", password=PASSWORD)
    until(lambda: len(aiko.all(".codes code")) == 10)
    aiko.one("[data-deed=kept]").click()
    aiko.one("form[name=rename]")
    shut(aiko)
    until(aiko.live)
    assert aiko.run(WHO) == {"id": before["id"], "name": "Aiko", "kind": "user"}
    aiko.say("with an account")
    aiko.sees("as a guest", "with an account")
    assert aiko.message("as a guest").find_elements("css selector", "[data-act=edit]")


def test_an_account_opens_by_password_and_a_wrong_one_is_said_to_be_wrong(aiko: Person) -> None:
    leave(aiko)
    knock(aiko)
    fill(aiko, "by-password", login="aiko", password="something else")
    until(lambda: "not right" in "".join(aiko.shown("form[name=by-password] [role=alert]")))
    fill(aiko, "by-password", login="Aiko", password=PASSWORD)
    until(aiko.live)
    aiko.sees("as a guest", "with an account")


def test_a_name_is_changed_and_said_of_what_comes(aiko: Person) -> None:
    me(aiko)
    fill(aiko, "rename", name="愛子")
    until(lambda: "Saved" in "".join(aiko.shown("dialog.me [role=status]")))
    shut(aiko)
    until(aiko.live)
    aiko.say("renamed")
    until(lambda: aiko.texts()[-1:] == ["renamed"] and not aiko.all(".said.pale"))
    assert aiko.shown("article .name")[-1] == "愛子"


def test_a_passkey_opens_the_account_without_a_word(aiko: Person) -> None:
    me(aiko)
    fill(aiko, "passkey", name="Laptop", password=PASSWORD)
    until(lambda: "Laptop" in "".join(aiko.shown("dialog.me .rows")))
    shut(aiko)
    leave(aiko)
    knock(aiko)
    fill(aiko, "by-passkey")
    until(aiko.live)
    assert aiko.run(WHO)["kind"] == "user"


def test_a_lost_password_is_set_anew_by_a_code(aiko: Person) -> None:
    me(aiko)
    fill(aiko, "fresh", password=PASSWORD)
    until(lambda: len(aiko.all(".codes code")) == 10)
    code = aiko.one(".codes code").text
    aiko.one("[data-deed=kept]").click()
    shut(aiko)
    until(aiko.live)
    leave(aiko)
    knock(aiko)
    fill(aiko, "by-code", login="aiko", code=code.lower(), password="another sentence")
    until(aiko.live)


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_state_of_an_account_breaks_a_rule(aiko: Person, theme: str, language: str) -> None:
    settle(aiko, theme=theme, language=language)
    until(aiko.live)
    me(aiko)
    aiko.run("for (const one of document.querySelectorAll('dialog.me details')) one.open = true")
    assert violations(aiko) == [], "me"
    aiko.size(NARROW)
    assert aiko.fits()
    aiko.tell("Emulation.clearDeviceMetricsOverride")
    shut(aiko)
    leave(aiko)
    knock(aiko)
    assert violations(aiko) == [], "door"
    fill(aiko, "by-password", login="aiko", password="another sentence")
    until(aiko.live)


def test_who_is_forgotten_leaves_nothing_if_they_say_so(aiko: Person) -> None:
    settle(aiko, language="en")
    until(aiko.live)
    me(aiko)
    unfold(aiko, "forget")
    aiko.one("#forget-messages").click()
    fill(aiko, "forget", password="another sentence")
    until(lambda: aiko.all("#name"))
    knock(aiko)
    fill(aiko, "by-password", login="aiko", password="another sentence")
    until(lambda: aiko.shown("form[name=by-password] [role=alert]"))


def test_a_phrase_is_the_same_guest_again(aiko: Person) -> None:
    aiko.driver.refresh()
    ids = []
    for _ in range(2):
        until(lambda: aiko.all("#name"))
        knock(aiko)
        fill(aiko, "by-phrase", name="Mei", phrase="snow on the old pine")
        until(aiko.live)
        ids.append(aiko.run(WHO))
        leave(aiko)
    assert ids[0] == ids[1]
    assert ids[0]["kind"] == "guest"
    aiko.enter(ROOM)
    until(lambda: len(aiko.all(".tomb")) == 3)
