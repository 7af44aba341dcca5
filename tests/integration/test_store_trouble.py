"""A real server whose disk fills up or fails: it says so, goes on reading, and recovers."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.integration.test_hostile import until
from tests.integration.test_server import Server

MESSAGES = "/v1/rooms/lobby/messages"


@contextmanager
def small_disk(tmp_path: Path) -> Iterator[tuple[Path, Callable[[Server], None], Callable[[Server], None]]]:
    """A tmpfs of 2 MB with some ballast, which is thrown out to make room."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small disk; the failing disk below needs no root")
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", folder], check=True)
    ballast = folder / "ballast"
    ballast.write_bytes(b"x" * 600_000)
    try:
        yield folder, lambda _: None, lambda _: ballast.unlink()
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


@contextmanager
def failing_disk(tmp_path: Path) -> Iterator[tuple[Path, Callable[[Server], None], Callable[[Server], None]]]:
    """A file that the system lets grow no further: every write beyond is an I/O error."""

    def limit(server: Server, size: int) -> None:
        assert server.process is not None
        hard = resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE)[1]
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (size, hard))

    yield tmp_path / "data", lambda server: limit(server, 300_000), lambda server: limit(server, 1 << 40)


def say(server: Server, text: str) -> tuple[int, dict[str, str]]:
    connection = HTTPConnection("127.0.0.1", server.port, timeout=60)
    connection.request("POST", MESSAGES, text, {"Content-Type": "text/plain"})
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status, {name.lower(): value for name, value in answer.getheaders()}


@pytest.mark.parametrize("trouble", [small_disk, failing_disk])
def test_a_disk_in_trouble_loses_nothing_acknowledged_and_recovers(
    trouble: Callable[[Path], contextmanager[tuple[Path, Callable[[Server], None], Callable[[Server], None]]]],
    tmp_path: Path,
) -> None:
    with trouble(tmp_path) as (folder, begin, end):
        server = Server(folder)
        server.start()
        try:
            begin(server)
            stored: list[str] = []
            for number in range(2_000):
                text = f"{number} " + "y" * 4_000
                status, fields = say(server, text)
                if status != 201:
                    break
                stored.append(text)
            assert (status, fields["content-type"]) == (503, "application/problem+json")
            assert int(fields["retry-after"]) >= 1
            assert server.ask("GET", "/readyz")[0] == 503
            assert server.ask("GET", "/healthz")[0] == 200
            assert [text for _, text in server.all_texts("lobby")] == stored
            end(server)
            until(lambda: say(server, "again")[0] == 201)
            assert server.ask("GET", "/readyz")[0] == 200
            server.stop(signal.SIGKILL)
            server.start()
            kept = server.all_texts("lobby")
            assert [offset for offset, _ in kept] == list(range(1, len(kept) + 1))
            assert [text for _, text in kept] == [*stored, "again"]
        finally:
            if server.process is not None and server.process.poll() is None:
                server.stop(signal.SIGKILL)
