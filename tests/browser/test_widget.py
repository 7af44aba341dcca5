"""A room on the page of another site, in a real Chromium without third-party cookies: what visitors see and do there."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import jwt
import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement

from tests.browser.chromium import Browser, Server
from tests.browser.hosts import HostSite
from tests.browser.network import until
from tests.browser.person import PHONE

pytestmark = [pytest.mark.browser]

SECRET = "a-secret-of-the-shop-and-the-chat-alone"
HOSTILE = """
:not(html) { all: unset !important; display: none !important; visibility: hidden !important; opacity: 0 !important;
  position: static !important; transform: scale(0) !important; pointer-events: none !important; font-size: 0 !important; }
html, body, main { display: block !important; visibility: visible !important; opacity: 1 !important; transform: none !important; }
"""
WITHOUT_THIRD_PARTIES = {"profile.block_third_party_cookies": True, "profile.cookie_controls_mode": 1}
CORNER = "html > div:last-of-type"
VECTORS = Path(__file__).parents[2] / "docs" / "spec" / "vectors" / "page-rooms.json"


@pytest.fixture(scope="module")
def shop() -> Iterator[HostSite]:
    site = HostSite()
    yield site
    site.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, shop: HostSite) -> Iterator[Server]:
    server = Server(
        tmp_path_factory.mktemp("widget"), KODAMA_JWT_KEYS=f"{shop.origin} HS256 {SECRET}",
        KODAMA_EMBED_SITES=shop.origin,
    )  # fmt: skip
    shop.policy = (
        f"default-src 'none'; style-src 'self'; connect-src 'self'; script-src {server.url}; frame-src {server.url};"
        " require-trusted-types-for 'script'; trusted-types 'none'"
    )
    shop.pages["/hostile.css"] = HOSTILE
    yield server
    server.kill()


class Visitor:
    """Somebody on a page of the shop."""

    def __init__(self, **preferences: object) -> None:
        self.browser = Browser(**{**WITHOUT_THIRD_PARTIES, **preferences})
        self.driver = self.browser.driver

    def visit(self, address: str) -> None:
        self.driver.get(address)
        until(lambda: self.run("return 'open' in (window.Kodama ?? {})"))
        self.run("""
            window.heard = [];
            for (const type of ["ready", "open", "close", "unread", "error", "expired"])
              Kodama.on(type, (detail) => heard.push([type, detail]));
        """)

    def run(self, script: str, *arguments: Any) -> Any:
        return self.driver.execute_script(script, *arguments)

    def heard(self, kind: str) -> list[Any]:
        return [detail for name, detail in self.run("return heard") if name == kind]

    def has(self, selector: str, host: str) -> list[WebElement]:
        """Return such parts of what the loader has drawn: tests see into its closed tree, the page does not."""
        self.driver.switch_to.default_content()
        assert self.run("return document.querySelector(arguments[0]).shadowRoot", host) is None
        root = self.driver.find_element("css selector", host).shadow_root
        return list(root.find_elements("css selector", selector))

    def part(self, selector: str, host: str = CORNER) -> WebElement:
        """Return the one such part."""
        (found,) = self.has(selector, host)
        return found

    @contextmanager
    def within(self, host: str = CORNER) -> Iterator[None]:
        """Be in the frame."""
        self.driver.switch_to.frame(self.part("iframe", host))
        yield
        self.driver.switch_to.default_content()

    def focused(self) -> str:
        """Return the id of what has the focus in the frame, nothing if the frame has not."""
        return str(self.run("return document.hasFocus() ? document.activeElement.id : ''"))

    def type(self, *keys: str) -> None:
        self.driver.switch_to.active_element.send_keys(*keys)

    def press(self, *keys: str) -> None:
        """Type at whatever has the focus of the page around."""
        self.driver.switch_to.default_content()
        ActionChains(self.driver).send_keys(*keys).perform()

    def tap(self, x: float, y: float) -> None:
        """Press what is uppermost there."""
        for kind in ("mousePressed", "mouseReleased"):
            self.driver.execute_cdp_cmd(
                "Input.dispatchMouseEvent", {"type": kind, "x": x, "y": y, "button": "left", "clickCount": 1}
            )

    def texts(self) -> list[str]:
        return list(
            self.run(
                "return [...document.querySelectorAll('.said:not(.pale) .words')].map((one) => one.innerText)"
            )
        )


@pytest.fixture(scope="module")
def visitor(server: Server) -> Iterator[Visitor]:
    visitor = Visitor()
    yield visitor
    visitor.browser.close()


def page(server: Server, *, body: str = "<h1>Shop</h1>", head: str = "", **data: str) -> str:
    facts = " ".join(f'data-{name.replace("_", "-")}="{value}"' for name, value in data.items())
    return f"<!doctype html><meta name=viewport content=width=device-width><title>Shop</title>{head}<script async src={server.url}/widget.js {facts}></script>{body}"


def test_a_keyboard_is_enough_on_a_strict_and_hostile_page(
    server: Server, shop: HostSite, visitor: Visitor
) -> None:
    shop.pages["/"] = page(server, room="lobby", head="<link rel=stylesheet href=hostile.css>")
    visitor.visit(shop.origin)
    button = visitor.part("button.open")
    assert visitor.run("return document.querySelector('h1').checkVisibility()") is False
    assert button.is_displayed()
    assert button.size == {"width": 56, "height": 56}
    assert (button.accessible_name, button.get_attribute("aria-expanded")) == ("Chat", "false")
    assert visitor.part(".panel").find_elements("css selector", "iframe") == []
    visitor.press(Keys.TAB)
    assert visitor.run("return document.activeElement === document.documentElement.lastElementChild")
    visitor.press(Keys.ENTER)
    assert button.get_attribute("aria-expanded") == "true"
    assert visitor.part("iframe").get_attribute("title") == "Chat: lobby"
    with visitor.within():
        until(lambda: visitor.focused() == "name")
        assert visitor.browser.wait("document.hasStorageAccess()") is False
        assert "token" not in visitor.run("return location.href")
        visitor.type("Aiko", Keys.ENTER)
        until(lambda: visitor.focused() == "write")
        visitor.type("from the shop", Keys.ENTER)
        until(lambda: visitor.texts() == ["from the shop"])
        (event,) = server.log()
        assert (event["text"], event["author"]["name"]) == ("from the shop", "Aiko")
        visitor.type(Keys.ESCAPE)
    until(lambda: button.get_attribute("aria-expanded") == "false")
    assert not visitor.part("iframe").is_displayed()
    assert visitor.part(":focus") == button
    server.say("to the shop")
    until(lambda: button.accessible_name == "Chat, 1 unread")
    assert visitor.part(".badge").text == "1"
    visitor.press(Keys.ENTER)
    until(lambda: button.accessible_name == "Chat")
    with visitor.within():
        until(lambda: visitor.texts() == ["from the shop", "to the shop"])
        until(lambda: visitor.focused() == "write")
    assert visitor.heard("error") == []
    cookies = visitor.driver.execute_cdp_cmd("Storage.getCookies", {})["cookies"]
    assert [one["name"] for one in cookies] == []


def test_a_site_that_nobody_named_shows_a_link_and_no_chat(
    server: Server, shop: HostSite, visitor: Visitor
) -> None:
    shop.pages["/"] = page(server, room="lobby", lang="ja")
    visitor.visit(f"http://other.localhost:{shop.port}/")
    assert visitor.part("button.open").accessible_name == "チャット"
    visitor.run("Kodama.open()")
    with visitor.within():
        until(lambda: visitor.run("return document.readyState") == "complete")
        assert visitor.run("return [document.getElementById('app'), location.protocol]") == [
            None,
            "chrome-error:",
        ]
    until(lambda: visitor.heard("error"))
    assert visitor.heard("error")[0]["code"] == "not_shown"
    assert visitor.part("a").get_attribute("href") == f"{server.url}/r/lobby"
    assert visitor.heard("ready") == []


def test_an_owner_lets_a_site_show_the_room_within_its_page(
    server: Server, shop: HostSite, visitor: Visitor
) -> None:
    def ask(method: str, path: str, body: object, **fields: str) -> Any:
        head = {"Content-Type": "application/json", **fields}
        with urlopen(Request(server.url + path, json.dumps(body).encode(), head, method=method)) as answer:
            return json.load(answer)

    token = ask("POST", "/v1/session", {"name": "Owner"})["token"]
    blog = f"http://blog.localhost:{shop.port}"
    ask("PUT", "/v1/rooms/tea", {"sites": [blog]}, Authorization=f"Bearer {token}")
    server.say("welcome", "tea")
    inline = "<main><kodama-chat room=tea></kodama-chat></main>"
    shop.pages["/"] = page(server, body=inline, head="<link rel=stylesheet href=hostile.css>")
    visitor.visit(blog)
    until(lambda: visitor.has("iframe", "kodama-chat"))
    frame = visitor.part("iframe", "kodama-chat")
    assert frame.is_displayed()
    assert frame.size["height"] == 512
    with visitor.within("kodama-chat"):
        until(lambda: visitor.run("return document.getElementById('name') !== null"))
        assert visitor.focused() == ""
        field = visitor.driver.find_element("css selector", "#name")
        field.send_keys("Ben", Keys.ENTER)
        until(lambda: visitor.texts() == ["welcome"])
    visitor.visit(blog)
    until(lambda: visitor.has("iframe", "kodama-chat"))
    with visitor.within("kodama-chat"):
        until(lambda: visitor.texts() == ["welcome"])
        assert visitor.run("return document.getElementById('name')") is None, "the guest of before"
    shop.pages["/plain"] = f"<!doctype html><title>Shop</title><iframe src={server.url}/embed/tea></iframe>"
    visitor.driver.get(f"{blog}/plain")
    visitor.driver.switch_to.frame(0)
    until(lambda: visitor.texts() == ["welcome"])


def test_a_phone_whose_browser_keeps_nothing_for_third_parties_shows_the_room_as_well(
    server: Server, shop: HostSite
) -> None:
    visitor = Visitor(**{"profile.default_content_setting_values.cookies": 2})
    shop.pages["/"] = page(server, room="bare")
    visitor.visit(shop.origin)
    visitor.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", PHONE)
    visitor.run("Kodama.open()")
    with visitor.within():
        until(lambda: visitor.focused() == "name")
        kept = "try { localStorage; return 'kept'; } catch (error) { return error.name; }"
        assert visitor.run(kept) == "SecurityError"
        visitor.type("Dan", Keys.ENTER)
        until(lambda: visitor.focused() == "write")
        visitor.type("hello")
        inner = visitor.run("return document.querySelector('button.send').getBoundingClientRect().toJSON()")
    outer = visitor.part("iframe").rect
    visitor.tap(outer["x"] + inner["x"] + 20, outer["y"] + inner["y"] + 20)
    with visitor.within():
        until(lambda: visitor.texts() == ["hello"])
    assert [event["author"]["name"] for event in server.log("bare")] == ["Dan"]
    visitor.browser.close()


def test_a_site_says_who_is_here_and_says_it_again_before_its_word_runs_out(
    server: Server, shop: HostSite, visitor: Visitor
) -> None:
    asked: list[float] = []
    key = SECRET

    def say_who() -> tuple[int, str]:
        asked.append(time.time())
        claims = {"iss": shop.origin, "sub": "7", "name": "Chika", "exp": int(time.time()) + 4}
        return 200, jwt.encode(claims, key, algorithm="HS256")

    shop.replies["/who"] = say_who
    shop.pages["/"] = page(server, room="desk", token_url="/who")
    visitor.visit(shop.origin)
    assert asked == []
    visitor.run("Kodama.open()")
    with visitor.within():
        until(lambda: visitor.focused() == "write")
        visitor.type("how much is it?", Keys.ENTER)
        until(lambda: visitor.texts() == ["how much is it?"])
        (event,) = server.log("desk")
        assert (event["author"]["name"], event["author"]["kind"]) == ("Chika", "host")
        first = asked[0]
        until(lambda: time.time() > first + 5 and len(asked) > 1)
        server.say("it is free", "desk")
        until(lambda: visitor.texts() == ["how much is it?", "it is free"])
        visitor.type("thanks", Keys.ENTER)
        until(lambda: visitor.texts()[-1] == "thanks")
    visitor.run("Kodama.logout()")
    with visitor.within():
        until(lambda: visitor.run("return document.getElementById('name') !== null"))
    key = "another secret, which the chat does not know of"
    visitor.run("Kodama.identify(() => fetch('/who').then((answer) => answer.text()))")
    until(lambda: [one["code"] for one in visitor.heard("error")] == ["unauthorized"])
    with visitor.within():
        until(lambda: visitor.run("return document.querySelector('[role=alert]') !== null"))
    assert len(server.log("desk")) == 3


def test_each_page_has_its_room(
    server: Server, shop: HostSite, visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shop, "policy", "")  # the test adds a script
    canonical = "<link rel=canonical href=https://shop.example/tea/green>"
    shop.pages["/"] = page(server, room="auto", head=canonical)
    visitor.visit(shop.origin)
    for sample in json.loads(VECTORS.read_text("utf-8")):
        assert visitor.run("return Kodama.roomOf(arguments[0])", sample["address"]) == sample["room"]
    visitor.run("Kodama.open()")
    assert visitor.part("iframe").get_attribute("src") == f"{server.url}/embed/shop.example_tea_green?lang=en"
    visitor.run("""
        Kodama.destroy();
        const again = document.createElement("script");
        again.src = document.querySelector("script").src;
        again.dataset.room = "tea";
        document.body.append(again);
    """)
    until(lambda: visitor.run("return Boolean(window.Kodama?.open)"))
    assert visitor.part(".panel").find_elements("css selector", "iframe") == []
    visitor.run("Kodama.open()")
    assert visitor.part("iframe").get_attribute("src") == f"{server.url}/embed/tea?lang=en"
