"""A supervisor holds the listening socket: a restart refuses nobody, and says when it is ready."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from http.client import HTTPConnection
from pathlib import Path

import pytest

from kodama.app.systemd import inherited, notify

LAUNCH = (
    "import os,sys; os.dup2(int(sys.argv[1]), 3); os.set_inheritable(3, True); "
    "os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS='1'); "
    "os.execv(sys.executable, [sys.executable, '-m', 'kodama', 'serve', '--data', sys.argv[2]])"
)
PATIENCE = 60.0


class Supervisor:
    """Holds a socket for one server after the other, and hears what they notify."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = int(self.socket.getsockname()[1])
        self.ears = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.ears.bind(str(folder / "notify"))
        self.ears.settimeout(PATIENCE)

    def start(self) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, "-c", LAUNCH, str(self.socket.fileno()), str(self.folder / "data")],
            pass_fds=[self.socket.fileno()], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={**os.environ, "NOTIFY_SOCKET": str(self.folder / "notify")},
        )  # fmt: skip
        assert self.ears.recv(100) == b"READY=1"
        return process

    def close(self) -> None:
        self.socket.close()
        self.ears.close()


def test_a_restart_refuses_no_connection(tmp_path: Path) -> None:
    supervisor = Supervisor(tmp_path)
    process = supervisor.start()
    answered: list[int] = []
    refused: list[OSError] = []
    over = threading.Event()

    def connect() -> None:
        while not over.wait(0.01):
            connection = HTTPConnection("127.0.0.1", supervisor.port, timeout=PATIENCE)
            try:
                connection.connect()
            except OSError as error:
                refused.append(error)
                continue
            try:
                connection.request("GET", "/healthz")
                answered.append(connection.getresponse().status)
            except OSError:
                pass  # accepted just before the drain; it is refusals that this is about
            finally:
                connection.close()

    client = threading.Thread(target=connect)
    client.start()
    try:
        for _ in range(2):
            process.send_signal(signal.SIGTERM)
            assert supervisor.ears.recv(100) == b"STOPPING=1"
            assert process.wait(PATIENCE) == 0
            process = supervisor.start()
            before, end = len(answered), time.monotonic() + PATIENCE
            while len(answered) <= before and time.monotonic() < end:
                over.wait(0.01)
            assert len(answered) > before
    finally:
        over.set()
        client.join(PATIENCE)
        process.kill()
        process.wait(PATIENCE)
        supervisor.close()
    assert refused == []
    assert set(answered) == {200}


def test_a_socket_that_is_meant_for_another_process_is_left_alone() -> None:
    environ = {"LISTEN_PID": "1", "LISTEN_FDS": "1", "LISTEN_FDNAMES": "x"}
    assert inherited(environ, process=2) is None
    assert environ == {}, "no child believes that it is meant"
    assert inherited({"LISTEN_PID": "2", "LISTEN_FDS": "x"}, process=2) is None
    assert inherited({"LISTEN_PID": "2", "LISTEN_FDS": "0"}, process=2) is None
    with pytest.raises(OSError, match="2 sockets"):
        inherited({"LISTEN_PID": "2", "LISTEN_FDS": "2"}, process=2)


def test_nobody_who_listens_is_no_reason_to_fail(tmp_path: Path) -> None:
    for address in ("", "relative", str(tmp_path / "none"), "@kodama-nobody"):
        notify("READY=1", {"NOTIFY_SOCKET": address})
