"""TLS that ends in the server itself, with a certificate made for the test."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPSConnection
from pathlib import Path
from typing import Any

import pytest
from cryptography.x509 import NameOID
from twisted.internet.task import Clock

from kodama.app.settings import BadSetting, Settings
from kodama.app.tls import LOOK_SECONDS, Certificate
from kodama.app.trust import certificate
from kodama.client import Client
from tests.engines import until
from tests.integration.certificates import self_signed
from tests.integration.ways import every_transport_reads

STALLED = 20
MESSAGES = 400
LONG = "x" * 8000


class Server:
    """One ``kodama serve`` that speaks TLS."""

    def __init__(self, folder: Path) -> None:
        chain, key = self_signed(folder)
        with (folder / "log").open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "kodama", "serve", "--port", "0", "--data", str(folder / "data")],
                stdout=subprocess.PIPE, stderr=log, text=True,
                env={**os.environ, "KODAMA_TLS_CERT": str(chain), "KODAMA_TLS_KEY": str(key)},
            )  # fmt: skip
        assert self.process.stdout is not None
        self.address = self.process.stdout.readline().split()[-1]
        self.url = self.address.rstrip("/")
        self.port = int(self.url.rpartition(":")[2])
        self.context = ssl.create_default_context(cafile=chain)
        self.context.set_alpn_protocols(["h2", "http/1.1"])
        self.log = folder / "log"

    def connect(self) -> ssl.SSLSocket:
        plain = socket.create_connection(("127.0.0.1", self.port), timeout=60)
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        return self.context.wrap_socket(plain, server_hostname="127.0.0.1")

    def ask(self, method: str, target: str, body: Any = None) -> tuple[dict[str, str], Any]:
        connection = HTTPSConnection("127.0.0.1", self.port, timeout=60, context=self.context)
        with closing(connection):
            connection.request(method, target, json.dumps(body), {"Content-Type": "application/json"})
            answer = connection.getresponse()
            return dict(answer.getheaders()), json.loads(answer.read())

    def memory(self) -> int:
        """Return how many bytes the process has in memory."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        found = re.search(r"VmRSS:\s+(\d+) kB", status)
        assert found is not None
        return int(found[1]) * 1024

    def stop(self, how: signal.Signals) -> int:
        self.process.send_signal(how)
        code = self.process.wait(60)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    one = Server(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "chain.pem"))  # whom our client trusts
    yield one
    if one.process.poll() is None:
        one.stop(signal.SIGKILL)


def test_every_transport_passes_and_the_cookie_is_for_tls_only(server: Server) -> None:
    assert server.address.startswith("https://127.0.0.1:")
    fields, _ = server.ask("POST", "/v1/session", {"name": "Aiko"})
    assert fields["Set-Cookie"].endswith("; Secure")
    assert server.ask("GET", "/v1/connection")[1]["scheme"] == "https"
    with Client(server.url, name="Aiko") as client:
        every_transport_reads(client.room("lobby"))


def test_only_tls_is_spoken_and_with_http_1_1_in_it(server: Server) -> None:
    with server.connect() as one:
        assert one.selected_alpn_protocol() == "http/1.1"
        assert one.version() == "TLSv1.3"
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as plain:
        began = time.monotonic()
        plain.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        while data := plain.recv(4096):
            assert not data.startswith(b"HTTP")
        assert time.monotonic() - began < 30, "a failed handshake is over at once, not when it is idle"


def test_readers_that_stall_cost_little_and_lose_nothing(server: Server) -> None:
    stalled = [server.connect() for _ in range(STALLED)]
    for one in stalled:
        one.sendall(b"GET /v1/rooms/lobby/events HTTP/1.0\r\nHost: localhost\r\nAccept: application/x-ndjson\r\n\r\n")
        assert one.recv(10).startswith(b"HTTP/1.1 ")
    before = server.memory()
    with Client(server.url) as client:
        for number in range(MESSAGES):
            client.room("lobby").send(f"{number} {LONG}")
    grown = server.memory() - before
    assert grown < 24 * 2**20, f"{grown} bytes for {STALLED} readers that would be owed {STALLED * MESSAGES * 8000}"
    for one in stalled[:3]:
        with closing(one), one.makefile("rb") as lines:
            offsets: list[int] = []
            while len(offsets) < MESSAGES:
                line = lines.readline()
                assert line
                if b'"type":"message"' in line:
                    offsets.append(json.loads(line)["offset"])
            assert offsets == list(range(1, MESSAGES + 1))
    for one in stalled:
        one.close()


def test_a_drain_tells_readers_over_tls_when_to_come_back(server: Server) -> None:
    _, first = server.ask("GET", "/v1/rooms/lobby/events?wait=0")
    asks = {
        b'"after":': f"GET /v1/rooms/lobby/events?since={first['cursor']}&wait=60 HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"event: come-back": "GET /v1/rooms/lobby/events HTTP/1.0\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n",
    }
    waiting = [(server.connect(), ask, goodbye) for goodbye, ask in asks.items()]
    for one, ask, _ in waiting:
        one.sendall(ask.encode())

    def held() -> bool:
        with HTTPSMetrics(server) as text:
            return all(f'kodama_waiting_clients{{transport="{kind}"}} 1.0' in text for kind in ("longpoll", "sse"))

    until(held, "two readers that wait")
    began = time.monotonic()
    assert server.stop(signal.SIGTERM) == 0
    assert time.monotonic() - began < 8
    for one, _, goodbye in waiting:
        with closing(one):
            got = b""
            while data := one.recv(4096):
                got += data
            assert goodbye in got
    assert "Traceback" not in server.log.read_text()


class HTTPSMetrics:
    """The text of ``/metrics``."""

    def __init__(self, server: Server) -> None:
        self._connection = HTTPSConnection("127.0.0.1", server.port, timeout=60, context=server.context)

    def __enter__(self) -> str:
        self._connection.request("GET", "/metrics")
        return self._connection.getresponse().read().decode()

    def __exit__(self, *reason: object) -> None:
        self._connection.close()


def shown(one: Certificate) -> str:
    connection = one.serverConnectionForTLS(None)
    held = connection.get_certificate(as_cryptography=True)
    assert held is not None
    return str(held.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)


def test_a_renewed_certificate_is_shown_without_a_restart_and_a_broken_one_never(tmp_path: Path) -> None:
    clock = Clock()
    one = Certificate(*self_signed(tmp_path), clock=clock)
    assert shown(one) == "one"
    chain, _ = self_signed(tmp_path, name="two")
    assert shown(one) == "one"
    clock.advance(LOOK_SECONDS)
    assert shown(one) == "two"
    chain.write_text("nonsense")
    os.utime(chain, (1, 1))
    clock.advance(LOOK_SECONDS)
    assert shown(one) == "two"
    chain.unlink()
    clock.advance(LOOK_SECONDS)
    assert shown(one) == "two"
    self_signed(tmp_path, name="three")
    clock.advance(LOOK_SECONDS)
    assert shown(one) == "three"


def test_what_cannot_be_shown_is_refused_at_the_start_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    chain, key = self_signed(tmp_path)
    _, another = self_signed(tmp_path / "other")
    nonsense = tmp_path / "nonsense"
    nonsense.write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")

    def refusal(cert: object, key: object) -> str:
        with pytest.raises(BadSetting) as refused:
            certificate(Settings.load({"KODAMA_TLS_CERT": str(cert), "KODAMA_TLS_KEY": str(key)}), Clock())
        return str(refused.value)

    assert "go together" in refusal(chain, "")
    assert "go together" in refusal("", key)
    assert "is not the key" in refusal(chain, another)
    assert "is not the key" in refusal(chain, chain)
    assert "no certificate" in refusal(key, key)
    assert "no certificate" in refusal(nonsense, key)
    assert "cannot be read" in refusal(tmp_path / "none", key)
    assert certificate(Settings.load({}), Clock()) is None
