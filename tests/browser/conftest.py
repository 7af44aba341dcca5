"""Whom most tests of the page begin with: one server for the whole file, Aiko behind a network that can be
cut, and Ken who is never away. A browser costs seconds to start; a file's tests share it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.browser.chromium import Server
from tests.browser.network import CuttingProxy
from tests.browser.person import Person


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("server"))
    yield server
    server.kill()


@pytest.fixture(scope="module")
def proxy(server: Server) -> Iterator[CuttingProxy]:
    proxy = CuttingProxy(server.port)
    yield proxy
    proxy.close()


@pytest.fixture(scope="module")
def aiko(proxy: CuttingProxy) -> Iterator[Person]:
    person = Person(proxy.url, "Aiko")
    yield person
    person.close()


@pytest.fixture(scope="module")
def ken(server: Server) -> Iterator[Person]:
    person = Person(server.url, "Ken")
    yield person
    person.close()
