"""The room without JavaScript in a real browser whose scripts are switched off."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest
from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.chrome.service import Service

from tests.browser.chromium import CHROMIUM, DRIVER, QUIET, Server
from tests.browser.network import until

pytestmark = pytest.mark.browser


@pytest.fixture
def browser() -> Iterator[Any]:
    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    options.page_load_strategy = "none"  # the frame is always loading: its poll is held
    options.add_experimental_option("prefs", {"profile.managed_default_content_settings.javascript": 2})
    for one in QUIET:
        options.add_argument(one)
    driver = webdriver.Chrome(options=options, service=Service(str(DRIVER)))
    yield driver
    driver.quit()


def test_a_browser_without_scripts_talks_and_sees_what_others_say(tmp_path: Path, browser: Any) -> None:
    server = Server(tmp_path)
    try:
        browser.get(f"{server.url}/")
        until(lambda: there(browser, "#name"))
        assert browser.current_url.endswith("/r/lobby/plain")
        browser.find_element("name", "name").send_keys("Aiko")
        browser.find_element("name", "text").send_keys("hello without scripts")
        browser.find_element("css selector", "button").click()
        until(lambda: there(browser, "textarea") and not there(browser, "#name"))
        browser.find_element("name", "text").send_keys("half a thought")
        said = json.dumps({"text": "late news", "name": "Ken"}).encode()
        fields = {"Content-Type": "application/json"}
        urlopen(Request(f"{server.url}/v1/rooms/lobby/messages", data=said, headers=fields)).close()
        until(lambda: "late news" in log(browser))
        assert "hello without scripts" in log(browser)
        assert browser.find_element("name", "text").get_property("value") == "half a thought"
    finally:
        server.kill()


def there(browser: Any, what: str) -> bool:
    return bool(browser.find_elements("css selector", what))


def log(browser: Any) -> str:
    """Return what the frame shows now."""
    try:
        browser.switch_to.frame(browser.find_element("tag name", "iframe"))
        return str(browser.find_element("tag name", "body").text)
    except WebDriverException:  # the frame is being loaded anew
        return ""
    finally:
        browser.switch_to.default_content()
