"""A real Chromium that runs the client, and the server process it speaks with."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

from tests.browser.network import until
from tests.ports import free_port

CHROMIUM = Path("/usr/bin/chromium")
DRIVER = Path("/usr/bin/chromedriver")
if not (CHROMIUM.exists() and DRIVER.exists()):
    pytest.skip("Chromium and its driver are not installed", allow_module_level=True)

QUIET = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--lang=en",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--window-size=900,700",
    "--disable-dev-shm-usage",
)

BEGIN = """
const done = arguments[arguments.length - 1];
const [options, since, name] = arguments;
import("/static/client/kodama.js").then(({ connect }) => {
  window.got = [];
  window.states = [];
  window.client = connect("", options);
  window.room = client.room(name, { since });
  client.addEventListener("unsent", (event) => (window.refused = event.detail.error.code));
  room.addEventListener("state", () => states.push([room.state, Date.now()]));
  window.reading = (async () => {
    for await (const event of room) got.push({ ...event, at: Date.now() });
  })().catch((error) => (window.failed = error.code || String(error)));
  done("begun");
}, (error) => done(String(error)));
"""


class Server:
    """A ``kodama serve`` process that can be killed and started again on its port."""

    def __init__(self, data: Path, **environment: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._data = data
        self._environment = environment
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "kodama", "serve", "--port", str(self.port), "--data", str(self._data)],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env={**os.environ, **self._environment},
        )  # fmt: skip
        assert self.process.stdout
        for line in self.process.stdout:
            if "is open at" in line:
                return
        raise AssertionError("the server did not start")

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def drain(self) -> None:
        self._end(signal.SIGTERM)

    def _end(self, number: signal.Signals) -> None:
        self.process.send_signal(number)
        self.process.wait()
        assert self.process.stdout
        self.process.stdout.close()

    def say(self, text: str, room: str = "lobby") -> int:
        """Publish and return the offset."""
        request = Request(
            f"{self.url}/v1/rooms/{room}/messages", data=json.dumps({"text": text}).encode(),
            headers={"Content-Type": "application/json"},
        )  # fmt: skip
        with urlopen(request) as answer:
            return int(json.load(answer)["offset"])

    def say_all(self, texts: Iterable[str], room: str) -> None:
        """Publish one after the other, on one connection: hundreds in a second."""
        fields = {"Content-Type": "application/json"}
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=60)) as line:
            for text in texts:
                line.request("POST", f"/v1/rooms/{room}/messages", json.dumps({"text": text}), fields)
                with line.getresponse() as answer:
                    assert answer.status == 201, answer.read()
                    answer.read()

    def log(self, room: str = "lobby") -> list[dict[str, Any]]:
        with urlopen(f"{self.url}/v1/rooms/{room}/events?since=all&wait=0&limit=1000") as answer:
            return list(json.load(answer)["events"])


class Browser:
    """One Chromium with its own profile and ``preferences``; its windows are tabs of one person."""

    def __init__(self, **preferences: Any) -> None:
        self._folder = tempfile.TemporaryDirectory()
        options = webdriver.ChromeOptions()
        options.binary_location = str(CHROMIUM)
        for argument in (*QUIET, f"--user-data-dir={self._folder.name}"):
            options.add_argument(argument)
        options.add_experimental_option("prefs", preferences)
        self.driver = webdriver.Chrome(options=options, service=Service(str(DRIVER)))
        self.driver.set_script_timeout(30)

    def begin(
        self, url: str, *, since: str = "all", room: str = "lobby", page: str = "/robots.txt", **options: Any
    ) -> None:
        """Read a room with the client on a page of the server; what comes is in ``got``."""
        self.driver.get(url + page)
        assert self.driver.execute_async_script(BEGIN, options, since, room) == "begun"

    def run(self, script: str) -> Any:
        return self.driver.execute_script(script)

    def wait(self, script: str) -> Any:
        """Return what the promise is fulfilled with."""
        return self.driver.execute_async_script(
            f"const done = arguments[0]; Promise.resolve({script}).then(done, (error) => done('' + error))"
        )

    def texts(self) -> list[str]:
        return list(self.run("return got.map((event) => event.text ?? event.type)"))

    def until_texts(self, texts: list[str]) -> None:
        until(lambda: self.texts() == texts or None, seconds=40)

    def state(self) -> str:
        return str(self.run("return room.state"))

    def transport(self) -> str:
        return str(self.run("return client.transport"))

    def until_live(self, *transports: str) -> None:
        until(lambda: self.state() == "live" and (not transports or self.transport() in transports), seconds=60)

    def forget(self) -> None:
        """Close all tabs but one and drop the cookies. What else is kept belongs to a port, and no port comes twice."""
        for tab in self.driver.window_handles[1:]:
            self.driver.switch_to.window(tab)
            self.driver.close()
        self.driver.switch_to.window(self.driver.window_handles[0])
        self.driver.get("about:blank")
        self.driver.execute_cdp_cmd("Network.clearBrowserCookies", {})

    def close(self) -> None:
        self.driver.quit()
        self._folder.cleanup()
