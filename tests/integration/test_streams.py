"""Streams of a real server: records come at once, go on after a cut, and end with a word."""

from __future__ import annotations

import json
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.test_server import Server

KINDS = ["text/event-stream", "application/x-ndjson"]


class Open:
    """A stream that is being read, record by record."""

    def __init__(self, server: Server, target: str, accept: str) -> None:
        self.socket = socket.create_connection(("127.0.0.1", server.port), timeout=30)
        self.accept = accept
        self.socket.sendall(f"GET {target} HTTP/1.0\r\nHost: localhost\r\nAccept: {accept}\r\n\r\n".encode())
        self.file = self.socket.makefile("rb")
        self.head = b"".join(iter(self.file.readline, b"\r\n")).decode()

    def record(self) -> dict[str, Any]:
        """Return the next record as JSON; ``cursor`` is the place after it."""
        if self.accept == KINDS[1]:
            while not (line := self.file.readline()).strip():
                assert line, "the stream has ended"
            return json.loads(line)
        fields: dict[str, str] = {}
        while True:
            line = self.file.readline().decode()
            assert line, "the stream has ended"
            if line == "\n" and "data" in fields:
                return {"cursor": fields.get("id"), **json.loads(fields["data"]), "event": fields["event"]}
            name, _, value = line.rstrip("\n").partition(": ")
            fields[name] = value

    def close(self) -> None:
        self.file.close()
        self.socket.close()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    one = Server(tmp_path / "data")
    one.start()
    yield one
    if one.process is not None and one.process.poll() is None:
        one.stop(signal.SIGKILL)


def say(server: Server, text: str) -> None:
    assert server.ask("POST", "/v1/rooms/lobby/messages", {"text": text})[0] == 201


@pytest.mark.parametrize("accept", KINDS)
def test_a_stream_begins_with_ready_and_goes_on_from_its_last_cursor(server: Server, accept: str) -> None:
    say(server, "before")
    stream = Open(server, "/v1/rooms/lobby/events?since=all", accept)
    assert "200" in stream.head.splitlines()[0]
    assert "no-store" in stream.head
    assert stream.record()["type"] == "ready"
    first = stream.record()
    assert (first["offset"], first["text"]) == (1, "before")
    say(server, "a\r\nb\0".replace("\0", ""))
    assert stream.record()["text"] == "a\r\nb"
    stream.close()
    say(server, "while away")
    again = Open(server, f"/v1/rooms/lobby/events?since={first['cursor']}", accept)
    assert [again.record().get("offset") for _ in range(3)] == [None, 2, 3]
    again.close()


@pytest.mark.parametrize("accept", KINDS)
def test_a_drained_server_tells_its_streams_when_to_come_back(server: Server, accept: str) -> None:
    stream = Open(server, "/v1/rooms/lobby/events", accept)
    assert stream.record()["type"] == "ready"
    assert server.stop(signal.SIGTERM) == 0
    last = stream.record()
    assert last["type"] == "come-back"
    assert 0 < last["after"] < 10
    assert stream.file.read() == b""
    stream.close()


def test_people_read_text(server: Server) -> None:
    say(server, "one\ntwo \x1b[31m")
    stream = Open(server, "/r/lobby", "*/*")
    assert stream.file.readline().decode()[6:] == "Guest: one\n"
    second = stream.file.readline().decode()
    assert second.startswith("      two ")
    assert "\x1b" not in second
    stream.close()
