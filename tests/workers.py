"""A real server of several workers, whose processes can be found, killed, frozen and replaced."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPConnection
from pathlib import Path
from typing import Self

PATIENCE = 60.0
HANDED_OVER = (
    "import os,sys; os.dup2(int(sys.argv[1]), 3); os.set_inheritable(3, True); "
    "os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS='1'); os.execv(sys.argv[2], sys.argv[2:])"
)
WRITER = 0


class Family:
    """``kodama serve --workers`` with its data in ``folder``, on the listening socket ``held`` if there is
    one, as systemd hands it over."""

    def __init__(self, folder: Path, *, count: int = 2, held: socket.socket | None = None) -> None:
        self.folder = folder
        self.count = count
        self.log = folder / "log"
        self._held = held

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "kodama", "serve", "--port", "0", "--workers", str(self.count),
                   "--data", str(self.folder / "data")]  # fmt: skip
        held = () if self._held is None else (self._held.fileno(),)
        if held:
            command = [sys.executable, "-c", HANDED_OVER, str(held[0]), *command]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, pass_fds=held)
        try:
            self.port = int(self.until(self._said, "the address"))
            self.until(lambda: self.log.read_text().count("HttpFactory starting") == self.count, "all workers")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *reason: object) -> None:
        if self.process.poll() is None:
            family = self.pids().values()
            self.process.terminate()
            try:
                self.process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                for pid in (self.process.pid, *family):
                    os.kill(pid, signal.SIGKILL)
                raise

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def urls(self) -> tuple[str, ...]:
        """Return the address twice: a probe reads two nodes, and each connection goes to any worker."""
        return (self.url, self.url)

    def all_serve(self) -> bool:
        """Return whether every worker says that it can be written to."""
        with self.each() as workers:
            return all(_status(one, "/readyz") == 200 for one in workers.values())

    def alone(self) -> bool:
        """Return whether no process of an earlier generation is left."""
        return len(self._children()) == self.count + 1

    def pids(self) -> dict[int, int]:
        """Return the newest process of each number (the writer is 0)."""
        found: dict[int, int] = {}
        for pid in self._children():
            with suppress(OSError):  # it has just ended
                told = re.search(rb'KODAMA_PART=\{"number":(\d+)', Path(f"/proc/{pid}/environ").read_bytes())
                if told:
                    found[int(told[1])] = pid
        return found

    def signal(self, number: int, which: signal.Signals) -> int:
        """Send a signal to a process and return its pid."""
        pid = self.pids()[number]
        os.kill(pid, which)
        return pid

    def connect(self) -> HTTPConnection:
        return HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)

    def ask(self, method: str, target: str, body: bytes | None = None) -> tuple[int, bytes]:
        """Ask whichever worker gets the connection."""
        connection = self.connect()
        try:
            connection.request(method, target, body, {"Content-Type": "application/json"} if body else {})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    @contextmanager
    def each(self) -> Iterator[dict[int, HTTPConnection]]:
        """Yield a connection to each worker; the kernel shares them out by chance."""
        found: dict[int, HTTPConnection] = {}

        def one_more() -> bool:
            connection = self.connect()
            number = worker_of(connection)
            if number in found:
                connection.close()
            found.setdefault(number, connection)
            return len(found) == self.count

        try:
            self.until(one_more, "all workers")
            yield found
        finally:
            for connection in found.values():
                connection.close()

    def until(self, asked: Callable[[], object], what: str) -> str:
        end = time.monotonic() + PATIENCE
        while not (answer := asked()):
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < end, f"{what}: {self.log.read_text()}"
            time.sleep(0.02)
        return str(answer)

    def _children(self) -> list[int]:
        parent = self.process.pid
        return sorted(map(int, Path(f"/proc/{parent}/task/{parent}/children").read_text().split()))

    def _said(self) -> str | None:
        told = re.search(r"open at http://127\.0\.0\.1:(\d+)/", self.log.read_text())
        return told[1] if told else None


def worker_of(connection: HTTPConnection) -> int:
    """Return which worker serves this connection."""
    connection.request("GET", "/metrics")
    said = connection.getresponse().read().decode()
    return int(float(re.findall(r"^kodama_worker (\S+)", said, re.MULTILINE)[0]))


def _status(connection: HTTPConnection, target: str) -> int:
    connection.request("GET", target)
    answer = connection.getresponse()
    answer.read()
    return answer.status
