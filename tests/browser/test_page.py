"""The chat page in a real Chromium against a real server process."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

pytest.importorskip("selenium")
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

pytestmark = [pytest.mark.browser]
CHROMIUM = Path("/usr/bin/chromium")
DRIVER = Path("/usr/bin/chromedriver")
if not (CHROMIUM.exists() and DRIVER.exists()):
    pytest.skip("Chromium and its driver are not installed", allow_module_level=True)

QUIET = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--lang=en",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--window-size=900,700",
)


class Server:
    """A ``kodama serve`` process that can be killed and started again on its port."""

    def __init__(self, data: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.data = data
        self.url = f"http://127.0.0.1:{self.port}"
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "kodama", "serve", "--port", str(self.port), "--data", str(self.data)],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )
        assert self.process.stdout
        for line in self.process.stdout:
            if "is open at" in line:
                return
        raise AssertionError("the server did not start")

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        assert self.process.stdout
        self.process.stdout.close()


class Person:
    """One browser with its own profile."""

    def __init__(self, url: str) -> None:
        self.folder = tempfile.TemporaryDirectory()
        options = webdriver.ChromeOptions()
        options.binary_location = str(CHROMIUM)
        for argument in (*QUIET, f"--user-data-dir={self.folder.name}"):
            options.add_argument(argument)
        self.driver = webdriver.Chrome(options=options, service=Service(str(DRIVER)))
        self.url = url

    def until(self, condition: Callable[[], object]) -> None:
        WebDriverWait(self.driver, 30, 0.05).until(lambda _: condition())

    def enter(self, name: str) -> None:
        self.driver.get(f"{self.url}/r/lobby")
        self.until(lambda: self.driver.find_elements(By.ID, "name"))
        self.driver.find_element(By.ID, "name").send_keys(name, Keys.ENTER)
        self.until(self.live)

    def live(self) -> bool:
        return bool(self.driver.find_elements(By.CSS_SELECTOR, ".link.live"))

    def say(self, text: str) -> None:
        self.driver.find_element(By.ID, "write").send_keys(text, Keys.ENTER)

    def texts(self, kind: str = ".entry:not(.pale)") -> list[str]:
        script = "return [...document.querySelectorAll(arguments[0] + ' .text')].map(e => e.textContent)"
        return self.driver.execute_script(script, kind)

    def close(self) -> None:
        self.driver.quit()
        self.folder.cleanup()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path)
    yield server
    server.kill()


@pytest.fixture
def people(server: Server) -> Iterator[Callable[[str], Person]]:
    there: list[Person] = []

    def come(name: str) -> Person:
        person = Person(server.url)
        there.append(person)
        person.enter(name)
        return person

    yield come
    for person in there:
        person.close()


def test_two_people_talk_and_a_killed_server_loses_nothing(server: Server, people: Callable[[str], Person]) -> None:
    aiko, ken = people("Aiko"), people("Ken")
    aiko.say("hello Ken")
    ken.until(lambda: ken.texts() == ["hello Ken"])
    server.kill()
    ken.say("said while it was down")
    ken.until(lambda: ken.texts(".pale") == ["said while it was down"])
    server.start()
    both = ["hello Ken", "said while it was down"]
    aiko.until(lambda: aiko.texts() == both)
    ken.until(lambda: ken.texts() == both and not ken.texts(".pale"))
    ken.driver.refresh()
    ken.until(lambda: ken.live() and ken.texts() == both)


def test_enter_while_composing_japanese_sends_nothing(people: Callable[[str], Person]) -> None:
    aiko = people("Aiko")
    aiko.driver.find_element(By.ID, "write").click()
    tell = aiko.driver.execute_cdp_cmd
    tell("Input.imeSetComposition", {"text": "にほんご", "selectionStart": 4, "selectionEnd": 4})
    tell("Input.dispatchKeyEvent", {"type": "rawKeyDown", "key": "Enter", "windowsVirtualKeyCode": 229})
    assert aiko.texts(".entry") == []
    tell("Input.insertText", {"text": "日本語"})
    assert aiko.texts(".entry") == []
    aiko.say("")
    aiko.until(lambda: aiko.texts() == ["日本語"])


def test_a_narrow_phone_has_no_sideways_scroll(people: Callable[[str], Person]) -> None:
    aiko = people("Aiko")
    size = {"width": 320, "height": 568, "deviceScaleFactor": 1, "mobile": True}
    aiko.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    aiko.driver.find_element(By.ID, "write").send_keys("https://example.org/" + "long" * 40)
    aiko.driver.find_element(By.CSS_SELECTOR, ".composer button").click()
    aiko.until(aiko.texts)
    assert aiko.driver.execute_script("return document.documentElement.scrollWidth") <= 320


def test_older_messages_come_in_above_without_moving_what_is_read(
    server: Server, people: Callable[[str], Person]
) -> None:
    for number in range(120):
        urlopen(Request(
            f"{server.url}/v1/rooms/lobby/messages", data=b"line %d" % number,
            headers={"Content-Type": "text/plain"},
        )).close()
    aiko = people("Aiko")
    aiko.until(lambda: len(aiko.texts()) == 50)
    aiko.driver.execute_script("document.getElementById('scroll').scrollTop = 0")
    aiko.until(lambda: len(aiko.texts()) >= 100)
    assert aiko.driver.execute_script("return document.getElementById('scroll').scrollTop") > 500
    assert aiko.driver.find_elements(By.CSS_SELECTOR, ".pill")


def test_what_is_not_stored_yet_outlives_a_reload_and_is_stored_once(people: Callable[[str], Person]) -> None:
    aiko = people("Aiko")
    aiko.driver.execute_script("""
        const real = window.fetch;
        window.fetch = async (path, options) => {  // the message arrives, its answer never does
          if (options.method !== "POST") return real(path, options);
          if (options.body.includes("arrived")) await real(path, options);
          return new Promise(() => {});
        };
    """)
    aiko.say("arrived, but its answer did not")
    aiko.say("never left")
    both = ["arrived, but its answer did not", "never left"]
    aiko.until(lambda: "never left" in aiko.texts(".pale"))
    aiko.driver.refresh()
    aiko.until(lambda: aiko.live() and aiko.texts() == both and not aiko.texts(".pale"))
    aiko.driver.refresh()
    aiko.until(lambda: aiko.live() and aiko.texts() == both)
    assert not aiko.texts(".pale")
