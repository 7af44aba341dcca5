"""What stands between a browser and the server in the tests: a TCP proxy that cuts, and a real nginx."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.ports import free_port

NGINX = shutil.which("nginx") or "/usr/sbin/nginx"
DOCS = Path(__file__).parents[2] / "docs" / "how-to"


def until(condition: Callable[[], object], *, seconds: float = 30) -> None:
    """Poll ``condition`` until it holds; fail after ``seconds``. The first of things that are not there yet is none."""
    end = time.monotonic() + seconds
    while not _holds(condition):
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.02)


def _holds(condition: Callable[[], object]) -> bool:
    try:
        return bool(condition())
    except IndexError:
        return False


class CuttingProxy:
    """Forwards TCP to ``target``; `cut` breaks what is open, `down` refuses what is new."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._pairs: set[tuple[socket.socket, socket.socket]] = set()
        self._lock = threading.Lock()
        self._down = False
        self.requests: list[str] = []
        self._listener = socket.create_server(("127.0.0.1", free_port()))
        self.port = int(self._listener.getsockname()[1])
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Break every connection with a reset, in the middle of whatever it carries."""
        with self._lock:
            pairs = tuple(self._pairs)
        for pair in pairs:
            for end in pair:
                _reset(end)

    def down(self) -> None:
        """Cut, and let nothing through until `up`."""
        with self._lock:
            self._down = True
        self.cut()

    def up(self) -> None:
        self._down = False

    def asked(self, part: str) -> list[str]:
        """Return the request lines so far that contain ``part``."""
        return [line for line in tuple(self.requests) if part in line]

    def close(self) -> None:
        self._listener.close()
        self.down()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            if self._down:
                _reset(near)
                continue
            try:
                far = socket.create_connection(("127.0.0.1", self._target))
            except OSError:
                _reset(near)
                continue
            pair = (near, far)
            with self._lock:
                self._pairs.add(pair)
                late = self._down  # and cut already, without this one
            if late:
                _reset(near)
                _reset(far)
            for source, sink in (pair, pair[::-1]):
                threading.Thread(target=self._carry, args=(pair, source, sink), daemon=True).start()

    def _carry(self, pair: tuple[socket.socket, socket.socket], source: socket.socket, sink: socket.socket) -> None:
        try:
            while piece := source.recv(65536):
                if source is pair[0]:
                    self.requests += re.findall(r"^(?:GET|POST|PUT|PATCH|DELETE) \S+", piece.decode("latin-1"), re.MULTILINE)
                sink.sendall(piece)
        except OSError:
            pass
        for end in pair:
            _reset(end)
        with self._lock:
            self._pairs.discard(pair)


def _reset(end: socket.socket) -> None:
    try:
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        end.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
    end.close()


class Nginx:
    """A real nginx in front of ``target``, with the configuration that the how-to gives."""

    def __init__(self, folder: Path, target: int, *, change: Callable[[str], str] = str) -> None:
        if not Path(NGINX).exists():
            pytest.skip("nginx is not installed")
        folder.mkdir(exist_ok=True)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._folder = folder
        self._target = target
        self._process: subprocess.Popen[bytes] | None = None
        self.start(change)

    def start(self, change: Callable[[str], str] = str) -> None:
        """Start, or start again with another configuration."""
        self.stop()
        site = _published((DOCS / "behind-nginx.md").read_text("utf-8"), port=self.port, target=self._target)
        temporary = "".join(
            f"{kind}_temp_path {self._folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        config = self._folder / "nginx.conf"
        config.write_text(
            f"daemon off; worker_processes 1; pid {self._folder}/pid; error_log stderr error;\n"
            f"events {{ worker_connections 512; }}\nhttp {{ access_log off;\n{temporary}{change(site)}\n}}\n"
        )
        self._process = subprocess.Popen([NGINX, "-e", "stderr", "-c", config], stderr=subprocess.DEVNULL)
        until(self._answers)

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
            self._process = None

    def _answers(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port)).close()
        except OSError:
            return False
        return True


def _published(text: str, *, port: int, target: int) -> str:
    block = re.search(r"```nginx\n(.*?)```", text, re.DOTALL)
    assert block
    site = block[1].replace("127.0.0.1:8080", f"127.0.0.1:{target}")
    site = re.sub(r"listen 443 ssl[^;]*;", f"listen 127.0.0.1:{port};", site)
    site = re.sub(r"proxy_set_header Host [^;]*;", "proxy_set_header Host $http_host;", site)
    return re.sub(r"server_name [^;]*;", "server_name 127.0.0.1;", site)


def buffering(site: str) -> str:
    """Make a published site into one that holds answers back, whatever the server says."""
    changed = site.replace(
        "proxy_buffering off;",
        "proxy_buffering on; proxy_ignore_headers X-Accel-Buffering;"
        " gzip on; gzip_proxied any; gzip_min_length 0; gzip_types text/event-stream;",
    )
    assert changed != site
    return changed
