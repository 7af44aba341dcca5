"""A person at the chat page: a real Chromium with its own profile, and what they see and do there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement

from tests.browser.chromium import Browser
from tests.browser.network import until

PHONE = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
NARROW = {"width": 320, "height": 568, "deviceScaleFactor": 1, "mobile": True}

FACTS = """
const rows = [...document.querySelectorAll(arguments[0])];
return rows.map((row) => row.querySelector(".words")?.innerText.replace(/\\s*\\(edited\\)$/, "") ?? "");
"""


class Person:
    """Somebody with a name, in a room."""

    def __init__(self, url: str, name: str) -> None:
        self.url = url
        self.name = name
        self.browser = Browser()
        self.driver = self.browser.driver

    def open(self, address: str) -> None:
        self.driver.get(f"{self.url}{address}")

    def enter(self, room: str, *, at: int | None = None) -> None:
        """Open a room, giving a name if asked for one, and wait until it is live."""
        self.driver.get("about:blank")
        self.open(f"/r/{room}" + ("" if at is None else f"#{at}"))
        until(lambda: self.all("#name") or self.all("#write"))
        if self.all("#name"):
            self.one("#name").clear()
            self.one("#name").send_keys(self.name, Keys.ENTER)
        until(self.live)

    def live(self) -> bool:
        return bool(self.all(".line.live") and self.all("#write"))

    def all(self, selector: str) -> list[WebElement]:
        return list(self.driver.find_elements(By.CSS_SELECTOR, selector))

    def one(self, selector: str) -> WebElement:
        until(lambda: self.all(selector))
        return self.all(selector)[0]

    def keys(self, *keys: str) -> None:
        """Type at whatever has the focus."""
        self.driver.switch_to.active_element.send_keys(*keys)

    def say(self, text: str) -> None:
        self.one("#write").send_keys(text, Keys.ENTER)

    def texts(self, kind: str = ".said:not(.pale)") -> list[str]:
        return list(self.driver.execute_script(FACTS, kind))

    def shown(self, selector: str) -> list[str]:
        """Return what stands in each of these elements."""
        script = "return [...document.querySelectorAll(arguments[0])].map((one) => one.innerText)"
        return list(self.driver.execute_script(script, selector))

    def sees(self, *texts: str) -> None:
        """Wait until exactly these messages stand there, stored."""
        until(lambda: self.texts() == list(texts) and not self.all(".said.pale"))

    def until(self, condition: Callable[[], object]) -> None:
        until(condition)

    def run(self, script: str, *arguments: Any) -> Any:
        return self.driver.execute_script(script, *arguments)

    def message(self, text: str) -> WebElement:
        """Return the article that says ``text``."""
        script = "return [...document.querySelectorAll('article[data-at]')].find((one) => one.innerText.includes(arguments[0]))"
        until(lambda: self.run(script, text))
        found: WebElement = self.run(script, text)
        return found

    def act(self, text: str, action: str) -> None:
        """Press one of the actions of the message that says ``text``."""
        self.run(
            "arguments[0].querySelector(`[data-act=${arguments[1]}]`).click()", self.message(text), action
        )

    def size(self, metrics: dict[str, Any]) -> None:
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)

    def tell(self, command: str, **parameters: Any) -> Any:
        return self.driver.execute_cdp_cmd(command, parameters)

    def fits(self) -> bool:
        """Return whether nothing is wider than the window."""
        return bool(
            self.run(
                "return document.documentElement.scrollWidth <= innerWidth && document.body.scrollWidth <= innerWidth"
            )
        )

    def close(self) -> None:
        self.browser.close()
