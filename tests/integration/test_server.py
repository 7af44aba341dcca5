"""A real server process, spoken to over real connections, killed and started again."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

ROUNDS = 12 if os.environ.get("KODAMA_TEST_SIZE") == "soak" else 3


class Server:
    """One ``kodama serve`` on a data directory; its port stays the same over restarts."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.log = data.with_suffix(".log")
        self.port = 0
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "kodama", "serve", "--port", str(self.port), "--data", str(self.data)],
                stdout=subprocess.PIPE, stderr=log, text=True,
            )  # fmt: skip
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert "http://" in line, line
        self.port = urlsplit(line.split()[-1]).port or 0

    def stop(self, how: signal.Signals) -> int:
        assert self.process is not None
        self.process.send_signal(how)
        self.process.wait(30)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return self.process.returncode

    def ask(self, method: str, target: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            given = None if body is None else json.dumps(body)
            connection.request(method, target, given, {"Content-Type": "application/json", **headers})
            answer = connection.getresponse()
            read = answer.read()
            return answer.status, json.loads(read) if "json" in (answer.getheader("Content-Type") or "") else read
        finally:
            connection.close()

    def all_texts(self, room: str) -> list[tuple[int, str]]:
        cursor, found, more = "all", [], True
        while more:
            _, answer = self.ask("GET", f"/v1/rooms/{room}/events?since={cursor}&wait=0&limit=1000")
            found += [(event["offset"], event["text"]) for event in answer["events"]]
            cursor, more = answer["cursor"], answer["more"]
        return found


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    one = Server(tmp_path / "data")
    one.start()
    yield one
    if one.process is not None and one.process.poll() is None:
        one.stop(signal.SIGKILL)


def test_a_poll_waits_for_the_next_message(server: Server) -> None:
    _, first = server.ask("GET", "/v1/rooms/lobby/events?wait=0")
    got: list[Any] = []
    reader = threading.Thread(
        target=lambda: got.append(server.ask("GET", f"/v1/rooms/lobby/events?since={first['cursor']}&wait=60"))
    )
    reader.start()
    status, stored = server.ask("POST", "/v1/rooms/lobby/messages", {"text": "hello"})
    reader.join(60)
    assert (status, stored["offset"]) == (201, 1)
    assert [event["text"] for event in got[0][1]["events"]] == ["hello"]


def test_sigterm_answers_waiting_polls_and_exits_with_zero(server: Server) -> None:
    _, first = server.ask("GET", "/v1/rooms/lobby/events?wait=0")
    got: list[Any] = []
    reader = threading.Thread(
        target=lambda: got.append(server.ask("GET", f"/v1/rooms/lobby/events?since={first['cursor']}&wait=100"))
    )
    reader.start()
    while True:
        _, metrics = server.ask("GET", "/metrics")
        if b'kodama_waiting_clients{transport="longpoll"} 1.0' in metrics:
            break
    assert server.stop(signal.SIGTERM) == 0
    reader.join(60)
    answer = got[0][1]
    assert (answer["events"], answer["cursor"]) == ([], first["cursor"])
    assert answer["after"] > 0


def test_nobody_who_has_only_to_leave_keeps_a_server_from_stopping(server: Server) -> None:
    """The drain may take 10 s; who is idle, half through a request, deaf or rude is not what it is for."""
    upgrade = (
        b"GET /v1/ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    )
    asks = [
        b"", b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", b"GET /healthz HT", upgrade,
        b"GET /v1/openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n" * 60,
    ]  # fmt: skip
    open_ones = [socket.create_connection(("127.0.0.1", server.port), timeout=60) for _ in asks]
    try:
        for one, ask in zip(open_ones, asks, strict=True):
            one.sendall(ask)
        for one in (open_ones[1], open_ones[3], open_ones[4]):
            assert one.recv(12).startswith(b"HTTP/1.1 ")
        began = time.monotonic()
        assert server.stop(signal.SIGTERM) == 0
        assert time.monotonic() - began < 8
        assert open_ones[2].recv(12) == b"HTTP/1.1 503"
        assert open_ones[0].recv(12) == b""
    finally:
        for one in open_ones:
            one.close()
    assert "Traceback" not in server.log.read_text()


def test_a_second_sigterm_during_the_drain_is_not_noticed(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as unfinished:
        unfinished.sendall(
            b"POST /v1/rooms/lobby/messages HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n"
            b"Expect: 100-continue\r\n\r\n"
        )
        assert unfinished.recv(99).startswith(b"HTTP/1.1 100")
        assert server.process is not None
        for _ in range(3):
            server.process.send_signal(signal.SIGTERM)
        server.process.send_signal(signal.SIGINT)
        assert unfinished.recv(9999)[:1] in (b"", b"H")
    assert server.process.wait(60) == 0
    assert server.process.stdout is not None
    server.process.stdout.close()
    assert "Traceback" not in server.log.read_text()


def test_kill_9_under_load_loses_nothing_that_was_acknowledged(server: Server) -> None:
    stored: dict[int, str] = {}
    lock = threading.Lock()

    def publish(writer: str, until: threading.Event) -> None:
        number = 0
        while not until.is_set():
            number += 1
            text = f"{writer}-{number}"
            try:
                status, answer = server.ask(
                    "POST", "/v1/rooms/lobby/messages", {"text": text, "nonce": f"{text:->20}"}
                )
            except OSError:
                return
            if status == 201:
                with lock:
                    stored[answer["offset"]] = text

    for turn in range(ROUNDS):
        before = len(stored)
        until = threading.Event()
        writers = [threading.Thread(target=publish, args=(f"{turn}-{n}", until)) for n in range(4)]
        for writer in writers:
            writer.start()
        while len(stored) < before + 50:
            until.wait(0.01)
        server.stop(signal.SIGKILL)
        until.set()
        for writer in writers:
            writer.join(60)
        server.start()
    kept = dict(server.all_texts("lobby"))
    assert sorted(kept) == list(range(1, len(kept) + 1))
    assert {offset: kept.get(offset) for offset in stored} == stored


def test_a_2011_client_with_cookies_gets_every_message_once_in_order(server: Server) -> None:
    def poll(cookie: str) -> tuple[str, str]:
        connection = HTTPConnection("127.0.0.1", server.port, timeout=60)
        connection.request("GET", "/?callback=fn", headers={"Cookie": cookie})
        answer = connection.getresponse()
        body = answer.read().decode()
        connection.close()
        return body, (answer.getheader("Set-Cookie") or "").partition(";")[0]

    got: list[tuple[str, str]] = []
    first = threading.Thread(target=lambda: got.append(poll("")))
    first.start()
    while b'kodama_waiting_clients{transport="legacy"} 1.0' not in server.ask("GET", "/metrics")[1]:
        pass
    assert server.ask("POST", "/", {"n": 0}) == (200, b"OK")
    first.join(60)
    for number in (1, 2, 3):
        server.ask("POST", "/anything", {"n": number})
    bodies, cookie = [got[0][0]], got[0][1]
    for _ in range(3):
        body, cookie = poll(cookie)
        bodies.append(body)
    assert bodies == [f'fn({{"n":{number}}})' for number in range(4)]


def test_a_taken_port_is_one_sentence_and_exit_code_1(server: Server, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "kodama", "serve", "--port", str(server.port), "--data", str(tmp_path / "other")],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "Traceback" not in done.stderr


def test_the_command_line_sends_and_shows(server: Server) -> None:
    url = f"http://127.0.0.1:{server.port}"
    command = [sys.executable, "-m", "kodama"]
    subprocess.run([*command, "send", "tea", "a\x1b[31mb", "--url", url, "--name", "Aiko"], check=True, timeout=60)
    shown = subprocess.run(
        [*command, "tail", "tea", "--no-follow", "--url", url],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert shown.stdout.rstrip().endswith("Aiko: a\\x1b[31mb")
