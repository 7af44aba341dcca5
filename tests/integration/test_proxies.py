"""Each configuration in docs/how-to is run: every transport passes, and the doctor finds nothing but what was planted."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kodama.client import Client
from kodama.doctor import Patient, Verdict, diagnose
from tests.integration.proxies import Proxy
from tests.integration.test_server import Server
from tests.integration.ways import every_transport_reads

PATIENCE = 2.0
Edits = tuple[tuple[str, str], ...]
Before = Callable[..., Proxy]

BUFFERS: Edits = (  # nginx passes small answers on even so, unless it compresses them
    ("proxy_buffering off;",
     "proxy_buffering on; proxy_ignore_headers X-Accel-Buffering; gzip on; gzip_proxied any;"
     " gzip_min_length 0; gzip_types text/event-stream;"),
)  # fmt: skip


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    one = Server(tmp_path_factory.mktemp("proxies") / "data")
    one.start()
    yield one
    one.stop(signal.SIGKILL)


@pytest.fixture
def before(server: Server, tmp_path: Path) -> Iterator[Before]:
    there: list[Proxy] = []

    def start(name: str, edits: Edits = ()) -> Proxy:
        there.append(Proxy(name, server.port, tmp_path / name, edits=edits))
        return there[-1]

    yield start
    for one in there:
        one.stop()


def ill(url: str) -> set[str]:
    found = diagnose(Patient(url).examine(patience=PATIENCE))
    return {one.topic for one in found if one.verdict is not Verdict.WELL}


@pytest.mark.parametrize("name", ["nginx", "haproxy", "caddy"])
def test_the_documented_configuration_lets_every_transport_through_and_keeps_the_doctor_content(
    name: str, before: Before
) -> None:
    proxy = before(name)
    with Client(proxy.url, name="Aiko") as client:
        every_transport_reads(client.room(f"through-{name}"))
    assert ill(proxy.url) == set()


def test_the_doctor_finds_nothing_ill_without_a_proxy(server: Server) -> None:
    assert ill(f"http://127.0.0.1:{server.port}") == set()


@pytest.mark.parametrize(
    ("name", "edits", "topics"),
    [
        ("nginx", BUFFERS, {"streaming"}),
        ("nginx", (("proxy_read_timeout 150s;", "proxy_read_timeout 1s;"),
                   ("proxy_set_header Upgrade $http_upgrade;", "")), {"long poll", "quiet streams", "WebSocket"}),
        ("nginx", (("$remote_addr;", "$http_x_forwarded_for;"),), {"client address"}),
        ("nginx", (("proxy_set_header X-Forwarded-For $remote_addr;", ""),
                   ("proxy_set_header X-Forwarded-Proto $scheme;", "")), {"client address"}),
        ("nginx", (("proxy_set_header Host $host;", "proxy_set_header Host chat.example.org;"),), {"reachable"}),
        ("haproxy", (("timeout server 150s", "timeout server 1s"),), {"long poll", "quiet streams"}),
        ("caddy", (("flush_interval -1", "transport http {\n response_header_timeout 1s\n }\n header_up -Upgrade"),),
         {"long poll", "WebSocket"}),
    ],
    ids=["buffers", "impatient", "believes", "silent", "host", "haproxy", "caddy"],
)  # fmt: skip
def test_the_doctor_finds_the_line_that_is_wrong(
    name: str, edits: Edits, topics: set[str], before: Before
) -> None:
    assert ill(before(name, edits).url) == topics


def test_the_command_prints_findings_and_says_by_its_exit_code_whether_all_is_well(server: Server) -> None:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "kodama", "doctor", "--patience", "1", *arguments]
        return subprocess.run(command, text=True, capture_output=True, check=False, timeout=120)

    well = run("--json", f"http://127.0.0.1:{server.port}")
    assert well.returncode == 0, well.stdout
    assert {one["verdict"] for one in json.loads(well.stdout)} == {"well"}
    assert run("http://127.0.0.1:1/").returncode == 1
    assert run("gopher://x").returncode == 2
