"""The chat page in real Chromiums against a real server: what two people do in a room."""

from __future__ import annotations

import pytest

from tests.browser.chromium import Server
from tests.browser.network import CuttingProxy, until
from tests.browser.person import NARROW, Person

pytestmark = [pytest.mark.browser]


def test_a_name_is_all_it_takes_to_be_in_a_room_with_others(aiko: Person, ken: Person) -> None:
    aiko.open("/")
    assert aiko.one("h1").text == "lobby"
    aiko.one("#name").send_keys("Aiko\n")
    until(aiko.live)
    assert aiko.driver.current_url.endswith("/r/lobby")
    aiko.say("hello Ken")
    ken.enter("lobby")
    ken.sees("hello Ken")
    ken.say("hello Aiko")
    aiko.sees("hello Ken", "hello Aiko")
    until(lambda: aiko.shown(".count") == ["2"])


def test_what_is_said_while_the_network_is_away_or_the_server_dies_is_stored_once(
    server: Server, proxy: CuttingProxy, aiko: Person, ken: Person
) -> None:
    aiko.enter("away")
    ken.enter("away")
    proxy.down()
    aiko.say("said in a tunnel")
    until(lambda: aiko.texts(".said.pale") == ["said in a tunnel"])
    until(lambda: aiko.all(".line.waiting"))
    proxy.up()
    ken.sees("said in a tunnel")
    aiko.sees("said in a tunnel")
    server.kill()
    ken.say("said while it was down")
    until(lambda: ken.texts(".said.pale") == ["said while it was down"])
    server.start()
    for person in (aiko, ken):
        person.sees("said in a tunnel", "said while it was down")
        until(person.live)
    ken.driver.refresh()
    ken.sees("said in a tunnel", "said while it was down")


def test_what_is_not_stored_yet_outlives_a_reload_and_is_stored_once(
    proxy: CuttingProxy, aiko: Person
) -> None:
    aiko.enter("reload")
    aiko.run("""
        const real = window.fetch;
        window.fetch = async (path, options) => {  // the message arrives, its answer never does
          if (options.method !== "POST") return real(path, options);
          if (options.body.includes("arrived")) await real(path, options);
          return new Promise(() => {});
        };
    """)
    aiko.say("arrived, but its answer did not")
    aiko.say("never left")
    aiko.one("#write").send_keys("half a thought")
    both = ("arrived, but its answer did not", "never left")
    until(lambda: "never left" in aiko.texts(".said.pale"))
    until(
        lambda: aiko.run(
            "return Object.entries(localStorage).some(([, value]) => value.includes('half a thought'))"
        )
    )
    aiko.driver.refresh()
    aiko.sees(*both)
    assert aiko.one("#write").get_property("value") == "half a thought"
    aiko.one("#write").clear()
    aiko.driver.refresh()
    aiko.sees(*both)


def test_enter_while_composing_japanese_sends_nothing(aiko: Person) -> None:
    aiko.enter("ime")
    aiko.one("#write").click()
    aiko.tell("Input.imeSetComposition", text="にほんご", selectionStart=4, selectionEnd=4)
    aiko.tell("Input.dispatchKeyEvent", type="rawKeyDown", key="Enter", windowsVirtualKeyCode=229)
    assert aiko.texts(".said") == []
    aiko.tell("Input.insertText", text="日本語")
    assert aiko.texts(".said") == []
    aiko.say("")
    aiko.sees("日本語")


def test_edit_delete_reply_and_react_are_seen_by_the_other(aiko: Person, ken: Person) -> None:
    aiko.enter("change")
    ken.enter("change")
    aiko.say("first")
    aiko.say("secnd")
    aiko.sees("first", "secnd")
    aiko.keys("\ue013")  # up
    assert aiko.one("#write").get_property("value") == "secnd"
    aiko.one("#write").clear()
    aiko.say("second")
    ken.sees("first", "second")
    ken.until(lambda: ken.all(".edited"))
    ken.act("second", "reply")
    ken.say("agreed")
    aiko.until(lambda: aiko.all(".quoted"))
    ken.act("first", "react")
    ken.one(".palette button").click()
    until(lambda: aiko.shown(".chip") == ["👍 1"])
    aiko.one(".chip").click()
    until(lambda: ken.shown(".chip.own") == ["👍 2"])
    ken.one(".chip").click()
    until(lambda: aiko.shown(".chip.own") == ["👍 1"])
    aiko.driver.refresh()
    until(lambda: aiko.shown(".chip.own") == ["👍 1"])
    aiko.act("first", "delete")
    aiko.one("dialog .bad").click()
    ken.until(lambda: ken.texts() == ["Message deleted", "second", "agreed"])
    assert not ken.all(".chip")


def test_a_narrow_phone_has_no_sideways_scroll(aiko: Person) -> None:
    aiko.enter("narrow")
    try:
        aiko.size(NARROW)
        aiko.one("#write").send_keys("https://example.org/" + "long" * 40 + " `" + "code" * 40 + "`")
        aiko.one(".send").click()
        aiko.until(aiko.texts)
        assert aiko.fits()
    finally:
        aiko.tell("Emulation.clearDeviceMetricsOverride")


def test_history_pages_both_ways_without_moving_what_is_read(server: Server, aiko: Person) -> None:
    server.say_all((f"line {number}" for number in range(2000)), "long")
    aiko.enter("long")
    until(lambda: aiko.texts()[-1:] == ["line 1999"])
    place = """
        const box = document.getElementById("scroll").getBoundingClientRect();
        const row = [...document.querySelectorAll("article[data-at]")].find((one) => one.getBoundingClientRect().bottom > box.top + 1);
        return [row.dataset.at, Math.round(row.getBoundingClientRect().top - box.top)];
    """
    step = """
        const view = document.getElementById("scroll"), done = arguments[1];
        view.scrollTop += arguments[0];
        requestAnimationFrame(() => requestAnimationFrame(done));
    """
    aiko.driver.execute_async_script(step, -100_000)
    until(lambda: len(aiko.all("article[data-at]")) > 100 and aiko.one("#scroll").get_attribute("aria-busy") == "false")
    assert 1900 < int(aiko.run(place)[0]) < 1960, "the heading of the day is not what is read"
    jumps, turned = [], 0
    for _ in range(60):
        aiko.driver.execute_async_script(step, -700)
        before = aiko.run(place)
        until(lambda: aiko.one("#scroll").get_attribute("aria-busy") == "false")
        after = aiko.run(place)
        jumps.append(abs(after[1] - before[1]) if before[0] == after[0] else 999)
        assert len(aiko.all("#scroll li")) <= 320
        turned = int(after[0])
        if turned < 1200:
            break
    assert turned < 1200
    assert max(jumps) <= 1, jumps
    server.say("something new", "long")
    aiko.until(lambda: aiko.shown(".pill")[0].startswith("1 new"))
    until(lambda: aiko.driver.title.startswith("(1) "))
    for _ in range(80):
        aiko.driver.execute_async_script(step, 900)
        until(lambda: aiko.one("#scroll").get_attribute("aria-busy") == "false")
        if aiko.texts()[-1:] == ["something new"] and not aiko.all(".pill"):
            break
    assert aiko.texts()[-1] == "something new"
    until(lambda: not aiko.driver.title.startswith("("))


def test_an_address_with_an_offset_opens_at_that_message(server: Server, aiko: Person) -> None:
    server.say_all((f"line {number}" for number in range(1, 401)), "linked")
    aiko.enter("linked", at=57)
    aiko.until(lambda: "line 57" in aiko.texts())
    until(lambda: aiko.all(".said.flash"))
    assert "line 57" in aiko.one(".said.flash").text
    aiko.one(".pill").click()
    until(lambda: aiko.texts()[-1:] == ["line 400"] and not aiko.all(".pill"))
