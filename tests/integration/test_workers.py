"""Several workers are one server: whatever one of them takes, all of them have."""

from __future__ import annotations

import json
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from tests.workers import Family


@pytest.fixture(scope="module")
def family(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Family]:
    with Family(tmp_path_factory.mktemp("family")) as there:
        yield there


def say(connection: Any, text: str, *, room: str) -> int:
    body = json.dumps({"text": text}).encode()
    connection.request("POST", f"/v1/rooms/{room}/messages", body, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    told = json.loads(answer.read())
    assert answer.status == 201, told
    return int(told["offset"])


def read(connection: Any, target: str) -> Any:
    connection.request("GET", target)
    answer = connection.getresponse()
    assert answer.status == 200
    return json.loads(answer.read())


def test_what_one_worker_has_acknowledged_each_of_them_shows_at_once(family: Family) -> None:
    with family.each() as workers:
        one, other = workers.values()
        for number in range(1, 31):
            assert say(one, str(number), room="lobby") == number
            got = read(other, "/v1/rooms/lobby/events?since=last:1&wait=0")
            assert [event["text"] for event in got["events"]] == [str(number)]


def test_a_poll_that_waits_at_one_worker_is_woken_by_another(family: Family) -> None:
    with family.each() as workers:
        one, other = workers.values()
        cursor = read(other, "/v1/rooms/garden/events?since=all&wait=0")["cursor"]
        got: list[Any] = []
        target = f"/v1/rooms/garden/events?since={cursor}&wait=20"
        waiting = Thread(target=lambda: got.append(read(other, target)))
        waiting.start()
        say(one, "hello", room="garden")
        waiting.join(20)
        assert [event["text"] for event in got[0]["events"]] == ["hello"]


def test_every_line_of_the_log_says_who_speaks(family: Family) -> None:
    lines = family.log.read_text().splitlines()
    assert {"writer", "worker 1", "worker 2"} <= {line.partition("[")[2].partition(":")[0] for line in lines}


def test_workers_share_a_socket_that_is_handed_over_and_a_stop_drains_them_all(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as held, Family(tmp_path, held=held) as family:
        assert family.port == held.getsockname()[1]
        connections = [family.connect() for _ in range(20)]
        for connection in connections:
            connection.connect()
        for number, connection in enumerate(connections, start=1):
            assert say(connection, "hello", room="lobby") == number
            connection.close()
        family.process.send_signal(signal.SIGTERM)
        assert family.process.wait(60) == 0, family.log.read_text()
        assert "Traceback" not in family.log.read_text()
