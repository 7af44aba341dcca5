"""The chat page for people who use it by keyboard, by ear, in the dark, large or in Japanese."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver.common.keys import Keys

from tests.browser.chromium import Server
from tests.browser.heard import compare
from tests.browser.network import until
from tests.browser.person import NARROW, Person

pytestmark = [pytest.mark.browser]
AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text("utf-8")
CHECK = """
const done = arguments[0];
const options = { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"], resultTypes: ["violations"] };
for (const one of document.getAnimations()) if (one.effect.getComputedTiming().endTime < Infinity) one.finish();
axe.run(document, options)
  .then(({ violations }) => done(violations.map((one) => `${one.id}: ${one.nodes.map((node) => node.html + " " + node.failureSummary)}`)),
    (error) => done([String(error)]));
"""


KEN = """
const ask = (method, path, body, token) => fetch(path, { method, credentials: "omit", body: JSON.stringify(body),
  headers: { "Content-Type": "application/json", ...(token && { Authorization: `Bearer ${token}` }) } }).then((answer) => answer.json());
return (async () => {
  const { token } = await ask("POST", "/v1/session", { name: "Ken" });
  await ask("PUT", "/v1/rooms/closed", { access: "members" }, token);
})();
"""


def violations(person: Person) -> list[str]:
    if not person.run("return 'axe' in window"):
        person.run(AXE)
    return list(person.driver.execute_async_script(CHECK))


def settle(person: Person, **settings: str) -> None:
    person.run("localStorage.setItem('kodama page settings', JSON.stringify(arguments[0]))", settings)
    person.driver.refresh()
    until(lambda: person.live() or person.all("#name"))


STATES: dict[str, Any] = {
    "room": lambda aiko: None,
    "actions": lambda aiko: aiko.message("the fix").click(),
    "suggestions": lambda aiko: aiko.one("#write").send_keys("/"),
    "reply": lambda aiko: (aiko.one("#write").clear(), aiko.act("the fix", "reply")),
    "edit": lambda aiko: aiko.act("of my own", "edit"),
    "emoji": lambda aiko: aiko.act("the fix", "react"),
    "delete": lambda aiko: aiko.act("of my own", "delete"),
    "help": lambda aiko: aiko.one("header .wide:nth-of-type(5)").click(),
    "settings": lambda aiko: aiko.one("header .icon:last-of-type").click(),
    "people": lambda aiko: aiko.one(".count").click(),
    "date": lambda aiko: aiko.one("header .wide").click(),
    "search": lambda aiko: (aiko.one("header .icon:nth-of-type(3)").click(), aiko.one("#find").send_keys("fix in:" + aiko.run("return location.pathname.slice(3)")), until(lambda: len(aiko.all(".found a")) == 1)),
    "open": lambda aiko: aiko.one(".add").click(),
    "about": lambda aiko: (aiko.one("h1 button").click(), aiko.one(".about section .hint")),
    "invite": lambda aiko: (aiko.one("h1 button").click(), aiko.one(".about .pairs, .about section .hint"), aiko.one(".invites > .buttons button").click(), aiko.one(".invite .link")),
    "code": lambda aiko: (aiko.one("h1 button").click(), aiko.one(".about .link .buttons button:last-child").click(), aiko.one(".print")),
}


HEARD = ("room", "suggestions", "delete", "help", "people", "search")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en", "ja"])
def test_no_state_of_the_page_breaks_a_rule(server: Server, aiko: Person, theme: str, language: str) -> None:
    room = f"rules-{theme}-{language}"
    aiko.open("/r/door")
    aiko.driver.delete_all_cookies()
    settle(aiko, theme=theme, language=language)
    until(lambda: aiko.all("#name"))
    assert violations(aiko) == [], "door"
    if theme == "light":
        compare(aiko, f"door-{language}")
    for text in (
        "plain https://example.org",
        "the fix:\n```py\ndef f(x: int):\n    return 'a' + 1  # why\n```\n> quote\n- list `x`",
        "@Aiko **bold**",
    ):
        server.say(text, room)
    aiko.enter(room)
    assert aiko.run("return document.documentElement.lang") == language
    assert aiko.run("return document.documentElement.dataset.theme") == theme
    aiko.say("of my own")
    until(lambda: len(aiko.texts()) == 4)
    aiko.run(KEN)
    until(lambda: aiko.all(".code-word"))
    aiko.act("plain", "react")
    aiko.one(".palette button").click()
    until(lambda: aiko.all(".chip"))
    for name, reach in STATES.items():
        reach(aiko)
        until(lambda: not aiko.all("dialog") or aiko.all("dialog[open]"))
        assert violations(aiko) == [], name
        if theme == "light" and name in HEARD:
            compare(aiko, f"{name}-{language}")
        aiko.keys(Keys.ESCAPE)
        until(lambda: not aiko.all("dialog"))
    aiko.one("nav .add").click()
    aiko.one("#room").send_keys(f"own-{theme}-{language}", Keys.ENTER)
    until(lambda: aiko.driver.current_url.endswith(f"/own-{theme}-{language}") and aiko.live())
    aiko.one("h1 button").click()
    aiko.one(".invites > .buttons button").click()
    aiko.one(".invite form button").click()
    until(lambda: aiko.all("#made") and aiko.all(".invite .pairs"))
    assert violations(aiko) == [], "link"
    aiko.open("/r/closed")
    until(lambda: aiko.all(".barred"))
    assert violations(aiko) == [], "barred"


def test_everything_is_done_by_keyboard_from_the_door_to_a_reaction(server: Server) -> None:
    person = Person(server.url, "unused")
    try:
        server.say("hello there", "keys")
        person.open("/r/keys")
        until(lambda: person.run("return document.activeElement.id") == "name")
        person.keys("Mei", Keys.ENTER)
        until(lambda: person.live() and person.run("return document.activeElement.id") == "write")
        person.keys("hi", Keys.ENTER)
        person.sees("hello there", "hi")
        person.keys(Keys.UP)
        person.keys("!", Keys.ENTER)
        until(lambda: person.texts() == ["hello there", "hi!"])
        person.keys(Keys.SHIFT, Keys.TAB, Keys.NULL)
        assert "hi!" in person.driver.switch_to.active_element.text
        person.keys(Keys.UP)
        assert "hello there" in person.driver.switch_to.active_element.text
        person.keys(Keys.ENTER)
        assert person.driver.switch_to.active_element.get_attribute("data-act") == "react"
        person.keys(Keys.RIGHT)
        assert person.driver.switch_to.active_element.get_attribute("data-act") == "reply"
        person.keys(Keys.LEFT, Keys.ENTER)
        until(lambda: person.all("dialog.emoji[open]"))
        person.keys(Keys.TAB, Keys.ENTER)
        until(lambda: person.shown(".chip.own") == ["👍 1"])
        until(lambda: person.run("return document.activeElement.closest('article') !== null"))
        person.keys(Keys.ESCAPE, "r")
        until(lambda: person.run("return document.activeElement.id") == "write")
        person.keys("indeed", Keys.ENTER)
        until(lambda: person.all(".quoted"))
        person.keys(Keys.SHIFT, Keys.TAB, Keys.NULL)
        person.keys(Keys.HOME, Keys.END, Keys.DELETE)
        until(lambda: person.all("dialog.delete[open]"))
        person.keys(Keys.TAB, Keys.TAB, Keys.ENTER)
        until(lambda: person.texts()[-1:] == ["Message deleted"])
        person.keys(Keys.ESCAPE)
        until(lambda: person.run("return document.activeElement.id") == "write")
        person.keys(Keys.SHIFT, Keys.TAB, Keys.NULL)
        person.keys("?")
        until(lambda: person.all("dialog.help[open]"))
        person.keys(Keys.ESCAPE)
        until(lambda: not person.all("dialog"))
    finally:
        person.close()


def test_new_messages_are_told_in_a_breath_and_counted_when_they_are_many(
    server: Server, aiko: Person
) -> None:
    aiko.open("/r/ear")
    settle(aiko, language="en")
    aiko.enter("ear")
    aiko.run("""
        window.told = [];
        const region = document.getElementById("announce");
        new MutationObserver(() => told.push(region.textContent)).observe(region, { childList: true, characterData: true, subtree: true });
    """)
    server.say("one", "ear")
    until(lambda: [line.rpartition(": ")[2] for line in aiko.run("return told")] == ["one"])
    for number in range(7):
        server.say(f"{number}", "ear")
    until(lambda: sum_of(aiko.run("return told")) == 8)
    assert len(aiko.run("return told")) <= 4


def sum_of(told: list[str]) -> int:
    """How many messages were told of, read or counted."""
    return sum(int(line.split(" ")[0]) if "new message" in line else len(line.splitlines()) for line in told)


def test_at_400_percent_and_on_a_narrow_phone_nothing_is_cut_off(server: Server, aiko: Person) -> None:
    server.say("a long line without any hole: " + "x" * 200 + "\n```\n" + "y" * 200 + "\n```", "narrow")
    aiko.enter("narrow")
    try:
        aiko.size(NARROW)
        until(aiko.fits)
        for opener in (".to-rooms", ".count", "header .icon:last-of-type"):
            aiko.one(opener).click()
            until(lambda: aiko.all("dialog[open]"))
            assert aiko.fits()
            box = aiko.run(
                "const d = document.querySelector('dialog'); return [d.scrollWidth, d.clientWidth]"
            )
            assert box[0] <= box[1]
            aiko.keys(Keys.ESCAPE)
            until(lambda: not aiko.all("dialog"))
        aiko.size({"width": 320, "height": 256, "deviceScaleFactor": 4, "mobile": False})
        until(aiko.fits)
        assert aiko.run(
            "return document.getElementById('write').getBoundingClientRect().bottom <= innerHeight"
        )
        assert aiko.run("return document.getElementById('scroll').clientHeight > 40")
    finally:
        aiko.tell("Emulation.clearDeviceMetricsOverride")


def test_a_key_stays_under_50_ms_while_300_messages_a_second_come_in(server: Server, aiko: Person) -> None:
    aiko.enter("busy")
    aiko.run("""
        window.flood = (async () => {
          const began = performance.now();
          for (let sent = 0; performance.now() - began < 2500; ) {
            const due = Math.floor((performance.now() - began) * 0.3);
            const batch = [];
            for (; sent < due; sent += 1) batch.push(fetch("/v1/rooms/busy/messages", { method: "POST", body: `line ${sent}`, headers: { "Content-Type": "text/plain" } }));
            await Promise.all(batch);
            await new Promise((done) => setTimeout(done, 20));
          }
        })();
        window.slow = [];
        new PerformanceObserver((list) => slow.push(...list.getEntries().filter((one) => one.name === "keydown").map((one) => one.processingEnd - one.processingStart)))
          .observe({ type: "event", durationThreshold: 16, buffered: true });
    """)
    field = aiko.one("#write")
    end = time.monotonic() + 2.5
    while time.monotonic() < end:
        field.send_keys("a")
    until(lambda: len(aiko.texts()) > 200)
    assert len(aiko.all("#scroll li")) <= 320
    assert max(aiko.run("return slow"), default=0) < 50
