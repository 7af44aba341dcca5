"""Links that give somebody the server, or let them into a room."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import pytest

from tests.browser.chromium import Server
from tests.browser.person import Person

pytestmark = pytest.mark.browser


@pytest.fixture
def aiko(tmp_path: Path) -> Iterator[Person]:
    server = Server(tmp_path / "data")
    person = Person(server.url, "Aiko")
    try:
        yield person
    finally:
        person.close()
        server.kill()


def owner_link(person: Person, data: Path) -> str:
    printing = [sys.executable, "-m", "kodama", "owner", "--url", person.url, "--data", str(data)]
    return subprocess.run(printing, capture_output=True, text=True, check=True, timeout=60).stdout.strip()


def ask(person: Person, method: str, path: str, body: Any, token: str | None = None) -> Any:
    fields = {"Content-Type": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}
    with urlopen(Request(f"{person.url}{path}", method=method, data=json.dumps(body).encode(), headers=fields)) as answer:
        return json.load(answer)


def test_links_make_an_owner_and_let_people_in_once_each(aiko: Person, tmp_path: Path) -> None:
    link = owner_link(aiko, tmp_path / "data")
    aiko.driver.get(link)
    aiko.one("#name").send_keys("Aiko\n")
    aiko.until(lambda: aiko.shown(".note") == ["This server is yours now"])
    assert "#" not in aiko.driver.current_url
    aiko.driver.get("about:blank")
    aiko.driver.get(link)
    aiko.until(lambda: aiko.shown(".note") == ["This link is not good any more"])

    ben = ask(aiko, "POST", "/v1/session", {"name": "Ben"})["token"]
    ask(aiko, "PUT", "/v1/rooms/den", {"access": "secret", "title": "The den"}, ben)
    invite = ask(aiko, "POST", "/v1/rooms/den/invites", {"uses": 1}, ben)
    assert urlsplit(invite["url"]).fragment.startswith("invite=")
    ask(aiko, "POST", "/v1/rooms/den/messages", {"text": "welcome"}, ben)
    aiko.driver.execute_cdp_cmd("Network.clearBrowserCookies", {})
    aiko.driver.get("about:blank")
    aiko.driver.get(f"{aiko.url}{invite['url']}")
    aiko.one("#name").clear()
    aiko.one("#name").send_keys("Cleo\n")
    aiko.until(lambda: "welcome" in aiko.texts())
    assert aiko.one("h1").text == "The den"
