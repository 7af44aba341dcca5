"""What is less common at the chat page but must not go wrong: rooms, unread, commands, mentions, far behind, hostile text."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from selenium.webdriver.common.keys import Keys

from tests.browser.chromium import Server
from tests.browser.network import CuttingProxy, until
from tests.browser.person import Person

pytestmark = [pytest.mark.browser]

HOSTILE = (
    "<script>window.hit=1</script>", "<img src=x onerror=window.hit=1>", "<svg/onload=window.hit=1>",
    "[x](javascript:window.hit=1)", "[x](data:text/html,<script>window.hit=1</script>)", "javascript:window.hit=1",
    "https://a.example/\"onmouseover=\"window.hit=1", "[x](https://a.example/\"onclick=\"window.hit=1)",
    "```<script>window.hit=1</script>\n</pre><script>window.hit=1</script>\n```", "> <iframe srcdoc='<script>parent.hit=1</script>'>",
    "`</code><img src=x onerror=window.hit=1>`", "@<img src=x onerror=window.hit=1>", "__proto__ constructor ${window.hit=1} {{7*7}}",
    "\u202eevil\u202c \u0000".replace("\u0000", ""), "&lt;script&gt;window.hit=1&lt;/script&gt;",
)


@pytest.fixture(scope="module")
def ken(server: Server) -> Iterator[Person]:
    person = Person(server.url, "田中")
    yield person
    person.close()


def test_a_room_is_left_without_a_reload_and_what_is_new_there_is_marked(server: Server, aiko: Person) -> None:
    server.say("tea is ready", "tea")
    aiko.enter("tea")
    aiko.sees("tea is ready")
    aiko.one(".add").click()
    aiko.one("#room").send_keys("New Room", Keys.ENTER)
    until(lambda: aiko.driver.current_url.endswith("/r/new-room") and aiko.live())
    assert aiko.all(".empty")
    aiko.say("first here")
    aiko.sees("first here")
    server.say("more tea", "tea")
    aiko.run("document.dispatchEvent(new Event('visibilitychange'))")
    until(lambda: [link.split()[:2] for link in aiko.shown("nav .unread")] == [["#", "tea"]])
    aiko.driver.back()
    until(lambda: aiko.texts() == ["tea is ready", "more tea"])
    assert aiko.run("return document.querySelector('.rule.new').nextElementSibling.innerText.includes('more tea')")
    until(lambda: not aiko.all("nav .unread"))
    aiko.say("thank you")
    until(lambda: not aiko.all(".rule.new"))


def test_commands_and_typing_reach_the_other(aiko: Person, ken: Person) -> None:
    ken.open("/r/own")
    ken.enter("own")
    ken.run("return fetch('/v1/rooms/own', { method: 'PUT', body: '{}' }).then(() => 0)")
    aiko.enter("own")
    ken.one("#write").send_keys("\uff0ftop", Keys.TAB, "tea and cake", Keys.ENTER)
    until(lambda: aiko.shown(".topic") == ["tea and cake"])
    aiko.say("/topic mine")
    until(lambda: aiko.all(".note"))
    aiko.say("/nonsense")
    assert aiko.one("#write").get_property("value") == "/nonsense"
    aiko.one("#write").clear()
    ken.say("/me smiles")
    aiko.until(lambda: aiko.all(".does") and "smiles" in aiko.shown(".does")[0])
    ken.say("/shrug")
    aiko.until(lambda: aiko.texts()[-1] == "¯\\_(ツ)_/¯")
    ken.one("#write").send_keys("wait")
    until(lambda: "田中 is typing" in aiko.shown(".typing")[0])
    ken.one("#write").send_keys(Keys.ENTER)
    until(lambda: aiko.shown(".typing") == [""])
    aiko.say("/clear")
    until(lambda: aiko.texts() == [] and aiko.all(".edge button"))
    ken.say("after")
    until(lambda: aiko.texts() == ["after"])
    aiko.one(".edge button").click()
    until(lambda: len(aiko.texts()) == 4)
    aiko.say("/help")
    until(lambda: aiko.all("dialog.help[open]"))


def test_a_mention_is_completed_and_an_input_method_keeps_its_keys(aiko: Person, ken: Person) -> None:
    ken.enter("mention")
    aiko.enter("mention")
    until(lambda: aiko.shown(".count") == ["2"])
    field = aiko.one("#write")
    field.send_keys("@")
    until(lambda: aiko.shown("[role=option]") == ["田中"])
    aiko.tell("Input.imeSetComposition", text="たなか", selectionStart=3, selectionEnd=3)
    aiko.tell("Input.dispatchKeyEvent", type="rawKeyDown", key="Enter", windowsVirtualKeyCode=229)
    assert aiko.texts(".said") == []
    aiko.tell("Input.insertText", text="田")
    until(lambda: aiko.shown("[role=option]") == ["田中"])
    assert field.get_attribute("aria-activedescendant") == "suggestion-0"
    field.send_keys(Keys.ENTER)
    until(lambda: field.get_property("value") == "@田中 ")
    field.send_keys("さん、お茶です", Keys.ENTER)
    until(lambda: ken.shown(".at.me") == ["@田中"])
    assert ken.all(".for-me")


def test_an_enter_of_an_input_method_does_not_open_the_door(server: Server) -> None:
    person = Person(server.url, "unused")
    try:
        person.open("/r/door")
        person.one("#name").click()
        person.tell("Input.imeSetComposition", text="あいこ", selectionStart=3, selectionEnd=3)
        person.tell("Input.dispatchKeyEvent", type="rawKeyDown", key="Enter", windowsVirtualKeyCode=229)
        person.tell("Input.insertText", text="愛子")
        assert person.all("#name")
        person.keys(Keys.ENTER)
        until(person.live)
        person.say("来ました")
        until(lambda: person.shown(".said .name") == ["愛子"])
    finally:
        person.close()


LONG_POLLS_ONLY = """
delete window.WebSocket;
const real = window.fetch;
window.fetch = (path, options) => options?.headers?.Accept === "text/event-stream" ? Promise.reject(new TypeError()) : real(path, options);
"""


def test_whoever_was_away_is_told_how_far_behind_and_misses_nothing_even_by_long_polls(
    server: Server, proxy: CuttingProxy, aiko: Person
) -> None:
    added = aiko.tell("Page.addScriptToEvaluateOnNewDocument", source=LONG_POLLS_ONLY)
    try:
        _come_back(server, proxy, aiko)
    finally:
        aiko.tell("Page.removeScriptToEvaluateOnNewDocument", **added)


def _come_back(server: Server, proxy: CuttingProxy, aiko: Person) -> None:
    aiko.enter("behind")
    server.say("before", "behind")
    aiko.sees("before")
    aiko.run("""
        window.lines = [];
        new MutationObserver(() => lines.push(document.querySelector(".line").innerText)).observe(document.querySelector(".line"), { subtree: true, childList: true, characterData: true, attributes: true });
    """)
    proxy.down()
    until(lambda: aiko.all(".line.waiting"))
    server.say_all((f"line {number}" for number in range(1500)), "behind")
    proxy.up()
    aiko.one(".line button").click()
    until(lambda: aiko.texts()[-1:] == ["line 1499"] and aiko.live())
    assert any(line.startswith("Catching up, ") and line.endswith(" behind") for line in aiko.run("return lines"))
    assert aiko.texts()[-250:] == [f"line {number}" for number in range(1250, 1500)]


def test_no_text_runs_and_none_becomes_anything_but_text_and_links(server: Server, aiko: Person) -> None:
    for text in HOSTILE:
        server.say(text, "hostile")
    aiko.enter("hostile")
    until(lambda: len(aiko.all(".said")) == len(HOSTILE))
    assert aiko.run("return window.hit") is None
    names = aiko.run("return [...new Set([...document.querySelectorAll('.words *')].map((one) => one.localName))].sort()")
    assert set(names) <= {"a", "blockquote", "br", "button", "code", "div", "em", "p", "pre", "span", "strong"}
    hrefs = aiko.run("return [...document.querySelectorAll('.words a')].map((one) => one.href)")
    assert hrefs
    assert all(href.startswith("https://a.example/") for href in hrefs)
    assert not aiko.run("return [...document.querySelectorAll('.words *')].some((one) => [...one.attributes].some(({ name }) => name.startsWith('on')))")


STRANGER = """
const bad = arguments[0], room = arguments[1], done = arguments[2];
const ask = (method, path, body, token) => fetch(path, { method, credentials: "omit", body: JSON.stringify(body),
  headers: { "Content-Type": "application/json", ...(token && { Authorization: `Bearer ${token}` }) } }).then((answer) => answer.status);
(async () => {
  const made = await fetch("/v1/session", { method: "POST", credentials: "omit", body: JSON.stringify({ name: bad.slice(0, 40) }), headers: { "Content-Type": "application/json" } });
  const { token } = await made.json();
  return [made.status, await ask("PUT", `/v1/rooms/${room}`, { access: "public", title: bad, topic: bad }, token),
    await ask("POST", `/v1/rooms/${room}/messages`, { text: `find ${bad}`, data: { [bad]: bad, mentions: [{ id: bad, name: bad }], reply: 1 } }, token),
    await ask("POST", `/v1/rooms/${room}/messages`, { data: { [bad]: bad } }, token)];
})().then(done, (problem) => done([String(problem)]));
"""


def test_no_name_topic_title_data_found_word_or_address_runs(server: Server, aiko: Person) -> None:
    bad = "\"'><img src=x onerror=window.hit=1>"
    aiko.open("/robots.txt")
    made = aiko.driver.execute_async_script(STRANGER, bad, "reflected")
    assert len(made) == 4, made
    assert all(status in (200, 201) for status in made), made
    aiko.enter("reflected")
    until(lambda: len(aiko.all(".said")) == 2)
    aiko.one("header .icon:nth-of-type(3)").click()
    aiko.one("#find").send_keys("find img onerror")
    until(lambda: aiko.all(".found a mark"))
    aiko.keys(Keys.ESCAPE)
    aiko.one("h1 button").click()
    until(lambda: aiko.all("dialog[open]"))
    seen = aiko.run("return [document.body.innerText.includes('onerror=window.hit=1'), document.querySelectorAll('img[src=x]').length, window.hit ?? null]")
    assert seen == [True, 0, None]
    for address in ("/r/reflected?x=%22%3E%3Cimg%20src=x%20onerror=window.hit=1%3E#%22%3E%3Cimg%20src=x%20onerror=window.hit=1%3E",
                    "/r/reflected#javascript:window.hit=1", "/r/%3Cimg%20src=x%20onerror=window.hit=1%3E", "/r/reflected?plain&x=%3Cscript%3Ewindow.hit=1%3C/script%3E"):  # fmt: skip
        aiko.driver.get("about:blank")
        aiko.open(address)
        until(lambda: aiko.run("return document.readyState") == "complete")
        assert aiko.run("return [document.querySelectorAll('img[src=x]').length, window.hit ?? null]") == [0, None], address


def test_code_of_a_named_language_is_coloured_and_stays_the_text_it_was(server: Server, aiko: Person) -> None:
    code = "const a = `<img src=x onerror=window.hit=1>`;  // </code></pre>"
    for text in (f"```js\n{code}\n```", f"```\n{code}\n```", f"```nonsense\n{code}\n```"):
        server.say(text, "coloured")
    aiko.enter("coloured")
    until(lambda: aiko.all(".said pre span"))
    assert aiko.run("return [...document.querySelectorAll('pre code')].map((one) => one.textContent)") == [code] * 3
    assert aiko.run("return [...document.querySelectorAll('pre code')].map((one) => one.childElementCount > 0)") == [True, False, False]
    assert aiko.run("return [...new Set([...document.querySelectorAll('pre code *')].map((one) => one.localName))]") == ["span"]
    assert aiko.run("return window.hit") is None


def test_a_date_leads_to_its_first_message_and_a_refused_message_waits_for_a_word(server: Server, aiko: Person) -> None:
    server.say("today", "dated")
    aiko.enter("dated")
    aiko.one("header .wide").click()
    aiko.one("#date")
    aiko.run("const field = document.getElementById('date'); field.value = field.max; field.form.requestSubmit()")
    until(lambda: aiko.all(".said.flash"))
    aiko.run("""
        const real = window.fetch;
        window.fetch = (path, options) => options?.method === "POST" && path.endsWith("/messages")
          ? Promise.resolve(new Response('{"code":"forbidden"}', { status: 403 })) : real(path, options);
    """)
    aiko.say("not allowed")
    until(lambda: aiko.all(".said.failed .problem"))
    assert "You may not do that here" in aiko.one(".problem").text
    aiko.driver.refresh()
    until(lambda: aiko.texts(".said.failed") == ["not allowed"])
    aiko.one(".problem button").click()
    aiko.sees("today", "not allowed")
    assert not aiko.all(".problem")


def test_words_are_found_while_they_are_written_and_open_where_they_were_said(server: Server, aiko: Person) -> None:
    server.say_all(("明日の会議は三時から" if number == 3 else f"line {number}" for number in range(150)), "found")
    aiko.enter("elsewhere")
    aiko.keys(Keys.CONTROL, "k", Keys.NULL)
    field = aiko.one("#find")
    until(lambda: aiko.run("return document.activeElement.id") == "find")
    aiko.tell("Input.imeSetComposition", text="かいぎ", selectionStart=3, selectionEnd=3)
    aiko.tell("Input.insertText", text="会議")
    until(lambda: aiko.shown(".found mark") == ["会議"])
    field.send_keys(" in:nowhere")
    until(lambda: aiko.shown(".find [role=status]") == ["0 messages"])
    field.clear()
    field.send_keys("会議 in:found")
    until(lambda: aiko.shown(".found mark") == ["会議"])
    aiko.keys(Keys.DOWN, Keys.ENTER)
    until(lambda: aiko.driver.current_url.endswith("/r/found#4") and not aiko.all("dialog"))
    until(lambda: aiko.all(".said.flash"))
    assert "明日の会議" in aiko.shown(".said.flash")[0]


def test_on_a_touch_screen_enter_begins_a_line_and_a_tap_shows_the_actions(aiko: Person) -> None:
    aiko.tell("Emulation.setTouchEmulationEnabled", enabled=True)
    try:
        aiko.enter("touch")
        assert aiko.run("return matchMedia('(pointer: coarse)').matches")
        aiko.one("#write").send_keys("one", Keys.ENTER, "two")
        assert aiko.one("#write").get_property("value") == "one\ntwo"
        aiko.one(".send").click()
        aiko.sees("one\ntwo")
        aiko.one("article[data-at] .actions")
        actions = "return getComputedStyle(document.querySelector('.actions')).display"
        assert aiko.run(actions) == "none"
        aiko.run("document.querySelector('article[data-at] p').click()")
        until(lambda: aiko.run(actions) == "flex")
        aiko.run("document.querySelector('article[data-at] p').click()")
        until(lambda: aiko.run(actions) == "none")
    finally:
        aiko.tell("Emulation.setTouchEmulationEnabled", enabled=False)


def test_a_link_and_a_block_of_code_are_copied_even_where_there_is_no_clipboard(server: Server, aiko: Person) -> None:
    server.say("```\nlet echo;\n```", "copied")
    aiko.enter("copied")
    for there in ("", "Object.defineProperty(navigator, 'clipboard', { value: undefined });"):
        aiko.run(there)
        aiko.one(".block button").click()
        until(lambda: aiko.shown(".note") == ["Copied"])
        aiko.one("#write").send_keys(Keys.CONTROL, "v")
        until(lambda: aiko.one("#write").get_property("value") == "let echo;")
        aiko.one("#write").clear()
    aiko.act("let echo", "link")
    assert aiko.driver.current_url.endswith("/r/copied#1")
