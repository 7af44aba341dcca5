"""A real server among clients that hang up, stop reading, come all at once or race each other."""

from __future__ import annotations

import json
import os
import re
import resource
import signal
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import monotonic

import pytest

from tests.integration.test_server import Server

SOAK = os.environ.get("KODAMA_TEST_SIZE") == "soak"
HANG_UPS = 15_000 if SOAK else 800
STORM = 5_000 if SOAK else 300
BEHIND = 100
PATIENCE = 120.0
_RESET = struct.pack("ii", 1, 0)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    one = Server(tmp_path / "data")
    one.start()
    yield one
    if one.process is not None and one.process.poll() is None:
        one.stop(signal.SIGKILL)


def dial(server: Server, *, small: bool = False) -> socket.socket:
    connection = socket.socket()
    if small:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.settimeout(PATIENCE)
    connection.connect(("127.0.0.1", server.port))
    return connection


def request(target: str) -> bytes:
    return f"GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()


def hear(connection: socket.socket, *, most: int = 1 << 30) -> bytes:
    """Return the first answer, or as many bytes of it as ``most``."""
    got = b""
    while len(got) < most:
        piece = connection.recv(min(65536, most - len(got)))
        if not piece:
            break
        got += piece
        head, end, body = got.partition(b"\r\n\r\n")
        length = re.search(rb"Content-Length: (\d+)", head)
        if end and length and len(body) >= int(length[1]):
            break
    return got


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    connection.close()


def body_of(answer: bytes) -> bytes:
    return answer.partition(b"\r\n\r\n")[2]


def metric(server: Server, name: str) -> float:
    _, text = server.ask("GET", "/metrics")
    found = re.search(rf"^{re.escape(name)} ([0-9.e+]+)$", text.decode(), re.MULTILINE)
    assert found is not None, name
    return float(found[1])


def until(condition: Callable[[], bool]) -> None:
    """Ask again and again for what takes its time."""
    end = monotonic() + PATIENCE
    while not condition():
        assert monotonic() < end, "it did not come about"


def test_an_answer_cut_at_every_byte_comes_again_with_the_same_offsets(server: Server) -> None:
    _, first = server.ask("GET", "/v1/rooms/lobby/events?wait=0")
    target = f"/v1/rooms/lobby/events?since={first['cursor']}&wait=60"
    with dial(server) as held:
        held.sendall(request(target))
        assert server.ask("POST", "/v1/rooms/lobby/messages", {"text": "one"})[0] == 201
        whole = hear(held)
    wanted = json.loads(body_of(whole))
    for cut in range(len(whole)):
        connection = dial(server)
        connection.sendall(request(target))
        if cut:
            assert len(hear(connection, most=cut)) == cut
        (reset if cut % 2 else socket.socket.close)(connection)
    assert server.ask("GET", target)[1] == wanted
    until(lambda: metric(server, "kodama_connections") == 1)


def test_a_held_poll_cut_at_every_byte_of_its_answer_loses_nothing(server: Server) -> None:
    _, first = server.ask("GET", "/v1/rooms/lobby/events?wait=0")
    cursor, seen, cut = first["cursor"], [], 1
    while cut < 420:
        target = f"/v1/rooms/lobby/events?since={cursor}&wait=60"
        connection = dial(server)
        connection.sendall(request(target))
        until(lambda: metric(server, 'kodama_waiting_clients{transport="longpoll"}') == 1)
        assert server.ask("POST", "/v1/rooms/lobby/messages", {"text": str(cut)})[0] == 201
        hear(connection, most=cut)
        reset(connection)
        _, again = server.ask("GET", target)
        seen += [event["offset"] for event in again["events"]]
        cursor = again["cursor"]
        cut += 1 if SOAK else 13
    assert seen == list(range(1, len(seen) + 1))


@pytest.mark.parametrize("how", [reset, socket.socket.close], ids=["reset", "closed"])
def test_thousands_that_hang_up_at_once_leave_nothing_behind(
    server: Server, how: Callable[[socket.socket], None]
) -> None:
    server.ask("POST", "/v1/rooms/lobby/messages", {"text": "before"})
    _, first = server.ask("GET", "/v1/rooms/lobby/events?wait=0")
    targets = [
        f"/v1/rooms/lobby/events?since={first['cursor']}&wait=100", "/?callback=fn",
        "/v1/events?room=lobby&room=tea&wait=100", "/v1/rooms/lobby/events?wait=100&callback=fn",
    ]  # fmt: skip
    crowd = []
    for number in range(HANG_UPS - 8):
        connection = dial(server)
        connection.sendall(request(targets[number % len(targets)]))
        crowd.append(connection)
    until(lambda: metric(server, "kodama_connections") >= len(crowd))
    held = dial(server)
    held.sendall(request(targets[0]))
    for connection in crowd:
        how(connection)
    began = monotonic()
    assert server.ask("POST", "/v1/rooms/lobby/messages", {"text": "after"})[0] == 201
    assert json.loads(body_of(hear(held)))["events"][0]["text"] == "after"
    assert monotonic() - began < 30
    until(lambda: metric(server, "kodama_connections") <= 2)
    for transport in ("longpoll", "legacy"):
        assert metric(server, f'kodama_waiting_clients{{transport="{transport}"}}') == 0
    held.close()
    assert server.stop(signal.SIGTERM) == 0


def test_a_crowd_far_behind_is_caught_up_without_asking_the_disk_for_each(server: Server) -> None:
    for number in range(BEHIND):
        server.ask("POST", "/v1/rooms/lobby/messages", {"text": f"message {number}"})
    server.stop(signal.SIGKILL)
    server.start()
    began, reads = monotonic(), metric(server, "kodama_store_reads_total")
    crowd = [dial(server) for _ in range(STORM)]
    for connection in crowd:
        connection.sendall(request("/v1/rooms/lobby/events?since=after:0&wait=0"))
    whole = [hear(connection).count(b'"offset":') for connection in crowd]
    for connection in crowd:
        connection.close()
    assert whole == [BEHIND] * STORM
    assert metric(server, "kodama_store_reads_total") - reads <= 5
    print(f"{STORM} clients caught up with {BEHIND} messages each in {monotonic() - began:.1f} s")  # noqa: T201


def test_a_client_that_stops_reading_costs_nobody_anything(server: Server) -> None:
    for _ in range(5):
        server.ask("POST", "/v1/rooms/lobby/messages", {"text": "x" * 60_000})
    deaf = [dial(server, small=True) for _ in range(20)]
    for connection in deaf:
        connection.sendall(request("/v1/rooms/lobby/events?since=all&wait=0") * 100)
    held = dial(server)
    held.sendall(request("/v1/rooms/lobby/events?wait=100"))
    until(lambda: metric(server, 'kodama_waiting_clients{transport="longpoll"}') == 1)
    assert server.process is not None
    pages = int(Path(f"/proc/{server.process.pid}/statm").read_text().split()[1])
    assert pages * resource.getpagesize() < 200 * 2**20
    assert server.ask("POST", "/v1/rooms/lobby/messages", {"text": "hear"})[0] == 201
    assert b'"hear"' in hear(held)
    for connection in (*deaf, held):
        reset(connection)
    until(lambda: metric(server, "kodama_connections") == 1)


def test_of_many_who_make_a_room_at_once_one_owns_it(server: Server) -> None:
    tokens = [server.ask("POST", "/v1/session", {"name": f"N{number}"})[1]["token"] for number in range(6)]

    def claim(token: str, room: str, gate: threading.Barrier) -> int:
        gate.wait(PATIENCE)
        return server.ask("PUT", f"/v1/rooms/{room}", {"title": token[:20]}, Authorization=f"Bearer {token}")[0]

    with ThreadPoolExecutor(len(tokens)) as pool:
        for room in ("a", "b", "c", "d"):
            gate = threading.Barrier(len(tokens))
            statuses = list(pool.map(lambda token, room=room, gate=gate: claim(token, room, gate), tokens))
            assert sorted(statuses) == [201, 403, 403, 403, 403, 403]


def test_whoever_made_a_room_by_speaking_may_change_it_at_once(server: Server) -> None:
    token = server.ask("POST", "/v1/session", {"name": "Aiko"})[1]["token"]
    for number in range(30):
        room = f"/v1/rooms/room-{number}"
        assert server.ask("POST", f"{room}/messages", {"text": "x"}, Authorization=f"Bearer {token}")[0] == 201
        assert server.ask("PUT", room, {"title": "mine"}, Authorization=f"Bearer {token}")[0] == 200
