"""Rooms at the chat page: what is new on every device, invitations, direct messages, and rooms one may not enter."""

from __future__ import annotations

import json
from typing import Any
from urllib.request import Request, urlopen

import pytest
from selenium.webdriver.common.keys import Keys

from tests.browser.chromium import Server
from tests.browser.network import until
from tests.browser.person import Person

pytestmark = [pytest.mark.browser]


class Ken:
    """Somebody whose device is a program."""

    def __init__(self, server: Server, name: str = "Ken", token: str | None = None) -> None:
        self._url = server.url
        self.token = token
        if token is None:
            opened = self.ask("POST", "/v1/session", {"name": name})
            self.token, self.id = opened["token"], opened["user"]["id"]

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        fields = {"Content-Type": "application/json"}
        if self.token is not None:
            fields["Authorization"] = f"Bearer {self.token}"
        data = None if body is None else json.dumps(body).encode()
        with urlopen(Request(self._url + path, method=method, data=data, headers=fields)) as answer:
            return json.loads(answer.read() or b"null")

    def say(self, room: str, text: str) -> int:
        return int(self.ask("POST", f"/v1/rooms/{room}/messages", {"text": text})["offset"])

    def unread(self) -> dict[str, tuple[int | None, int]]:
        return {one["room"]: (one["offset"], one["unread"]) for one in self.ask("GET", "/v1/unread")["rooms"]}


@pytest.fixture(scope="module")
def ken(server: Server) -> Ken:
    return Ken(server)


def phone_of(person: Person, server: Server) -> Ken:
    """Another device of the same person, who has a session there with the same identity."""
    person.enter("lobby")
    token = next(one["value"] for one in person.driver.get_cookies() if "kodama" in one["name"])
    return Ken(server, token=token)


def badges(person: Person) -> dict[str, str]:
    script = "return Object.fromEntries([...document.querySelectorAll('nav .rooms a')].map((one) => [one.querySelector('bdi').innerText, one.querySelector('.badge > [aria-hidden]')?.innerText ?? '']))"
    return dict(person.run(script))


def go(person: Person, name: str) -> None:
    script = "[...document.querySelectorAll('nav .rooms a')].find((one) => one.querySelector('bdi').innerText === arguments[0]).click()"
    person.run(script, name)
    until(lambda: person.shown("h1") == [name] and person.live())


def test_what_is_new_is_the_same_on_every_device_and_read_only_when_it_was_seen(
    server: Server, aiko: Person, ken: Ken
) -> None:
    ken.say("lobby", "good morning")
    phone = phone_of(aiko, server)
    first = ken.say("tea", "tea is ready")
    aiko.enter("tea")
    until(lambda: phone.unread().get("tea") == (first, 0))
    go(aiko, "lobby")
    ken.say("tea", "cake, too")
    ken.say("tea", "@aiko come")
    until(lambda: badges(aiko)["tea"] == "@2")
    assert aiko.driver.title == "(2) lobby · Kodama"
    assert phone.unread()["tea"] == (first, 2)
    assert "1 mentions you" in aiko.run("return document.querySelector('nav .badge').textContent")
    aiko.driver.refresh()
    until(lambda: aiko.live() and badges(aiko).get("tea") == "@2")
    phone.ask("PUT", "/v1/rooms/tea/read", {"offset": first + 1})
    aiko.run("document.dispatchEvent(new Event('visibilitychange'))")
    until(lambda: badges(aiko)["tea"] == "@1")
    go(aiko, "tea")
    assert aiko.run("return document.querySelector('.rule.new').nextElementSibling.innerText.includes('come')")
    until(lambda: phone.unread()["tea"] == (first + 2, 0))
    assert aiko.driver.title == "tea · Kodama"
    for number in range(60):
        ken.say("tea", f"line {number}")
    until(lambda: phone.unread()["tea"][1] == 0)
    aiko.run("document.getElementById('scroll').scrollTop = 0")
    until(lambda: aiko.all(".pill"))
    last = ken.say("tea", "while reading further up")
    until(lambda: aiko.driver.title == "(1) tea · Kodama")
    assert phone.unread()["tea"] == (last - 1, 1)
    aiko.one(".pill").click()
    until(lambda: phone.unread()["tea"] == (last, 0))


def test_a_room_is_made_for_members_and_a_newcomer_comes_in_by_one_field(server: Server, aiko: Person, ken: Ken) -> None:
    aiko.enter("lobby")
    aiko.one("nav .add").click()
    aiko.one("#room").send_keys("The Den")
    aiko.one("#access-secret").click()
    aiko.one("#room").send_keys(Keys.ENTER)
    until(lambda: aiko.shown("h1") == ["The Den"] and aiko.live())
    aiko.say("welcome")
    aiko.one("h1 button").click()
    until(lambda: aiko.shown(".about .pairs small") == ["(you)", "owner"])
    aiko.one(".about .buttons button:not(.quiet)").click()
    aiko.one("[name=uses] option[value='1']").click()
    aiko.one("[name=expires] option[value='3600']").click()
    aiko.one(".invite form button").click()
    link = str(aiko.one("#made").get_property("value"))
    assert link.startswith(f"{aiko.url}/r/the-den#invite=")
    until(lambda: "1 use left" in aiko.shown(".invite .pairs li")[0])
    aiko.one(".invite .link .buttons button:last-child").click()
    until(lambda: aiko.all(".full .print"))
    assert aiko.one(".full svg[role=img]").accessible_name == link
    aiko.keys(Keys.ESCAPE)
    until(lambda: not aiko.all("dialog"))
    newcomer = Person(server.url, "Cleo")
    try:
        newcomer.open("/r/the-den")
        newcomer.one("#name").send_keys("Cleo", Keys.ENTER)
        until(lambda: newcomer.all(".barred"))
        assert "I am Cleo there" in newcomer.one(".barred blockquote").text
        assert not newcomer.all("#write")
        newcomer.driver.get(link)
        newcomer.sees("welcome")
        newcomer.one("h1 button").click()
        until(lambda: newcomer.shown(".about .pairs li") == ["Aiko\nowner", "Cleo (you)\nmember"])
        newcomer.one(".about section:last-child button").click()
        until(lambda: newcomer.shown("h1") == ["lobby"] and "The Den" not in badges(newcomer))
    finally:
        newcomer.close()
    aiko.one("h1 button").click()
    aiko.one(".about .buttons button:not(.quiet)").click()
    until(lambda: aiko.shown(".invite section .hint") == ["There are none."])
    aiko.one(".invite form button").click()
    until(lambda: aiko.all(".invite .pairs button"))
    aiko.one(".invite .pairs button").click()
    until(lambda: aiko.shown(".invite [role=status]") == ["The link is not good any more."])
    assert not aiko.all("#made")
    aiko.keys(Keys.ESCAPE)
    until(lambda: not aiko.all("dialog"))
    aiko.one("h1 button").click()
    aiko.one(".about .pairs")
    aiko.one(".about section:last-child button").click()
    until(lambda: "only owner" in "".join(aiko.shown(".about [role=status]")))


def test_two_guests_talk_directly_and_a_name_taken_for_a_new_room_changes_nothing(aiko: Person, ken: Ken) -> None:
    ken.say("lobby", "anybody there?")
    aiko.enter("lobby")
    aiko.act("anybody there?", "person")
    until(lambda: aiko.all("[data-deed=direct]:not([disabled])"))
    aiko.one("[data-deed=direct]").send_keys(Keys.ENTER)
    until(lambda: aiko.shown("h1") == ["Ken"] and aiko.live())
    aiko.keys("psst", Keys.ENTER)
    aiko.sees("psst")
    room = aiko.driver.current_url.rpartition("/")[2]
    assert ken.unread()[room] == (None, 1)
    go(aiko, "lobby")
    ken.say(room, "what is it?")
    until(lambda: badges(aiko)["Ken"] == "1")
    assert aiko.run("return document.querySelector('nav section:nth-of-type(2) h2').innerText") == "Direct messages"
    assert aiko.driver.title.startswith("(1) ")
    go(aiko, "Ken")
    aiko.sees("psst", "what is it?")
    until(lambda: badges(aiko)["Ken"] == "")
    ken.ask("PUT", "/v1/rooms/kens", {"access": "public"})
    aiko.one("nav .add").click()
    aiko.one("#room").send_keys("kens")
    aiko.one("#access-members").click()
    aiko.one("#room").send_keys(Keys.ENTER)
    until(lambda: "there already" in aiko.shown(".open .problem")[0])
    assert ken.ask("GET", "/v1/rooms/kens")["access"] == "public"
    aiko.one(".open .problem button").click()
    until(lambda: aiko.shown("h1") == ["kens"] and aiko.live())


def test_who_was_removed_is_told_so_and_who_is_no_member_what_to_ask_for(aiko: Person, ken: Ken) -> None:
    ken.ask("PUT", "/v1/rooms/club", {"access": "members"})
    ken.say("yard", "hello")
    aiko.enter("yard")
    me = aiko.run("return fetch('/v1/session').then((answer) => answer.json())")["user"]["id"]
    ken.ask("PUT", f"/v1/rooms/yard/bans/{me}", {})
    until(lambda: aiko.shown(".barred h2") == ["You may not come in here now"])
    assert not aiko.all(".barred blockquote")
    go_to_club = "[...document.querySelectorAll('nav .rooms a')].find((one) => one.innerText.includes('club')).click()"
    until(lambda: "club" in badges(aiko))
    aiko.run(go_to_club)
    until(lambda: aiko.shown(".barred h2") == ["This room is for its members"])
    aiko.one(".barred button").click()
    until(lambda: aiko.shown(".note") == ["Copied"])
    code = ken.ask("POST", "/v1/rooms/club/invites", {})["url"]
    aiko.run("location.hash = arguments[0]", code.partition("#")[2])
    until(lambda: aiko.live() and not aiko.all(".barred"))
