"""Names that look alike, as a person at the page sees them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from tests.browser.chromium import Server
from tests.browser.network import until
from tests.browser.person import Person

pytestmark = [pytest.mark.browser]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path / "data")
    yield server
    server.kill()


@pytest.fixture
def ken(server: Server) -> Iterator[Person]:
    person = Person(server.url, "Ken")
    yield person
    person.close()


def ask(server: Server, path: str, body: object, **fields: str) -> dict[str, object]:
    head = {"Content-Type": "application/json", **fields}
    with urlopen(Request(f"{server.url}{path}", data=json.dumps(body).encode(), headers=head)) as answer:
        return dict(json.load(answer))


def test_somebody_who_looks_like_another_is_told_apart_and_nobody_else_is(
    server: Server, ken: Person
) -> None:
    ken.enter("tea")
    until(
        lambda: ken.run(
            "return performance.getEntriesByType('resource').some((one) => one.name.endsWith('look-alikes.json') && one.responseEnd)"
        )
    )
    ken.say("I am Ken")
    ken.sees("I am Ken")
    assert not ken.all("[role=feed] .mark, .said .mark")
    twin = ask(server, "/v1/session", {"name": "\u041a\u0435n"})
    chie = ask(server, "/v1/session", {"name": "Chie"})
    for who, text in ((twin, "I am Ken, too"), (chie, "I am not")):
        ask(server, "/v1/rooms/tea/messages", {"text": text}, Authorization=f"Bearer {who['token']}")
    ken.sees("I am Ken", "I am Ken, too", "I am not")
    assert ken.shown(".said .mark") == [dict(twin["user"])["id"][-5:]]
